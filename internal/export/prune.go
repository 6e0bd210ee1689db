package export

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/fault"
)

// past is the catalog's sequence number at an earlier time.
type past struct {
	mu  sync.Mutex
	seq uint64
	at  time.Time
}

// Prune deletes replaced records from the catalog that no unfinished export needs. It should be called about once a minute;
// any number of processes may do so.
//
// A purchase that has not committed yet is not visible, so records that were replaced since the last call are kept as
// well: a purchase takes milliseconds.
func (x *Exports) Prune(ctx context.Context) error {
	x.past.mu.Lock()
	defer x.past.mu.Unlock()
	if time.Since(x.past.at) < x.options.PastKept {
		return nil
	}
	seq, err := x.catalog.Seq(ctx)
	if err != nil {
		return fmt.Errorf("prune past records: %w", err)
	}
	before := x.past.seq
	x.past.seq, x.past.at = seq, time.Now()
	if before, err = x.remembered(ctx, before); err != nil {
		return fmt.Errorf("prune past records: %w", err)
	}
	if before, err = x.needed(ctx, before); err != nil {
		return fmt.Errorf("prune past records: %w", err)
	}
	if before == 0 {
		return nil
	}
	if err := x.catalog.Prune(ctx, before); err != nil {
		return fmt.Errorf("prune past records: %w", err)
	}
	return nil
}

// remembered returns seq, or the sequence number at the beginning of Options.RecordsKept if that is lower. It is 0 while the
// catalog does not know it, because it was upgraded since.
func (x *Exports) remembered(ctx context.Context, seq uint64) (uint64, error) {
	if x.options.RecordsKept == 0 {
		return seq, nil
	}
	m, err := x.catalog.MomentAt(ctx, time.Now().Add(-x.options.RecordsKept))
	if fault.CodeOf(err) == fault.Validation {
		return 0, nil
	}
	return min(seq, m.Seq), err
}

// needed returns seq, or the lowest sequence number that an unfinished export reads if that is lower.
func (x *Exports) needed(ctx context.Context, seq uint64) (uint64, error) {
	var oldest sql.NullInt64
	const q = `SELECT MIN(as_of) FROM export WHERE status IN ('pending', 'processing')`
	if err := x.db.Read().QueryRowContext(ctx, q).Scan(&oldest); err != nil {
		return 0, err
	}
	if oldest.Valid {
		seq = min(seq, uint64(oldest.Int64)) //nolint:gosec // written from a uint64 far below 2^63
	}
	return seq, nil
}

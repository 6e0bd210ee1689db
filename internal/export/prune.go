package export

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// past remembers where the catalog was a while ago.
type past struct {
	mu  sync.Mutex
	seq uint64
	at  time.Time
}

// Prune lets the catalog forget the records that have been replaced and that no unfinished export needs. It is meant
// to be called every minute or so, by any number of processes.
//
// An export that is being bought right now is not seen yet, so what was replaced since the last call stays as well:
// a purchase takes milliseconds.
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

// needed is the smaller of seq and the oldest state that an unfinished export is of.
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

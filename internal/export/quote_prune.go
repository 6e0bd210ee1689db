package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

const (
	quoteGrace    = time.Minute        // before an expired quote is emptied
	quoteKept     = 7 * 24 * time.Hour // without its companies, so that who comes too late is told what happened
	quotesAtATime = 200                // at most 8 MB, so that no write transaction takes long
)

// PruneQuotes empties the quotes that have expired and drops those that expired long ago. It is meant to be called
// every minute or so, by any number of processes.
func (x *Exports) PruneQuotes(ctx context.Context) error {
	const empty = `UPDATE quote SET companies = NULL WHERE id IN
		(SELECT id FROM quote WHERE companies IS NOT NULL AND expires_at < $1 LIMIT $2)`
	const drop = `DELETE FROM quote WHERE id IN
		(SELECT id FROM quote WHERE companies IS NULL AND expires_at < $1 LIMIT $2)`
	now := time.Now()
	return errors.Join(
		x.pruneQuotes(ctx, empty, now.Add(-quoteGrace)),
		x.pruneQuotes(ctx, drop, now.Add(-quoteKept)))
}

func (x *Exports) pruneQuotes(ctx context.Context, q string, before time.Time) error {
	for {
		var n int64
		err := x.db.Tx(ctx, func(tx *db.Tx) error {
			res, err := tx.ExecContext(ctx, q, db.Time(before), quotesAtATime)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("prune quotes: %w", err)
		}
		if n < quotesAtATime {
			return nil
		}
	}
}

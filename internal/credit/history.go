package credit

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Filter selects entries of a ledger; the zero Filter selects all.
type Filter struct {
	From   time.Time // inclusive; zero for no bound
	To     time.Time // exclusive; zero for no bound
	Reason Reason    // empty for any
}

// Recent returns the workspace's newest entries, newest first.
func (s *Store) Recent(ctx context.Context, ws id.Workspace, limit int) ([]Entry, error) {
	return s.Page(ctx, ws, Filter{}, 0, limit)
}

// Page returns the selected entries with a Seq below before, newest first; 0 starts with the newest.
func (s *Store) Page(ctx context.Context, ws id.Workspace, f Filter, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !f.From.IsZero() {
		from = db.Time(f.From)
	}
	if !f.To.IsZero() {
		to = db.Time(f.To)
	}
	const q = `SELECT e.id, e.workspace_id, seq, amount, balance_after, reason, reference, note, actor,
			COALESCE(t.name, p.name, ''), e.created_at
		FROM entry e
		LEFT JOIN token t ON t.id = substr(actor, 7)  -- behind token:
		LEFT JOIN person p ON p.id = substr(actor, 8) -- behind person:
		WHERE e.workspace_id = $1 AND seq < $2 AND e.created_at >= $3 AND e.created_at < $4 AND ($5 = '' OR reason = $5)
		ORDER BY seq DESC LIMIT $6`
	entries, err := db.Collect(ctx, s.db.Read(), scan, q, ws, before, from, to, string(f.Reason), limit)
	if err != nil {
		return nil, fmt.Errorf("read entries of workspace %s: %w", ws, err)
	}
	return entries, nil
}

// pageMax bounds the entries that Each keeps in memory.
const pageMax = 1000

// Each calls fn for the selected entries, newest first. Entries added after the call are left out.
func (s *Store) Each(ctx context.Context, ws id.Workspace, f Filter, fn func(Entry) error) error {
	for before := int64(0); ; {
		page, err := s.Page(ctx, ws, f, before, pageMax)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := fn(e); err != nil {
				return err
			}
		}
		if len(page) < pageMax {
			return nil
		}
		before = page[len(page)-1].Seq
	}
}

func scan(row db.Row) (e Entry, err error) {
	var reference sql.NullString
	var created int64
	err = row.Scan(&e.ID, &e.Workspace, &e.Seq, &e.Amount, &e.BalanceAfter, &e.Reason, &reference,
		&e.Note, &e.Actor, &e.ActorName, &created)
	e.Reference, e.CreatedAt = reference.String, db.FromTime(created)
	return e, err
}

package unlock

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Holders finds which companies of a set any workspace has unlocked. It may be asked repeatedly: it reads only the deltas
// since the last time. Not safe for concurrent use.
type Holders struct {
	of   company.Set
	held map[id.Workspace]*holder
}

type holder struct {
	seq  int64 // of the last delta in the set
	part company.Set
}

// Holders reads which of the companies each workspace owns.
func (s *Store) Holders(ctx context.Context, of company.Set) (*Holders, error) {
	h := &Holders{of: of, held: map[id.Workspace]*holder{}}
	_, err := h.Held(ctx, s.db.Read())
	return h, err
}

// Held returns the companies that any workspace has unlocked, as q sees it; what q sees must be committed.
func (h *Holders) Held(ctx context.Context, q db.Querier) (company.Set, error) {
	newest, err := newestDeltas(ctx, q)
	if err != nil {
		return company.Set{}, fmt.Errorf("read who has unlocked: %w", err)
	}
	for ws, seq := range newest {
		if err := h.follow(ctx, q, ws, seq); err != nil {
			return company.Set{}, fmt.Errorf("read unlocks of workspace %s: %w", ws, err)
		}
	}
	return h.All(), nil
}

// All returns the companies that any workspace had unlocked when they were last read.
func (h *Holders) All() company.Set {
	var all company.Set
	for _, had := range h.held {
		all = all.Or(had.part)
	}
	return all
}

// follow brings the workspace's part up to the delta numbered seq.
func (h *Holders) follow(ctx context.Context, q db.Querier, ws id.Workspace, seq int64) error {
	had := h.held[ws]
	if had == nil {
		s, err := readSnapshot(ctx, q, ws)
		if err != nil {
			return err
		}
		had = &holder{s.seq, h.of.And(s.companies)}
		h.held[ws] = had
	}
	if had.seq >= seq {
		return nil
	}
	deltas, err := readDeltas(ctx, q, ws, had.seq)
	for _, d := range deltas {
		had.part, had.seq = d.within(h.of, had.part), d.seq
	}
	return err
}

func newestDeltas(ctx context.Context, q db.Querier) (map[id.Workspace]int64, error) {
	newest := map[id.Workspace]int64{}
	err := db.Each(ctx, q, func(row db.Row) error {
		var ws id.Workspace
		var seq int64
		err := row.Scan(&ws, &seq)
		newest[ws] = seq
		return err
	}, `SELECT workspace_id, MAX(seq) FROM unlock_delta GROUP BY workspace_id`)
	return newest, err
}

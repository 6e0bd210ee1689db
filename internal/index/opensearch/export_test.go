package opensearch

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// Forget closes the snapshots that are kept for cursors, as if they had expired.
func (ix *Index) Forget(ctx context.Context) error {
	ix.mu.Lock()
	var ids []string
	for _, s := range ix.open {
		s.keepUntil = time.Time{}
		if s != ix.current {
			ids = append(ids, s.pit)
		}
	}
	ids = append(ids, ix.current.pit)
	ix.mu.Unlock()
	if ids = slices.DeleteFunc(ids, func(s string) bool { return s == "" }); len(ids) == 0 {
		return nil
	}
	return ix.client.do(ctx, http.MethodDelete, "/_search/point_in_time", object{"pit_id": ids}, nil)
}

// SetTimeout changes Options.Timeout.
func (ix *Index) SetTimeout(d time.Duration) { ix.client.timeout = d }

// Drop deletes the alias and everything that was stored under it. Afterwards the index is empty.
func (ix *Index) Drop(ctx context.Context) error {
	ix.applying.Lock()
	defer ix.applying.Unlock()
	if err := ix.removeOthers(ctx, ""); err != nil {
		return err
	}
	return ix.reload(ctx, nil)
}

// CheckpointOf is checkpointOf.
func CheckpointOf(index, mark string) (of, checkpoint string) { return checkpointOf(index, mark) }

// CountOwned has OpenSearch count what the query matches, and how much of that is in the set, and nothing else.
func (ix *Index) CountOwned(ctx context.Context, q query.Query, owned company.Set) (total, in int, err error) {
	err = ix.answered(ctx, func(s *snapshot) error {
		matches := criteria{root: q.Root}.matches()
		counts, err := ix.count(ctx, s, matches, both([]object{matches, inSet(owned)}, nil))
		if err == nil {
			total, in = counts[0], counts[1]
		}
		return err
	})
	return total, in, err
}

package embedded

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// hits are the matches in one part.
type hits struct {
	*part
	bits   bitset
	count  int
	listed []uint32 // what list gives, once it was asked
}

// list is the matches as a list.
func (h *hits) list(scratch *arena) []uint32 {
	if h.listed == nil {
		h.listed = h.bits.appendTo(scratch.emptyList(h.count))
	}
	return h.listed
}

// Search gives one page of the matches with totals.
func (ix *Index) Search(ctx context.Context, r index.Request) (result *index.Result, err error) {
	err = ix.whole(ctx, func() (err error) {
		result, err = ix.search(ctx, r)
		return err
	})
	return result, err
}

func (ix *Index) search(ctx context.Context, r index.Request) (*index.Result, error) {
	snapshot, after, err := ix.resume(r)
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(snapshot) // it holds the files that slices below are views of
	asked := askedFacets(r)
	scratch := borrowArena()
	defer scratch.release()
	what := wanted{r.Query.Root, r.Within, nil, groupsOfSort(r.Sort) | asked.groups()}
	found, total, err := snapshot.search(ctx, scratch, what)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	result := &index.Result{Total: total, Owned: owned(scratch, found, total, r.Owned)}
	limit := max(1, r.Limit)
	order := snapshot.order(scratch, found, r.Query, r.Sort, after)
	page := order.first(limit, after)
	if page.more {
		result.Next = ix.cursor(snapshot, order, page)
		ix.memory.keep(snapshot, time.Now(), ix.options)
	}
	result.Page = page.numbers
	if asked.limit > 0 {
		result.Facets = snapshot.facets(scratch, found, asked)
	}
	return result, nil
}

// Select gives the first matches in the sort's order.
func (ix *Index) Select(ctx context.Context, s index.Selection) (selected *index.Selected, err error) {
	err = ix.whole(ctx, func() (err error) {
		selected, err = ix.choose(ctx, s)
		return err
	})
	return selected, err
}

func (ix *Index) choose(ctx context.Context, s index.Selection) (*index.Selected, error) {
	snapshot := ix.current.Load()
	defer runtime.KeepAlive(snapshot)
	scratch := borrowArena()
	defer scratch.release()
	found, total, err := snapshot.search(ctx, scratch, wanted{s.Query.Root, s.Within, s.Without, groupsOfSort(s.Sort)})
	if err != nil {
		return nil, fmt.Errorf("select: %w", err)
	}
	head := snapshot.order(scratch, found, s.Query, s.Sort, nil).first(max(0, s.Limit), nil)
	return &index.Selected{Numbers: head.numbers, Total: total}, nil
}

// wanted is what a search looks for, and the groups that it reads besides those of the query.
type wanted struct {
	root            query.Node
	within, without *company.Set
	also            groups
}

// search finds the matches part by part, those without any left out.
func (s *snapshot) search(ctx context.Context, scratch *arena, w wanted) ([]hits, int, error) {
	var found []hits
	total := 0
	need := w.also | groupsOf(w.root)
	for i := range s.parts {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if err := s.parts[i].need(need); err != nil {
			return nil, 0, err
		}
		e := evaluator{&s.parts[i], scratch}
		matches := e.matches(w.root)
		if w.within != nil {
			e.keepWithin(matches, *w.within)
		}
		if w.without != nil {
			e.leaveOut(matches, *w.without)
		}
		if n := matches.count(); n > 0 {
			found = append(found, hits{part: e.part, bits: matches, count: n})
			total += n
		}
	}
	return found, total, nil
}

package embedded

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// hits holds the matches in one part.
type hits struct {
	*part
	bits       bitset
	count      int
	excluded   int      // matches that were in criteria.excluded
	cachedList []uint32 // the result of list, once it was called
	forms      *formsIn // of the part

	scratch *arena // of the goroutine that works on the part
}

// list returns the matches as an ascending list.
func (h *hits) list() []uint32 {
	if h.cachedList == nil {
		h.cachedList = h.bits.appendTo(h.scratch.list(h.count))
	}
	return h.cachedList
}

// Search implements index.Index.
func (ix *Index) Search(ctx context.Context, r index.Request) (result *index.Result, err error) {
	if err := r.Query.Unresolved(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var read *snapshot
	err = ix.answerComplete(ctx, &read, func() (err error) {
		var after *position
		if read, after, err = ix.resume(r); err != nil {
			return err
		}
		result, err = ix.search(ctx, read, after, r)
		return err
	})
	return result, err
}

// search answers from the cache what an earlier search of the snapshot found.
func (ix *Index) search(ctx context.Context, snapshot *snapshot, after *position, r index.Request) (*index.Result, error) {
	defer runtime.KeepAlive(snapshot) // keeps the files mapped that the slices below point into
	request := newFacetRequest(r)
	asked := questionsOf(r)
	page, owned, facets := ix.answers.get(snapshot, asked.page), ix.answers.owned(snapshot, asked, r.Owned), ix.answers.get(snapshot, asked.facets)
	wanted := request.limit > 0
	if page == nil || owned == nil || wanted && facets == nil {
		release, err := awaitCore(ctx)
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		defer release()
		scratch := borrowArena()
		what := criteria{r.Query.Root, r.Within, r.Without, r.Excluded, groupsOfSort(r.Sort) | request.groups()}
		found, counts, err := snapshot.search(ctx, scratch, what)
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if owned == nil {
			owned = ix.answers.put(snapshot, asked.owned, answer{found: index.Result{Owned: countOwned(found, r.Owned)}})
			if ix.answers.most > 0 {
				ix.answers.put(snapshot, asked.matches, answer{matches: snapshot.matchesOf(found)})
			}
		}
		if page == nil {
			page = ix.answers.put(snapshot, asked.page, answer{found: ix.page(snapshot, found, counts, after, r)})
		}
		if wanted && facets == nil {
			counted, err := snapshot.facets(found, request)
			if err != nil {
				return nil, fmt.Errorf("search: %w", err)
			}
			facets = ix.answers.put(snapshot, asked.facets, answer{found: index.Result{Facets: counted}})
		}
		scratch.close() // not after a panic, which may leave it in an unknown state
	}
	if !wanted {
		facets = nil
	}
	answered := result(page, owned, facets)
	if answered.Next != nil {
		ix.snapshots.keep(snapshot, time.Now(), ix.options)
	}
	return answered, nil
}

// page returns the page of a search, without facets and without the number of owned matches.
func (ix *Index) page(snapshot *snapshot, found []hits, counts counts, after *position, r index.Request) index.Result {
	if after != nil && after.nameInSnapshot {
		after.name = snapshot.nameOf(after.number)
	}
	result := index.Result{Total: counts.total, Excluded: counts.excluded}
	order := snapshot.order(found, r.Query, r.Sort, after)
	head := r.Head
	if after != nil {
		head = 0
	}
	page := order.first(max(1, r.Limit), head, after)
	if page.more {
		result.Next = ix.newCursor(snapshot, order, page)
	}
	result.Page, result.Head = page.numbers, page.head
	return result
}

// matchesOf returns a copy of what was found, by part.
func (s *snapshot) matchesOf(found []hits) []bitset {
	all := make([]bitset, len(s.parts))
	for i := range all {
		for _, h := range found {
			if h.part == &s.parts[i] {
				all[i] = slices.Clone(h.bits)
			}
		}
	}
	return all
}

// Select implements index.Index.
func (ix *Index) Select(ctx context.Context, s index.Selection) (selected *index.Selected, err error) {
	if err := s.Query.Unresolved(); err != nil {
		return nil, fmt.Errorf("select: %w", err)
	}
	var read *snapshot
	err = ix.answerComplete(ctx, &read, func() (err error) {
		read = ix.current.Load()
		release, err := awaitCore(ctx)
		if err != nil {
			return fmt.Errorf("select: %w", err)
		}
		defer release()
		scratch := borrowArena()
		selected, err = read.selectFirst(ctx, scratch, s)
		scratch.close()
		return err
	})
	return selected, err
}

func (s *snapshot) selectFirst(ctx context.Context, scratch *arena, of index.Selection) (*index.Selected, error) {
	defer runtime.KeepAlive(s)
	found, counts, err := s.search(ctx, scratch, criteria{of.Query.Root, of.Within, of.Without, of.Excluded, groupsOfSort(of.Sort)})
	if err != nil {
		return nil, fmt.Errorf("select: %w", err)
	}
	head := s.order(found, of.Query, of.Sort, nil).first(max(0, of.Limit), 0, nil)
	return &index.Selected{Numbers: head.numbers, Total: counts.total, Excluded: counts.excluded}, nil
}

// criteria are what a search matches, and the groups that it reads in addition to those of the query.
type criteria struct {
	root            query.Node
	within, without *company.Set
	excluded        []company.Set
	extraGroups     groups
}

// counts are the numbers of matches that are left in and left out.
type counts struct{ total, excluded int }

// search finds the matches of each part. Parts without a match are left out.
func (s *snapshot) search(ctx context.Context, scratch *arena, w criteria) ([]hits, counts, error) {
	need := w.extraGroups | groupsOf(w.root)
	all := make([]hits, len(s.parts))
	for i, shard := range s.assignShards(scratch) {
		if err := ctx.Err(); err != nil {
			return nil, counts{}, err
		}
		if err := s.parts[i].verify(need); err != nil {
			return nil, counts{}, err
		}
		all[i] = hits{part: &s.parts[i], forms: &formsIn{words: &s.parts[i].words}, scratch: shard}
	}
	eachShard(all, func(h *hits) {
		e := evaluator{h.part, h.scratch, h.forms}
		h.bits = e.matches(w.root)
		if w.within != nil {
			e.keepSet(h.bits, *w.within)
		}
		if w.without != nil {
			e.removeSet(h.bits, *w.without)
		}
		n, known := e.knownCount(w)
		if !known {
			n = h.bits.count()
		}
		h.count = n
		if n == 0 || len(w.excluded) == 0 {
			return
		}
		for _, set := range w.excluded {
			e.removeSet(h.bits, set)
		}
		h.count = h.bits.count()
		h.excluded = n - h.count
	})
	found, sum := all[:0], counts{}
	for _, h := range all {
		sum.excluded += h.excluded
		if h.count > 0 {
			found = append(found, h)
			sum.total += h.count
		}
	}
	return found, sum, nil
}

// knownCount returns the number of matches if it is known without counting: the companies with a single value, if the part
// has no deleted slots.
func (e evaluator) knownCount(w criteria) (n int, known bool) {
	one, ok := w.root.(query.OneOf)
	if !ok || len(one.Values) != 1 || w.within != nil || w.without != nil || len(e.deleted) > len(e.holes) {
		return 0, false
	}
	e.eachValue(one, func(v *values, key int) { n = v.count(key) })
	return n, true
}

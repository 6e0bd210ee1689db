package opensearch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// windowMax is the most hits of one request; more are read in several.
const windowMax = 10_000

// Search implements index.Index.
func (ix *Index) Search(ctx context.Context, r index.Request) (result *index.Result, err error) {
	if err := r.Query.Unresolved(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var after *position
	if len(r.Cursor) > 0 {
		if after, err = ix.readCursor(r); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if s := ix.snapshotOf(after); s != nil {
			result, err = ix.searchIn(ctx, s, r, after)
			ix.release(s)
			if !isLost(err) {
				return result, wrap("search", err)
			}
		}
	}
	err = ix.answered(ctx, func(s *snapshot) (err error) {
		result, err = ix.searchIn(ctx, s, r, after)
		return err
	})
	return result, wrap("search", err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, asFault(err))
}

func (ix *Index) searchIn(ctx context.Context, s *snapshot, r index.Request, after *position) (*index.Result, error) {
	what := criteria{r.Query.Root, r.Within, r.Without, r.Excluded}
	o, err := ix.orderOf(ctx, s, r.Query, r.Sort, after)
	if err != nil {
		return nil, err
	}
	facets := newFacetRequest(r)
	limit, head := max(1, r.Limit), r.Head
	if after != nil {
		head = 0
	}
	found, err := ix.first(ctx, s, what, o, max(limit+1, head), r.Owned, facets.aggregations())
	if err != nil {
		return nil, err
	}
	result := &index.Result{Total: found.total, Owned: found.owned, Page: found.numbers(limit)}
	if head > 0 {
		result.Head = found.numbers(head)
	}
	if result.Excluded, err = ix.excludedBy(ctx, s, what); err != nil {
		return nil, err
	}
	if result.Facets, err = ix.facetsOf(ctx, s, what, facets, found.counted); err != nil {
		return nil, err
	}
	if len(found.hits) > limit {
		if result.Next, err = ix.newCursor(s, o, found.hits[limit-1]); err != nil {
			return nil, err
		}
		ix.keep(s)
	}
	return result, nil
}

// Select implements index.Index.
func (ix *Index) Select(ctx context.Context, r index.Selection) (selected *index.Selected, err error) {
	if err := r.Query.Unresolved(); err != nil {
		return nil, fmt.Errorf("select: %w", err)
	}
	what := criteria{r.Query.Root, r.Within, r.Without, r.Excluded}
	err = ix.answered(ctx, func(s *snapshot) error {
		o, err := ix.orderOf(ctx, s, r.Query, r.Sort, nil)
		if err != nil {
			return err
		}
		found, err := ix.first(ctx, s, what, o, max(0, r.Limit), company.Set{}, nil)
		if err != nil {
			return err
		}
		selected = &index.Selected{Numbers: found.numbers(r.Limit), Total: found.total}
		selected.Excluded, err = ix.excludedBy(ctx, s, what)
		return err
	})
	return selected, wrap("select", err)
}

// excludedBy returns the number of further matches that are left out.
func (ix *Index) excludedBy(ctx context.Context, s *snapshot, what criteria) (int, error) {
	q, ok := what.leftOut()
	if !ok {
		return 0, nil
	}
	counts, err := ix.count(ctx, s, q)
	if err != nil {
		return 0, err
	}
	return counts[0], nil
}

// matches are the first matches in an order, and what was counted.
type matches struct {
	total, owned int
	hits         [][]json.RawMessage // the sort values; the last is the number
	all          []company.Number
	counted      map[string]json.RawMessage // the aggregations
}

func (m *matches) numbers(limit int) []company.Number { return m.all[:min(max(limit, 0), len(m.all))] }

// first returns the first matches after the order's position. Owned matches and aggregations are counted over all.
func (ix *Index) first(ctx context.Context, s *snapshot, what criteria, o order, limit int, owned company.Set, aggs object) (*matches, error) {
	m := &matches{all: []company.Number{}}
	after := o.after
	for first := true; first || len(m.hits) < limit; first = false {
		size := min(limit-len(m.hits), windowMax)
		body := object{"size": size, "query": o.query(what.matches()), "track_total_hits": first}
		if size > 0 {
			body["sort"] = o.sort()
		}
		if after != nil && size > 0 {
			body["search_after"] = after
		}
		bodies := []object{body}
		if first {
			if len(aggs) > 0 {
				body["aggs"] = aggs
			}
			if !owned.IsEmpty() {
				// A count of its own skips what is not owned. An aggregation would look at every match.
				bodies = append(bodies, object{"size": 0, "track_total_hits": true, "query": both([]object{what.matches(), inSet(owned)}, nil)})
			}
		}
		answers, err := ix.searchAll(ctx, s, bodies)
		if err != nil {
			return nil, err
		}
		a := answers[0]
		if first {
			m.total, m.counted = a.total(), a.Aggregations
		}
		if len(answers) > 1 {
			m.owned = answers[1].total()
		}
		for _, h := range a.Hits.Hits {
			var n company.Number
			if err := json.Unmarshal(h.Sort[len(h.Sort)-1], &n); err != nil {
				return nil, unavailable(fmt.Errorf("read a number: %w", err))
			}
			m.all, m.hits = append(m.all, n), append(m.hits, h.Sort)
			after = h.Sort
		}
		if len(a.Hits.Hits) < size || size == 0 {
			break
		}
	}
	return m, nil
}

// order is the order of a search and the position after which it continues.
type order struct {
	by      query.Sort
	terms   []rankedTerm // by relevance
	weights []uint16     // of the terms
	after   []json.RawMessage
}

// orderOf returns the order of a search, with the weights of its first page.
func (ix *Index) orderOf(ctx context.Context, s *snapshot, q query.Query, by query.Sort, after *position) (o order, err error) {
	o.by = by
	if after != nil {
		if o.after, err = ix.sortValues(ctx, s, by, after); err != nil {
			return o, err
		}
	}
	if by.By != query.ByRelevance {
		return o, nil
	}
	o.terms = rankedTerms(q.Root)
	if after != nil {
		o.weights = after.weights
		return o, nil
	}
	o.weights, err = ix.weights(ctx, s, o.terms)
	return o, err
}

// weights returns the weight of each term; that of a single one does not matter.
func (ix *Index) weights(ctx context.Context, s *snapshot, terms []rankedTerm) ([]uint16, error) {
	weights := make([]uint16, len(terms))
	counts := make([]int, len(terms))
	var missing []int
	var queries []object
	s.known.mu.Lock()
	for i, t := range terms {
		count, ok := s.known.counts[t.key]
		if counts[i] = count; !ok && len(terms) > 1 && t.Forms != nil {
			missing, queries = append(missing, i), append(queries, t.frequency())
		}
	}
	s.known.mu.Unlock()
	found, err := ix.count(ctx, s, queries...)
	if err != nil {
		return nil, err
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	if s.known.counts == nil {
		s.known.counts = map[string]int{}
	}
	for i, at := range missing {
		counts[at], s.known.counts[terms[at].key] = found[i], found[i]
	}
	for i := range terms {
		if weights[i] = weightUnit; len(terms) > 1 {
			weights[i] = weightOf(counts[i], s.companies)
		}
	}
	return weights, nil
}

// query adds to the query for the matches what their relevance depends on.
func (o order) query(matches object) object {
	if o.by.By != query.ByRelevance {
		return object{"bool": object{"filter": matches}}
	}
	scores := make([]object, len(o.terms))
	for i, t := range o.terms {
		scores[i] = t.score(o.weights[i])
	}
	return object{"bool": object{"filter": matches, "should": scores, "minimum_should_match": 0}}
}

var sortFields = map[query.SortKey]string{
	query.ByEmployeeCount: "employees", query.ByName: "name_key", query.ByFoundedYear: "founded", query.ByUpdatedAt: "updated",
}

func (o order) sort() []object {
	direction := "asc"
	if o.by.Desc {
		direction = "desc"
	}
	number := object{"n": "asc"}
	if o.by.By == query.ByRelevance {
		return []object{{"_score": direction}, number}
	}
	return []object{{sortFields[o.by.By]: object{"order": direction, "missing": "_last"}}, number}
}

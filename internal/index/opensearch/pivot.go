package opensearch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// Pivot implements index.Index.
func (ix *Index) Pivot(ctx context.Context, r index.PivotRequest) (pivot *index.Pivot, err error) {
	if err := r.Query.Unresolved(); err != nil {
		return nil, fmt.Errorf("pivot: %w", err)
	}
	what := criteria{r.Query.Root, r.Within, r.Without, r.Excluded}
	err = ix.answered(ctx, func(s *snapshot) error {
		p := &pivoter{ix: ix, s: s, matches: what.matches()}
		if pivot, err = p.pivot(ctx, r); err != nil {
			return err
		}
		pivot.Excluded, err = ix.excludedBy(ctx, s, what)
		return err
	})
	return pivot, wrap("pivot", err)
}

// pivoter makes one table.
type pivoter struct {
	ix      *Index
	s       *snapshot
	matches object
}

// axis is one side of the table: its values, as in documents.
type axis struct {
	facet  index.Facet
	values []valueCount
	more   int
}

func (p *pivoter) pivot(ctx context.Context, r index.PivotRequest) (*index.Pivot, error) {
	rows, err := p.axis(ctx, r.Rows)
	if err != nil {
		return nil, err
	}
	columns, err := p.axis(ctx, r.Columns)
	if err != nil {
		return nil, err
	}
	a, err := p.ix.search(ctx, p.s, object{
		"size": 0, "track_total_hits": true, "query": p.matches, "aggs": object{
			"rows":    rows.filters(object{"columns": columns.filters(nil)}),
			"columns": columns.filters(object{"rows": rows.rest()}),
		},
	})
	if err != nil {
		return nil, err
	}
	table := &index.Pivot{Total: a.total(), Cells: make([][]int, len(rows.values))}
	byRow, err := readCells(a.Aggregations["rows"], "columns")
	if err != nil {
		return nil, err
	}
	byColumn, err := readCells(a.Aggregations["columns"], "rows")
	if err != nil {
		return nil, err
	}
	for i := range rows.values {
		table.Cells[i] = make([]int, len(columns.values))
		for j := range columns.values {
			table.Cells[i][j] = byRow[key(i)].in[key(j)]
		}
	}
	if table.Rows, err = p.side(ctx, rows, byRow); err != nil {
		return nil, err
	}
	table.Columns, err = p.side(ctx, columns, byColumn)
	return table, err
}

// axis returns the values that most matches have.
func (p *pivoter) axis(ctx context.Context, of index.PivotAxis) (axis, error) {
	all, err := p.ix.allValues(ctx, p.s, p.matches, facetField(of.Facet))
	if err != nil {
		return axis{}, err
	}
	number := func(v valueCount) int64 {
		n, _ := strconv.ParseInt(v.value, 10, 64)
		return n
	}
	if of.Facet.HasBands() {
		slices.SortFunc(all, func(a, b valueCount) int {
			return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(number(a), number(b)))
		})
	}
	shown := all[:min(of.Limit, len(all))]
	if of.Facet.HasBands() {
		slices.SortFunc(shown, func(a, b valueCount) int { return cmp.Compare(number(a), number(b)) })
	}
	return axis{of.Facet, shown, len(all) - len(shown)}, nil
}

const (
	otherKey   = "other"
	unknownKey = "unknown"
)

func key(i int) string { return "v" + strconv.Itoa(i) }

// rest returns the aggregation with a bucket for the matches with other values, and one for those without a value.
func (a axis) rest() object {
	shown := make([]string, len(a.values))
	for i, v := range a.values {
		shown[i] = v.value
	}
	isKnown := object{"term": object{"known": a.facet.Field().String()}}
	if a.facet.Field() == query.FieldKnown {
		isKnown = object{"exists": object{"field": "known"}}
	}
	return object{"filters": object{"filters": object{
		otherKey:   both([]object{isKnown}, []object{{"terms": object{facetField(a.facet): shown}}}),
		unknownKey: both([]object{everything}, []object{isKnown}),
	}}}
}

// filters returns rest with a bucket for each value, too.
func (a axis) filters(aggs object) object {
	rest := a.rest()
	buckets := rest["filters"].(object)["filters"].(object)
	for i, v := range a.values {
		buckets[key(i)] = object{"term": object{facetField(a.facet): v.value}}
	}
	if aggs != nil {
		rest["aggs"] = aggs
	}
	return rest
}

// cell has the number of matches of a value, and of those the ones in each bucket of the other side.
type cell struct {
	count int
	in    map[string]int
}

func readCells(raw json.RawMessage, other string) (map[string]cell, error) {
	cells := map[string]cell{}
	if len(raw) == 0 {
		return cells, nil
	}
	var outer struct {
		Buckets map[string]map[string]json.RawMessage `json:"buckets"`
	}
	if err := json.Unmarshal(raw, &outer); err != nil {
		return nil, unavailable(fmt.Errorf("read a table: %w", err))
	}
	for name, bucket := range outer.Buckets {
		c := cell{in: map[string]int{}}
		var inner struct {
			Buckets map[string]struct {
				Count int `json:"doc_count"`
			} `json:"buckets"`
		}
		if err := json.Unmarshal(bucket["doc_count"], &c.count); err != nil {
			return nil, unavailable(fmt.Errorf("read a table: %w", err))
		}
		if err := json.Unmarshal(bucket[other], &inner); err != nil {
			return nil, unavailable(fmt.Errorf("read a table: %w", err))
		}
		for k, b := range inner.Buckets {
			c.in[k] = b.Count
		}
		cells[name] = c
	}
	return cells, nil
}

// side returns one side of the table.
func (p *pivoter) side(ctx context.Context, a axis, cells map[string]cell) (index.Pivoted, error) {
	side := index.Pivoted{
		Values: make([]index.PivotValue, len(a.values)), MoreValues: a.more, Other: cells[otherKey].count, Unknown: cells[unknownKey].count,
	}
	spellings, err := p.ix.spellings(ctx, p.s, map[index.Facet][]valueCount{a.facet: a.values})
	if err != nil {
		return side, err
	}
	for i, v := range a.values {
		of := &side.Values[i]
		*of = index.PivotValue{Count: v.count, Other: cells[key(i)].in[otherKey], Unknown: cells[key(i)].in[unknownKey]}
		if a.facet.HasBands() {
			low, high := bandBounds(a.facet, v.value)
			of.Min, of.Max = &low, high
		} else {
			of.Value = spellings[spelling(a.facet.Field(), v.value)]
		}
	}
	return side, nil
}

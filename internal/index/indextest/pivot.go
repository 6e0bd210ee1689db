package indextest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
	"github.com/opencapi/capi/internal/testkit/effort"
	"github.com/opencapi/capi/internal/text"
)

// testPivot compares random tables of unusual companies with what Match says of each company.
func testPivot(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, open)
		defer func() { h.ix.Close() }()
		numbers := spread().Draw(rt, "numbers")
		for range rapid.IntRange(0, 3).Draw(rt, "applies") {
			h.apply(rt, rapid.SliceOfN(change(numbers), 0, 25).Draw(rt, "changes"))
			h.disturb(rt)
		}
		queries := rapid.OneOf(querytest.Query(), querytest.SetQuery(subset(numbers)), rapid.Just(query.Query{}))
		for range 3 {
			checkPivot(t, rt, h.ix, h.truth, pivots(queries, numbers).Draw(rt, "pivot"))
		}
	})
}

// testPivotPlausible has enough companies for values that are frequent, rare and shared.
func testPivotPlausible(t *testing.T, open Open) {
	companies := companytest.Slice(7, 1500)
	effort.Check(t, 10, func(rt *rapid.T) {
		h := newHistory(t, open)
		defer func() { h.ix.Close() }()
		h.applyShuffled(rt, companies)
		queries := rapid.OneOf(querytest.Query(companies...), rapid.Just(query.Query{}))
		for range 3 {
			checkPivot(t, rt, h.ix, h.truth, pivots(queries, numbersOf(companies)).Draw(rt, "pivot"))
		}
	})
}

// testPivotLarge has enough companies that an index may count the matches, the others or one value after the other.
func testPivotLarge(t *testing.T, open Open) {
	const n = 12_000
	ix, tr, w := open(t), truth{}, NewWorkload(n)
	defer ix.Close()
	for from := 1; from <= n; from += n / 2 {
		companies := make([]*company.Company, n/2)
		for i := range companies {
			companies[i] = w.Company(from + i)
		}
		tr.apply(changesOf(companies...))
		require.NoError(t, ix.Apply(t.Context(), changesOf(companies...), uint64(from)))
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, share := range []float64{0.001, 0.1, 0.3, 0.49, 0.6, 0.97} {
		var some []company.Number
		for number := range tr {
			if r.Float64() < share {
				some = append(some, number)
			}
		}
		within := company.SetOf(some...)
		for _, facets := range [][2]index.Facet{{"technologies", "cities"}, {"employee_count", "industries"}} {
			checkPivot(t, t, ix, tr, index.PivotRequest{
				Within: &within, Rows: index.PivotAxis{Facet: facets[0], Limit: 20}, Columns: index.PivotAxis{Facet: facets[1], Limit: 10},
			})
		}
	}
}

func pivots(queries *rapid.Generator[query.Query], numbers []company.Number) *rapid.Generator[index.PivotRequest] {
	return rapid.Custom(func(t *rapid.T) index.PivotRequest {
		facets := rapid.Permutation(index.AllFacets()).Draw(t, "facets")
		limits := rapid.SampledFrom([]int{1, 2, 10, 50})
		r := index.PivotRequest{
			Query:    queries.Draw(t, "query"),
			Excluded: rapid.SliceOfN(subset(numbers), 0, 2).Draw(t, "excluded"),
			Rows:     index.PivotAxis{Facet: facets[0], Limit: limits.Draw(t, "rows")},
			Columns:  index.PivotAxis{Facet: facets[1], Limit: limits.Draw(t, "columns")},
		}
		some := subset(numbers).Draw(t, "some")
		switch rapid.IntRange(0, 2).Draw(t, "restriction") {
		case 0:
			r.Within = &some
		case 1:
			r.Without = &some
		}
		return r
	})
}

func checkPivot(t *testing.T, rt fataler, ix index.Index, tr truth, r index.PivotRequest) {
	got, err := ix.Pivot(t.Context(), r)
	require.NoError(rt, err)
	for _, side := range []*index.Pivoted{&got.Rows, &got.Columns} {
		for i := range side.Values {
			v := &side.Values[i]
			if v.Value = text.Fold(v.Value); v.Min != nil {
				v.Value = strconv.FormatInt(*v.Min, 10)
			}
			v.Min, v.Max = nil, nil // Max follows from Min
		}
	}
	if diff := gocmp.Diff(tr.pivot(r), got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%s by %s (-want +got):\n%s", r.Rows.Facet, r.Columns.Facet, diff)
	}
}

// pivoted is a match with its values of the two facets.
type pivoted struct{ rows, columns pivotValues }

// pivotValues are the distinct values that a company has of a facet, and whether the field has any.
type pivotValues struct {
	keys  []string
	known bool
}

func (p pivoted) flip() pivoted { return pivoted{p.columns, p.rows} }

// pivot makes the table one company after the other.
func (tr truth) pivot(r index.PivotRequest) *index.Pivot {
	var matches, flipped []pivoted
	p := &index.Pivot{}
	for n, c := range tr {
		if !query.Match(r.Query, c) || r.Within != nil && !r.Within.Has(n) || r.Without != nil && r.Without.Has(n) {
			continue
		}
		if slices.ContainsFunc(r.Excluded, func(s company.Set) bool { return s.Has(n) }) {
			p.Excluded++
			continue
		}
		one := pivoted{pivotValuesOf(c, r.Rows.Facet), pivotValuesOf(c, r.Columns.Facet)}
		matches, flipped = append(matches, one), append(flipped, one.flip())
	}
	p.Total = len(matches)
	p.Rows, p.Columns = topOf(matches, r.Rows), topOf(flipped, r.Columns)
	fillRest(&p.Rows, p.Columns, matches)
	fillRest(&p.Columns, p.Rows, flipped)
	for _, row := range p.Rows.Values {
		cells := make([]int, len(p.Columns.Values))
		for j, column := range p.Columns.Values {
			for _, m := range matches {
				if slices.Contains(m.rows.keys, row.Value) && slices.Contains(m.columns.keys, column.Value) {
					cells[j]++
				}
			}
		}
		p.Cells = append(p.Cells, cells)
	}
	return p
}

func pivotValuesOf(c *company.Company, facet index.Facet) (v pivotValues) {
	field := facet.Field()
	v.known = slices.Contains(c.KnownFields(), field.String())
	add := func(keys ...string) {
		for _, key := range keys {
			if key = text.Fold(key); !slices.Contains(v.keys, key) {
				v.keys = append(v.keys, key)
			}
		}
	}
	switch {
	case field == query.FieldKnown:
		add(c.KnownFields()...)
		v.known = len(v.keys) > 0
	case field == query.FieldNAICS:
		add(sectors(c)...)
	case field == query.FieldEmployeeCount && field.Int(c) != nil:
		add(strconv.FormatInt(sizeOf(*field.Int(c)), 10))
	case field == query.FieldFoundedYear && field.Int(c) != nil:
		add(strconv.FormatInt(*field.Int(c)/10*10, 10))
	default:
		add(field.Values(c)...)
	}
	return v
}

// topOf returns the values of the rows, with their counts alone.
func topOf(matches []pivoted, of index.PivotAxis) (side index.Pivoted) {
	counts := map[string]int{}
	for _, m := range matches {
		for _, key := range m.rows.keys {
			counts[key]++
		}
	}
	for key, n := range counts {
		side.Values = append(side.Values, index.PivotValue{Value: key, Count: n})
	}
	byKey := func(a, b index.PivotValue) int {
		if of.Facet.HasBands() {
			x, _ := strconv.Atoi(a.Value)
			y, _ := strconv.Atoi(b.Value)
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a.Value, b.Value)
	}
	slices.SortFunc(side.Values, func(a, b index.PivotValue) int { return cmp.Or(cmp.Compare(b.Count, a.Count), byKey(a, b)) })
	shown := min(of.Limit, len(side.Values))
	side.MoreValues, side.Values = len(side.Values)-shown, side.Values[:shown]
	if of.Facet.HasBands() {
		slices.SortFunc(side.Values, byKey)
	}
	return side
}

// fillRest counts what is beyond the values that are shown.
func fillRest(rows *index.Pivoted, columns index.Pivoted, matches []pivoted) {
	isShown := func(v pivotValues, side index.Pivoted) bool {
		return slices.ContainsFunc(side.Values, func(s index.PivotValue) bool { return slices.Contains(v.keys, s.Value) })
	}
	for _, m := range matches {
		switch {
		case !m.rows.known:
			rows.Unknown++
		case !isShown(m.rows, *rows):
			rows.Other++
		}
		for i := range rows.Values {
			v := &rows.Values[i]
			switch {
			case !slices.Contains(m.rows.keys, v.Value):
			case !m.columns.known:
				v.Unknown++
			case !isShown(m.columns, columns):
				v.Other++
			}
		}
	}
}

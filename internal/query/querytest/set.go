package querytest

import (
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// SetQuery draws a query of random sets, nested and stored, whose companies it draws from stored.
func SetQuery(stored *rapid.Generator[company.Set], of ...*company.Company) *rapid.Generator[query.Query] {
	return rapid.Custom(func(t *rapid.T) query.Query {
		f := Filters(of...).Draw(t, "filters")
		f.In = rapid.SliceOfN(SetRef(3), 0, 2).Draw(t, "in")
		f.NotIn = rapid.SliceOfN(SetRef(2), 0, 2).Draw(t, "not in")
		if rapid.Bool().Draw(t, "only sets") {
			f = query.Filters{In: f.In, NotIn: f.NotIn}
		}
		q, err := query.Parse(f)
		if err != nil {
			panic(err) // Filters and SetRef draw only what Parse accepts
		}
		known := map[string]query.SetContent{}
		q, err = q.Resolve(func(u query.SetUse) (query.SetContent, error) {
			c, ok := known[u.Of.Key()]
			if !ok && u.Of.Kind == query.SetOfSavedSearch {
				saved := Query(of...).Draw(t, "saved search")
				c.Query = &saved
			} else if !ok {
				c.Companies = stored.Draw(t, "stored set")
			}
			known[u.Of.Key()] = c
			return c, nil
		})
		if err != nil {
			panic(err)
		}
		return q
	})
}

// SetRef draws a set of the levels at most.
func SetRef(levels int) *rapid.Generator[query.SetRef] {
	few := rapid.IntRange(1, 3)
	leaf := rapid.OneOf(
		rapid.Map(Filters(), func(f query.Filters) query.SetRef { return query.SetRef{Search: &f} }),
		rapid.Map(few, func(n int) query.SetRef { return query.SetRef{ListID: storedID(n)} }),
		rapid.Map(few, func(n int) query.SetRef { return query.SetRef{SavedSearchID: storedID(n)} }),
		rapid.Map(few, func(n int) query.SetRef { return query.SetRef{ExportID: storedID(n)} }),
		rapid.Map(few, func(n int) query.SetRef { return query.SetRef{MatchID: storedID(n)} }),
		rapid.Just(query.SetRef{Owned: true}),
		rapid.Map(rapid.SliceOfN(few, 1, 3), func(numbers []int) (r query.SetRef) {
			for _, n := range numbers {
				r.Companies = append(r.Companies, IDOf(company.Number(n)).String())
			}
			return r
		}),
	)
	if levels <= 1 {
		return leaf
	}
	parts := rapid.SliceOfN(SetRef(levels-1), 1, 3)
	return rapid.OneOf(leaf,
		rapid.Map(parts, func(s []query.SetRef) query.SetRef { return query.SetRef{AnyOf: s} }),
		rapid.Map(parts, func(s []query.SetRef) query.SetRef { return query.SetRef{AllOf: s} }),
		rapid.Map(SetRef(levels-1), func(s query.SetRef) query.SetRef { return query.SetRef{Not: &s} }),
		rapid.Map(SetRef(levels-1), func(s query.SetRef) query.SetRef {
			return query.SetRef{Search: &query.Filters{NotIn: []query.SetRef{s}}}
		}),
	)
}

func storedID(n int) string { return id.List(IDOf(company.Number(n))).String() }

package query_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
)

// node draws a tree of the depth at most; its leaves are those of random filters, so that they meet companies.
func node(depth int) *rapid.Generator[query.Node] {
	leaf := rapid.Map(querytest.Query(), func(q query.Query) query.Node { return q.Root })
	if depth == 0 {
		return leaf
	}
	parts := rapid.SliceOfN(node(depth-1), 0, 3)
	return rapid.OneOf(
		leaf,
		rapid.Map(parts, func(n []query.Node) query.Node { return query.And(n) }),
		rapid.Map(parts, func(n []query.Node) query.Node { return query.Or(n) }),
		rapid.Map(node(depth-1), func(n query.Node) query.Node { return query.Not{Node: n} }),
		rapid.Just[query.Node](query.OneOf{Field: query.FieldCity}),
	)
}

func TestSimplifyKeepsMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := node(3).Draw(t, "node")
		c := querytest.Company(1).Draw(t, "company")
		simple := query.Simplify(n)
		require.Equal(t, query.Match(query.Query{Root: n}, c), query.Match(query.Query{Root: simple}, c))
		require.Empty(t, cmp.Diff(simple, query.Simplify(simple)), "simplified twice")
	})
}

func TestWhatIsPrintedParsesAsTheSameQuery(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := querytest.Filters().Draw(t, "filters")
		q := parse(t, f)
		printed := reread(t, f)
		require.Empty(t, cmp.Diff(f, printed))
		again := parse(t, printed)
		require.Empty(t, cmp.Diff(q.Root, again.Root))
		require.Empty(t, cmp.Diff(q.Given(), again.Given()))
		require.Equal(t, q.Fingerprint(), again.Fingerprint())
		require.Equal(t, q.HasText(), again.HasText())
	})
}

// TestFiltersMeetCompanies guards the property tests: filters that never match would prove nothing.
func TestFiltersMeetCompanies(t *testing.T) {
	t.Parallel()
	var matched, all int
	rapid.Check(t, func(t *rapid.T) {
		companies := querytest.Companies(20).Draw(t, "companies")
		q := querytest.Query(companies...).Draw(t, "query")
		for _, c := range companies {
			all++
			if query.Match(q, c) {
				matched++
			}
		}
	})
	require.Greater(t, matched*10, all, "fewer than one in ten")
	require.Less(t, matched*10, all*9, "more than nine in ten")
}

func TestCompareIsATotalOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := querytest.Sort().Draw(t, "sort")
		c := make([]*company.Company, 3)
		for i := range c {
			c[i] = querytest.Company(company.Number(i+1)).Draw(t, "company")
		}
		require.Equal(t, -s.Compare(c[0], c[1]), s.Compare(c[1], c[0]))
		require.Zero(t, s.Compare(c[0], c[0]))
		if s.Compare(c[0], c[1]) < 0 && s.Compare(c[1], c[2]) < 0 {
			require.Negative(t, s.Compare(c[0], c[2]))
		}
	})
}

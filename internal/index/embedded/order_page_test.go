package embedded

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// If all matches are small, a scan of the sort order from the largest company on finds no match for long.
func TestFirstMatchesAreRightIfAllAreAtTheEndOfTheOrder(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 4000)
	for i, c := range companies {
		size := int64(i*7919%len(companies) + 1)
		c.EmployeeCount = &size
	}
	ix := Open(Options{})
	defer ix.Close()
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies), 1))
	for _, most := range []int64{30, 100, 300, 400, 1000, 4000} {
		q, err := query.Parse(query.Filters{EmployeeCountMax: &most})
		require.NoError(t, err)
		for _, by := range []query.Sort{{By: query.ByEmployeeCount, Desc: true}, {By: query.ByEmployeeCount}} {
			for _, k := range []int{1, 10, 200} {
				want := slices.Clone(companies)
				want = slices.DeleteFunc(want, func(c *company.Company) bool { return *c.EmployeeCount > most })
				slices.SortFunc(want, func(a, b *company.Company) int {
					if by.Desc {
						a, b = b, a
					}
					return int(*a.EmployeeCount - *b.EmployeeCount)
				})
				found, err := ix.Select(t.Context(), index.Selection{Query: q, Sort: by, Limit: k})
				require.NoError(t, err)
				var numbers []company.Number
				for _, c := range want[:min(k, len(want))] {
					numbers = append(numbers, c.Number)
				}
				require.Equal(t, numbers, found.Numbers, "%d of up to %d by %s", k, most, by)
			}
		}
	}
}

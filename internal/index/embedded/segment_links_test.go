package embedded

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

func TestConnectionsAreFoundHoweverManyCategoriesThereAre(t *testing.T) {
	t.Parallel()
	for _, categories := range []int{3, 300, 70_000} {
		t.Run(strconv.Itoa(categories), func(t *testing.T) {
			t.Parallel()
			companies := companytest.Slice(1, 100)
			for i, c := range companies {
				c.Connections = nil
				for n := i * categories / 100; n < (i+1)*categories/100; n++ {
					c.Connections = append(c.Connections, company.Connection{Category: fmt.Sprintf("category %06d", n), Domain: "acme.example"})
				}
			}
			dir, _ := onDisk(t, companies)
			ix := Open(Options{})
			defer ix.Close()
			require.NoError(t, ix.Attach(t.Context(), dir, sourceOfTests))
			ix.MergeAll()
			for _, n := range []int{0, categories / 2, categories - 1} {
				q, err := query.Parse(query.Filters{Connections: []query.ConnectionFilter{
					{Category: fmt.Sprintf("category %06d", n), ConnectedDomain: "acme.example"},
				}})
				require.NoError(t, err)
				found, err := ix.Select(t.Context(), index.Selection{Query: q, Limit: 10})
				require.NoError(t, err)
				var want []company.Number
				for i, c := range companies {
					if i*categories/100 <= n && n < (i+1)*categories/100 {
						want = append(want, c.Number)
					}
				}
				require.Equal(t, want, found.Numbers)
			}
		})
	}
}

package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

type page struct {
	Items []struct {
		ID     string `json:"id"`
		Domain string `json:"domain"`
	} `json:"items"`
	Total      int     `json:"total"`
	NextCursor *string `json:"next_cursor"`
}

// While the client pages, an import reverses the result order, adds companies to the result and removes some from it.
func TestPagingYieldsEachMatchOnceWhileAnImportRuns(t *testing.T) {
	t.Parallel()
	const catalogSize = 2000
	s := newFixture(t, 0)
	s.load(t, companies(0, catalogSize, nil))
	c := s.client(s.serve(t))

	changed := s.write(t, "changed.ndjson", companies(0, 3*catalogSize, func(i int, c map[string]any) {
		c["employee_count"] = 10*catalogSize - i
		if i%7 == 0 {
			c["country"] = "France"
		}
	}))
	running := s.command("import", changed)
	body := map[string]any{"countries": []string{"DE"}, "limit": 37, "cursor": nil}
	seen := map[string]int{}
	for pages := 0; ; pages++ {
		var p page
		c.must(t, http.StatusOK, "POST", "/companies/search", body, &p)
		if pages == 0 {
			require.Equal(t, catalogSize, p.Total)
			require.NoError(t, running.Start())
		}
		if pages == 10 {
			require.NoError(t, running.Wait())
		}
		for _, item := range p.Items {
			seen[item.Domain]++
		}
		if p.NextCursor == nil {
			break
		}
		body["cursor"] = *p.NextCursor
	}
	require.Len(t, seen, catalogSize)
	for i := range catalogSize {
		require.Equal(t, 1, seen[fmt.Sprintf("c%d.example", i)], "company %d", i)
	}
}

func TestRunningServerFindsImportedCompaniesWithinASecond(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 0)
	c := s.client(s.serve(t))
	require.Zero(t, c.total(t, "FR"))
	s.load(t, companies(0, 10, func(_ int, c map[string]any) { c["country"] = "France" }))
	require.Eventually(t, func() bool { return c.total(t, "FR") == 10 }, secondOnABusyMachine, tick)
}

func (c *client) total(t *testing.T, country string) int {
	t.Helper()
	var p page
	c.must(t, http.StatusOK, "POST", "/companies/search", map[string]any{"countries": []string{country}}, &p)
	return p.Total
}

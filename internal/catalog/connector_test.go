package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func lookUp(t *testing.T, c *catalog.Connector, cs ...catalog.Connection) *catalog.LookedUp {
	t.Helper()
	l, err := c.LookUp(t.Context(), cs)
	require.NoError(t, err)
	return l
}

func connectAhead(t *testing.T, c *catalog.Connector, l *catalog.LookedUp) catalog.ConnectReport {
	t.Helper()
	r, err := c.Connect(t.Context(), 0, l)
	require.NoError(t, err)
	return r
}

func TestConnectionsThatAreLookedUpEarlyFindCompaniesThatAreAddedLater(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"})
		c := b.NewConnector()
		first := lookUp(t, c, named("Acme", "vendor", "Bolt"))
		second := lookUp(t, c, named("Bolt", "vendor", "Acme"), named("Acme", "vendor", "Bolt"))
		third := lookUp(t, c, named("Acme", "vendor", "Core"))
		put(t, b, company.Company{Name: "Bolt", Domain: "bolt.example"})

		require.Equal(t, catalog.ConnectReport{Added: 1}, connectAhead(t, c, first))
		require.Equal(t, catalog.ConnectReport{Added: 1, Unchanged: 1}, connectAhead(t, c, second))
		put(t, b, company.Company{Name: "Core", Domain: "core.example"})
		require.Equal(t, catalog.ConnectReport{Added: 1}, connectAhead(t, c, third))
		require.Equal(t, []string{"vendor: Bolt (bolt.example) #2", "vendor: Core (core.example) #3"}, shown(t, b, 1))
		require.Equal(t, []string{"vendor: Acme (acme.example) #1"}, shown(t, b, 2))
	})
}

func TestEndsAreNotLookedUpAgainAfterTheConnectorsOwnBatch(t *testing.T) {
	t.Parallel()
	statements := 0
	d := dbtest.SQLite(t).Guarded(func(p db.GuardPoint) error {
		if p == db.Statement {
			statements++
		}
		return nil
	})
	b := catalog.New(d)
	put(t, b, company.Company{Name: "Acme"}, company.Company{Name: "Bolt"}, company.Company{Name: "Core"}, company.Company{Name: "Dyne"})
	c := b.NewConnector()
	first, second := lookUp(t, c, named("Acme", "vendor", "Bolt")), lookUp(t, c, named("Acme", "vendor", "Core"))
	third := lookUp(t, c, named("Acme", "vendor", "Dyne"))
	costOf := func(l *catalog.LookedUp) int {
		before := statements
		require.Equal(t, catalog.ConnectReport{Added: 1}, connectAhead(t, c, l))
		return statements - before
	}
	one := costOf(first)
	require.Equal(t, one, costOf(second), "after a batch of its own")
	put(t, b, company.Company{Name: "Else"})
	require.Equal(t, one+1, costOf(third), "after a change by somebody else")
}

func TestACompanyWithThousandsOfConnectionsShowsEachOnce(t *testing.T) {
	t.Parallel()
	const many = 1_100
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		companies := []company.Company{{Name: "Hub", Domain: "hub.example"}}
		var links []catalog.Connection
		want := []string{"partner: Target 0007 (t0007.example) #9", "partner: Zeta () #0"}
		for i := range many {
			c := company.Company{Name: fmt.Sprintf("Target %04d", i), Domain: fmt.Sprintf("t%04d.example", i)}
			companies = append(companies, c)
			links = append(links, catalog.Connection{Number: 1, Category: "vendor", Target: catalog.End{Domain: c.Domain}})
			want = append(want, fmt.Sprintf("vendor: %s (%s) #%d", c.Name, c.Domain, i+2))
		}
		put(t, b, companies...)
		// In parts, of which the first finds few stored connections and the others more and more.
		for part := range slices.Chunk(links, 400) {
			require.Equal(t, catalog.ConnectReport{Added: len(part)}, connect(t, b, part...))
		}
		require.Equal(t, catalog.ConnectReport{Unchanged: many}, connect(t, b, links...), "the same again")
		more := []catalog.Connection{
			{Number: 1, Category: "Vendor", Target: catalog.End{Name: "TARGET 0007"}}, // known in other words
			{Number: 1, Category: "partner", Target: catalog.End{Name: "Target 0007"}},
			{Number: 1, Category: "partner", Target: catalog.End{Name: "Zeta"}},
		}
		require.Equal(t, catalog.ConnectReport{Added: 2, Unchanged: 1}, connect(t, b, more...))
		require.Equal(t, catalog.ConnectReport{Unchanged: 3}, connect(t, b, more...))
		require.Equal(t, want, shown(t, b, 1))
	})
}

func TestConnectionsAreAddedToTidyOnesAsIfAllWereTidiedAgain(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	some := func(n int) (cs []company.Connection) {
		for range n {
			name := fmt.Sprintf("n%d", random.IntN(300))
			if random.IntN(2) == 0 {
				name = strings.ToUpper(name)
			}
			category := []string{"vendor", "Vendor", "partner"}[random.IntN(3)]
			cs = append(cs, company.Connection{Category: category, Name: name, Number: company.Number(random.IntN(3))})
		}
		return cs
	}
	for range 300 {
		old, more := catalog.Tidy(some(random.IntN(400))), some(random.IntN(20))
		want := catalog.Tidy(slices.Concat(old, more))
		require.Equal(t, want, catalog.AddTidy(slices.Clone(old), more))
	}
}

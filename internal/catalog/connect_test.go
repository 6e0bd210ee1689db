package catalog_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func connect(t testing.TB, b *catalog.Store, cs ...catalog.Connection) catalog.ConnectReport {
	t.Helper()
	r, err := b.Connect(t.Context(), cs)
	require.NoError(t, err)
	return r
}

func named(source, category, target string) catalog.Connection {
	return catalog.Connection{Source: catalog.End{Name: source}, Category: category, Target: catalog.End{Name: target}}
}

// shown returns a company's connections as "category: Name (domain) #number".
func shown(t testing.TB, b *catalog.Store, n company.Number) []string {
	t.Helper()
	seq, err := b.Seq(t.Context())
	require.NoError(t, err)
	out := []string{}
	require.NoError(t, b.Rows(t.Context(), []company.Number{n}, seq, func(c *company.Company) error {
		for _, to := range c.Connections {
			require.Equal(t, to.Number == 0, to.ID.IsZero())
			out = append(out, fmt.Sprintf("%s: %s (%s) #%d", to.Category, to.Name, to.Domain, to.Number))
		}
		return nil
	}))
	return out
}

func TestConnectionsAreShownOnceAndInOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"}, company.Company{Name: "Bolt", Domain: "bolt.example"})
		r := connect(t, b, named("acme", "vendor", "Bolt"), named("Acme", "investor", "Zeta"), named("Acme", "VENDOR", "bolt"))
		require.Equal(t, catalog.ConnectReport{Added: 2, Unchanged: 1}, r)
		want := []string{"investor: Zeta () #0", "vendor: Bolt (bolt.example) #2"}
		require.Equal(t, want, shown(t, b, 1))

		again := catalog.Connection{Number: 1, Category: "vendor", Target: catalog.End{Domain: "bolt.example"}}
		require.Equal(t, catalog.ConnectReport{Unchanged: 1}, connect(t, b, again), "the same in other words")
		require.Equal(t, want, shown(t, b, 1))
	})
}

func TestPendingConnectionsAreResolvedWhenTheCompanyIsAdded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		r := connect(t, b, named("Acme", "vendor", "Bolt"),
			catalog.Connection{Source: catalog.End{ID: catalog.CompanyID("acme-1")}, Category: "partner", Target: catalog.End{Domain: "cog.example"}})
		require.Equal(t, catalog.ConnectReport{Added: 2, Pending: 2}, r)

		put(t, b, company.Company{ID: catalog.CompanyID("acme-1"), Name: "Acme"})
		require.Equal(t, []string{"partner:  (cog.example) #0", "vendor: Bolt () #0"}, shown(t, b, 1))

		put(t, b, company.Company{Name: "Bolt", Domain: "bolt.example"}, company.Company{Name: "Cog", Domain: "cog.example"})
		require.Equal(t, []string{"partner: Cog (cog.example) #3", "vendor: Bolt (bolt.example) #2"}, shown(t, b, 1))

		// A company that is renamed to the awaited name resolves the link like a new one.
		connect(t, b, named("Dyno", "customer", "Acme"))
		put(t, b, company.Company{Name: "Dyno", Domain: "bolt.example"})
		require.Equal(t, []string{"customer: Acme () #1"}, shown(t, b, 2))
	})
}

func TestAmbiguousEndsStayUnknown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b,
			company.Company{Name: "Acme", Country: "Germany"}, company.Company{Name: "Acme", Country: "France"},
			company.Company{Name: "Bolt", Domain: "bolt.example"})
		r := connect(t, b, named("Bolt", "vendor", "Acme"), named("Acme", "vendor", "Bolt"),
			catalog.Connection{Source: catalog.End{Name: "Bolt"}, Category: "owner", Target: catalog.End{Name: "Bolt", Domain: "bolt.test"}})
		require.Equal(t, catalog.ConnectReport{Added: 3, Ambiguous: 1}, r)
		require.Equal(t, []string{"owner: Bolt (bolt.test) #0", "vendor: Acme () #0"}, shown(t, b, 3))
	})
}

func TestRenamedTargetsReachTheirSources(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme"}, company.Company{Name: "Bolt", Domain: "bolt.example"}, company.Company{Name: "Cog"})
		connect(t, b, named("Acme", "vendor", "Bolt"))
		before, err := b.Seq(t.Context())
		require.NoError(t, err)

		put(t, b, company.Company{Name: "Bolt & Nut", Domain: "bolt.example"})
		changes, _, _, err := b.Changes(t.Context(), before, 100)
		require.NoError(t, err)
		var numbers []company.Number
		for _, c := range changes {
			numbers = append(numbers, c.Number)
		}
		slices.Sort(numbers)
		require.Equal(t, []company.Number{1, 2}, numbers, "the source changed too, and nobody else")
		require.Equal(t, []string{"vendor: Bolt & Nut (bolt.example) #2"}, shown(t, b, 1))
		require.Equal(t, catalog.ConnectReport{Unchanged: 1}, connect(t, b, named("Acme", "vendor", "Bolt")), "as the file still says")
	})
}

// Renaming a company updates all its sources in the same transaction, which must stay short: 2,000 of them take about
// 80 ms.
func TestARenamedHubReachesEveryoneConnectedToIt(t *testing.T) {
	t.Parallel()
	const sources = 2000
	b := catalog.New(dbtest.SQLite(t))
	batch := []company.Company{{Name: "Hub", Domain: "hub.example"}}
	var links []catalog.Connection
	for i := range sources {
		batch = append(batch, company.Company{Name: fmt.Sprintf("Company %d", i), Domain: fmt.Sprintf("c%d.example", i)})
		links = append(links, catalog.Connection{Number: company.Number(i + 2), Category: "investor", Target: catalog.End{Name: "Hub"}})
	}
	put(t, b, batch...)
	connect(t, b, links...)
	before, err := b.Seq(t.Context())
	require.NoError(t, err)
	began := time.Now()
	put(t, b, company.Company{Name: "Nave", Domain: "hub.example"})
	t.Logf("renamed in %v", time.Since(began))
	changes, _, _, err := b.Changes(t.Context(), before, 2*sources)
	require.NoError(t, err)
	require.Len(t, changes, 1+sources)
	require.Equal(t, []string{"investor: Nave (hub.example) #1"}, shown(t, b, sources+1))
}

// The companies show the same connections, whatever the order of the imports.
func TestConnectionsDoNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		const n = 30
		name := func(prefix string, i int) string { return fmt.Sprintf("%s %d", prefix, i) }
		companies := func(prefix string) (cs []company.Company) {
			for i := range n {
				cs = append(cs, company.Company{Name: name(prefix, i)})
			}
			return cs
		}
		connections := func(prefix string) (cs []catalog.Connection) {
			for i := range n {
				cs = append(cs, named(name(prefix, i), "vendor", name(prefix, (i*7+1)%n)), named(name(prefix, i), "partner", name(prefix, (i*5+2)%n)))
			}
			return cs
		}
		put(t, b, companies("Before")...)
		connect(t, b, connections("Before")...)
		connect(t, b, connections("After")...)
		for _, c := range companies("After") {
			put(t, b, c)
		}
		var before, after []string
		for i := range company.Number(n) {
			for _, s := range shown(t, b, 1+i) {
				before = append(before, s[:8])
			}
			for _, s := range shown(t, b, 1+n+i) {
				after = append(after, s[:8])
				require.NotContains(t, s, "#0")
			}
		}
		require.Empty(t, gocmp.Diff(before, after))
		require.Len(t, after, 2*n)
	})
}

func TestAConnectionIsKnownAgainInEachState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"}, company.Company{Name: "Bolt", Domain: "bolt.example"},
			company.Company{Name: "Twin", Domain: "one.example"}, company.Company{Name: "Twin", Domain: "two.example"})
		all := []catalog.Connection{
			named("Acme", "vendor", "Bolt"),   // both ends are known
			named("Acme", "vendor", "Nobody"), // the target is not
			named("Nobody", "vendor", "Acme"), // the source is not
			named("None", "vendor", "Nobody"),
			named("Twin", "vendor", "Bolt"), // the source may be any of two
			{Number: 2, Category: "partner", Target: catalog.End{Name: "Acme"}},
			{Number: 2, Category: "partner", Target: catalog.End{Name: "Nobody"}},
		}
		require.Equal(t, catalog.ConnectReport{Added: 7, Pending: 2, Ambiguous: 1}, connect(t, b, all...))
		seen := map[int64]struct{}{}
		for range 2 {
			require.Equal(t, catalog.ConnectReport{Unchanged: 7}, connect(t, b, all...))
			preview, err := b.PreviewConnections(t.Context(), seen, all)
			require.NoError(t, err)
			require.Equal(t, catalog.ConnectReport{Unchanged: 7}, preview)
			put(t, b, company.Company{Name: "Nobody", Domain: "nobody.example"}) // completes four of them
		}
		require.Equal(t, []string{"vendor: Bolt (bolt.example) #2", "vendor: Nobody (nobody.example) #5"}, shown(t, b, 1))
		require.Equal(t, []string{"vendor: Acme (acme.example) #1"}, shown(t, b, 5))
		put(t, b, company.Company{Name: "Zero", Domain: "bolt.example"})
		put(t, b, company.Company{Name: "Bolt", Domain: "other.example"})
		require.Equal(t, catalog.ConnectReport{Unchanged: 1}, connect(t, b, all[0]), "although the name is another company's now")
	})
}

func TestRenamedTargetsAreShownWhereverTheirKeysAre(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"}, company.Company{Name: "Bolt", Domain: "bolt.example"},
			company.Company{Name: "Cog", Domain: "cog.example"})
		connect(t, b, named("Acme", "vendor", "Bolt"), named("Acme", "partner", "Bolt"))
		require.NoError(t, b.SettleAll(t.Context()))
		connect(t, b, named("Cog", "vendor", "Bolt"), named("Acme", "customer", "Bolt")) // the second pair is in both tables
		for _, name := range []string{"Bolt 2", "Bolt 3"} {
			put(t, b, company.Company{Name: name, Domain: "bolt.example"})
			as := name + " (bolt.example) #2"
			require.Equal(t, []string{"customer: " + as, "partner: " + as, "vendor: " + as}, shown(t, b, 1))
			require.Equal(t, []string{"vendor: " + as}, shown(t, b, 3))
			require.NoError(t, b.SettleAll(t.Context()))
		}
	})
}

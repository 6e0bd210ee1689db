package indexing_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/testkit"
)

// fixture is a catalog of generated companies and an index that follows it.
type fixture struct {
	*catalog.Store
	index    *embedded.Index
	follower *indexing.Follower
}

func newFixture(t testing.TB, d *db.DB, n int) *fixture {
	t.Helper()
	s := &fixture{Store: catalog.New(d)}
	s.load(t.Context(), t, 11, n)
	return s.withIndex(t)
}

// withIndex returns the same catalog with another index.
func (s *fixture) withIndex(t testing.TB) *fixture {
	t.Helper()
	other := &fixture{Store: s.Store, index: embedded.Open(embedded.Options{})}
	t.Cleanup(func() { require.NoError(t, other.index.Close()) })
	other.follower = indexing.NewFollower(indexing.FollowOptions{Catalog: s.Store, Index: other.index, Poll: time.Millisecond})
	require.NoError(t, other.follower.Build(t.Context()))
	return other
}

func (s *fixture) load(ctx context.Context, t testing.TB, seed uint64, n int) {
	t.Helper()
	var all []catalog.Incoming
	var connections []catalog.Connection
	for c := range companytest.Generate(seed, n) {
		for _, to := range c.Connections {
			connections = append(connections, catalog.Connection{
				Source: catalog.End{ID: c.ID}, Target: catalog.End{ID: to.ID}, Category: to.Category,
			})
		}
		all = append(all, catalog.Prepare(c))
	}
	for some := range slices.Chunk(all, 1_000) {
		_, err := s.Put(ctx, catalog.NewSource(), some)
		require.NoError(t, err)
	}
	for some := range slices.Chunk(connections, 1_000) {
		_, err := s.Connect(ctx, some)
		require.NoError(t, err)
	}
}

func (s *fixture) audit(t *testing.T) []audit.Finding {
	t.Helper()
	found, err := indexing.AuditIndex(t.Context(), indexing.AuditOptions{Catalog: s.Store, Index: s.index, MaxLag: time.Second})
	require.NoError(t, err)
	return found
}

func TestAuditFindsNothingInAnIndexThatFollowsWhileImportsRun(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newFixture(t, d, 1_200)
		require.Empty(t, s.audit(t))

		s.follower.Start(t.Context())
		defer s.follower.Stop()
		ctx, stop := context.WithCancel(t.Context())
		var importing sync.WaitGroup
		importing.Go(func() {
			// The same companies with other values, so that the catalog changes where the audit reads it.
			employees := int64(0)
			for ctx.Err() == nil {
				var changed []catalog.Incoming
				employees++
				for c := range companytest.Generate(11, 1_200) {
					c.EmployeeCount = &employees
					if changed = append(changed, catalog.Prepare(c)); len(changed) == 200 {
						break
					}
				}
				if _, err := s.Put(ctx, catalog.NewSource(), changed); err != nil {
					return
				}
			}
		})
		for range 2 {
			require.Empty(t, s.audit(t))
		}
		stop()
		importing.Wait()
		require.Empty(t, s.audit(t))
	})
}

func TestAuditNamesTheCompanyThatDiffersInTheIndex(t *testing.T) {
	t.Parallel()
	const victim = 5_020 // in the second range
	healthy := newFixture(t, dbtest.SQLite(t), 5_050)
	change := func(fn func(*company.Company)) func(*testing.T, *fixture, company.Company) {
		return func(t *testing.T, s *fixture, c company.Company) {
			fn(&c)
			require.NoError(t, s.index.Apply(t.Context(), []index.Change{{Number: c.Number, Company: &c}}, s.index.Seq()))
		}
	}
	for name, test := range map[string]struct {
		harm func(*testing.T, *fixture, company.Company)
		want string
	}{
		"a lost company": {func(t *testing.T, s *fixture, c company.Company) {
			require.NoError(t, s.index.Apply(t.Context(), []index.Change{{Number: c.Number}}, s.index.Seq()))
		}, "the index has 0 of them, and the catalog 1"},
		"a country":       {change(func(c *company.Company) { c.Country = "Atlantis" }), `country: the index counts "atlantis" 1 times, and the catalog 0`},
		"a city":          {change(func(c *company.Company) { c.City = "" }), "city: "},
		"an industry":     {change(func(c *company.Company) { c.Industries = append(c.Industries, "Alchemy") }), "alchemy"},
		"a sector":        {change(func(c *company.Company) { c.NAICSCodes = []string{"9x", "99"} }), "naics_codes: "},
		"a technology":    {change(func(c *company.Company) { c.Technologies = []string{"Abacus"} }), "technologies: "},
		"employees":       {change(func(c *company.Company) { c.EmployeeCount = nil }), "employee_count: "},
		"a band":          {change(func(c *company.Company) { c.EmployeeCount = new(int64(12_345_678)) }), "employee_count: "},
		"a founding year": {change(func(c *company.Company) { c.FoundedYear = new(int64(1066)) }), "founded_year: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := healthy.withIndex(t)
			companies, _, err := s.Span(t.Context(), victim, victim)
			require.NoError(t, err)
			test.harm(t, s, *companies[0])
			found := s.audit(t)
			require.Len(t, found, 1)
			require.Equal(t, "company "+companies[0].ID.String(), found[0].Subject)
			require.Contains(t, found[0].Problem, test.want)
		})
	}
}

// What facets do not count shows in the orders, or in a search.
func TestAuditFindsDifferentNamesWordsAndConnections(t *testing.T) {
	t.Parallel()
	healthy := newFixture(t, dbtest.SQLite(t), 20)
	for name, harm := range map[string]func(*company.Company){
		"a name":                  func(c *company.Company) { c.Name = "Zzz " + c.Name },
		"an update":               func(c *company.Company) { c.UpdatedAt = c.UpdatedAt.Add(time.Hour) },
		"an exact count":          func(c *company.Company) { *c.EmployeeCount += 1 },
		"a description":           func(c *company.Company) { c.Description = "Nothing to say." },
		"a connection":            func(c *company.Company) { c.Connections = nil },
		"a connection's category": func(c *company.Company) { c.Connections[0].Category = "rival" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := healthy.withIndex(t)
			companies, _, err := s.Span(t.Context(), 1, 20)
			require.NoError(t, err)
			i := slices.IndexFunc(companies, func(c *company.Company) bool {
				return len(c.Connections) > 0 && c.EmployeeCount != nil && c.Description != "" && c.Number%6 == 1
			})
			require.NotEqual(t, -1, i)
			c := companies[i]
			harm(c)
			require.NoError(t, s.index.Apply(t.Context(), []index.Change{{Number: c.Number, Company: c}}, s.index.Seq()))
			found := s.audit(t)
			require.NotEmpty(t, found)
			require.LessOrEqual(t, len(found), 2, "%v", found)
		})
	}
}

func TestAuditFindsCompaniesThatTheCatalogNeverHad(t *testing.T) {
	t.Parallel()
	s := newFixture(t, dbtest.SQLite(t), 20)
	c := &company.Company{Number: 1_000, Name: "Ghost"}
	require.NoError(t, s.index.Apply(t.Context(), []index.Change{{Number: c.Number, Company: c}}, s.index.Seq()))
	require.Equal(t, []audit.Finding{{Subject: "index", Problem: "it has 21 companies in total, and the catalog 20"}}, s.audit(t))
}

func TestAuditFindsAnIndexThatDoesNotFollow(t *testing.T) {
	t.Parallel()
	s := newFixture(t, dbtest.SQLite(t), 20)
	s.load(t.Context(), t, 12, 20)
	found := s.audit(t)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Problem, "does not follow")
}

func TestAuditWaitsUntilTheIndexHasAppliedARemoval(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		imported, err := importer.Import(t.Context(), importer.Options{
			Catalog: b, Files: []string{"-"}, Stdin: strings.NewReader("name,domain\nAcme,acme.example\nBolt,bolt.example\n"),
		})
		require.NoError(t, err)
		s := (&fixture{Store: b}).withIndex(t)
		undone, err := testkit.New(t, services.Parts{DB: d}).Undo(t.Context(), imported.Import)
		require.NoError(t, err)
		require.Equal(t, 2, undone.Removed)
		found := s.audit(t)
		require.Len(t, found, 1)
		require.Contains(t, found[0].Problem, "does not follow", "instead of the removed companies")
		s.follower.Start(t.Context())
		require.Eventually(t, func() bool { return s.index.Len() == 0 }, time.Minute, time.Millisecond)
		require.Empty(t, s.audit(t))
		s.follower.Stop()
	})
}

func TestAuditOfAnEmptyIndexStopsAtAHundredFindings(t *testing.T) {
	t.Parallel()
	s := newFixture(t, dbtest.SQLite(t), 1_000)
	seq := s.index.Seq()
	var gone []index.Change
	for n := range company.Number(1_001) {
		gone = append(gone, index.Change{Number: n})
	}
	require.NoError(t, s.index.Apply(t.Context(), gone, seq))
	require.Len(t, s.audit(t), 100)
}

// BenchmarkAuditIndex measures the time per company, and how much the heap grows.
func BenchmarkAuditIndex(b *testing.B) {
	const n = 50_000
	s := newFixture(b, dbtest.SQLite(b), n)
	runtime.GC()
	var before, m runtime.MemStats
	runtime.ReadMemStats(&before)
	most := before.HeapAlloc
	for b.Loop() {
		found, err := indexing.AuditIndex(b.Context(), indexing.AuditOptions{Catalog: s.Store, Index: s.index, Progress: func(int, int) {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}})
		require.NoError(b, err)
		require.Empty(b, found)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/company")
	b.ReportMetric(float64(most-before.HeapAlloc)/(1<<20), "peak-MB")
}

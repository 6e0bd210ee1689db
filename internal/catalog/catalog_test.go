package catalog_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// put adds companies as one file.
func put(t testing.TB, b *catalog.Store, cs ...company.Company) catalog.Report {
	t.Helper()
	return putFrom(t, b, catalog.NewSource(), cs...)
}

func putFrom(t testing.TB, b *catalog.Store, s *catalog.Source, cs ...company.Company) catalog.Report {
	t.Helper()
	r, err := b.Put(t.Context(), s, incoming(cs))
	require.NoError(t, err)
	return r
}

func incoming(cs []company.Company) []catalog.Incoming {
	out := make([]catalog.Incoming, len(cs))
	for i := range cs {
		out[i] = catalog.Prepare(&cs[i])
	}
	return out
}

func all(t testing.TB, b *catalog.Store) []*company.Company {
	t.Helper()
	var out []*company.Company
	_, err := b.Scan(t.Context(), func(c *company.Company) error {
		out = append(out, c)
		return nil
	})
	require.NoError(t, err)
	return out
}

func number(n int64) *int64 { return &n }

func TestUnknownValuesNeverErase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		full := company.Company{
			ID: catalog.CompanyID("crm-17"), Name: "Acme", Domain: "acme.example", Website: "https://acme.example",
			Country: "Germany", CountryCode: "DE", City: "Bonn", Industries: []string{"Rockets", "Anvils"},
			EmployeeCount: number(12), Attributes: map[string]any{"source": "fair", "score": "7"},
		}
		require.Equal(t, []catalog.Outcome{catalog.Added}, put(t, b, full).Outcomes)
		before := all(t, b)[0]

		r := put(t, b, company.Company{ID: catalog.CompanyID("crm-17"), Name: "Acme"})
		require.Equal(t, []catalog.Outcome{catalog.Unchanged}, r.Outcomes)
		require.Empty(t, gocmp.Diff(before, all(t, b)[0]))

		r = put(t, b, company.Company{
			Domain: "acme.example", Industries: []string{"Anvils"}, FoundedYear: number(1949),
			Attributes: map[string]any{"score": "8"},
		})
		require.Equal(t, []catalog.Outcome{catalog.Updated}, r.Outcomes)
		after := all(t, b)[0]
		want := *before
		want.Industries, want.FoundedYear = []string{"Anvils"}, number(1949)
		want.Attributes = map[string]any{"source": "fair", "score": "8"}
		want.UpdatedAt = after.UpdatedAt
		require.True(t, after.UpdatedAt.After(before.UpdatedAt) || after.UpdatedAt.Equal(before.UpdatedAt))
		require.Empty(t, gocmp.Diff(&want, after))
	})
}

func TestCompaniesAreNamedByTheirDomainUntilANameIsKnown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		r := put(t, b, company.Company{Domain: "acme.example"}, company.Company{Domain: "acme.example"}, company.Company{City: "Bonn"})
		require.Equal(t, []catalog.Outcome{catalog.Added, catalog.Unchanged, catalog.Nameless}, r.Outcomes)
		require.Equal(t, "acme.example", all(t, b)[0].Name)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"})
		put(t, b, company.Company{Domain: "acme.example", City: "Bonn"})
		require.Len(t, all(t, b), 1)
		require.Equal(t, []string{"Acme", "Bonn"}, []string{all(t, b)[0].Name, all(t, b)[0].City})
	})
}

func TestCompaniesWithoutNameAndDomainOnlyUpdate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		r := put(t, b, company.Company{ID: catalog.CompanyID("7"), City: "Bonn"})
		require.Equal(t, []catalog.Outcome{catalog.Nameless}, r.Outcomes)
		require.Equal(t, []company.Number{0}, r.Numbers)
		seq, err := b.Seq(t.Context())
		require.NoError(t, err)
		require.Zero(t, seq, "nothing was written")
	})
}

func TestCompaniesAreFoundByIDNumberAndDomain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		var cs []company.Company
		for i := range 1_200 {
			cs = append(cs, company.Company{Name: fmt.Sprintf("Company %d", i), Domain: fmt.Sprintf("c%d.example", i/2)})
		}
		numbers := put(t, b, cs...).Numbers
		stored := all(t, b)
		require.Len(t, stored, len(cs))

		reversed := slices.Clone(numbers)
		slices.Reverse(reversed)
		got, err := b.ByNumbers(t.Context(), append(reversed, 999_999))
		require.NoError(t, err)
		require.Len(t, got, len(cs))
		ids := make([]id.Company, len(got))
		for i, c := range got {
			require.Equal(t, reversed[i], c.Number)
			ids[i] = c.ID
		}
		stranger := id.New[id.Company]()
		found, unknown, err := b.Numbers(t.Context(), append(ids, stranger))
		require.NoError(t, err)
		require.Equal(t, reversed, found)
		require.Equal(t, []id.Company{stranger}, unknown)

		byDomain, err := b.ByDomains(t.Context(), []string{"c3.example", "none.example"})
		require.NoError(t, err)
		require.Equal(t, map[string][]company.Number{"c3.example": numbers[6:8]}, byDomain)
		sharing, err := b.SharingDomain(t.Context(), numbers[1:8])
		require.NoError(t, err)
		require.Equal(t, 6, sharing)

		one, err := b.ByID(t.Context(), ids[0])
		require.NoError(t, err)
		require.Equal(t, ids[0], one.ID)
		_, err = b.ByID(t.Context(), stranger)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))

		n, err := b.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, len(cs), n)
	})
}

// A server keeps the companies of pages. It must not show them any longer once another process has changed or removed them.
func TestChangesOfAnotherProcessAreReadAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server, importer := catalog.New(d), catalog.New(d)
		imported, err := importer.Begin(t.Context(), []string{"companies.csv"})
		require.NoError(t, err)
		source := catalog.NewSource()
		source.Of(imported)
		numbers := putFrom(t, importer, source,
			company.Company{Name: "Acme", Domain: "acme.example"},
			company.Company{Name: "Large", Domain: "large.example", Description: strings.Repeat("large ", 30_000)},
			company.Company{Name: "Third", Domain: "third.example"}).Numbers
		cities := func() (found []string) {
			t.Helper()
			for range 2 { // the second time from memory
				companies, err := server.ByNumbers(t.Context(), numbers)
				require.NoError(t, err)
				found = nil
				for _, c := range companies {
					found = append(found, c.Name+" "+c.City)
				}
			}
			return found
		}
		require.Equal(t, []string{"Acme ", "Large ", "Third "}, cities())
		put(t, importer, company.Company{Name: "Acme", Domain: "acme.example", City: "Bonn"})
		require.Equal(t, []string{"Acme Bonn", "Large ", "Third "}, cities())
		put(t, importer, company.Company{Name: "Large", Domain: "large.example", City: "Kiel"})
		require.Equal(t, []string{"Acme Bonn", "Large Kiel", "Third "}, cities())
		_, err = importer.Undo(t.Context(), imported, func(context.Context, *db.Tx) (company.Set, error) { return company.Set{}, nil })
		require.NoError(t, err)
		require.Empty(t, cities(), "the import had added them")
	})
}

func TestRowsAreReadAsOfTheirSequenceNumber(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		var states []map[company.Number]*company.Company // by seq
		remember := func() {
			state := map[company.Number]*company.Company{}
			for _, c := range all(t, b) {
				state[c.Number] = c
			}
			seq, err := b.Seq(t.Context())
			require.NoError(t, err)
			for len(states) < int(seq) {
				states = append(states, nil)
			}
			states = append(states, state)
		}
		remember()
		put(t, b, company.Company{Name: "A", Domain: "a.example"}, company.Company{Name: "B", Domain: "b.example"})
		remember()
		put(t, b, company.Company{Name: "A renamed", Domain: "a.example"})
		remember()
		_, err := b.Connect(t.Context(), []catalog.Connection{{
			Source: catalog.End{Domain: "b.example"}, Target: catalog.End{Domain: "a.example"}, Category: "vendor",
		}})
		require.NoError(t, err)
		remember()
		put(t, b, company.Company{Name: "A again", Domain: "a.example", City: "Bonn"}, company.Company{Name: "C"})
		remember()
		require.Len(t, states, 5)

		for asOf, state := range states {
			require.Empty(t, gocmp.Diff(state, rowsAsOf(t, b, state, uint64(asOf))), "as of %d", asOf)
		}
		require.NoError(t, b.Prune(t.Context(), 3))
		for asOf, state := range states[3:] {
			require.Empty(t, gocmp.Diff(state, rowsAsOf(t, b, state, uint64(asOf+3))), "as of %d", asOf+3)
		}
		require.Error(t, b.Rows(t.Context(), []company.Number{77}, 4, func(*company.Company) error { return nil }))
	})
}

func rowsAsOf(t *testing.T, b *catalog.Store, of map[company.Number]*company.Company, asOf uint64) map[company.Number]*company.Company {
	t.Helper()
	var numbers []company.Number
	for n := range of {
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b company.Number) int { return cmp.Compare(b, a) })
	var order []company.Number
	out := map[company.Number]*company.Company{}
	require.NoError(t, b.Rows(t.Context(), numbers, asOf, func(c *company.Company) error {
		order = append(order, c.Number)
		out[c.Number] = c
		return nil
	}))
	require.Equal(t, numbers, order)
	return out
}

func TestChangesNeverSplitATransaction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		for i := range 4 {
			var cs []company.Company
			for j := range 10 {
				cs = append(cs, company.Company{Name: fmt.Sprintf("Company %d %d", i, j)})
			}
			put(t, b, cs...)
		}
		after, seen := uint64(0), 0
		for more := true; more; {
			var changes []catalog.Change
			var err error
			changes, after, more, err = b.Changes(t.Context(), after, 15)
			require.NoError(t, err)
			require.Len(t, changes, 20)
			seen += len(changes)
		}
		require.Equal(t, 40, seen)
		require.Equal(t, uint64(4), after)
		changes, upTo, more, err := b.Changes(t.Context(), after, 15)
		require.NoError(t, err)
		require.Empty(t, changes)
		require.Equal(t, after, upTo)
		require.False(t, more)
	})
}

// Two processes import at once, and a third one follows the changes: it ends with the same companies as the catalog.
func TestFollowersMissNothingWhileManyImport(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		const writers, batches = 4, 12
		reader := catalog.New(open())
		var importing sync.WaitGroup
		for _, d := range []*db.DB{open(), open()} {
			for w := range writers / 2 {
				importing.Go(func() {
					b := catalog.New(d)
					for i := range batches {
						var cs []company.Company
						for j := range 8 {
							// All writers share some domains, so that they update the same companies.
							c := company.Company{Name: fmt.Sprintf("Company %d %d %d", w, i, j), Domain: fmt.Sprintf("shared%d.example", (i+j)%20)}
							if j%2 == 0 {
								c.Domain = ""
							}
							cs = append(cs, c)
						}
						_, err := b.Put(context.WithoutCancel(t.Context()), nil, incoming(cs))
						if err != nil {
							t.Errorf("put: %v", err)
						}
					}
				})
			}
		}
		done := make(chan struct{})
		go func() {
			importing.Wait()
			close(done)
		}()
		followed := map[company.Number]*company.Company{}
		var after uint64
		catchUp := func() {
			for more := true; more; {
				changes, upTo, rest, err := reader.Changes(t.Context(), after, 20)
				require.NoError(t, err)
				require.GreaterOrEqual(t, upTo, after)
				for _, c := range changes {
					followed[c.Number] = c.Company
				}
				after, more = upTo, rest
			}
		}
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			catchUp()
		}
		want := map[company.Number]*company.Company{}
		for i, c := range all(t, reader) {
			require.Equal(t, company.Number(i+1), c.Number, "numbers are dense")
			want[c.Number] = c
		}
		require.NotEmpty(t, want)
		require.Empty(t, gocmp.Diff(want, followed))
	})
}

// On PostgreSQL an import may hold the catalog for long, because nobody who buys waits for it.
func TestAPurchaseDoesNotWaitForABatchOnPostgreSQL(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		require.Equal(t, d.Name() == "sqlite", b.Blocks())
		if b.Blocks() {
			return // there is one writer at a time
		}
		reached, proceed := make(chan struct{}), make(chan struct{})
		slow := catalog.New(d.Guarded(func(p db.GuardPoint) error {
			if p == db.Commit {
				close(reached)
				<-proceed
			}
			return nil
		}))
		written := make(chan error)
		go func() {
			_, err := slow.Put(t.Context(), nil, []catalog.Incoming{catalog.Prepare(&company.Company{Name: "Acme"})})
			written <- err
		}()
		<-reached
		within, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		bought := d.Tx(within, func(tx *db.Tx) error {
			_, seq, err := b.Hold(within, tx)
			require.Zero(t, seq, "the batch is not visible yet")
			return err
		})
		close(proceed)
		require.NoError(t, bought)
		require.NoError(t, <-written)
	})
}

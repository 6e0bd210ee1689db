package export_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
)

// importMore loads n companies as a separate import and updates the index.
func (s *fixture) importMore(t *testing.T, seed uint64, n int) (imported int64, numbers []company.Number) {
	t.Helper()
	imported, err := s.catalog.Begin(t.Context(), []string{"more.csv"})
	require.NoError(t, err)
	source := catalog.NewSource()
	source.Of(imported)
	var batch []catalog.Incoming
	for c := range companytest.Generate(seed, n) {
		c.EmployeeCount = nil
		batch = append(batch, catalog.Prepare(c))
	}
	report, err := s.catalog.Put(t.Context(), source, batch)
	require.NoError(t, err)
	require.Equal(t, n, report.Count(catalog.Added))
	s.setEmployees(t, report.Numbers)
	s.syncIndex(t)
	return imported, report.Numbers
}

// setEmployees sets each company's number of employees to its number, so that between finds it.
func (s *fixture) setEmployees(t *testing.T, numbers []company.Number) {
	t.Helper()
	companies, err := s.catalog.ByNumbers(t.Context(), numbers)
	require.NoError(t, err)
	var batch []catalog.Incoming
	for _, c := range companies {
		employees := int64(c.Number)
		batch = append(batch, catalog.Prepare(&company.Company{ID: c.ID, EmployeeCount: &employees}))
	}
	_, err = s.catalog.Put(t.Context(), nil, batch)
	require.NoError(t, err)
}

func (s *fixture) undo(ctx context.Context, imported int64) (catalog.Undone, error) {
	return s.fixture.Undo(ctx, imported)
}

func (s *fixture) remove(t *testing.T, imported int64) catalog.Undone {
	t.Helper()
	u, err := s.undo(t.Context(), imported)
	require.NoError(t, err)
	return u
}

// interrupted is an index that runs a function once, after the first Select.
type interrupted struct {
	index.Index
	once sync.Once
	then func()
}

func (m *interrupted) Select(ctx context.Context, s index.Selection) (*index.Selected, error) {
	found, err := m.Index.Select(ctx, s)
	m.once.Do(m.then)
	return found, err
}

// afterSearch returns Exports that call fn once between the search and the purchase.
func (s *fixture) afterSearch(fn func()) *export.Exports {
	held := s.index
	s.index = &interrupted{Index: held, then: fn}
	defer func() { s.index = held }()
	return s.another()
}

func TestQuoteOfRemovedCompaniesIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		imported, _ := s.importMore(t, 8, 20)
		q := s.quote(t, between(1, 30))
		require.Equal(t, 30, q.Figures.RequestedCount)
		require.Equal(t, 20, s.remove(t, imported).Removed)

		before := s.counts(t)
		_, _, err := s.Create(t.Context(), s.caller, fromQuote(q))
		require.Equal(t, fault.QuoteOutdated, fault.CodeOf(err))
		require.Equal(t, 20, detailsOf(t, err)["removed"])
		require.Equal(t, before, s.counts(t))
		require.Equal(t, int64(100), s.balance(t))
		s.auditClean(t)
	})
}

func TestPurchaseLeavesOutCompaniesRemovedSinceTheSearch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		imported, _ := s.importMore(t, 8, 20)
		x := s.afterSearch(func() { s.remove(t, imported) })
		e, figures, err := x.Create(t.Context(), s.caller, between(6, 30))
		require.NoError(t, err)
		require.Equal(t, []int{5, 5, 5}, []int{figures.RequestedCount, figures.NewCount, int(figures.CreditsCharged)})
		require.Equal(t, span(6, 10), s.numbers(t, e.ID))
		s.runJobs(t, 1)
		require.Len(t, rowsOf(t, s.file(t, e)), 5)
		s.auditClean(t)

		before := s.counts(t)
		_, _, err = s.Create(t.Context(), s.caller, between(11, 30)) // the index still has these
		require.Equal(t, fault.NoCandidates, fault.CodeOf(err))
		again, _ := s.importMore(t, 9, 4)
		_, _, err = s.afterSearch(func() { s.remove(t, again) }).Create(t.Context(), s.caller, between(31, 34))
		require.Equal(t, fault.NoCandidates, fault.CodeOf(err))
		require.Equal(t, before, s.counts(t))
		require.Equal(t, 5, s.quote(t, between(6, 30)).Figures.RequestedCount)
	})
}

func TestListExportLeavesOutRemovedCompanies(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 10, 100)
	imported, numbers := s.importMore(t, 8, 20)
	s.remove(t, imported)
	l, err := s.lists.Create(t.Context(), s.caller.Workspace, "Mine")
	require.NoError(t, err)
	_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(append(numbers, 3)...))
	require.NoError(t, err)
	e := s.buy(t, export.Request{Name: "List", Source: export.SourceList, List: l.ID, Format: "json"})
	require.Equal(t, []int{3}, s.numbers(t, e.ID))
	require.Equal(t, int64(99), s.balance(t))
}

func TestUndoWaitsForAPurchaseAndKeepsItsCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		imported, numbers := s.importMore(t, 8, 20)
		done := make(chan struct{})
		var undone catalog.Undone
		var undoErr error
		var once sync.Once
		inside := func(context.Context, *db.Tx, export.Export) error {
			once.Do(func() {
				go func() {
					undone, undoErr = s.undo(t.Context(), imported)
					close(done)
				}()
			})
			select {
			case <-done:
				return fmt.Errorf("the undo did not wait for the purchase: %+v", undone)
			case <-time.After(200 * time.Millisecond): // there is no signal for "it waits"
				return nil
			}
		}
		e, _, err := s.Create(t.Context(), s.caller, between(11, 15), inside)
		require.NoError(t, err)
		<-done
		require.NoError(t, undoErr)
		require.Equal(t, catalog.Undone{Removed: 15, Kept: 5}, undone)
		s.runJobs(t, 1)
		require.Len(t, rowsOf(t, s.file(t, e)), 5)
		kept, err := s.catalog.ByNumbers(t.Context(), numbers)
		require.NoError(t, err)
		require.Len(t, kept, 5)
		s.auditClean(t)
	})
}

// In whatever order they commit, no workspace pays for a company that no file can contain.
func TestConcurrentUndosNeverRemoveBoughtCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const rounds, each = 4, 30
		s := open(t, d, 10, 1_000)
		callers := []auth.Caller{s.caller, s.customer(t, 1_000)}
		charged := map[string]int{}
		for round := range rounds {
			imported, numbers := s.importMore(t, uint64(100+round), each)
			first := int64(numbers[0])
			q := s.quote(t, between(first, first+each/2))
			var undone catalog.Undone
			var mu sync.Mutex
			var bought []export.Export
			var wg sync.WaitGroup
			start := make(chan struct{})
			buy := func(caller auth.Caller, r export.Request) {
				wg.Go(func() {
					<-start
					e, _, err := s.Create(t.Context(), caller, r)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						bought = append(bought, e)
						charged["sold"]++
						return
					}
					code := fault.CodeOf(err)
					charged[string(code)]++
					if code != fault.NoCandidates && code != fault.QuoteOutdated {
						t.Errorf("a purchase failed: %v", err)
					}
				})
			}
			for i, caller := range callers {
				for k := range int64(3) {
					buy(caller, between(first+k*8+int64(i), first+k*8+9))
				}
			}
			buy(s.caller, fromQuote(q))
			wg.Go(func() {
				<-start
				var err error
				undone, err = s.undo(t.Context(), imported)
				if err != nil {
					t.Errorf("undo: %v", err)
				}
			})
			close(start)
			wg.Wait()
			s.runJobs(t, len(bought))
			sold := company.Set{}
			for _, e := range bought {
				require.Len(t, rowsOf(t, s.file(t, e)), e.Figures.Rows())
				for _, n := range s.numbers(t, e.ID) {
					sold = sold.Or(company.SetOf(company.Number(n)))
				}
			}
			require.Equal(t, each, undone.Removed+undone.Kept)
			require.Equal(t, sold.Len(), undone.Kept)
			s.syncIndex(t)
			s.auditClean(t)
		}
		t.Logf("purchases by outcome: %v", charged)
	})
}

func TestAReceiptOfACancelledExportOutlivesItsCompanies(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 10, 100)
	imported, numbers := s.importMore(t, 8, 20)
	e := s.buy(t, between(9, 13))
	s.cancel(t, e)
	require.Equal(t, 20, s.remove(t, imported).Removed)
	lines := 0
	require.NoError(t, s.EachReceiptLine(t.Context(), s.caller, e.ID, func(l export.ReceiptLine) error {
		require.False(t, l.Company.ID.IsZero())
		require.Equal(t, l.Company.Number < numbers[0], l.Company.Name != "")
		lines++
		return nil
	}))
	require.Equal(t, 5, lines)
	s.auditClean(t)
}

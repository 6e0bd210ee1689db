package export_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

func TestCreateChargesOnlyForNewCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 300, 250)
		first := s.buy(t, between(1, 120))
		require.Equal(t, export.Figures{
			RequestedCount: 120, NewCount: 120, Cost: 120, CreditsCharged: 120, Balance: 250,
			TransactionID: first.Figures.TransactionID,
		}, first.Figures)
		require.Equal(t, export.StatusPending, first.Status)

		second := s.buy(t, between(101, 180))
		require.Equal(t, export.Figures{
			RequestedCount: 80, AlreadyUnlocked: 20, NewCount: 60, Cost: 60, CreditsCharged: 60, Balance: 130,
			TransactionID: second.Figures.TransactionID,
		}, second.Figures)
		require.Equal(t, int64(70), s.balance(t))

		entries, err := s.credit.Recent(t.Context(), s.caller.Workspace, 10)
		require.NoError(t, err)
		require.Len(t, entries, 3)
		require.Equal(t, second.Figures.TransactionID, entries[0].ID)
		require.Equal(t, int64(-60), entries[0].Amount)
		require.Equal(t, credit.ReasonCharge, entries[0].Reason)
		require.Equal(t, fmt.Sprintf("export:%s:create", second.ID), entries[0].Reference)
		require.Equal(t, first, s.get(t, first))
		s.auditClean(t)
	})
}

func TestExportingTheSameAgainIsFree(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 50, 50)
		s.buy(t, between(1, 50))
		again := s.buy(t, between(1, 50))
		require.Equal(t, export.Figures{RequestedCount: 50, AlreadyUnlocked: 50}, again.Figures)
		require.True(t, again.Figures.TransactionID.IsZero())
		require.Equal(t, 2, s.counts(t)["entry"]) // the grant and the first charge
		s.auditClean(t)
	})
}

func TestInsufficientBalanceWritesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 500, 499)
		s.buy(t, between(1, 320))
		before := s.counts(t)
		_, _, err := s.Create(t.Context(), s.caller, between(1, 500))
		var refusal *fault.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, fault.InsufficientBalance, refusal.Code)
		require.Equal(t, map[string]any{
			"balance": int64(179), "requested_count": 500, "already_unlocked": 320, "new_count": 180, "would_skip": 1,
		}, refusal.Details)
		require.Equal(t, before, s.counts(t))
		require.Equal(t, int64(179), s.balance(t))
		require.Equal(t, 320, s.owned(t).Len())
		s.buy(t, between(1, 499))
		require.Zero(t, s.balance(t))
		s.auditClean(t)
	})
}

func TestEmptyResultIsRefusedAsNoCandidates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 10)
		empty, err := s.lists.Create(t.Context(), s.caller.Workspace, "Empty")
		require.NoError(t, err)
		before := s.counts(t)
		for _, r := range []export.Request{between(11, 20), {Name: "x", Source: export.SourceList, List: empty.ID}} {
			_, _, err := s.Create(t.Context(), s.caller, r)
			require.Equal(t, fault.NoCandidates, fault.CodeOf(err), "%v", err)
			_, err = s.Quote(t.Context(), s.caller, r)
			require.Equal(t, fault.NoCandidates, fault.CodeOf(err), "%v", err)
		}
		require.Equal(t, before, s.counts(t))
	})
}

// requireEstimateOfFirst requires the price of those that a search has found first of 10,050 matches; 1 to 10,000 are owned.
func requireEstimateOfFirst(t *testing.T, s *fixture, r export.Request) {
	t.Helper()
	m := export.Matches{Total: 10_050, AlreadyUnlocked: 10_000}
	want, err := s.Estimate(t.Context(), s.caller, r)
	require.NoError(t, err)
	got, err := s.EstimateMatches(t.Context(), s.caller, r, m)
	require.NoError(t, err)
	require.Equal(t, want, got, "they are selected if the search has not found them")
	for n := range 10_000 {
		m.First = append(m.First, company.Number(51+n))
	}
	got, err = s.EstimateMatches(t.Context(), s.caller, r, m)
	require.NoError(t, err)
	want.AlreadyUnlocked, want.NewCount, want.Cost = 9_950, 50, 50
	require.Equal(t, want, got)
}

func TestExportsAreLimitedToTenThousandCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10_050, 20_000)
		r := between(1, 10_050)
		r.Query.Root = nil // everything
		e := s.buy(t, r)
		require.Equal(t, 10_000, e.Figures.RequestedCount)
		require.True(t, e.Figures.CappedAt10k)
		require.Equal(t, int64(10_000), e.Figures.CreditsCharged)
		requireEstimateOfFirst(t, s, r)
		exact := s.buy(t, between(51, 10_050))
		require.Equal(t, 50, exact.Figures.NewCount)
		require.False(t, exact.Figures.CappedAt10k)
		long, err := s.lists.Create(t.Context(), s.caller.Workspace, "Long")
		require.NoError(t, err)
		_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, long.ID, s.owned(t))
		require.NoError(t, err)
		listed := s.buy(t, export.Request{Name: "Long", Source: export.SourceList, List: long.ID, Format: format.JSON})
		require.Equal(t, 10_000, listed.Figures.RequestedCount)
		require.True(t, listed.Figures.CappedAt10k)
		s.runJobs(t, 3)
		rows := rowsOf(t, s.file(t, e))
		require.Len(t, rows, 10_000)
		require.Equal(t, int64(10_000), rows[9_999].EmployeeCount) // the first ones in the result order
		s.auditClean(t)
	})
}

func TestListIsExportedAsItWasAtCreation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 30, 30)
		l, err := s.lists.Create(t.Context(), s.caller.Workspace, "Mine")
		require.NoError(t, err)
		_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(9, 3, 5))
		require.NoError(t, err)
		r := export.Request{Name: "Mine", Source: export.SourceList, List: l.ID, Format: format.JSON}
		e := s.buy(t, r)
		require.Equal(t, int64(3), e.Figures.CreditsCharged)
		_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(20, 21))
		require.NoError(t, err)
		require.NoError(t, s.lists.Delete(t.Context(), s.caller.Workspace, l.ID))
		s.runJobs(t, 1)
		require.Len(t, rowsOf(t, s.file(t, e)), 3)
		got := s.get(t, e)
		require.Equal(t, l.ID, got.List)
		require.Equal(t, export.SourceList, got.Source)
		require.Nil(t, got.Filters)
		s.auditClean(t)
	})
}

func TestAnotherWorkspacesListAndExportsAreNotFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 10)
		mine := s.buy(t, between(1, 5))
		l, err := s.lists.Create(t.Context(), s.caller.Workspace, "Mine")
		require.NoError(t, err)
		other := s.customer(t, 10)
		_, _, err = s.Create(t.Context(), other, export.Request{Name: "Theirs", Source: export.SourceList, List: l.ID})
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = s.Get(t.Context(), other, mine.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = s.Download(t.Context(), other, mine.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = s.Get(t.Context(), s.caller, id.New[id.Export]())
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		theirs, next, err := s.List(t.Context(), other, "", 10)
		require.NoError(t, err)
		require.Empty(t, theirs)
		require.Empty(t, next)
		// Unlocks of one workspace are not free for another.
		_, figures, err := s.Create(t.Context(), other, between(1, 5))
		require.NoError(t, err)
		require.Equal(t, int64(5), figures.CreditsCharged)
	})
}

func TestInvalidRequestsReportAllErrors(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 10)
	before := s.counts(t)
	for name, test := range map[string]struct {
		change func(*export.Request)
		fields []string
	}{
		"no name":        {func(r *export.Request) { r.Name = " " }, []string{"name"}},
		"long name":      {func(r *export.Request) { r.Name = strings.Repeat("ä", 201) }, []string{"name"}},
		"control char":   {func(r *export.Request) { r.Name = "a\x00b" }, []string{"name"}},
		"invalid UTF-8":  {func(r *export.Request) { r.Name = "a\xff" }, []string{"name"}},
		"unknown source": {func(r *export.Request) { r.Source = "web" }, []string{"source_type"}},
		"unknown format": {func(r *export.Request) { r.Format = "xls" }, []string{"export_format"}},
		"no list":        {func(r *export.Request) { r.Source = export.SourceList }, []string{"list_id"}},
		"unused list":    {func(r *export.Request) { r.List = id.New[id.List]() }, []string{"list_id"}},
		"several errors": {func(r *export.Request) { r.Name, r.Source, r.Format = "", "web", "xls" }, []string{"name", "source_type", "export_format"}},
		"missing list":   {func(r *export.Request) { r.Source, r.List = export.SourceList, id.New[id.List]() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := between(1, 3)
			test.change(&r)
			_, _, err := s.Create(t.Context(), s.caller, r)
			if test.fields == nil {
				require.Equal(t, fault.NotFound, fault.CodeOf(err))
				return
			}
			require.Equal(t, test.fields, fieldsOf(t, err))
		})
	}
	require.Equal(t, before, s.counts(t))
}

func TestConcurrentCreatesChargeEachCompanyOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 300, 10_000)
		var mu sync.Mutex
		var wg sync.WaitGroup
		var charged int64
		wanted := company.Set{}
		r := rand.New(rand.NewPCG(1, 2))
		processes := []*export.Exports{s.Exports, s.another(), s.another()}
		for i := range 50 {
			low := int64(1 + r.IntN(200))
			request := between(low, low+int64(r.IntN(100)))
			wg.Go(func() {
				_, figures, err := processes[i%len(processes)].Create(t.Context(), s.caller, request)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				charged += figures.CreditsCharged
			})
		}
		wg.Wait()
		exports, _, err := s.List(t.Context(), s.caller, "", 100)
		require.NoError(t, err)
		require.Len(t, exports, 50)
		for _, e := range exports {
			wanted = wanted.Or(s.selected(t, e))
		}
		require.Equal(t, int64(wanted.Len()), charged)
		require.Equal(t, 10_000-charged, s.balance(t))
		require.True(t, wanted.Equal(s.owned(t)))
		s.runJobs(t, 50)
		s.auditClean(t)
	})
}

// Purchases of new companies alone choose the same ones if they run at the same time. The others take the next ones.
func TestConcurrentPurchasesOfNewCompaniesGetDifferentOnes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const buyers, limit = 60, 3
		s := open(t, d, buyers*limit-1, 10_000)
		processes := []*export.Exports{s.Exports, s.another(), s.another()}
		var mu sync.Mutex
		var wg sync.WaitGroup
		var rows []int64
		for i := range buyers {
			wg.Go(func() {
				_, figures, err := processes[i%len(processes)].Create(t.Context(), s.caller,
					withTerms(between(1, buyers*limit), export.Terms{OnlyNew: true, Limit: limit}))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				rows = append(rows, figures.CreditsCharged)
			})
		}
		wg.Wait()
		slices.Sort(rows)
		require.Equal(t, append([]int64{limit - 1}, slices.Repeat([]int64{limit}, buyers-1)...), rows, "the last one gets what is left")
		require.Equal(t, buyers*limit-1, s.owned(t).Len())
		s.auditClean(t)
	})
}

func TestConcurrentCreatesNeverOverdraw(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 300, 120)
		var wg sync.WaitGroup
		for i := range 40 {
			low := int64(1 + i*7)
			wg.Go(func() {
				_, _, err := s.Create(t.Context(), s.caller, between(low, low+24))
				if err != nil && !errors.Is(err, fault.New(fault.InsufficientBalance, "")) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.GreaterOrEqual(t, s.balance(t), int64(0))
		require.Equal(t, int64(120), s.balance(t)+int64(s.owned(t).Len()))
		s.auditClean(t)
	})
}

// selected returns the companies that the export delivers, computed from its filters: a company's number is its number of
// employees.
func (s *fixture) selected(t *testing.T, e export.Export) company.Set {
	t.Helper()
	var f struct {
		Low  company.Number `json:"employee_count_min"`
		High company.Number `json:"employee_count_max"`
	}
	require.NoError(t, json.Unmarshal(e.Filters, &f))
	var numbers []company.Number
	for n := f.Low; n <= f.High; n++ {
		numbers = append(numbers, n)
	}
	return company.SetOf(numbers...)
}

func TestExportsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		var want []id.Export
		for i := range int64(7) {
			want = append([]id.Export{s.buy(t, between(i+1, i+2)).ID}, want...)
		}
		var got []id.Export
		cursor := ""
		for {
			page, next, err := s.List(t.Context(), s.caller, cursor, 3)
			require.NoError(t, err)
			for _, e := range page {
				got = append(got, e.ID)
			}
			if next == "" {
				break
			}
			s.buy(t, between(20, 20)) // a newer export does not change the following pages
			cursor = next
		}
		require.Equal(t, want, got)
		for _, bad := range []string{"x", "!!", "MTIz", strings.Repeat("a", 5000)} {
			_, _, err := s.List(t.Context(), s.caller, bad, 3)
			require.Equal(t, fault.InvalidCursor, fault.CodeOf(err), bad)
		}
	})
}

package export_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

func TestConcurrentBuysOfAQuoteCreateOneExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 40, 100)
		q := s.quote(t, between(1, 30))
		var mu sync.Mutex
		seen := map[id.Export]bool{}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				e, err := s.another().Buy(t.Context(), s.caller, fromQuote(q))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				seen[e.ID] = true
			})
		}
		wg.Wait()
		require.Len(t, seen, 1)
		require.Equal(t, int64(70), s.balance(t))
		require.Equal(t, 1, s.counts(t)["export"])

		stranger := s.caller
		stranger.Workspace = s.customer(t, 100).Workspace
		_, err := s.Buy(t.Context(), stranger, fromQuote(q))
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = s.Buy(t.Context(), s.caller, between(1, 30))
		require.Equal(t, fault.Validation, fault.CodeOf(err), "Buy requires a quote")
	})
}

func TestEstimateHasTheFiguresOfTheQuote(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 60, 40)
		s.buy(t, between(1, 20))
		before := s.counts(t)
		for _, span := range [][2]int64{{1, 20}, {11, 30}, {11, 60}} {
			r := between(span[0], span[1])
			got, err := s.Estimate(t.Context(), s.caller, r)
			require.NoError(t, err)
			require.Equal(t, before, s.counts(t))
			require.Equal(t, export.Estimate{Figures: s.quote(t, r).Figures, Matches: int(span[1] - span[0] + 1)}, got)
			counted := export.Matches{Total: got.RequestedCount, AlreadyUnlocked: got.AlreadyUnlocked}
			all, err := s.EstimateMatches(t.Context(), s.caller, r, counted)
			require.NoError(t, err)
			require.Equal(t, got, all, "an estimate from the counts of a search is the same")
			before = s.counts(t)
		}
		got, err := s.Estimate(t.Context(), s.caller, withTerms(between(1, 60), export.Terms{Limit: 5}))
		require.NoError(t, err)
		require.Equal(t, []int{5, 60}, []int{got.RequestedCount, got.Matches}, "the limit leaves all matches counted")
		for name, r := range map[string]export.Request{
			"no match": between(70, 80),
			"none new": {Query: between(1, 5).Query, Terms: export.Terms{OnlyNew: true}},
		} {
			got, err := s.Estimate(t.Context(), s.caller, r)
			require.NoError(t, err)
			require.Equal(t, export.Estimate{Figures: export.Figures{Balance: 20}}, got, name)
		}
	})
}

func TestSpendingIsReportedByBuyer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 60, 100)
		start := time.Now().Add(-time.Hour)
		s.buy(t, between(1, 20))
		s.buy(t, between(1, 20)) // free
		cancelled := s.buy(t, between(21, 25))
		_, err := s.Cancel(t.Context(), s.caller, cancelled.ID)
		require.NoError(t, err)
		person := auth.Caller{Person: id.New[id.Person](), Workspace: s.caller.Workspace}
		_, _, err = s.Create(t.Context(), person, between(31, 60))
		require.NoError(t, err)

		got, err := s.Spending(t.Context(), s.caller, start, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, []export.Spending{
			{Person: person.Person, Exports: 1, Charged: 30},
			{Token: s.caller.Token, Exports: 2, Charged: 25, Refunded: 5},
		}, got)
		got, err = s.Spending(t.Context(), s.caller, start, start.Add(time.Minute))
		require.NoError(t, err)
		require.Empty(t, got)
		got, err = s.Spending(t.Context(), s.customer(t, 0), start, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

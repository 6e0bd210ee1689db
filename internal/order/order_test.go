package order_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/token"
)

func TestEachRunDeliversWhatTheOrderHasNotDeliveredYet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 100)
		o := between(1, 100)
		o.Request.Format, o.Request.Options = format.NDJSON, format.Options{Compression: format.Gzip, Columns: []string{"name"}}
		made := s.create(t, o, false)
		require.EqualValues(t, 5, made.Next.Preview.Cost)
		first := s.run(t, made)
		require.Equal(t, numbers(1, 5), s.delivered(t, first))
		require.EqualValues(t, 5, first.Charged)
		e, err := s.Exports.Get(t.Context(), s.caller, first.Export)
		require.NoError(t, err)
		require.Equal(t, made.ID, e.Terms.Order)
		require.Equal(t, "added", e.Terms.Deliver)
		require.Equal(t, []string{"name"}, e.Options.Columns)
		require.Equal(t, format.Gzip, e.Options.Compression)

		nothing := s.run(t, made)
		require.Equal(t, order.NothingNew, nothing.Status)
		require.Contains(t, nothing.Message, "that the order has not delivered yet")

		s.add(t, 2)
		s.size(t, 1, 50) // changed, but not new
		require.Equal(t, numbers(6, 7), s.delivered(t, s.run(t, made)))
		s.add(t, 100) // up to 107, of which 101 to 107 do not match
		last := s.run(t, made)
		require.Equal(t, numbers(8, 100), s.delivered(t, last))
		require.EqualValues(t, 0, s.balance(t))
		require.EqualValues(t, 100, s.get(t, made).Spent)
		s.size(t, 101, 60) // it did not match before
		require.Equal(t, order.Skipped, s.run(t, made).Status, "the balance is used up")
		types, data := s.events(t)
		require.Equal(t, []event.Type{event.OrderRan, event.OrderRan, event.OrderRan, event.OrderRan, event.OrderSkipped}, types)
		require.Equal(t, first.Export.String(), data[0]["export_id"])
		require.Equal(t, "nothing_new", data[1]["status"])
		require.NotContains(t, data[1], "export_id")
		require.Equal(t, "insufficient_balance", data[4]["code"])
		s.auditClean(t)
	})
}

func TestABaselineDeliversOnlyWhatComesLater(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 100)
		made := s.create(t, between(1, 100), true)
		require.Equal(t, order.NothingNew, made.Next.Status)
		require.Equal(t, []order.Status{order.Baseline}, []order.Status{s.runs(t, made)[0].Status})
		require.Equal(t, order.NothingNew, s.run(t, made).Status)
		s.add(t, 3)
		require.Equal(t, numbers(21, 23), s.delivered(t, s.run(t, made)))
		require.EqualValues(t, 97, s.balance(t))
	})
}

func TestWhatWasDeliveredAndHasChangedIsDeliveredAgainForNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		o := between(1, 10)
		o.Deliver = order.Changed
		made := s.create(t, o, false)
		s.delivered(t, s.run(t, made))
		require.EqualValues(t, 90, s.balance(t))
		require.Equal(t, order.NothingNew, s.run(t, made).Status)
		s.size(t, 3, 9)
		s.size(t, 4, 8)
		s.size(t, 5, 500) // no longer matches
		require.EqualValues(t, 0, s.preview(t, made).Preview.Cost)
		changed := s.run(t, made)
		require.Equal(t, numbers(3, 4), s.delivered(t, changed))
		require.Zero(t, changed.Charged)
		require.Equal(t, order.NothingNew, s.run(t, made).Status)
		s.size(t, 5, 6) // matches again
		s.add(t, 1)
		s.size(t, 11, 7)
		again := s.run(t, made)
		require.Equal(t, []company.Number{5, 11}, s.delivered(t, again))
		require.EqualValues(t, 1, again.Charged)
		s.auditClean(t)
	})
}

func TestWhatIsOwnedAndHasLeftTheSourceIsDeliveredForNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		_, _, err := s.Exports.Create(t.Context(), s.caller, export.Request{Name: "x", Source: export.SourceList, List: s.list(t, numbers(1, 5)...).ID})
		require.NoError(t, err)
		o := between(1, 10)
		o.Deliver = order.Left
		made := s.create(t, o, false)
		require.Equal(t, order.NothingNew, made.Next.Status)
		nothing := s.run(t, made)
		require.Equal(t, order.NothingNew, nothing.Status)
		require.Contains(t, nothing.Message, "none that the workspace owns has left the source since the last run")
		s.size(t, 2, 500)
		s.size(t, 7, 500) // left as well, but the workspace does not own it
		left := s.run(t, made)
		require.Equal(t, []company.Number{2}, s.delivered(t, left))
		require.Zero(t, left.Charged)
		require.Equal(t, order.NothingNew, s.run(t, made).Status)
		s.size(t, 2, 3)
		require.Equal(t, order.NothingNew, s.run(t, made).Status)
		s.size(t, 2, 500)
		require.Equal(t, []company.Number{2}, s.delivered(t, s.run(t, made)), "it left a second time")
		require.EqualValues(t, 95, s.balance(t))
		s.auditClean(t)
	})
}

func TestAListAndASetAreSources(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 10, 100)
	l := s.list(t, 2, 4)
	listed := order.Order{Name: "Listed", Schedule: order.Schedule{Cron: "0 8 * * *"}, Request: export.Request{Source: export.SourceList, List: l.ID}}
	made := s.create(t, listed, false)
	require.Equal(t, []company.Number{2, 4}, s.delivered(t, s.run(t, made)))
	_, _, err := s.Lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(9))
	require.NoError(t, err)
	require.Equal(t, []company.Number{9}, s.delivered(t, s.run(t, made)), "new on the list, not in the catalog")

	four := int64(4)
	ref := query.SetRef{AllOf: []query.SetRef{{ListID: l.ID.String()}, {Not: &query.SetRef{Search: &query.Filters{EmployeeCountMin: &four, EmployeeCountMax: &four}}}}}
	q, err := query.ParseSet("set", ref)
	require.NoError(t, err)
	content, err := json.Marshal(query.Filters{In: []query.SetRef{ref}})
	require.NoError(t, err)
	all := order.Order{
		Name: "Set", Deliver: order.All, Schedule: order.Schedule{Cron: "0 8 * * *"},
		Request: export.Request{Source: export.SourceSet, Query: q, Filters: content},
	}
	made = s.create(t, all, false)
	for range 2 {
		require.Equal(t, []company.Number{2, 9}, s.delivered(t, s.run(t, made)), "everything, each time")
	}
	require.NoError(t, s.Lists.Delete(t.Context(), s.caller.Workspace, l.ID))
	gone := s.run(t, made)
	require.Equal(t, order.Skipped, gone.Status)
	require.Equal(t, string(fault.NotFound), gone.Code)
	require.Contains(t, gone.Message, "list")
	require.EqualValues(t, 97, s.balance(t))
}

func TestCapsAreExactToTheCredit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		skip := between(1, 100)
		skip.MaxCredits = new(int64(9))
		skipping := s.create(t, skip, false)
		require.Equal(t, string(fault.MaxCreditsExceeded), skipping.Next.Code)
		run := s.run(t, skipping)
		require.Equal(t, []any{order.Skipped, string(fault.MaxCreditsExceeded)}, []any{run.Status, run.Code})
		require.EqualValues(t, 100, s.balance(t))
		_, err := s.Orders.Update(t.Context(), s.caller, skipping.ID, order.Change{MaxCredits: new(int64(10))})
		require.NoError(t, err)
		require.Equal(t, numbers(1, 10), s.delivered(t, s.run(t, skipping)), "a skipped run loses nothing")

		s.add(t, 10) // 11 to 20
		fill := between(11, 100)
		fill.AboveCap, fill.MaxCredits, fill.MaxCreditsTotal = order.Fill, new(int64(4)), new(int64(9))
		filling := s.create(t, fill, false)
		for _, want := range [][]company.Number{numbers(11, 14), numbers(15, 18), numbers(19, 19)} {
			require.EqualValues(t, len(want), s.preview(t, filling).Preview.Cost)
			require.Equal(t, want, s.delivered(t, s.run(t, filling)))
		}
		require.EqualValues(t, 9, s.get(t, filling).Spent)
		run = s.run(t, filling)
		require.Equal(t, order.Skipped, run.Status)
		require.Contains(t, run.Message, "what is left of the limit of all runs: 0 of 9 credits. Nothing was charged.")
		require.EqualValues(t, 81, s.balance(t))
		// A refund gives the order its credits back.
		_, err = s.Exports.Cancel(t.Context(), s.caller, s.runs(t, filling)[2].Export) // 15 to 18
		require.NoError(t, err)
		require.EqualValues(t, 5, s.get(t, filling).Spent)
		require.Equal(t, numbers(15, 18), s.delivered(t, s.run(t, filling)), "what was not delivered is new again")
		require.EqualValues(t, 81, s.balance(t))
		s.auditClean(t)
	})
}

func TestBudgetsApplyToOrders(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		free := s.caller
		s.caller = s.token(t, token.NewToken{Budget: budget.Limits{Total: new(int64(6))}})
		skipping := s.create(t, between(1, 10), false)
		require.Equal(t, string(fault.TokenBudgetExceeded), skipping.Next.Code)
		run := s.run(t, skipping)
		require.Equal(t, string(fault.TokenBudgetExceeded), run.Code)
		fill := between(1, 10)
		fill.AboveCap = order.Fill
		filling := s.create(t, fill, false)
		require.EqualValues(t, 6, filling.Next.Preview.Cost)
		require.Equal(t, numbers(1, 6), s.delivered(t, s.run(t, filling)))
		run = s.run(t, filling)
		require.Equal(t, string(fault.TokenBudgetExceeded), run.Code)
		require.EqualValues(t, 94, s.balance(t))

		// A run that is asked for is bought in the name of who asks, and so is every run after a change.
		made, err := s.Orders.Run(t.Context(), free, filling.ID)
		require.NoError(t, err)
		require.Equal(t, numbers(7, 10), s.delivered(t, made))
		s.add(t, 1)
		_, err = s.Orders.Update(t.Context(), free, skipping.ID, order.Change{Name: new("Renamed")})
		require.NoError(t, err)
		require.Equal(t, free.Token, s.get(t, skipping).Token)
		s.delivered(t, s.run(t, skipping))
		s.auditClean(t)
	})
}

func TestTheOrderOfATokenOrAMemberWhoIsGoneIsPaused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		ofToken := s.create(t, between(1, 3), false)
		require.NoError(t, s.Tokens.Revoke(t.Context(), s.caller.Token))
		token := s.caller
		s.caller.Token, s.caller.Person = id.Token{}, s.member(t)
		ofMember := s.create(t, between(4, 6), false)
		require.NoError(t, s.Workspaces.Leave(t.Context(), s.caller.Workspace, s.caller.Person))
		for o, code := range map[*order.Order]fault.Code{&ofToken: fault.InvalidToken, &ofMember: fault.NotWorkspaceMember} {
			require.Equal(t, string(code), s.preview(t, *o).Code)
			run := s.run(t, *o)
			require.Equal(t, []any{order.Skipped, string(code)}, []any{run.Status, run.Code})
			got := s.get(t, *o)
			require.Equal(t, order.Paused, got.StateAt(time.Now()))
			require.Contains(t, got.PausedWhy, "Resume the order")
			require.Nil(t, got.NextAt, "a paused order has no next run")
			s.due(t, *o, time.Second)
			require.NoError(t, s.Orders.RunDue(t.Context()))
			require.Len(t, s.runs(t, *o), 1, "a paused order does not run")
		}
		require.EqualValues(t, 100, s.balance(t))
		_, data := s.events(t)
		require.Equal(t, true, data[0]["paused"])

		s.caller = s.token(t, tokenOf())
		resumed, err := s.Orders.Resume(t.Context(), s.caller, ofToken.ID)
		require.NoError(t, err)
		require.NotEqual(t, token.Token, resumed.Token)
		require.True(t, resumed.NextAt.After(time.Now()), "what was due while it was paused is not caught up")
		require.Equal(t, numbers(1, 3), s.delivered(t, s.run(t, ofToken)))
	})
}

func tokenOf() token.NewToken { return token.NewToken{} }

func TestMissedRunsAreCaughtUpByOneOrSkipped(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		o := between(1, 5)
		o.Schedule = order.Schedule{Cron: "0 * * * *"}
		catching := s.create(t, o, false)
		o = between(6, 10)
		o.Schedule, o.Missed = hourly(30), order.Skip
		skipping := s.create(t, o, false)
		s.due(t, catching, 72*time.Hour)
		s.due(t, skipping, 72*time.Hour)
		require.NoError(t, s.Orders.RunDue(t.Context()))
		caught := s.runs(t, catching)
		require.Len(t, caught, 1)
		require.Equal(t, numbers(1, 5), s.delivered(t, caught[0]))
		require.InDelta(t, 72, caught[0].Missed, 1)
		skipped := s.runs(t, skipping)
		require.Len(t, skipped, 1)
		require.Equal(t, []any{order.Skipped, "MISSED"}, []any{skipped[0].Status, skipped[0].Code})
		for _, o := range []order.Order{catching, skipping} {
			next := *s.get(t, o).NextAt
			require.True(t, next.After(time.Now()) && next.Before(time.Now().Add(time.Hour+time.Second)), next)
		}
		s.due(t, skipping, time.Minute) // a restart is not a missed run
		require.NoError(t, s.Orders.RunDue(t.Context()))
		require.Equal(t, numbers(6, 10), s.delivered(t, s.runs(t, skipping)[0]))
		require.EqualValues(t, 90, s.balance(t))
	})
}

// hourly returns a schedule that last fired the minutes ago, on the minute.
func hourly(ago int) order.Schedule {
	return order.Schedule{Cron: strconv.Itoa(time.Now().UTC().Add(-time.Duration(ago)*time.Minute).Minute()) + " * * * *"}
}

// A server that was down for days starts three minutes after a run was due: that run is late, and the others are missed.
func TestALateRunIsMadeAfterMissedOnesAreSkipped(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 100)
		o := between(1, 5)
		o.Schedule, o.Missed = hourly(3), order.Skip
		made := s.create(t, o, false)
		s.due(t, made, 72*time.Hour)
		require.NoError(t, s.Orders.RunDue(t.Context()))
		runs := s.runs(t, made)
		require.Len(t, runs, 2)
		require.Equal(t, []any{order.Skipped, "MISSED"}, []any{runs[1].Status, runs[1].Code})
		require.InDelta(t, 71, runs[1].Missed, 1)
		require.Equal(t, numbers(1, 5), s.delivered(t, runs[0]))
		require.Zero(t, runs[0].Missed)
		require.Less(t, time.Since(runs[0].ScheduledAt), 10*time.Minute)
		require.True(t, s.get(t, made).NextAt.After(time.Now()))
	})
}

func TestAnOrderRunsOnceAfterImports(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 3, 100)
		imported := func() {
			n, err := s.Catalog.Begin(t.Context(), []string{"x"})
			require.NoError(t, err)
			require.NoError(t, s.Catalog.Finish(t.Context(), n, nil))
		}
		imported()
		o := between(1, 100)
		o.Schedule = order.Schedule{}
		made := s.create(t, o, false)
		_, err := s.Catalog.Begin(t.Context(), []string{"does not end"})
		require.NoError(t, err)
		require.NoError(t, s.Orders.RunDue(t.Context()))
		require.Empty(t, s.runs(t, made), "that import was there before")
		imported()
		imported()
		for range 2 {
			require.NoError(t, s.Orders.RunDue(t.Context()))
		}
		runs := s.runs(t, made)
		require.Len(t, runs, 1, "one run for both")
		require.Equal(t, order.OnImport, runs[0].Cause)
		require.Equal(t, 1, runs[0].Missed)
		require.Equal(t, numbers(1, 3), s.delivered(t, runs[0]))
		_, err = s.Orders.Pause(t.Context(), s.caller, made.ID)
		require.NoError(t, err)
		imported()
		require.NoError(t, s.Orders.RunDue(t.Context()))
		_, err = s.Orders.Resume(t.Context(), s.caller, made.ID)
		require.NoError(t, err)
		require.NoError(t, s.Orders.RunDue(t.Context()))
		require.Len(t, s.runs(t, made), 1, "what happened while it was paused is not made up for")
	})
}

func TestARunWaitsForTheIndexAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s := open(t, d, 3, 100)
	made := s.create(t, between(1, 100), false)
	behind := order.New(order.Deps{
		DB: d, Catalog: s.Catalog, Index: s.another(t, d).Index, Exports: s.Exports, Tokens: s.Tokens, Workspaces: s.Workspaces, Unlock: s.Unlocks,
		Options: order.Options{FollowMax: time.Nanosecond, Retry: time.Hour},
	})
	s.add(t, 1) // which the other server's index does not have
	s.due(t, made, time.Second)
	require.NoError(t, behind.RunDue(t.Context()))
	require.Empty(t, s.runs(t, made))
	require.Contains(t, s.get(t, made).DelayedWhy, "tried again")
	require.NoError(t, s.Orders.RunDue(t.Context()))
	require.Empty(t, s.runs(t, made), "not before the pause has ended")
	require.Len(t, s.delivered(t, s.run(t, made)), 4)
	require.Empty(t, s.get(t, made).DelayedWhy)
}

func TestAnOrderEnds(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 100)
	o := between(1, 100)
	o.Schedule = order.Schedule{Cron: "* * * * *"}
	o.EndsAt = new(time.Now().Add(61 * time.Second))
	made := s.create(t, o, false)
	s.exec(t, `UPDATE standing_order SET ends_at = $1`, db.Time(time.Now()))
	require.Equal(t, numbers(1, 3), s.delivered(t, s.run(t, made)), "a run that was scheduled before")
	got := s.get(t, made)
	require.Nil(t, got.NextAt)
	require.Equal(t, order.Ended, got.StateAt(time.Now()))
	_, err := s.Orders.Update(t.Context(), s.caller, made.ID, order.Change{Remove: []string{"ends_at"}})
	require.NoError(t, err)
	require.Equal(t, order.Active, s.get(t, made).StateAt(time.Now()))
}

func TestAChangeKeepsARunThatIsDue(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 100)
	imported := func() {
		n, err := s.Catalog.Begin(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.NoError(t, s.Catalog.Finish(t.Context(), n, nil))
	}
	made := s.create(t, between(1, 3), false)
	s.due(t, made, time.Second)
	change := func(c order.Change) {
		_, err := s.Orders.Update(t.Context(), s.caller, made.ID, c)
		require.NoError(t, err)
		require.NoError(t, s.Orders.RunDue(t.Context()))
	}
	change(order.Change{Name: new("Renamed"), EndsAt: new(time.Now().Add(240 * time.Hour)), Missed: new(order.Skip)})
	require.Len(t, s.runs(t, made), 1)
	imported()
	change(order.Change{Schedule: &order.Schedule{}})
	require.Len(t, s.runs(t, made), 1, "the import was before the change")
	require.Equal(t, order.CatchUp, s.get(t, made).Missed, "to skip what was missed is only possible with cron")
	imported()
	require.NoError(t, s.Orders.RunDue(t.Context()))
	require.Len(t, s.runs(t, made), 2)
	change(order.Change{Schedule: &order.Schedule{Cron: "0 8 * * MON"}})
	require.Len(t, s.runs(t, made), 2)
	require.NotNil(t, s.get(t, made).NextAt)
}

func TestTheCompaniesOfAFailedRunComeAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 4, 100)
		for _, deliver := range []order.Deliver{order.Added, order.Changed} {
			o := between(1, 100)
			o.Deliver = deliver
			made := s.create(t, o, false)
			first := s.run(t, made)
			_, err := s.Exports.Cancel(t.Context(), s.caller, first.Export)
			require.NoError(t, err)
			again := s.run(t, made)
			require.Equal(t, s.delivered(t, first), s.delivered(t, again))
			require.Equal(t, order.NothingNew, s.run(t, made).Status)
			_, err = s.Exports.Cancel(t.Context(), s.caller, again.Export)
			require.NoError(t, err)
		}
		require.EqualValues(t, 100, s.balance(t))
		s.auditClean(t)
	})
}

func TestARunOnRequestIsOneWithItsSteps(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 4, 3)
	made := s.create(t, between(1, 3), false)
	crash := errors.New("crash")
	_, err := s.Orders.Run(t.Context(), s.caller, made.ID, func(_ context.Context, _ *db.Tx, r order.Run) error {
		require.EqualValues(t, 3, r.Charged)
		return crash
	})
	require.ErrorIs(t, err, crash)
	require.Empty(t, s.runs(t, made))
	require.EqualValues(t, 3, s.balance(t))
	next := s.get(t, made).NextAt
	run, err := s.Orders.Run(t.Context(), s.caller, made.ID)
	require.NoError(t, err)
	require.Equal(t, order.OnRequest, run.Cause)
	require.Equal(t, run.Export, s.runs(t, made)[0].Export)
	require.Equal(t, next, s.get(t, made).NextAt, "the schedule stays")
	nothing, err := s.Orders.Run(t.Context(), s.caller, made.ID)
	require.NoError(t, err)
	require.Equal(t, order.NothingNew, nothing.Status)
	dear := s.create(t, between(4, 4), false)
	_, err = s.Orders.Run(t.Context(), s.caller, dear.ID)
	require.Equal(t, fault.InsufficientBalance, fault.CodeOf(err))
	require.Empty(t, s.runs(t, dear), "an error changes nothing")
	other := s.caller
	other.Workspace = id.New[id.Workspace]()
	_, err = s.Orders.Run(t.Context(), other, made.ID)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

func TestEveryBadOrderHasItsOwnErrorAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 5, 100)
	match := query.SetRef{MatchID: id.New[id.MatchResult]().String()}
	for name, c := range map[string]struct {
		change   func(*order.Order)
		baseline bool
		field    string
		message  string
	}{
		"no name":                {change: func(o *order.Order) { o.Name = " " }, field: "name", message: "is empty"},
		"never fires":            {change: func(o *order.Order) { o.Schedule.Cron = "0 0 30 2 *" }, field: "schedule.cron", message: "never fires"},
		"no time zone":           {change: func(o *order.Order) { o.Schedule.Zone = "Mars/Olympus" }, field: "schedule.time_zone", message: "is not a time zone"},
		"zone after imports":     {change: func(o *order.Order) { o.Schedule.Cron = "" }, field: "schedule.time_zone", message: "is only for a schedule with cron"},
		"unknown delivery":       {change: func(o *order.Order) { o.Deliver = "new" }, field: "deliver", message: "must be one of added, changed, left, all"},
		"unknown cap":            {change: func(o *order.Order) { o.AboveCap = "stop" }, field: "above_cap", message: "must be one of skip, fill"},
		"unknown missed":         {change: func(o *order.Order) { o.Missed = "all" }, field: "missed", message: "must be one of catch_up, skip"},
		"negative cap":           {change: func(o *order.Order) { o.MaxCredits = new(int64(-1)) }, field: "max_credits", message: "at least 0"},
		"negative total":         {change: func(o *order.Order) { o.MaxCreditsTotal = new(int64(-1)) }, field: "max_credits_total", message: "at least 0"},
		"ended":                  {change: func(o *order.Order) { o.EndsAt = new(time.Now()) }, field: "ends_at", message: "must be in the future"},
		"ends before it begins":  {change: func(o *order.Order) { o.EndsAt = new(time.Now().Add(time.Nanosecond * 1e9)) }, field: "ends_at", message: "is before the next run"},
		"baseline of everything": {change: func(o *order.Order) { o.Deliver = order.All }, baseline: true, field: "baseline", message: "is not for deliver all"},
		"only new that left":     {change: func(o *order.Order) { o.Deliver, o.Request.Terms.OnlyNew = order.Left, true }, field: "only_new", message: "leaves nothing"},
		"format": {change: func(o *order.Order) {
			o.Request.Format, o.Request.Options.Compression = format.Parquet, format.Gzip
		}, field: "compression", message: ""},
		"column": {change: func(o *order.Order) { o.Request.Options.Columns = []string{"nam"} }, field: "columns[0]", message: "did you mean name"},
		"limit":  {change: func(o *order.Order) { o.Request.Terms.Limit = 10_001 }, field: "limit", message: "between 1 and 10,000"},
		"a match": {change: func(o *order.Order) {
			o.Request = export.Request{Source: export.SourceMatch, Match: id.New[id.MatchResult]()}
		}, field: "source_type", message: "kept for 15 minutes"},
		"a set with a match": {change: func(o *order.Order) {
			o.Request.Source = export.SourceSet
			o.Request.Query, _ = query.ParseSet("set", query.SetRef{Not: &match})
		}, field: "set.not.match_id", message: "kept for 15 minutes"},
	} {
		t.Run(name, func(t *testing.T) {
			o := between(1, 5)
			c.change(&o)
			_, err := s.Orders.Create(t.Context(), s.caller, o, c.baseline)
			errs := fault.Fields(err)
			require.NotEmpty(t, errs, "%v", err)
			require.Equal(t, c.field, errs[0].Field)
			require.Contains(t, errs[0].Message, c.message)
		})
	}
	for range 20 {
		o := between(1, 5)
		o.Name, o.Deliver, o.Missed, o.AboveCap, o.MaxCredits, o.MaxCreditsTotal = "", "x", "x", "x", new(int64(-1)), new(int64(-1))
		_, err := s.Orders.Create(t.Context(), s.caller, o, false)
		var fields []string
		for _, f := range fault.Fields(err) {
			fields = append(fields, f.Field)
		}
		require.Equal(t, []string{"name", "deliver", "missed", "above_cap", "max_credits", "max_credits_total"}, fields, "in the same order each time")
	}
	o := between(1, 5)
	o.Request = export.Request{Source: export.SourceList, List: id.New[id.List]()}
	_, err := s.Orders.Create(t.Context(), s.caller, o, false)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))

	made := s.create(t, between(1, 5), false)
	for _, c := range []order.Change{
		{Schedule: &order.Schedule{Cron: "0 0 30 2 *"}},
		{MaxCredits: new(int64(-1))},
		{Remove: []string{"name"}},
		{EndsAt: new(time.Now())},
		{MaxCredits: new(int64(1)), Remove: []string{"max_credits"}},
		{Name: new("")},
	} {
		_, err := s.Orders.Update(t.Context(), s.caller, made.ID, c)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
	}
	require.Equal(t, made.Name, s.get(t, made).Name)
	all, err := s.Orders.List(t.Context(), s.caller.Workspace, id.Order{}, 100)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.EqualValues(t, 100, s.balance(t))
}

func TestAWorkspaceHasABoundedNumberOfOrders(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 1, 0)
	for range order.PerWorkspaceMax {
		s.create(t, between(1, 5), false)
	}
	_, err := s.Orders.Create(t.Context(), s.caller, between(1, 5), false)
	require.ErrorContains(t, err, "Delete one first")
	page, err := s.Orders.List(t.Context(), s.caller.Workspace, id.Order{}, 60)
	require.NoError(t, err)
	rest, err := s.Orders.List(t.Context(), s.caller.Workspace, page[59].ID, 60)
	require.NoError(t, err)
	require.Len(t, rest, 40)
	require.NoError(t, s.Orders.Delete(t.Context(), s.caller.Workspace, rest[0].ID))
	s.create(t, between(1, 5), false)
}

func TestRunsAreDeliveredToTheDestinationOfTheOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 4, 100)
		to, other := id.New[id.Destination](), id.New[id.Destination]()
		for name, at := range map[string]id.Destination{"a": to, "b": other} {
			s.exec(t, `INSERT INTO destination (id, workspace_id, name, kind, settings, secrets, prefix, created_at) VALUES ($1, $2, $3, 's3', '{}', $4, '', 1)`,
				at, s.caller.Workspace, name, []byte("x"))
		}
		deliveredTo := func(r order.Run) (got id.Destination) {
			require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT destination_id FROM export_delivery WHERE export_id = $1`, r.Export).Scan(&got))
			return got
		}
		o := between(1, 100)
		o.Request.Destination = id.New[id.Destination]()
		_, err := s.Orders.Create(t.Context(), s.caller, o, false)
		require.Equal(t, "destination_id", fault.Fields(err)[0].Field)
		o.Request.Destination = to
		made := s.create(t, o, false)
		require.Equal(t, to, s.get(t, made).Request.Destination)
		require.Equal(t, to, deliveredTo(s.run(t, made)))

		s.add(t, 1)
		_, err = s.Orders.Update(t.Context(), s.caller, made.ID, order.Change{Destination: new(id.New[id.Destination]())})
		require.Equal(t, "destination_id", fault.Fields(err)[0].Field)
		_, err = s.Orders.Update(t.Context(), s.caller, made.ID, order.Change{Destination: &other})
		require.NoError(t, err)
		require.Equal(t, other, deliveredTo(s.run(t, made)))

		s.add(t, 1)
		s.exec(t, `DELETE FROM destination WHERE id = $1`, other)
		run := s.run(t, made)
		require.Equal(t, []any{order.Skipped, string(fault.Validation)}, []any{run.Status, run.Code})
		require.Equal(t, "The destination of the order was deleted. Choose another one, or none.", run.Message)
		_, err = s.Orders.Update(t.Context(), s.caller, made.ID, order.Change{Remove: []string{"destination_id"}})
		require.NoError(t, err)
		require.Equal(t, []company.Number{6}, s.delivered(t, s.run(t, made)))
	})
}

func TestAnOrderWhoseListWasDeletedIsSkippedAndSaysSo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		l := s.list(t, 1, 2)
		o := order.Order{
			Name: "Mine", Schedule: order.Schedule{Cron: "0 8 * * MON"}, Request: export.Request{Source: export.SourceList, List: l.ID},
		}
		o = s.create(t, o, false)
		require.Len(t, s.delivered(t, s.run(t, o)), 2)
		require.NoError(t, s.Lists.Delete(t.Context(), s.caller.Workspace, l.ID))
		for range 2 {
			r := s.run(t, o)
			require.Equal(t, order.Skipped, r.Status)
			require.Equal(t, "NOT_FOUND", r.Code)
			require.Contains(t, r.Message, "list")
		}
		next := s.preview(t, o)
		require.Equal(t, order.Skipped, next.Status)
		require.Contains(t, next.Message, "list")
		require.EqualValues(t, 98, s.balance(t))
		types, _ := s.events(t)
		require.Equal(t, []event.Type{event.OrderRan, event.OrderSkipped, event.OrderSkipped}, types)
		s.auditClean(t)
	})
}

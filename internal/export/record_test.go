package export_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

// told returns the types of the workspace's events since the last call, and the data of each.
func (s *fixture) told(t *testing.T, after *id.Event) (types []event.Type, data []map[string]any) {
	t.Helper()
	all, err := event.Select("types", []string{"export.*", "quote.*", "credits.*", "budget.*"})
	require.NoError(t, err)
	events, err := s.fixture.Events.Page(t.Context(), event.Filter{Workspace: s.caller.Workspace, Types: all}, *after, 100)
	require.NoError(t, err)
	for _, e := range events {
		var d map[string]any
		require.NoError(t, json.Unmarshal(e.Data, &d))
		types, data, *after = append(types, e.Type), append(data, d), e.ID
	}
	return types, data
}

func TestEachEndOfAnExportHasOneEvent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, after := open(t, d, 100, 60), id.Event{}
		s.told(t, &after) // the grant
		fails := s.buy(t, between(1, 20))
		cancelled := s.buy(t, between(21, 30))
		done := s.buy(t, between(31, 40))
		_, _, err := s.Create(t.Context(), s.caller, between(41, 100))
		require.Error(t, err, "not enough credits, so no event")
		for range 2 {
			_, err := s.Cancel(t.Context(), s.caller, cancelled.ID)
			require.NoError(t, err)
		}
		types, data := s.told(t, &after)
		require.Equal(t, []event.Type{event.ExportCreated, event.ExportCreated, event.ExportCreated, event.ExportRefunded, event.ExportCancelled}, types)
		require.Equal(t, fails.ID.String(), data[0]["export_id"])
		require.EqualValues(t, 20, data[0]["credits_charged"])
		require.EqualValues(t, 10, data[3]["credits_refunded"])
		require.Equal(t, "cancelled", data[4]["status"])

		s.failFiles(fails)
		s.drainJobs(t)
		types, data = s.told(t, &after)
		require.ElementsMatch(t, []event.Type{event.ExportCompleted, event.ExportRefunded, event.ExportFailed}, types)
		for i, typ := range types {
			switch typ {
			case event.ExportCompleted:
				require.Equal(t, done.ID.String(), data[i]["export_id"])
				require.Positive(t, data[i]["file_size_bytes"])
				require.EqualValues(t, 10, data[i]["total_records"])
			case event.ExportFailed:
				require.Equal(t, fails.ID.String(), data[i]["export_id"])
				require.Contains(t, data[i]["error"], "20 credits were refunded")
				require.EqualValues(t, 20, data[i]["credits_refunded"])
			case event.ExportRefunded:
				require.EqualValues(t, 20, data[i]["credits_refunded"])
			default:
			}
		}
		s.drainJobs(t)
		types, _ = s.told(t, &after)
		require.Empty(t, types)
	})
}

func TestAPurchaseReportsALowBalanceAndSharesOfBudgets(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, after, low, limit := open(t, d, 100, 100), id.Event{}, int64(50), int64(50)
		require.NoError(t, s.credit.SetLow(t.Context(), s.caller.Workspace, &low))
		_, made, err := s.fixture.Tokens.Create(t.Context(), token.NewToken{
			Workspace: s.caller.Workspace, Name: "crm", Scope: auth.ReadWrite, Budget: budget.Limits{Total: &limit},
		})
		require.NoError(t, err)
		s.caller.Token = made.ID
		s.told(t, &after)
		s.buy(t, between(1, 39))
		types, _ := s.told(t, &after)
		require.Equal(t, []event.Type{event.ExportCreated}, types)

		s.buy(t, between(40, 40))
		types, data := s.told(t, &after)
		require.Equal(t, []event.Type{event.BudgetThreshold, event.ExportCreated}, types)
		require.EqualValues(t, 80, data[0]["percent"])
		require.Equal(t, made.ID.String(), data[0]["token_id"])
		require.EqualValues(t, 40, data[0]["spent"])

		s.buy(t, between(41, 50))
		types, data = s.told(t, &after)
		require.Equal(t, []event.Type{event.BudgetThreshold, event.ExportCreated}, types, "a balance of 50 is not below 50")
		require.EqualValues(t, 100, data[0]["percent"])

		s.caller.Token = id.New[id.Token]()
		s.buy(t, between(51, 51))
		types, data = s.told(t, &after)
		require.Equal(t, []event.Type{event.CreditsLow, event.ExportCreated}, types)
		require.EqualValues(t, 49, data[0]["balance"])
		s.buy(t, between(52, 60))
		types, _ = s.told(t, &after)
		require.Equal(t, []event.Type{event.ExportCreated}, types, "it is reported once")
	})
}

func TestOnlyAQuoteThatNobodyBoughtIsReportedAsExpired(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, after := open(t, d, 40, 100), id.Event{}
		quote := func(low, high int64) id.Quote {
			q, err := s.Quote(t.Context(), s.caller, between(low, high))
			require.NoError(t, err)
			return q.ID
		}
		lost, bought := quote(1, 10), quote(11, 30)
		_, err := s.Buy(t.Context(), s.caller, export.Request{Name: "bought", Quote: bought})
		require.NoError(t, err)
		s.told(t, &after)
		require.NoError(t, s.PruneQuotes(t.Context()))
		types, _ := s.told(t, &after)
		require.Empty(t, types, "they have not expired yet")
		s.exec(t, `UPDATE quote SET expires_at = $1`, db.Time(time.Now().Add(-2*time.Minute)))
		for range 2 {
			require.NoError(t, s.PruneQuotes(t.Context()))
		}
		types, data := s.told(t, &after)
		require.Equal(t, []event.Type{event.QuoteExpired}, types)
		require.Equal(t, lost.String(), data[0]["quote_id"])
		require.EqualValues(t, 10, data[0]["cost"])
	})
}

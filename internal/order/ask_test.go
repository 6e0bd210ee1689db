package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
)

func TestARunThatIsAskedForIsMadeOnceInTheNameOfTheOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 3, 100)
		made := s.create(t, between(1, 10), false)
		operator := auth.Caller{Workspace: s.caller.Workspace}
		_, err := s.Orders.Ask(t.Context(), id.New[id.Workspace](), made.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		ask := func() {
			for range 2 { // asking twice is asking once
				asked, err := s.Orders.Ask(t.Context(), operator.Workspace, made.ID)
				require.NoError(t, err)
				require.NotNil(t, asked.AskedAt)
			}
			require.NoError(t, s.Orders.RunDue(t.Context()))
			require.NoError(t, s.Orders.RunDue(t.Context()))
		}
		runs := func() []order.Run {
			all, err := s.Orders.Runs(t.Context(), operator.Workspace, made.ID, id.Run{}, 10)
			require.NoError(t, err)
			return all
		}
		ask()
		require.Len(t, runs(), 1)
		require.Equal(t, []any{order.OnRequest, order.Exported, int64(3)}, []any{runs()[0].Cause, runs()[0].Status, runs()[0].Charged})
		now, err := s.Orders.Get(t.Context(), operator.Workspace, made.ID)
		require.NoError(t, err)
		require.Nil(t, now.AskedAt)
		require.Equal(t, made.NextAt, now.NextAt, "the schedule stays")
		bought, err := s.Exports.Get(t.Context(), s.caller, runs()[0].Export)
		require.NoError(t, err)
		require.Equal(t, s.caller.Token, bought.Token)

		_, err = s.Orders.Pause(t.Context(), operator, made.ID)
		require.NoError(t, err)
		ask()
		require.Equal(t, order.NothingNew, runs()[0].Status, "also while it is paused")
		resumed, err := s.Orders.Resume(t.Context(), operator, made.ID)
		require.NoError(t, err)
		require.Equal(t, s.caller.Token, resumed.Token, "an operator does not buy")

		require.NoError(t, s.Tokens.Revoke(t.Context(), s.caller.Token))
		ask()
		require.Len(t, runs(), 3)
		require.Equal(t, order.Skipped, runs()[0].Status)
		now, err = s.Orders.Get(t.Context(), operator.Workspace, made.ID)
		require.NoError(t, err)
		require.Nil(t, now.PausedAt, "only a scheduled run pauses an order that cannot buy")
	})
}

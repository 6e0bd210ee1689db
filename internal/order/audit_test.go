package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/order"
)

func TestAuditFindsRunsAndExportsThatDoNotFit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 100)
		finds := func(want ...string) {
			t.Helper()
			found, err := s.Orders.Audit(t.Context())
			require.NoError(t, err)
			require.Len(t, found, len(want))
			for i := range want {
				require.Contains(t, found[i].Problem, want[i])
			}
		}
		o, other := s.create(t, between(1, 3), false), s.create(t, between(4, 6), false)
		s.run(t, o)
		foreign := s.run(t, other)
		s.add(t, 1)
		s.size(t, 11, 2)
		second := s.run(t, o)
		require.EqualValues(t, 4, s.get(t, o).Spent)
		finds()

		s.exec(t, `UPDATE order_run SET export_id = NULL WHERE id = $1`, foreign.ID)
		finds("it is recorded as exported, but there is no such export", "the order "+other.ID.String()+" bought it, but has no run for it")
		s.exec(t, `UPDATE order_run SET export_id = $2 WHERE id = $1`, second.ID, foreign.Export)
		finds("there is no such export", "the order "+o.ID.String()+" bought it, but has no run for it",
			"its export "+foreign.Export.String()+" was not bought by its order "+o.ID.String())
		s.exec(t, `UPDATE order_run SET export_id = $2 WHERE id = $1`, second.ID, second.Export)
		s.exec(t, `UPDATE order_run SET export_id = $2 WHERE id = $1`, foreign.ID, foreign.Export)
		finds()
		s.due(t, o, time.Hour)
		const late = "but no server runs it"
		finds(late)

		_, err := s.Orders.Pause(t.Context(), s.caller, other.ID)
		require.NoError(t, err)
		_, err = s.Orders.Ask(t.Context(), s.caller.Workspace, other.ID)
		require.NoError(t, err)
		finds(late)
		hourAgo := db.Time(time.Now().Add(-time.Hour))
		s.exec(t, `UPDATE standing_order SET asked_at = $2 WHERE id = $1`, other.ID, hourAgo)
		finds(late, late)

		afterImports := between(1, 3)
		afterImports.Schedule = order.Schedule{}
		s.create(t, afterImports, false)
		n, err := s.Catalog.Begin(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.NoError(t, s.Catalog.Finish(t.Context(), n, nil))
		finds(late, late)
		s.exec(t, `UPDATE import SET finished_at = $1`, hourAgo)
		finds(late, late, late)
	})
}

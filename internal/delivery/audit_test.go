package delivery_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestAuditFindsWhatDoesNotFitADelivery(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, server)
		exec := func(q string, args ...any) {
			t.Helper()
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), q, args...)
				return err
			}))
		}
		finds := func(want ...string) {
			t.Helper()
			found, err := h.Deliveries.Audit(t.Context())
			require.NoError(t, err)
			require.Len(t, found, len(want))
			for i := range want {
				require.Contains(t, found[i].Subject+": "+found[i].Problem, want[i])
			}
		}
		e := h.buy(t)
		finds() // the export is not completed yet
		h.work(t)
		finds()

		exec(`UPDATE export_delivery SET path = '' WHERE export_id = $1`, e.ID)
		finds("delivery of export " + e.ID.String() + ": it is recorded as delivered, but not when or where")
		exec(`UPDATE export_delivery SET state = 'failed' WHERE export_id = $1`, e.ID)
		finds("failed, but not why")
		exec(`UPDATE export_delivery SET state = 'pending' WHERE export_id = $1`, e.ID)
		finds("the export is completed, but the job that delivers it is done")
		exec(`UPDATE export_delivery SET job_id = NULL WHERE export_id = $1`, e.ID)
		finds("the job that delivers it is missing")

		_, err := h.Deliveries.Again(t.Context(), h.caller.Workspace, e.ID)
		require.NoError(t, err)
		finds()
		h.work(t)
		exec(`UPDATE export SET status = 'failed' WHERE id = $1`, e.ID)
		finds("it is recorded as delivered, but the export is failed")
		exec(`UPDATE export SET status = 'completed' WHERE id = $1`, e.ID)
	})
}

package console

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

func (h *house) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		return err
	}))
}

func (h *house) grant(t *testing.T, ws id.Workspace, g credit.Grant) {
	t.Helper()
	_, err := h.Credits.Enter(t.Context(), ws, g)
	require.NoError(t, err)
}

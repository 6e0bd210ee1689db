package console

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
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

// connect brings in that to is the category to from.
func (h *house) connect(t *testing.T, from, to *company.Company, category string) {
	t.Helper()
	_, err := h.catalog.Connect(t.Context(), []catalog.Connection{{
		Source: catalog.End{ID: from.ID, Name: from.Name, Domain: from.Domain},
		Target: catalog.End{ID: to.ID, Name: to.Name, Domain: to.Domain}, Category: category,
	}})
	require.NoError(t, err)
	h.put(t)
}

package workspace_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

func TestASettingThatStaysTheSameIsNotRecordedAsAChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, w := workspace.New(d), workspace.Workspace{}
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
			w, err = b.Create(t.Context(), tx, "Acme")
			return err
		}))
		for range 2 {
			require.NoError(t, b.SetDailyCompanies(t.Context(), w.ID, 500))
			require.NoError(t, b.SetVisibleFields(t.Context(), w.ID, []string{"name", "domain"}))
		}
		for _, a := range []auditlog.Action{auditlog.DailyCompaniesChanged, auditlog.VisibleFieldsChanged} {
			changes, err := auditlog.New(d).Page(t.Context(), auditlog.Filter{Workspace: w.ID, Action: a}, id.AuditEntry{}, 10)
			require.NoError(t, err)
			require.Len(t, changes, 1, a)
		}
	})
}

func TestSettingsOfAWorkspaceAreKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := workspace.New(d)
		var w workspace.Workspace
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
			w, err = b.Create(t.Context(), tx, "Acme")
			return err
		}))
		require.NoError(t, b.Rename(t.Context(), w.ID, " Acme & Sons "))
		require.NoError(t, b.SetExportColumns(t.Context(), w.ID, []string{"name", "domain"}))
		require.NoError(t, b.NoteSearch(t.Context(), w.ID))
		require.NoError(t, b.EndWelcome(t.Context(), w.ID))
		got, err := b.Get(t.Context(), w.ID)
		require.NoError(t, err)
		require.Equal(t, "Acme & Sons", got.Name)
		require.Equal(t, []string{"name", "domain"}, got.ExportColumns)
		require.True(t, got.Searched)
		require.True(t, got.Welcomed)
		require.NoError(t, b.SetExportColumns(t.Context(), w.ID, nil))
		got, err = b.Get(t.Context(), w.ID)
		require.NoError(t, err)
		require.Empty(t, got.ExportColumns)

		for _, name := range []string{"", strings.Repeat("x", 201), "a\x00b"} {
			require.Equal(t, fault.Validation, fault.CodeOf(b.Rename(t.Context(), w.ID, name)), "%q", name)
		}
		require.Equal(t, fault.NotFound, fault.CodeOf(b.Rename(t.Context(), id.New[id.Workspace](), "x")))
	})
}

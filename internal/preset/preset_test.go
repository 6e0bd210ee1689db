package preset_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/workspace"
)

func newWorkspace(t *testing.T, d *db.DB) (ws id.Workspace) {
	t.Helper()
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		w, err := workspace.New(d).Create(t.Context(), tx, "Acme")
		ws = w.ID
		return err
	}))
	return ws
}

func TestAPresetKeepsItsColumnsInTheirOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ws, stranger := preset.New(d), newWorkspace(t, d), newWorkspace(t, d)
		made, err := s.Create(t.Context(), preset.Preset{Workspace: ws, Name: " CRM ", Columns: []string{"domain", "id", "name"}, Labels: true})
		require.NoError(t, err)
		require.Equal(t, "CRM", made.Name)
		read, err := s.Get(t.Context(), ws, made.ID)
		require.NoError(t, err)
		require.Equal(t, made, read)
		_, err = s.Create(t.Context(), preset.Preset{Workspace: stranger, Name: "CRM", Columns: []string{"id"}})
		require.NoError(t, err, "names are unique in a workspace")
		_, err = s.Create(t.Context(), preset.Preset{Workspace: ws, Name: "A", Columns: []string{"id"}})
		require.NoError(t, err)
		all, err := s.List(t.Context(), ws)
		require.NoError(t, err)
		require.Equal(t, []string{"A", "CRM"}, []string{all[0].Name, all[1].Name})

		for _, err := range []error{
			func() error { _, err := s.Get(t.Context(), stranger, made.ID); return err }(),
			func() error {
				_, err := s.Update(t.Context(), stranger, made.ID, preset.Change{Name: new("x")})
				return err
			}(),
			s.Delete(t.Context(), stranger, made.ID),
		} {
			require.Equal(t, fault.NotFound, fault.CodeOf(err))
		}
		changed, err := s.Update(t.Context(), ws, made.ID, preset.Change{Labels: new(false)})
		require.NoError(t, err)
		require.Equal(t, []any{"CRM", made.Columns, false}, []any{changed.Name, changed.Columns, changed.Labels})
		require.NoError(t, s.Delete(t.Context(), ws, made.ID))
		var actions []string
		entries, err := db.Collect(t.Context(), d.Read(), db.Value[string], `SELECT action FROM audit_entry WHERE workspace_id = $1 AND action LIKE 'preset.%' ORDER BY id`, ws)
		require.NoError(t, err)
		for _, a := range []auditlog.Action{auditlog.PresetCreated, auditlog.PresetCreated, auditlog.PresetChanged, auditlog.PresetDeleted} {
			actions = append(actions, string(a))
		}
		require.Equal(t, actions, entries)
	})
}

func TestAFieldThatNoLongerExistsIsNeverAColumn(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s, ws := preset.New(d), newWorkspace(t, d)
	made, err := s.Create(t.Context(), preset.Preset{Workspace: ws, Name: "CRM", Columns: []string{"name", "domain"}})
	require.NoError(t, err)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE column_preset SET columns = 'phone,domain'`)
		return err
	}))
	read, err := s.Get(t.Context(), ws, made.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"domain"}, read.Columns)
}

func TestNoMorePresetsThanAllowedAreMadeAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ws := preset.New(d), newWorkspace(t, d)
		var made sync.WaitGroup
		errs := make([]error, preset.PerWorkspaceMax+5)
		for i := range errs {
			made.Go(func() {
				_, errs[i] = s.Create(t.Context(), preset.Preset{Workspace: ws, Name: strconv.Itoa(i), Columns: []string{"name"}})
			})
		}
		made.Wait()
		refused := 0
		for _, err := range errs {
			if err != nil {
				require.Equal(t, fault.Validation, fault.CodeOf(err))
				refused++
			}
		}
		require.Equal(t, 5, refused)
	})
}

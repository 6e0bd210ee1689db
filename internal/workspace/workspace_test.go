package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

func create(t *testing.T, d *db.DB, name string) workspace.Workspace {
	t.Helper()
	var w workspace.Workspace
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		w, err = workspace.New(d).Create(t.Context(), tx, name)
		return err
	}))
	return w
}

func TestWorkspacesAreKeptAsCreated(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := workspace.New(d)
		first, second := create(t, d, " Acme "), create(t, d, "Acme")
		require.Equal(t, "Acme", first.Name)
		got, err := b.Get(t.Context(), first.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(first, got))
		all, err := b.List(t.Context())
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]workspace.Workspace{first, second}, all))
	})
}

func TestUnknownWorkspaceIsNotFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := workspace.New(d)
		unknown := id.New[id.Workspace]()
		_, err := b.Get(t.Context(), unknown)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		require.Equal(t, fault.NotFound, fault.CodeOf(b.AddMember(t.Context(), unknown, "ann@example.com", "owner")))
		require.Equal(t, fault.NotFound, fault.CodeOf(b.Leave(t.Context(), unknown, "ann@example.com")))
	})
}

func TestBadNamesAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := workspace.New(d)
	for _, name := range []string{"", "  ", "a\x00b", "a\nb", "a\xffb", strings.Repeat("x", 10_000)} {
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := b.Create(t.Context(), tx, name)
			return err
		})
		require.Equal(t, fault.Validation, fault.CodeOf(err), "%q", name)
		require.ErrorContains(t, err, "name: ")
	}
	err := b.AddMember(t.Context(), create(t, d, "Acme").ID, "", strings.Repeat("x", 51))
	require.Equal(t, fault.Validation, fault.CodeOf(err))
	require.ErrorContains(t, err, "and more")
}

func TestMembersMayLeaveAndComeBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, w := workspace.New(d), create(t, d, "Acme")
		member := func() (role string, left bool) {
			require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT role, left_at IS NOT NULL FROM member`).Scan(&role, &left))
			return role, left
		}
		require.NoError(t, b.AddMember(t.Context(), w.ID, "ann@example.com", "owner"))
		for range 2 { // leaving twice is leaving
			require.NoError(t, b.Leave(t.Context(), w.ID, "ann@example.com"))
			_, left := member()
			require.True(t, left)
		}
		require.NoError(t, b.AddMember(t.Context(), w.ID, "ann@example.com", "guest"))
		role, left := member()
		require.Equal(t, "guest", role)
		require.False(t, left)
	})
}

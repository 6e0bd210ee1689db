package workspace_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
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
		ann := person(t, d, "ann")
		require.Equal(t, fault.NotFound, fault.CodeOf(add(t, d, unknown, ann, workspace.Owner)))
		require.Equal(t, fault.NotFound, fault.CodeOf(b.Leave(t.Context(), unknown, ann)))
		require.Equal(t, fault.NotFound, fault.CodeOf(b.SetRole(t.Context(), unknown, ann, workspace.Owner)))
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
	err := add(t, d, create(t, d, "Acme").ID, person(t, d, "ann"), "guest")
	require.Equal(t, fault.Validation, fault.CodeOf(err))
	require.ErrorContains(t, err, "role: ")
}

// person is one who has an account.
func person(t *testing.T, d *db.DB, name string) id.Person {
	t.Helper()
	var made account.Person
	people := account.NewPeople(d)
	checked, err := people.Check(t.Context(), account.NewPerson{Name: name, Email: name + "@example.com"})
	require.NoError(t, err)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		made, err = people.Create(t.Context(), tx, checked)
		return err
	}))
	return made.ID
}

func add(t *testing.T, d *db.DB, ws id.Workspace, who id.Person, role workspace.Role) error {
	t.Helper()
	return d.Tx(t.Context(), func(tx *db.Tx) error {
		return workspace.New(d).AddMember(t.Context(), tx, ws, who, role)
	})
}

func TestMembersMayLeaveAndComeBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, w := workspace.New(d), create(t, d, "Acme")
		ann, bob := person(t, d, "ann"), person(t, d, "bob")
		require.NoError(t, add(t, d, w.ID, ann, workspace.Owner))
		require.NoError(t, add(t, d, w.ID, bob, workspace.Owner))
		for range 2 { // leaving twice is leaving
			require.NoError(t, b.Leave(t.Context(), w.ID, ann))
			members, err := b.Members(t.Context(), w.ID)
			require.NoError(t, err)
			require.Len(t, members, 1)
			of, err := b.Of(t.Context(), ann)
			require.NoError(t, err)
			require.Empty(t, of)
		}
		require.NoError(t, add(t, d, w.ID, ann, workspace.Member))
		of, err := b.Of(t.Context(), ann)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]workspace.Membership{{Workspace: w, Role: workspace.Member}}, of))

		require.NoError(t, add(t, d, w.ID, ann, workspace.Owner))
		of, err = b.Of(t.Context(), ann)
		require.NoError(t, err)
		require.Equal(t, workspace.Member, of[0].Role, "an invitation changes no role")
	})
}

func TestWorkspaceAlwaysHasAnOwner(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, w := workspace.New(d), create(t, d, "Acme")
		ann, bob := person(t, d, "ann"), person(t, d, "bob")
		require.NoError(t, add(t, d, w.ID, ann, workspace.Owner))
		require.NoError(t, add(t, d, w.ID, bob, workspace.Member))
		for _, err := range []error{
			b.Leave(t.Context(), w.ID, ann), b.SetRole(t.Context(), w.ID, ann, workspace.Member),
		} {
			require.Equal(t, fault.Validation, fault.CodeOf(err))
			require.ErrorContains(t, err, "needs an owner")
		}
		require.Equal(t, fault.Validation, fault.CodeOf(b.SetRole(t.Context(), w.ID, bob, "king")))
		require.NoError(t, b.SetRole(t.Context(), w.ID, ann, workspace.Owner))
		require.NoError(t, b.SetRole(t.Context(), w.ID, bob, workspace.Owner))

		// Both owners leave at once: one of them has to stay.
		var group sync.WaitGroup
		left := make([]error, 2)
		for i, who := range []id.Person{ann, bob} {
			group.Go(func() { left[i] = b.Leave(t.Context(), w.ID, who) })
		}
		group.Wait()
		members, err := b.Members(t.Context(), w.ID)
		require.NoError(t, err)
		require.Len(t, members, 1)
		require.Equal(t, workspace.Owner, members[0].Role)
		require.NotEqual(t, left[0] == nil, left[1] == nil, "%v", left)
	})
}

func TestMembersAreListedWithTheirNames(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, w := workspace.New(d), create(t, d, "Acme")
		ann := person(t, d, "ann")
		require.NoError(t, add(t, d, w.ID, ann, workspace.Owner))
		members, err := b.Members(t.Context(), w.ID)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), members[0].JoinedAt, time.Minute)
		members[0].JoinedAt = time.Time{}
		require.Equal(t, []workspace.Belonging{{Person: ann, Name: "ann", Email: "ann@example.com", Role: workspace.Owner}}, members)
		require.Equal(t, fault.NotFound, fault.CodeOf(b.Leave(t.Context(), w.ID, person(t, d, "stranger"))))
	})
}

package account_test

import (
	"sync"
	"sync/atomic"
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

// acme returns a workspace.
func acme(t *testing.T, d *db.DB) id.Workspace {
	t.Helper()
	ws, _ := staffed(t, d)
	return ws
}

// staffed returns a workspace and its owner.
func staffed(t *testing.T, d *db.DB) (id.Workspace, id.Person) {
	t.Helper()
	var w workspace.Workspace
	owner := newPerson(t, d, id.New[id.Person]().String()+"@example.com")
	b := workspace.New(d)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		if w, err = b.Create(t.Context(), tx, "Acme"); err != nil {
			return err
		}
		return b.AddMember(t.Context(), tx, w.ID, owner.ID, workspace.Owner)
	}))
	return w.ID, owner.ID
}

func redeem(t *testing.T, d *db.DB, secret string) (account.Invitation, error) {
	t.Helper()
	var i account.Invitation
	err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		i, err = account.NewPeople(d).Redeem(t.Context(), tx, secret)
		return err
	})
	return i, err
}

func TestInvitationWorksOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people := account.NewPeople(d)
		ws, ann := staffed(t, d)
		secret, made, err := people.Invite(t.Context(), account.Invitation{
			Kind: account.InviteMember, Workspace: ws, Role: "member", Email: "Bob@example.com", InvitedBy: ann,
		})
		require.NoError(t, err)
		require.Equal(t, "bob@example.com", made.Email)
		require.Len(t, secret, 26, "130 bits cannot be guessed")
		got, err := people.Invitation(t.Context(), secret)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(made, got))
		open, err := people.Invited(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]account.Open{{Invitation: made}}, open))

		var group sync.WaitGroup
		var used atomic.Int32
		for range 8 {
			group.Go(func() {
				if _, err := redeem(t, d, secret); err == nil {
					used.Add(1)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, used.Load())
		_, err = people.Invitation(t.Context(), secret)
		require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		open, err = people.Invited(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, open)
	})
}

func TestInvitationEndsByAgeAndByWithdrawal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people := account.NewPeople(d)
		ws := acme(t, d)
		invite := func() (string, account.Invitation) {
			secret, made, err := people.Invite(t.Context(), account.Invitation{Kind: account.InviteMember, Workspace: ws, Role: "member"})
			require.NoError(t, err)
			return secret, made
		}
		old, _ := invite()
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE invitation SET expires_at = $1`, db.Time(time.Now()))
			return err
		}))
		taken, made := invite()
		other := acme(t, dbtest.SQLite(t))
		require.Equal(t, fault.NotFound, fault.CodeOf(people.Withdraw(t.Context(), other, made.ID)))
		require.NoError(t, people.Withdraw(t.Context(), ws, made.ID))
		require.Equal(t, fault.NotFound, fault.CodeOf(people.Withdraw(t.Context(), ws, made.ID)))
		for _, secret := range []string{old, taken, "", "guess"} {
			_, err := redeem(t, d, secret)
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err), secret)
			_, err = people.Invitation(t.Context(), secret)
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err), secret)
		}
		require.NoError(t, people.Prune(t.Context()))
		var left int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM invitation`).Scan(&left))
		require.Zero(t, left)
	})
}

func TestOneFirstLinkWorksAndMakesOnePerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people := account.NewPeople(d)
		var secrets []string
		for range 4 { // each start of a server makes one
			secret, made, err := people.Invite(t.Context(), account.Invitation{Kind: account.InviteFirst})
			require.NoError(t, err)
			require.WithinDuration(t, time.Now().Add(time.Hour), made.ExpiresAt, time.Minute)
			secrets = append(secrets, secret)
		}
		newest := secrets[len(secrets)-1]
		for _, replaced := range secrets[:len(secrets)-1] {
			_, err := people.Invitation(t.Context(), replaced)
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		}
		var group sync.WaitGroup
		var made atomic.Int32
		for i := range secrets {
			group.Go(func() {
				checked, err := people.Check(t.Context(), account.NewPerson{Email: string(rune('a'+i)) + "@example.com", Name: "First"})
				if err != nil {
					return
				}
				err = d.Tx(t.Context(), func(tx *db.Tx) error {
					if _, err := people.Redeem(t.Context(), tx, newest); err != nil {
						return err
					}
					_, err := people.Create(t.Context(), tx, checked)
					return err
				})
				if err == nil {
					made.Add(1)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, made.Load())
		for _, secret := range secrets {
			_, err := people.Invitation(t.Context(), secret)
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		}
	})
}

func TestLinkFromAnEmailNamesItsAddress(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people := account.NewPeople(d)
		shown, open, err := people.Invite(t.Context(), account.Invitation{Kind: account.InviteOperator})
		require.NoError(t, err)
		read, err := people.Invitation(t.Context(), shown)
		require.NoError(t, err)
		require.False(t, read.ByEmail)
		require.Empty(t, read.Email)
		sent, made, err := people.NewSecret(t.Context(), open.ID, "ann@example.com")
		require.NoError(t, err)
		require.Equal(t, "ann@example.com", made.Email)
		read, err = people.Invitation(t.Context(), sent)
		require.NoError(t, err)
		require.True(t, read.ByEmail)
		require.Equal(t, "ann@example.com", read.Email)

		bound, forBob, err := people.Invite(t.Context(), account.Invitation{Kind: account.InviteOperator, Email: "bob@example.com"})
		require.NoError(t, err)
		toBob, made, err := people.NewSecret(t.Context(), forBob.ID, "eve@example.com")
		require.NoError(t, err)
		require.Equal(t, "bob@example.com", made.Email, "an invitation keeps its address")
		read, err = people.Invitation(t.Context(), bound)
		require.NoError(t, err)
		require.False(t, read.ByEmail)

		for _, secret := range []string{sent, toBob} {
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				used, err := people.Redeem(t.Context(), tx, secret)
				require.True(t, used.ByEmail)
				require.NotEmpty(t, used.Email)
				return err
			}))
		}
		for _, i := range []account.Invitation{open, forBob} {
			_, _, err = people.NewSecret(t.Context(), i.ID, "ann@example.com")
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		}
	})
}

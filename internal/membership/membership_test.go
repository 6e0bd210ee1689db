package membership_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

const passphrase = "correct horse battery"

type house struct {
	*membership.Memberships
	people     *account.People
	workspaces *workspace.Store
	credits    *credit.Store
	tokens     *token.Store
}

func open(t *testing.T, d *db.DB) *house {
	f := testkit.New(t, services.Parts{DB: d})
	return &house{Memberships: f.Memberships, people: f.People, workspaces: f.Workspaces, credits: f.Credits, tokens: f.Tokens}
}

// first makes the first owner.
func (h *house) first(t *testing.T) (account.Person, id.Workspace) {
	t.Helper()
	secret, _, err := h.First(t.Context(), "")
	require.NoError(t, err)
	ann, ws, err := h.Accept(t.Context(), secret, membership.Newcomer{
		Name: "Ann", Email: "ann@example.com", Password: passphrase, Workspace: "Lab",
	})
	require.NoError(t, err)
	return ann, ws
}

func TestFirstOwnerOwnsWhatIsThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		for _, name := range []string{"Acme", "Other"} {
			_, err := h.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: name, Credits: 5, Actor: credit.ActorSystem})
			require.NoError(t, err)
		}
		ann, ws := h.first(t)
		require.True(t, ann.Operator)
		of, err := h.workspaces.Of(t.Context(), ann.ID)
		require.NoError(t, err)
		require.Len(t, of, 2, "and no other one was made")
		require.Equal(t, workspace.Owner, of[0].Role)
		require.Equal(t, of[0].ID, ws)
	})
}

func TestRefusedNewcomerLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		ann, ws := h.first(t)
		secret, _, err := h.InviteMember(t.Context(), ws, workspace.Member, "", ann.ID)
		require.NoError(t, err)
		for field, n := range map[string]membership.Newcomer{
			"password": {Name: "Bob", Email: "bob@example.com"},
			"email":    {Name: "Bob", Email: "ANN@example.com", Password: passphrase},
			"name":     {Email: "bob@example.com", Password: passphrase},
		} {
			_, _, err := h.Accept(t.Context(), secret, n)
			require.Equal(t, fault.Validation, fault.CodeOf(err), field)
			require.ErrorContains(t, err, field+": ")
		}
		people, err := h.people.List(t.Context())
		require.NoError(t, err)
		require.Len(t, people, 1)
		bob, joined, err := h.Accept(t.Context(), secret, membership.Newcomer{
			Name: "Bob", Email: "bob@example.com", Password: passphrase,
		})
		require.NoError(t, err, "the link still works")
		require.Equal(t, ws, joined)
		require.False(t, bob.Operator)
		_, _, err = h.Accept(t.Context(), secret, membership.Newcomer{
			Name: "Eve", Email: "eve@example.com", Password: passphrase,
		})
		require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
	})
}

func TestInvitationsNeedAPlaceAndARole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		ann, ws := h.first(t)
		_, _, err := h.InviteMember(t.Context(), ws, "king", "", ann.ID)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		_, _, err = h.InviteMember(t.Context(), id.New[id.Workspace](), workspace.Member, "", ann.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		require.Equal(t, fault.NotFound, fault.CodeOf(h.Own(t.Context(), id.New[id.Workspace](), ann.ID)))
	})
}

func TestOperatorsAreMadeByInvitation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		ann, ws := h.first(t)
		member, _, err := h.InviteMember(t.Context(), ws, workspace.Member, "bob@example.com", ann.ID)
		require.NoError(t, err)
		bob, _, err := h.Accept(t.Context(), member, membership.Newcomer{Name: "Bob", Password: passphrase})
		require.NoError(t, err)
		secret, _, err := h.InviteOperator(t.Context(), "bob@example.com", ann.ID)
		require.NoError(t, err)
		_, err = h.AcceptAs(t.Context(), secret, ann)
		require.Equal(t, fault.Forbidden, fault.CodeOf(err))
		_, err = h.AcceptAs(t.Context(), secret, bob)
		require.NoError(t, err, "who may not use it does not use it up")
		bob, err = h.people.Get(t.Context(), bob.ID)
		require.NoError(t, err)
		require.True(t, bob.Operator)
	})
}

func TestProviderLetsInWhomItVouchesFor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		domains := []string{"corp.example"}
		claims := func(subject, email string, verified bool) membership.Claims {
			return membership.Claims{
				Identity: account.Identity{Issuer: "https://id.example", Subject: subject}, Email: email, EmailVerified: verified,
			}
		}
		_, err := h.Identify(t.Context(), claims("1", "zoe@corp.example", true), domains)
		require.Equal(t, fault.Forbidden, fault.CodeOf(err), "the first owner comes by the first link")
		ann, _ := h.first(t)

		zoe, err := h.Identify(t.Context(), claims("1", "Zoe@Corp.example", true), domains)
		require.NoError(t, err)
		require.Equal(t, "zoe@corp.example", zoe.Email)
		require.False(t, zoe.HasPassword || zoe.Operator)
		again, err := h.Identify(t.Context(), claims("1", "moved@other.example", false), domains)
		require.NoError(t, err, "one who is known stays so, whatever becomes of the email")
		require.Equal(t, zoe, again)

		for _, c := range []membership.Claims{
			claims("2", "ann@example.com", false), claims("3", "", true), claims("4", "out@other.example", true),
			claims("5", "out@evil-corp.example", true), claims("6", "out@corp.example.evil", true),
		} {
			_, err := h.Identify(t.Context(), c, domains)
			require.Equal(t, fault.Forbidden, fault.CodeOf(err), c.Email)
		}
		linked, err := h.Identify(t.Context(), claims("7", "ANN@example.com", true), nil)
		require.NoError(t, err)
		require.Equal(t, ann.ID, linked.ID)
		linked, err = h.Identify(t.Context(), claims("7", "", false), nil)
		require.NoError(t, err)
		require.Equal(t, ann.ID, linked.ID)
	})
}

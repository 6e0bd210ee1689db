package auditlog_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

const passphrase = "gravel moth teapot"

// Every change of people, roles, tokens, budgets, credits and sessions has one entry, which names who made it.
func TestEveryChangeIsRecordedWithItsActor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := testkit.New(t, services.Parts{DB: d})
		ctx := auditlog.With(t.Context(), auditlog.By{Actor: "person:root"})
		var told id.AuditEntry
		// expect checks the entries since the last call, oldest first.
		expect := func(want ...auditlog.Action) []auditlog.Entry {
			t.Helper()
			all, err := f.Audit.Page(t.Context(), auditlog.Filter{}, id.AuditEntry{}, 100)
			require.NoError(t, err)
			var fresh []auditlog.Entry
			var got []auditlog.Action
			for i := len(all) - 1; i >= 0; i-- {
				if all[i].ID.String() > told.String() {
					fresh, got = append(fresh, all[i]), append(got, all[i].Action)
				}
			}
			require.Equal(t, want, got)
			told = all[0].ID
			return fresh
		}
		secret, _, err := f.Memberships.First(ctx, "")
		require.NoError(t, err)
		expect(auditlog.LinkCreated)

		visitor := auditlog.With(t.Context(), auditlog.By{Address: "203.0.113.5"})
		ann, ws, err := f.Memberships.Accept(visitor, secret, membership.Newcomer{
			Name: "Ann", Email: "ann@example.com", Password: passphrase, Workspace: "Lab",
		})
		require.NoError(t, err)
		for _, e := range expect(auditlog.PersonCreated, auditlog.WorkspaceCreated, auditlog.MemberAdded) {
			require.Equal(t, "person:"+ann.ID.String(), e.Actor, e.Action)
			require.Equal(t, "Ann", e.ActorName)
			require.Equal(t, "203.0.113.5", e.Address)
		}
		require.NoError(t, f.Sessions.Create(t.Context(), "cookie", account.Session{
			Person: ann.ID, Data: []byte("x"), Address: "203.0.113.5", ExpiresAt: time.Now().Add(time.Hour),
		}))
		e := expect(auditlog.SignedIn)[0]
		require.Equal(t, "person:"+ann.ID.String(), e.Actor)
		require.Equal(t, "203.0.113.5", e.Address)

		asAnn := auditlog.With(t.Context(), auditlog.By{Actor: "person:" + ann.ID.String()})
		invited, invitation, err := f.Memberships.InviteMember(asAnn, ws, workspace.Member, "bob@example.com", ann.ID)
		require.NoError(t, err)
		e = expect(auditlog.LinkCreated)[0]
		require.Equal(t, ws, e.Workspace)
		require.Equal(t, "bob@example.com", e.Name)
		require.NotContains(t, e.Details, "secret")
		require.NoError(t, f.People.Withdraw(asAnn, ws, invitation.ID))
		expect(auditlog.LinkWithdrawn)
		_, _, err = f.Memberships.Accept(visitor, invited, membership.Newcomer{Name: "Bob", Password: passphrase})
		require.Error(t, err)
		expect()

		invited, _, err = f.Memberships.InviteMember(asAnn, ws, workspace.Member, "bob@example.com", ann.ID)
		require.NoError(t, err)
		bob, _, err := f.Memberships.Accept(visitor, invited, membership.Newcomer{Name: "Bob", Password: passphrase})
		require.NoError(t, err)
		expect(auditlog.LinkCreated, auditlog.PersonCreated, auditlog.MemberAdded)
		require.NoError(t, f.Workspaces.SetRole(asAnn, ws, bob.ID, workspace.Owner))
		require.Equal(t, map[string]any{"role": "owner"}, expect(auditlog.MemberRoleChanged)[0].Details)

		_, made, err := f.Tokens.Create(asAnn, token.NewToken{Workspace: ws, Name: "laptop", Scope: auth.Read, Owner: bob.ID})
		require.NoError(t, err)
		e = expect(auditlog.TokenCreated)[0]
		require.Equal(t, "token:"+made.ID.String(), e.Subject)
		require.Equal(t, "laptop", e.Name)
		five := int64(5)
		require.NoError(t, f.Tokens.SetBudget(asAnn, made.ID, budget.Limits{Total: &five}))
		require.Equal(t, map[string]any{"budget": 5.0, "budget_month": "none"}, expect(auditlog.BudgetChanged)[0].Details)
		require.NoError(t, f.Workspaces.SetBudget(asAnn, ws, bob.ID, budget.Limits{Month: &five}))
		e = expect(auditlog.MemberBudgetChanged)[0]
		require.Equal(t, "person:"+bob.ID.String(), e.Subject)
		require.Equal(t, map[string]any{"budget": "none", "budget_month": 5.0}, e.Details)
		require.NoError(t, f.Workspaces.SetUnbudgetedTokens(asAnn, ws, string(token.Owners)))
		require.Equal(t, map[string]any{"setting": "unbudgeted_tokens", "value": "owners"}, expect(auditlog.WorkspaceChanged)[0].Details)
		_, _, err = f.Tokens.Rotate(asAnn, ws, made.ID, time.Hour)
		require.NoError(t, err)
		expect(auditlog.TokenRotated)
		require.NoError(t, f.Tokens.Revoke(asAnn, made.ID))
		expect(auditlog.TokenRevoked)
		require.NoError(t, f.Tokens.Revoke(asAnn, made.ID), "a second call changes nothing")
		expect()

		grant := func(fail error) error {
			return d.Tx(ctx, func(tx *db.Tx) error {
				_, err := f.Credits.Grant(ctx, tx, ws, credit.Grant{Amount: 7, Note: "pilot", Actor: "person:root"})
				return errors.Join(err, fail)
			})
		}
		require.Error(t, grant(errors.New("rolled back")))
		expect()
		require.NoError(t, grant(nil))
		e = expect(auditlog.CreditsGranted)[0]
		require.Equal(t, "person:root", e.Actor)
		require.EqualValues(t, 7, e.Details["amount"])

		require.NoError(t, f.Memberships.SetOperator(asAnn, bob.ID, true))
		require.NoError(t, f.Memberships.SetOperator(asAnn, bob.ID, false))
		require.NoError(t, f.People.ChangePassword(asAnn, ann, passphrase, "another gravel teapot", id.Session{}))
		expect(auditlog.OperatorGranted, auditlog.OperatorRevoked, auditlog.PasswordSet, auditlog.SessionEnded)

		_, _, err = f.Tokens.Create(asAnn, token.NewToken{Workspace: ws, Name: "bob's", Scope: auth.Read, Owner: bob.ID})
		require.NoError(t, err)
		expect(auditlog.TokenCreated)
		require.NoError(t, f.Memberships.Remove(asAnn, bob.ID))
		expect(auditlog.MemberRemoved, auditlog.TokenRevoked, auditlog.PersonRemoved)
	})
}

func TestEntriesAreSelectedByWorkspaceActionActorAndTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := testkit.New(t, services.Parts{DB: d})
		var spaces []id.Workspace
		for _, name := range []string{"Acme", "Other"} {
			w, err := f.Memberships.CreateWorkspace(auditlog.With(t.Context(), auditlog.By{Actor: "person:" + name}), membership.NewWorkspace{Name: name})
			require.NoError(t, err)
			spaces = append(spaces, w.ID)
		}
		for i := range 5 {
			_, _, err := f.Tokens.Create(t.Context(), token.NewToken{Workspace: spaces[0], Name: "t" + string(rune('0'+i)), Scope: auth.Read})
			require.NoError(t, err)
		}
		count := func(filter auditlog.Filter) int {
			all, err := f.Audit.Page(t.Context(), filter, id.AuditEntry{}, 100)
			require.NoError(t, err)
			return len(all)
		}
		require.Equal(t, 7, count(auditlog.Filter{}))
		require.Equal(t, 6, count(auditlog.Filter{Workspace: spaces[0]}))
		require.Equal(t, 1, count(auditlog.Filter{Workspace: spaces[1]}))
		require.Equal(t, 5, count(auditlog.Filter{Action: "token"}))
		require.Equal(t, 5, count(auditlog.Filter{Action: auditlog.TokenCreated}))
		require.Equal(t, 0, count(auditlog.Filter{Action: "tok"}))
		require.Equal(t, 1, count(auditlog.Filter{Actor: "person:Acme"}))
		require.Equal(t, 7, count(auditlog.Filter{From: time.Now().Add(-time.Minute), To: time.Now().Add(time.Minute)}))
		require.Equal(t, 0, count(auditlog.Filter{To: time.Now().Add(-time.Minute)}))

		var names []string
		var before id.AuditEntry
		for {
			page, err := f.Audit.Page(t.Context(), auditlog.Filter{Action: "token"}, before, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				names = append(names, e.Name)
			}
			before = page[len(page)-1].ID
		}
		require.Equal(t, []string{"t4", "t3", "t2", "t1", "t0"}, names, "newest first, each once")
	})
}

func TestEveryActionCanBeSelected(t *testing.T) {
	t.Parallel()
	seen := map[auditlog.Action]bool{}
	for _, a := range auditlog.Selectable() {
		require.False(t, seen[a], a)
		seen[a] = true
	}
	for _, a := range auditlog.Actions() {
		require.True(t, seen[a], a)
	}
	require.True(t, seen["token"])
}

func TestEventsDoNotNameTheLoginOfTheCommandLine(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := testkit.New(t, services.Parts{DB: d})
		var ws workspace.Workspace
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
			ws, err = f.Workspaces.Create(t.Context(), tx, "Acme")
			return err
		}))
		person, maker := id.New[id.Person](), id.New[id.Token]()
		for actor, want := range map[string]string{
			"person:root":               `{"type":"operator"}`,
			"":                          `{"type":"system"}`,
			"person:" + person.String(): `{"id":"` + person.String() + `","type":"person"}`,
			"token:" + maker.String():   `{"id":"` + maker.String() + `","type":"token"}`,
		} {
			ctx := auditlog.With(t.Context(), auditlog.By{Actor: actor})
			_, made, err := f.Tokens.Create(ctx, token.NewToken{Workspace: ws.ID, Name: "of " + actor, Scope: auth.Read})
			require.NoError(t, err)
			events, err := event.New(d).Page(t.Context(), event.Filter{Workspace: ws.ID, Types: []event.Type{event.Type(auditlog.TokenCreated)}}, id.Event{}, 100)
			require.NoError(t, err)
			at := slices.IndexFunc(events, func(e event.Event) bool { return strings.Contains(string(e.Data), made.ID.String()) })
			require.GreaterOrEqual(t, at, 0)
			var data struct{ Actor json.RawMessage }
			require.NoError(t, json.Unmarshal(events[at].Data, &data))
			require.JSONEq(t, want, string(data.Actor))
		}
	})
}

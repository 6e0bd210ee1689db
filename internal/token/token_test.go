package token_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// acme is a workspace.
func acme(t *testing.T, d *db.DB) id.Workspace {
	t.Helper()
	ws, _ := staffed(t, d)
	return ws
}

// staffed is a workspace with two owners, ann and one who stays.
func staffed(t *testing.T, d *db.DB) (id.Workspace, id.Person) {
	t.Helper()
	var w workspace.Workspace
	ann := newPerson(t, d, id.New[id.Person]().String()+"@example.com")
	other := newPerson(t, d, id.New[id.Person]().String()+"@example.com")
	b := workspace.New(d)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		w, err = b.Create(t.Context(), tx, "Acme")
		return err
	}))
	join(t, d, w.ID, ann.ID)
	join(t, d, w.ID, other.ID)
	return w.ID, ann.ID
}

func newPerson(t *testing.T, d *db.DB, email string) (made account.Person) {
	t.Helper()
	people := account.NewPeople(d)
	checked, err := people.Check(t.Context(), account.NewPerson{Email: email, Name: "Ann"})
	require.NoError(t, err)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		made, err = people.Create(t.Context(), tx, checked)
		return err
	}))
	return made
}

func join(t *testing.T, d *db.DB, ws id.Workspace, who id.Person) {
	t.Helper()
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		return workspace.New(d).AddMember(t.Context(), tx, ws, who, workspace.Owner)
	}))
}

func create(t *testing.T, b *token.Store, n token.NewToken) (string, token.Token) {
	t.Helper()
	if n.Name == "" {
		n.Name = "test"
	}
	if n.Scope == "" {
		n.Scope = auth.Read
	}
	secret, made, err := b.Create(t.Context(), n)
	require.NoError(t, err)
	return secret, made
}

func TestTokenAuthenticatesItsWorkspace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := token.New(d, token.Options{})
		ws, ann := staffed(t, d)
		later := time.Now().Add(time.Hour)
		secret, made := create(t, b, token.NewToken{
			Workspace: ws, Name: "CI", Scope: auth.ReadWrite, Owner: ann, ExpiresAt: &later,
		})
		require.Regexp(t, `^cornect_[0-9A-Za-z]{38}$`, secret)
		require.Equal(t, secret[:12], made.Prefix)
		want := auth.Caller{Token: made.ID, Workspace: ws, Scope: auth.ReadWrite, Name: "CI", Owner: true, Wall: &auth.Wall{}}
		for _, header := range []string{"Bearer " + secret, "bearer " + secret, "  BEARER \t " + secret + " "} {
			caller, err := b.Authenticate(t.Context(), header)
			require.NoError(t, err)
			require.Equal(t, want, caller)
		}
		tokens, err := b.List(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]token.Token{made}, tokens))
	})
}

func TestRefusalsSayWhy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := token.New(d, token.Options{})
		ws, ann := staffed(t, d)
		good, _ := create(t, b, token.NewToken{Workspace: ws})
		elsewhere, _ := create(t, token.New(dbtest.SQLite(t), token.Options{}), token.NewToken{})
		past := time.Now().Add(-time.Second)
		expired, _ := create(t, b, token.NewToken{Workspace: ws, ExpiresAt: &past})
		legacy, _ := create(t, b, token.NewToken{})
		// The first fault that applies is reported.
		expiredLegacy, _ := create(t, b, token.NewToken{ExpiresAt: &past})
		orphan, _ := create(t, b, token.NewToken{Workspace: ws, Owner: ann})
		require.NoError(t, workspace.New(d).Leave(t.Context(), ws, ann))

		for _, c := range []struct {
			header string
			code   fault.Code
			says   string
		}{
			{"", fault.MissingAuthHeader, "is missing"},
			{"  ", fault.MissingAuthHeader, "is missing"},
			{"Bearer", fault.InvalidTokenFormat, "no API token"},
			{good, fault.InvalidTokenFormat, "no API token"},
			{"Basic " + good, fault.InvalidTokenFormat, "no API token"},
			{"Bearer sk_" + good[8:], fault.InvalidTokenFormat, "no API token"},
			{"Bearer " + good + " x", fault.InvalidTokenFormat, "no API token"},
			{"Bearer cornect_", fault.InvalidToken, "mistyped"},
			{"Bearer cornect_your_token_here", fault.InvalidToken, "mistyped"},
			{"Bearer " + good[:len(good)-1], fault.InvalidToken, "mistyped"},
			{"Bearer " + good + "0", fault.InvalidToken, "mistyped"},
			{"Bearer " + swapped(good), fault.InvalidToken, "mistyped"},
			{"Bearer " + elsewhere, fault.InvalidToken, "does not know"},
			{"Bearer " + expired, fault.TokenExpired, "expired at"},
			{"Bearer " + expiredLegacy, fault.TokenExpired, "expired at"},
			{"Bearer " + legacy, fault.TokenNotWorkspaceBound, "no workspace"},
			{"Bearer " + orphan, fault.NotWorkspaceMember, "left the workspace"},
		} {
			_, err := b.Authenticate(t.Context(), c.header)
			require.Equal(t, c.code, fault.CodeOf(err), "%q: %v", c.header, err)
			require.ErrorContains(t, err, c.says, "%q", c.header)
		}
		_, err := b.Authenticate(t.Context(), "Bearer "+good)
		require.NoError(t, err)
	})
}

// swapped is the secret with two neighbours exchanged, a usual slip.
func swapped(secret string) string {
	s := []byte(secret)
	for i := 10; ; i++ {
		if s[i] != s[i+1] {
			s[i], s[i+1] = s[i+1], s[i]
			return string(s)
		}
	}
}

func TestRevocationTakesEffectAtTheNextRequest(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		d := open()
		b, other := token.New(d, token.Options{}), token.New(open(), token.Options{})
		ws := acme(t, d)
		secret, made := create(t, b, token.NewToken{Workspace: ws})
		_, err := b.Authenticate(t.Context(), "Bearer "+secret)
		require.NoError(t, err)
		for range 2 { // revoking twice is revoking
			require.NoError(t, other.Revoke(t.Context(), made.ID))
			_, err = b.Authenticate(t.Context(), "Bearer "+secret)
			require.Equal(t, fault.InvalidToken, fault.CodeOf(err))
			require.ErrorContains(t, err, "revoked")
		}
		require.Equal(t, fault.NotFound, fault.CodeOf(b.Revoke(t.Context(), id.New[id.Token]())))
	})
}

func TestOnlyTheHashIsStored(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ws := acme(t, d)
		secret, _ := create(t, token.New(d, token.Options{}), token.NewToken{Workspace: ws})
		var prefix string
		var hash []byte
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT prefix, hash FROM token`).Scan(&prefix, &hash))
		require.Len(t, hash, 32)
		require.Equal(t, secret[:12], prefix)
	})
}

func TestInvalidTokensAreRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := token.New(d, token.Options{})
		ws, ann := staffed(t, d)
		for name, c := range map[string]struct {
			token token.NewToken
			code  fault.Code
			says  string
		}{
			"no name":           {token.NewToken{Workspace: ws, Scope: auth.Read}, fault.Validation, "name: "},
			"long name":         {token.NewToken{Workspace: ws, Name: strings.Repeat("x", 201), Scope: auth.Read}, fault.Validation, "name: "},
			"scope":             {token.NewToken{Workspace: ws, Name: "x", Scope: "admin"}, fault.Validation, "scope: "},
			"unknown workspace": {token.NewToken{Workspace: id.New[id.Workspace](), Name: "x", Scope: auth.Read}, fault.NotFound, "no workspace"},
			"stranger":          {token.NewToken{Workspace: ws, Name: "x", Scope: auth.Read, Owner: id.New[id.Person]()}, fault.Validation, "owner: "},
			"owner of nothing":  {token.NewToken{Name: "x", Scope: auth.Read, Owner: ann}, fault.Validation, "owner: "},
		} {
			_, _, err := b.Create(t.Context(), c.token)
			require.Equal(t, c.code, fault.CodeOf(err), name)
			require.ErrorContains(t, err, c.says, name)
		}
	})
}

func TestWiderScopeIncludesTheNarrower(t *testing.T) {
	t.Parallel()
	read, write := auth.Caller{Scope: auth.Read}, auth.Caller{Scope: auth.ReadWrite}
	require.NoError(t, read.Require(auth.Read))
	require.NoError(t, write.Require(auth.Read))
	require.NoError(t, write.Require(auth.ReadWrite))
	var f *fault.Error
	require.ErrorAs(t, read.Require(auth.ReadWrite), &f)
	require.Equal(t, fault.InsufficientScope, f.Code)
	require.Equal(t, map[string]any{"token_scope": "read", "required": "read_write"}, f.Details)
	require.Error(t, auth.Caller{}.Require(auth.Read))
}

func TestLastUseIsWrittenOutsideTheRequests(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := token.New(d, token.Options{UsePeriod: time.Hour})
		ws := acme(t, d)
		require.NoError(t, b.Stop(t.Context()), "not started, so there is nothing to stop")
		secret, _ := create(t, b, token.NewToken{Workspace: ws})
		create(t, b, token.NewToken{Workspace: ws, Name: "unused"})
		lastUses := func() (used, unused *time.Time) {
			tokens, err := b.List(t.Context(), ws)
			require.NoError(t, err)
			return tokens[0].LastUsedAt, tokens[1].LastUsedAt
		}
		use := func() {
			require.NoError(t, b.Start(t.Context()))
			require.NoError(t, b.Start(t.Context()))
			_, err := b.Authenticate(t.Context(), "Bearer "+secret)
			require.NoError(t, err)
			require.NoError(t, b.Stop(t.Context()))
			require.NoError(t, b.Stop(t.Context()))
		}
		use()
		first, unused := lastUses()
		require.WithinDuration(t, time.Now(), *first, time.Minute)
		require.Nil(t, unused)

		use()
		second, _ := lastUses()
		require.Equal(t, first, second, "written at most once a minute")

		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE token SET last_used_at = $1 WHERE last_used_at IS NOT NULL`,
				db.Time(time.Now().Add(-2*time.Minute)))
			return err
		}))
		use()
		third, _ := lastUses()
		require.WithinDuration(t, time.Now(), *third, time.Minute)
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	d := dbtest.SQLite(b)
	store := token.New(d, token.Options{})
	secret, _, err := store.Create(b.Context(), token.NewToken{Name: "x", Scope: auth.Read})
	require.NoError(b, err)
	for b.Loop() {
		_, err = store.Authenticate(b.Context(), "Bearer "+secret)
	}
	require.Equal(b, fault.TokenNotWorkspaceBound, fault.CodeOf(err))
}

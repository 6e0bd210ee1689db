package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

func TestOldSecretWorksForTheOverlapOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := token.New(d, token.Options{}), acme(t, d)
		first, made := create(t, b, token.NewToken{Workspace: ws, Budget: budget.Limits{Total: new(int64(7))}})
		works := func(secret string) bool {
			caller, err := b.Authenticate(t.Context(), "Bearer "+secret)
			if err == nil {
				require.Equal(t, made.ID, caller.Token)
				return true
			}
			require.Equal(t, fault.InvalidToken, fault.CodeOf(err))
			return false
		}
		second, rotated, err := b.Rotate(t.Context(), ws, made.ID, time.Hour)
		require.NoError(t, err)
		require.Equal(t, second[:12], rotated.Prefix)
		require.Equal(t, made.Budget, rotated.Budget)
		require.WithinDuration(t, time.Now().Add(time.Hour), *rotated.OldUntil, time.Minute)
		require.True(t, works(first))
		require.True(t, works(second))

		third, _, err := b.Rotate(t.Context(), ws, made.ID, time.Hour)
		require.NoError(t, err)
		require.False(t, works(first), "one secret at most is on its way out")
		require.True(t, works(second))
		require.True(t, works(third))

		fourth, rotated, err := b.Rotate(t.Context(), ws, made.ID, 0)
		require.NoError(t, err)
		require.Nil(t, rotated.OldUntil)
		require.False(t, works(third))
		require.True(t, works(fourth))

		fifth, _, err := b.Rotate(t.Context(), ws, made.ID, time.Nanosecond*5000)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return !works(fourth) }, 30*time.Second, time.Millisecond)
		require.True(t, works(fifth))
	})
}

func TestOnlyLiveTokensOfTheWorkspaceAreRotated(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := token.New(d, token.Options{}), acme(t, d)
		secret, made := create(t, b, token.NewToken{Workspace: ws})
		try := func(ws id.Workspace, overlap time.Duration) fault.Code {
			_, _, err := b.Rotate(t.Context(), ws, made.ID, overlap)
			return fault.CodeOf(err)
		}
		require.Equal(t, fault.NotFound, try(acme(t, d), 0))
		require.Equal(t, fault.Validation, try(ws, -1))
		require.Equal(t, fault.Validation, try(ws, token.OverlapMax+1))
		_, err := b.Authenticate(t.Context(), "Bearer "+secret)
		require.NoError(t, err)
		require.NoError(t, b.Revoke(t.Context(), made.ID))
		require.Equal(t, fault.Validation, try(ws, 0))
	})
}

func TestRevocationEndsTheOldSecretToo(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b, ws := token.New(d, token.Options{}), acme(t, d)
	old, made := create(t, b, token.NewToken{Workspace: ws})
	_, _, err := b.Rotate(t.Context(), ws, made.ID, time.Hour)
	require.NoError(t, err)
	require.NoError(t, b.Revoke(t.Context(), made.ID))
	_, err = b.Authenticate(t.Context(), "Bearer "+old)
	require.Equal(t, fault.InvalidToken, fault.CodeOf(err))
}

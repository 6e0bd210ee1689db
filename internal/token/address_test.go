package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/token"
)

func TestOnlyTheScopeReconcileAuthenticatesInAnAddress(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := token.New(d, token.Options{})
		ws := acme(t, d)
		secret, made := create(t, b, token.NewToken{Workspace: ws, Scope: auth.Reconcile})
		caller, err := b.AuthenticateAddress(t.Context(), secret)
		require.NoError(t, err)
		require.Equal(t, ws, caller.Workspace)
		require.Equal(t, made.ID, caller.Token)
		for _, scope := range []auth.Scope{auth.Read, auth.ReadWrite} {
			other, _ := create(t, b, token.NewToken{Workspace: ws, Scope: scope})
			caller, err := b.AuthenticateAddress(t.Context(), other)
			require.Equal(t, fault.InsufficientScope, fault.CodeOf(err))
			require.ErrorContains(t, err, "capi token create --scope reconcile")
			require.Zero(t, caller)
		}
		past := time.Now().Add(-time.Second)
		expired, _ := create(t, b, token.NewToken{Workspace: ws, Scope: auth.Reconcile, ExpiresAt: &past})
		_, err = b.AuthenticateAddress(t.Context(), expired)
		require.Equal(t, fault.TokenExpired, fault.CodeOf(err))
		_, err = b.AuthenticateAddress(t.Context(), secret+"x")
		require.Equal(t, fault.InvalidToken, fault.CodeOf(err))

		renewed, _, err := b.Rotate(t.Context(), ws, made.ID, 0)
		require.NoError(t, err)
		_, err = b.AuthenticateAddress(t.Context(), secret)
		require.Equal(t, fault.InvalidToken, fault.CodeOf(err), "the old secret ends with the change")
		require.NoError(t, b.Revoke(t.Context(), made.ID))
		_, err = b.AuthenticateAddress(t.Context(), renewed)
		require.Equal(t, fault.InvalidToken, fault.CodeOf(err))
	})
}

func TestTheScopeReconcileIncludesNoOther(t *testing.T) {
	t.Parallel()
	for _, required := range []auth.Scope{auth.Read, auth.ReadWrite} {
		err := auth.Caller{Scope: auth.Reconcile}.Require(required)
		require.Equal(t, fault.InsufficientScope, fault.CodeOf(err))
		require.ErrorContains(t, err, "only in the address of /reconcile")
	}
	for _, scope := range []auth.Scope{auth.Read, auth.ReadWrite} {
		require.False(t, scope.Allows(auth.Reconcile))
	}
}

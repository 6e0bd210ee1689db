package middleware_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/middleware"
)

func TestPathsAreLoggedWithoutTokens(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "/",
		"/api/v1/lists/01a22c8f-273b-7475-9596-9bb650eb8359/companies": "/api/v1/lists/01a22c8f-273b-7475-9596-9bb650eb8359/companies",
		"/reconcile":                               "/reconcile",
		"/reconcile/extend/properties":             "/reconcile/extend/properties",
		"/reconcile/cornect_ab":                    "/reconcile/{token}",
		"/reconcile/cornect_abcdefghij/preview":    "/reconcile/{token}/preview",
		"/reconcile/ornect_abcdefghij/preview":     "/reconcile/{token}/preview",
		"/reconcile//ornect_abcdefghij":            "/reconcile//{token}",
		"/api/v1/reconcile/ornect_abcdefghij":      "/api/v1/reconcile/{token}",
		"/reconcile/a/b/Bearer cornect_abcdefghij": "/reconcile/a/b/{token}",
		"/api/v1/cornect_abcdefghij/credits":       "/api/v1/{token}/credits",
	} {
		require.Equal(t, want, middleware.LoggedPath(path))
	}
}

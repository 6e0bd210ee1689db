package api

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/ratelimit"
)

func TestEveryRouteNamesItsScopeLimitAndOperation(t *testing.T) {
	t.Parallel()
	limits, operations := map[string]bool{}, map[string]bool{}
	for _, rt := range routes() {
		where := rt.method + " " + rt.path
		require.Contains(t, []auth.Scope{auth.Read, auth.ReadWrite}, rt.scope, where)
		require.Positive(t, rt.perMinute, where)
		require.NotEmpty(t, rt.limit, where)
		require.NotEmpty(t, rt.operation, where)
		require.False(t, limits[rt.limit], "two routes share the limit %s", rt.limit)
		require.False(t, operations[rt.operation], "two routes share the operation %s", rt.operation)
		limits[rt.limit], operations[rt.operation] = true, true
	}
	require.Len(t, Limits(), len(limits))
}

// A client that has lost the response may send a POST again.
func TestEveryWritingPostIsIdempotent(t *testing.T) {
	t.Parallel()
	// A stored answer would hold a secret, and a test is sent whenever somebody asks for it. A second webhook of an address is refused, and
	// so is a second destination or preset of a name.
	exempt := []string{"createWebhook", "rotateWebhook", "testWebhook", "createDestination", "testDestination", "createPreset"}
	for _, rt := range routes() {
		if rt.method == http.MethodPost && rt.scope == auth.ReadWrite && !slices.Contains(exempt, rt.operation) {
			require.NotNil(t, rt.once, rt.path)
		}
		require.NotEqual(t, rt.once == nil, rt.call == nil, rt.path)
	}
}

func TestRateLimitsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	for name, requests := range map[string]int{
		"companies.search": 60, "credits.get": 60, "exports.create": 5, "exports.get": 120, "exports.download": 30,
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, requests, Limits()[name].Requests, name)
		})
	}
}

func TestAnUnknownRateLimitIsRefused(t *testing.T) {
	t.Parallel()
	limits, err := ratelimit.Parse("export.create=50/min,credits.get=off")
	require.NoError(t, err)
	_, err = New(Deps{RateLimits: limits})
	require.ErrorContains(t, err, "export.create")
	require.NotContains(t, err.Error(), "limit \"credits.get\"")
}

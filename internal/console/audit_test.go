package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAuditLogShowsWhoDidWhat(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	require.Equal(t, http.StatusSeeOther, ann.post(t, in(h.acme, "/tokens"), "name", "night job", "scope", "read").status)
	a := ann.get(t, in(h.acme, "/audit"))
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "night job")
	require.Regexp(t, `Token: created`, a.body)
	require.Contains(t, a.body, "127.0.0.1", "from where it was done")

	a = ann.get(t, in(h.acme, "/audit?action=member"))
	require.NotContains(t, a.body, "night job")
	require.Contains(t, ann.get(t, in(h.acme, "/audit?action=bogus")).body, "is not a known action")
	require.Contains(t, ann.get(t, in(h.acme, "/audit?from=yesterday")).body, "must be a date")
	csv := ann.get(t, in(h.acme, "/audit?format=csv"))
	require.True(t, strings.HasPrefix(csv.body, "created_at,id,"), csv.body)
	require.Contains(t, csv.body, "token.created")

	require.Equal(t, http.StatusForbidden, bob.get(t, in(h.acme, "/audit")).status, "members do not see it")
	require.Equal(t, http.StatusOK, ann.get(t, "/operator/audit").status)
	require.Equal(t, http.StatusNotFound, bob.get(t, "/operator/audit").status)
}

package console

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFrontSendsBrowsersToTheConsole(t *testing.T) {
	t.Parallel()
	front := Front(func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusNotFound) })
	ask := func(accept string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		front.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, "/console/", ask("text/html,application/xhtml+xml").Header().Get("Location"))
	require.Equal(t, http.StatusNotFound, ask("*/*").Code)
}

func TestOnlyALocalProxySetsTheClientAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer, forwarded, want string
	}{
		"direct":                          {"203.0.113.5:1234", "", "203.0.113.5"},
		"a public peer is not believed":   {"203.0.113.5:1234", "192.0.2.1", "203.0.113.5"},
		"a proxy on this machine":         {"127.0.0.1:1234", "192.0.2.1", "192.0.2.1"},
		"only the last entry counts":      {"127.0.0.1:1234", "10.9.9.9, 192.0.2.1", "192.0.2.1"},
		"a proxy in a private network":    {"10.0.0.2:1234", "192.0.2.1,  2001:db8::1", "2001:db8::1"},
		"an entry that is not an address": {"[::1]:1234", "nonsense", "::1"},
		"a local client":                  {"127.0.0.1:1234", "", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			require.Equal(t, c.want, addressOf(r))
		})
	}
}

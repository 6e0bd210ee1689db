package console

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
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

func TestOnlyATrustedProxySetsTheClientAddress(t *testing.T) {
	t.Parallel()
	trusting := &server{Deps: Deps{TrustedProxies: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}}}
	for name, c := range map[string]struct {
		server                *server
		peer, want, wantLimit string
		forwarded             []string
	}{
		"direct":                          {trusting, "203.0.113.5:1234", "203.0.113.5", "203.0.113.5", nil},
		"without trusted proxies":         {&server{}, "127.0.0.1:1234", "127.0.0.1", "127.0.0.1", []string{"192.0.2.1"}},
		"a public peer is not believed":   {trusting, "203.0.113.5:1234", "203.0.113.5", "203.0.113.5", []string{"192.0.2.1"}},
		"another private peer":            {trusting, "192.168.0.9:1234", "192.168.0.9", "192.168.0.9", []string{"192.0.2.1"}},
		"a proxy on this machine":         {trusting, "127.0.0.1:1234", "192.0.2.1", "192.0.2.1", []string{"192.0.2.1"}},
		"what a client sent is ignored":   {trusting, "127.0.0.1:1234", "192.0.2.1", "192.0.2.1", []string{"8.8.8.8, 192.0.2.1"}},
		"two proxies":                     {trusting, "127.0.0.1:1234", "192.0.2.1", "192.0.2.1", []string{"8.8.8.8", "192.0.2.1, 10.0.0.2"}},
		"a proxy in a trusted network":    {trusting, "10.0.0.2:1234", "2001:db8::1", "2001:db8::/64", []string{"192.0.2.1,  2001:db8::1"}},
		"an entry that is not an address": {trusting, "[::1]:1234", "::1", "::/64", []string{"nonsense"}},
		"a local client":                  {trusting, "127.0.0.1:1234", "127.0.0.1", "127.0.0.1", nil},
		"IPv4 in IPv6":                    {trusting, "[::ffff:127.0.0.1]:1234", "192.0.2.1", "192.0.2.1", []string{"192.0.2.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			for _, header := range c.forwarded {
				r.Header.Add("X-Forwarded-For", header)
			}
			require.Equal(t, c.want, c.server.clientAddress(r))
			require.Equal(t, c.wantLimit, c.server.clientNetwork(r))
		})
	}
}

package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	h := open(t, trustTests)
	here, there, third := h.as(t, h.bob), h.browser(t), h.browser(t)
	there.headers.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	there.headers.Set("X-Forwarded-For", "192.0.2.7")
	for _, b := range []*browser{there, third} {
		require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in", "email", h.bob.Email, "password", passphrase).status)
	}
	body := here.get(t, "/account").body
	for _, says := range []string{"Firefox on Linux", "192.0.2.7", "This browser"} {
		require.Contains(t, body, says)
	}
	session := regexp.MustCompile(`(?s)192\.0\.2\.7.*?(/account/sessions/[0-9a-f-]{36}/end)`).FindStringSubmatch(body)
	require.NotNil(t, session)
	require.Equal(t, http.StatusNotFound, h.as(t, h.eve).post(t, session[1]).status, "another's session is not hers to end")
	require.Equal(t, http.StatusOK, there.get(t, "/account").status)
	require.Equal(t, http.StatusSeeOther, here.post(t, session[1]).status)
	require.Equal(t, http.StatusSeeOther, there.get(t, "/account").status)
	require.True(t, strings.HasPrefix(there.get(t, "/account").location(), basePath+"/sign-in"))

	require.Equal(t, http.StatusOK, third.get(t, "/account").status)
	require.Equal(t, http.StatusSeeOther, here.post(t, "/account/sessions/end-others").status)
	require.NotEqual(t, http.StatusOK, third.get(t, "/account").status)
	require.Equal(t, http.StatusOK, here.get(t, "/account").status)

	// Signing out also ends the session for a copy of the cookie.
	at, err := url.Parse(h.url)
	require.NoError(t, err)
	copied := here.client.Jar.Cookies(at)
	require.Equal(t, basePath+"/sign-in", here.post(t, "/sign-out").location())
	require.NotEqual(t, http.StatusOK, here.get(t, "/account").status)
	thief := h.browser(t)
	thief.client.Jar.SetCookies(at, copied)
	require.NotEqual(t, http.StatusOK, thief.get(t, "/account").status)
}

func TestChangedPasswordEndsEveryOtherBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	here, there := h.as(t, h.bob), h.as(t, h.bob)
	a := here.post(t, "/account/password", "current", "wrong, all wrong", "password", "another passphrase")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "is not your password")
	require.Equal(t, http.StatusOK, there.get(t, "/account").status)
	a = here.post(t, "/account/password", "current", passphrase, "password", "another passphrase")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, http.StatusOK, here.get(t, "/account").status)
	require.NotEqual(t, http.StatusOK, there.get(t, "/account").status)
}

package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/mail"
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

func TestALinkConfirmsAnotherEmailOfThePersonWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Notifier.Mail = mail.New(mail.Options{Host: "127.0.0.1", Port: 1, From: "capi@example.com"}) // nothing is sent
	bob := h.as(t, h.bob)
	page := bob.follow(t, bob.post(t, "/account/profile", "name", "bob", "email", "new@example.com", "confirm", passphrase)).body
	require.Contains(t, page, "We send a link to the new address")
	require.Contains(t, page, "We sent a link to new@example.com.")
	secret, _, err := h.People.NewEmailSecret(t.Context(), h.bob.ID, "new@example.com")
	require.NoError(t, err)

	at := strings.TrimPrefix(EmailPath(secret), basePath)
	require.Equal(t, basePath+"/sign-in?next="+url.QueryEscape(basePath+at), h.browser(t).get(t, at).location())
	eve := h.as(t, h.eve)
	refused := eve.get(t, at)
	require.Equal(t, refused.body, eve.get(t, "/account/email?link=NONE").body, "another person's link looks like none")
	require.Equal(t, refused.status, eve.post(t, "/account/email", "link", secret).status)

	require.Contains(t, bob.get(t, at).body, "new@example.com")
	require.Contains(t, bob.follow(t, bob.post(t, "/account/email", "link", secret)).body, "Your email was changed.")
	require.Contains(t, h.text(t, `SELECT payload FROM job WHERE kind = 'mail.moved'`), h.bob.Email)
	require.Equal(t, refused.status, bob.get(t, at).status, "it works once")
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/sign-in", "email", "new@example.com", "password", passphrase).status)
	for range 2 * limitPerForgot.Requests {
		if page = bob.post(t, "/account/profile", "name", "bob", "email", "next@example.com", "confirm", passphrase).body; page != "" {
			break
		}
	}
	require.Contains(t, page, "Too many attempts", "nobody can be flooded")
}

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// provider is the OpenID provider that the test runs: the certified library's own server.
const provider = "github.com/zitadel/oidc/v3/example/server@v3.51.17"

// startProvider runs an OpenID provider with the people by email, which is also their sign-in name. All have the same
// password. Without the program the test is skipped, or fails if CAPI_TEST_REQUIRE names oidc.
func startProvider(t *testing.T, callback string, verified map[string]bool) (issuer string) {
	t.Helper()
	dir := t.TempDir()
	install := exec.Command("go", "install", provider)
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := install.CombinedOutput(); err != nil {
		required.Missing(t, "oidc", "go install %s: %v\n%s", provider, err, out)
	}
	users := map[string]any{}
	for email, is := range verified {
		users["id-"+email] = map[string]any{
			"ID": "id-" + email, "Username": email, "Password": "verysecure", "FirstName": "First", "LastName": "Last",
			"Email": email, "EmailVerified": is, "PreferredLanguage": "en",
		}
	}
	content, err := json.Marshal(users)
	require.NoError(t, err)
	file := filepath.Join(dir, "users.json")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	port := strings.TrimPrefix(freeAddr(t), "127.0.0.1:")
	cmd := exec.Command(filepath.Join(dir, "server"))
	cmd.Env = append(os.Environ(), "PORT="+port, "USERS_FILE="+file, "REDIRECT_URI="+callback)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // it was killed
	})
	issuer = "http://localhost:" + port + "/"
	require.Eventually(t, func() bool {
		r, err := http.Get(issuer + ".well-known/openid-configuration")
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	return issuer
}

// freeAddr returns an address at which nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// visitor is a browser without scripts.
type visitor struct {
	*http.Client
	path []string // the addresses of the last request, redirects included
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	v := &visitor{Client: &http.Client{Jar: jar}}
	v.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		v.path = append(v.path, r.URL.String())
		return nil
	}
	return v
}

func (v *visitor) get(t *testing.T, address string) (status int, body string) {
	t.Helper()
	v.path = []string{address}
	r, err := v.Get(address)
	require.NoError(t, err)
	return readAll(t, r)
}

func (v *visitor) post(t *testing.T, address string, form url.Values) (status int, body string) {
	t.Helper()
	v.path = []string{address}
	r, err := v.PostForm(address, form)
	require.NoError(t, err)
	return readAll(t, r)
}

func readAll(t *testing.T, r *http.Response) (int, string) {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(body)
}

// signInAt signs in as a person does who presses the button.
func (v *visitor) signInAt(t *testing.T, console, issuer, email string) (status int, body string) {
	t.Helper()
	_, body = v.get(t, console+"/sign-in/oidc?next="+url.QueryEscape("/console/account"))
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(body)
	require.NotNil(t, id, body)
	return v.post(t, strings.TrimSuffix(issuer, "/")+"/login/username", url.Values{
		"id": {id[1]}, "username": {email}, "password": {"verysecure"},
	})
}

func TestPeopleSignInByAnOpenIDProvider(t *testing.T) {
	t.Parallel()
	s := &fixture{data: t.TempDir(), addr: freeAddr(t)}
	console := "http://" + s.addr + "/console"
	issuer := startProvider(t, console+"/sign-in/oidc/callback", map[string]bool{
		"zoe@corp.example": true, "ann@elsewhere.example": true, "out@elsewhere.example": true, "fake@corp.example": false,
	})
	s.settings = []string{
		"CAPI_OIDC_ISSUER=" + issuer, "CAPI_OIDC_CLIENT_ID=web", "CAPI_OIDC_CLIENT_SECRET=secret",
		"CAPI_OIDC_NAME=Corp", "CAPI_OIDC_DOMAINS=corp.example",
	}
	s.serve(t)
	_, body := newVisitor(t).get(t, console+"/sign-in")
	require.Contains(t, body, "Sign in with Corp")

	status, body := newVisitor(t).signInAt(t, console, issuer, "zoe@corp.example")
	require.Equal(t, http.StatusForbidden, status, "the first owner must use the first link")
	require.Contains(t, body, "has no account here")
	s.join(t, "Ann", "ann@elsewhere.example")

	zoe := newVisitor(t)
	status, body = zoe.signInAt(t, console, issuer, "zoe@corp.example")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, "zoe@corp.example")
	require.Contains(t, zoe.path[len(zoe.path)-1], "/console/account", "she returns to the page she asked for")

	// The values in these addresses do not work for others, or a second time.
	callback := zoe.path[len(zoe.path)-2]
	require.Contains(t, callback, "/callback?")
	for _, again := range []*visitor{newVisitor(t), zoe} {
		status, _ = again.get(t, callback)
		require.Equal(t, http.StatusForbidden, status)
	}
	forged := newVisitor(t)
	forged.get(t, console+"/sign-in/oidc")
	status, _ = forged.get(t, callback)
	require.Equal(t, http.StatusForbidden, status, "the state belongs to another browser")

	status, _ = newVisitor(t).signInAt(t, console, issuer, "zoe@corp.example")
	require.Equal(t, http.StatusOK, status)
	status, body = newVisitor(t).signInAt(t, console, issuer, "ann@elsewhere.example")
	require.Equal(t, http.StatusOK, status, "a person with an account can sign in either way")
	require.Contains(t, body, "You are an operator of this installation.")
	for email, says := range map[string]string{
		"out@elsewhere.example": "has no account here", "fake@corp.example": "has not verified",
	} {
		status, body = newVisitor(t).signInAt(t, console, issuer, email)
		require.Equal(t, http.StatusForbidden, status, email)
		require.Contains(t, body, says)
	}
	var people struct{ Items []struct{ Email string } }
	s.json(t, &people, "person", "list", "--json")
	require.Len(t, people.Items, 2)
	require.Contains(t, s.capi(t, "audit", "--json"), `"means": "OpenID provider"`)
}

// join creates the first owner with a link from the command line.
func (s *fixture) join(t *testing.T, name, email string) {
	t.Helper()
	var made struct{ Link string }
	s.json(t, &made, "person", "invite", "--public-url", "http://"+s.addr, "--json")
	link, err := url.Parse(made.Link)
	require.NoError(t, err)
	status, body := newVisitor(t).post(t, fmt.Sprintf("http://%s/console/join", s.addr), url.Values{
		"link": {link.Query().Get("link")}, "name": {name}, "email": {email}, "password": {"correct horse battery"},
		"workspace": {"Lab"},
	})
	require.Equal(t, http.StatusOK, status, body)
}

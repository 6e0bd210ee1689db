package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/upload"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

const passphrase = "correct horse battery"

// fixture is a console on a fresh SQLite database. Ann, an operator, owns the workspace Acme; Bob is a member of Acme. Eve
// owns another workspace.
type fixture struct {
	Deps
	*testkit.Fixture
	db      *db.DB
	catalog *catalog.Store
	index   index.Index
	jobs    *job.Queue
	url     string

	acme, elsewhere id.Workspace
	ann, bob, eve   account.Person
}

// loopback is what the servers of tests may reach.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func open(t testing.TB, change ...func(*Deps)) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := testkit.New(t, services.Parts{Jobs: job.Options{Alone: true}, Webhooks: webhook.Options{Allow: loopback}, Destinations: destination.Options{Allow: loopback, Open: openPlace}, Uploads: upload.Options{
		Dir: filepath.Join(dir, "uploads"), Rejects: filepath.Join(dir, "rejects"), SizeBytesMax: 8 << 20,
	}})
	h := &fixture{Fixture: f, db: f.DB, catalog: f.Catalog, index: f.Index, jobs: f.Jobs}
	h.Deps = Deps{
		People: f.People, Sessions: f.Sessions, TwoFactor: f.TwoFactor, Tokens: f.Tokens, Workspaces: f.Workspaces, Memberships: f.Memberships,
		Credits: f.Credits, Lists: f.Lists, Idempotency: f.Idempotency, Audit: f.Audit, Wall: f.Wall, Webhooks: f.Webhooks, Destinations: f.Destinations, Deliveries: f.Deliveries, Presets: f.Presets, Notifier: f.Notifier, Requests: f.Requests, Search: f.Search, Exports: f.Exports, Orders: f.Orders, Uploads: f.Uploads,
		Log: f.Log,
	}
	for _, fn := range change {
		fn(&h.Deps)
	}
	pages, err := New(h.Deps)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(Path, pages)
	served := httptest.NewServer(mux)
	t.Cleanup(served.Close)
	h.url = served.URL
	h.populate(t)
	return h
}

func (h *fixture) populate(t testing.TB) {
	t.Helper()
	h.ann = h.person(t, "ann", true)
	h.bob = h.person(t, "bob", false)
	h.eve = h.person(t, "eve", false)
	h.acme = h.workspace(t, "Acme", h.ann.ID)
	h.elsewhere = h.workspace(t, "Elsewhere", h.eve.ID)
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		return h.Workspaces.AddMember(t.Context(), tx, h.acme, h.bob.ID, workspace.Member)
	}))
}

// hashed is the hash of the passphrase, computed once because it is slow.
var hashed = sync.OnceValues(func() (account.PasswordHash, error) {
	return account.NewPeople(nil).HashPassword(context.Background(), account.Person{}, passphrase)
})

func (h *fixture) person(t testing.TB, name string, operator bool) account.Person {
	t.Helper()
	checked, err := h.People.Check(t.Context(), account.NewPerson{Email: name + "@example.com", Name: name, Operator: operator})
	require.NoError(t, err)
	hash, err := hashed()
	require.NoError(t, err)
	var made account.Person
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) (err error) {
		if made, err = h.People.Create(t.Context(), tx, checked); err != nil {
			return err
		}
		return h.People.SetPassword(t.Context(), tx, made.ID, hash, id.Session{})
	}))
	return made
}

func (h *fixture) workspace(t testing.TB, name string, owner id.Person) id.Workspace {
	t.Helper()
	w, err := h.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{
		Name: name, Owner: owner, Credits: 1000, Actor: credit.ActorSystem,
	})
	require.NoError(t, err)
	return w.ID
}

// put adds companies to the catalog and the index.
func (h *fixture) put(t testing.TB, companies ...*company.Company) {
	t.Helper()
	h.Put(t, companies...)
}

// work starts running jobs, until the test ends.
func (h *fixture) work(t testing.TB) {
	t.Helper()
	h.Work(t)
}

// browser keeps cookies and follows no redirects.
type browser struct {
	h       *fixture
	client  *http.Client
	headers http.Header
}

func (h *fixture) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{h: h, headers: http.Header{}, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as returns a browser in which the person is signed in. It skips the password, which is slow.
func (h *fixture) as(t testing.TB, who account.Person) *browser {
	t.Helper()
	b := h.browser(t)
	expires := time.Now().Add(time.Hour)
	data, err := scs.GobCodec{}.Encode(expires, map[string]any{personKey: who.ID.String()})
	require.NoError(t, err)
	secret := rand.Text()
	require.NoError(t, h.Sessions.Create(t.Context(), secret, account.Session{
		Person: who.ID, Data: data, ExpiresAt: expires,
	}))
	at, err := url.Parse(h.url)
	require.NoError(t, err)
	name := (&server{Deps: h.Deps}).sessionManager().Cookie.Name
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: secret, Path: "/"}})
	return b
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) location() string { return a.header.Get("Location") }

func (b *browser) get(t testing.TB, path string) answer {
	t.Helper()
	return b.send(t, http.MethodGet, path, nil)
}

// post sends a form, given as pairs of name and value.
func (b *browser) post(t testing.TB, path string, form ...string) answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Add(form[i], form[i+1])
	}
	return b.send(t, http.MethodPost, path, values)
}

// send requests a path below /console.
func (b *browser) send(t testing.TB, method, path string, form url.Values) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.h.url+basePath+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	for name, values := range b.headers {
		r.Header[name] = values
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(body)}
}

// in returns the path of a page of the workspace.
func in(ws id.Workspace, rest string) string { return "/w/" + ws.String() + rest }

// bought buys an export of one company, so that there is a file.
func (h *fixture) bought(t testing.TB, caller auth.Caller) id.Export {
	t.Helper()
	e, _, err := h.Exports.Create(t.Context(), caller, export.Request{
		Name: "Kept", Source: export.SourceSearch, Filters: json.RawMessage(`{}`), Terms: export.Terms{Limit: 1}, Format: format.CSV,
	})
	require.NoError(t, err)
	return e.ID
}

func (h *fixture) savedSearch(t testing.TB, caller auth.Caller) string {
	t.Helper()
	s, err := h.Lists.SaveSearch(t.Context(), caller.Workspace, list.Search{Name: "Kept"})
	require.NoError(t, err)
	return s.ID.String()
}

func (h *fixture) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		return err
	}))
}

// text returns the first column of all rows, joined.
func (h *fixture) text(t *testing.T, query string) string {
	t.Helper()
	all, err := db.Collect(t.Context(), h.db.Read(), db.Value[string], query)
	require.NoError(t, err)
	return strings.Join(all, "\n")
}

// secretIn returns the secret of a token on a page.
func secretIn(page string) string {
	return regexp.MustCompile(`cornect_[0-9A-Za-z]{38}`).FindString(page)
}

// follow returns the page to which an answer redirects.
func (b *browser) follow(t testing.TB, a answer) answer {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	return b.get(t, strings.TrimPrefix(a.location(), basePath))
}

func (h *fixture) grant(t *testing.T, ws id.Workspace, g credit.Grant) {
	t.Helper()
	_, err := h.Credits.Enter(t.Context(), ws, g)
	require.NoError(t, err)
}

// connect adds the connection that to is a category of from, such as a vendor.
func (h *fixture) connect(t *testing.T, from, to *company.Company, category string) {
	t.Helper()
	_, err := h.catalog.Connect(t.Context(), []catalog.Connection{{
		Source: catalog.End{ID: from.ID, Name: from.Name, Domain: from.Domain},
		Target: catalog.End{ID: to.ID, Name: to.Name, Domain: to.Domain}, Category: category,
	}})
	require.NoError(t, err)
	h.put(t)
}

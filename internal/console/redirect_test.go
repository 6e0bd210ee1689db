package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/testkit/softkey"
	"github.com/opencapi/capi/internal/workspace"
)

// acceptedForms returns a form that each route accepts, by its path, and changes ids to what the forms need.
func acceptedForms(t *testing.T, h *fixture, ids map[string]string) map[string]url.Values {
	t.Helper()
	const w = "/w/{workspace_id}"
	ann := h.as(t, h.ann)
	quote := ann.quoted(t, "name", "All")
	match := ann.post(t, fillPath(w+"/lists/{list_id}/matches", ids), "domains", "kept.example nowhere.example").location()
	ids["match_id"] = match[strings.LastIndex(match, "/")+1:]
	sessions, err := h.Sessions.List(t.Context(), h.ann.ID)
	require.NoError(t, err)
	ids["session_id"] = sessions[0].ID.String()
	ids["id"] = h.elsewhere.String()
	link, _, err := h.Memberships.InviteMember(t.Context(), h.elsewhere, workspace.Member, h.ann.Email, h.eve.ID)
	require.NoError(t, err)
	withdraw := w + "/invitations/{invitation_id}/withdraw"
	return map[string]url.Values{
		"/sign-in":                                  {"email": {h.ann.Email}, "password": {passphrase}},
		"/sign-out":                                 {},
		"/forgot-password":                          {"email": {h.ann.Email}},
		"/join":                                     {"link": {link}},
		"/account/email":                            {},
		"/account/password":                         {"current": {passphrase}, "password": {passphrase + " 2"}},
		"/sign-in/code":                             {},
		"/account/two-factor/begin":                 {"current": {passphrase}},
		"/account/two-factor/cancel":                {},
		"/account/two-factor/enable":                {},
		"/account/two-factor/codes":                 {"current": {passphrase}},
		"/account/two-factor/disable":               {"current": {passphrase}},
		"/sign-in/passkey":                          {},
		"/account/two-factor/passkeys":              {"current": {passphrase}},
		"/account/passkeys":                         {"name": {"Laptop"}},
		"/account/passkeys/{passkey_id}/rename":     {"name": {"Renamed"}},
		"/account/passkeys/{passkey_id}/remove":     {},
		"/account/sessions/end-others":              {},
		"/account/sessions/{session_id}/end":        {},
		"/workspaces":                               {"name": {"New"}},
		"/workspaces/{id}/own":                      {},
		w + "/leave":                                {},
		w + "/welcome/close":                        {},
		w + "/settings/name":                        {"name": {"Renamed"}},
		w + "/settings/columns":                     {"column": {"name"}},
		w + "/settings/delete":                      {},
		w + "/settings/tokens":                      {"without_budget": {"owners"}},
		"/account/profile":                          {"name": {"Annie"}, "theme": {"dark"}},
		w + "/invitations":                          {"email": {"dan@example.com"}, "role": {"member"}},
		withdraw:                                    {},
		w + "/members/{person_id}/role":             {"role": {"owner"}},
		w + "/members/{person_id}/remove":           {},
		w + "/members/{person_id}/budget":           {"budget": {"5"}},
		w + "/companies/{company_id}/list":          {"list_id": {ids["list_id"]}},
		w + "/lists":                                {"name": {"New"}},
		w + "/search/picked":                        {"name": {"Found"}, "do": {"list"}, "all": {"1"}},
		w + "/search/columns":                       {"column": {"location"}},
		w + "/searches/{search_id}":                 {"name": {"Renamed"}},
		w + "/lists/{list_id}/rename":               {"name": {"Renamed"}},
		w + "/lists/{list_id}/delete":               {},
		w + "/lists/{list_id}/matches":              {"domains": {"kept.example"}},
		w + "/lists/{list_id}/matches/{match_id}":   {},
		w + "/match":                                {"rows": {"kept.example"}},
		w + "/match/{match_id}/choose":              {},
		w + "/match/{match_id}/list":                {"name": {"New"}},
		w + "/lists/{list_id}/remove":               {},
		w + "/lists/{list_id}/companies":            {},
		w + "/lists/{list_id}/restore":              {},
		w + "/lists/{list_id}/exclusion":            {"excluded": {"1"}},
		w + "/searches":                             {"name": {"Saved"}},
		w + "/searches/{search_id}/delete":          {},
		w + "/orders":                               {"name": {"Weekly"}, "max_credits": {"5"}},
		w + "/orders/{order_id}/run":                {},
		w + "/orders/{order_id}":                    {"name": {"Daily"}},
		w + "/orders/{order_id}/pause":              {},
		w + "/orders/{order_id}/resume":             {},
		w + "/orders/{order_id}/delete":             {},
		w + "/exports":                              quote,
		w + "/quotes":                               {"name": {"All"}},
		w + "/exports/{export_id}/cancel":           {},
		w + "/tokens":                               {"name": {"New"}, "scope": {"read"}},
		w + "/notifications":                        {"low": {"1"}},
		w + "/notifications/low":                    {"low": {"50"}},
		w + "/exports/{export_id}/deliver":          {},
		w + "/destinations":                         bucketForm("name", "Lake"),
		w + "/destinations/{destination_id}":        {"name": {"Other"}, "s3-bucket": {"kept"}, "s3-region": {"eu-central-1"}, "s3-access_key_id": {"AKIAKEPT"}},
		w + "/presets":                              {"name": {"CRM"}, "column": {"name"}},
		w + "/presets/{preset_id}":                  {"name": {"Other"}, "column": {"name"}},
		w + "/presets/{preset_id}/delete":           {},
		w + "/destinations/{destination_id}/test":   {},
		w + "/destinations/{destination_id}/delete": {},
		w + "/webhooks":                             {"url": {"http://127.0.0.1:9/new"}, "type": {"export.*"}},
		w + "/webhooks/{webhook_id}":                {"url": {"http://127.0.0.1:9/changed"}},
		w + "/webhooks/{webhook_id}/enabled":        {"enabled": {"0"}},
		w + "/webhooks/{webhook_id}/rotate":         {"hours": {"24"}},
		w + "/webhooks/{webhook_id}/test":           {},
		w + "/webhooks/{webhook_id}/delete":         {},
		w + "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": {},
		w + "/tokens/{token_id}/revoke":                              {},
		w + "/tokens/{token_id}/rotate":                              {"hours": {"1"}},
		w + "/tokens/{token_id}/budget":                              {"budget": {"5"}},
		w + "/tokens/{token_id}/daily":                               {"daily": {"5"}},
		"/operator/workspaces/{id}/grants":                           {"key": {"one"}, "amount": {"5"}, "reason": {"grant"}},
		"/operator/doctor":                                           {},

		"/operator/workspaces/{id}/wall":                {"show": {view.ShowEverything}},
		"/operator/people/{person_id}/operator":         {"operator": {"1"}},
		"/operator/people/{person_id}/email":            {},
		"/operator/people/{person_id}/sessions/end":     {},
		"/operator/people/{person_id}/two-factor/reset": {},
		"/operator/people/{person_id}/passkeys/reset":   {},
		"/operator/people/{person_id}/remove":           {},
		"/operator/imports/{number}/undo":               {},
		uploadPath:                                      {},
		"/operator/uploads/{upload_id}/plan":            {},
		"/operator/uploads/{upload_id}/import":          {},
		"/operator/uploads/{upload_id}/stop":            {},
		"/operator/uploads/{upload_id}/delete":          {},
	}
}

// A page that answers a form is sent again by Reload, and gone after Back.
func TestEveryFormRedirectsWhenItSucceeds(t *testing.T) {
	t.Parallel()
	for _, rt := range routes() {
		if rt.method != http.MethodPost || strings.HasSuffix(rt.path, "/passkey/begin") || strings.HasSuffix(rt.path, "/passkeys/begin") {
			continue // those that end with begin answer a script
		}
		t.Run(rt.path, func(t *testing.T) {
			t.Parallel()
			h := importing(t, passkeys)
			h.Notifier.Mail = mail.New(mail.Options{Host: "127.0.0.1", Port: 1, From: "capi@example.com"}) // nothing is sent
			ids := h.belongings(t)
			h.put(t, companytest.Slice(1, 3)...)
			ids["company_id"] = companytest.Slice(1, 1)[0].ID.String()
			form, ok := acceptedForms(t, h, ids)[rt.path]
			require.True(t, ok, "acceptedForms has no form for this route")
			who := h.as(t, h.ann)
			if rt.path == "/w/{workspace_id}/leave" {
				require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
					return h.Workspaces.AddMember(t.Context(), tx, h.acme, h.eve.ID, workspace.Owner)
				}))
			}
			if strings.HasSuffix(rt.path, "/restore") {
				who.post(t, in(h.acme, "/lists/"+ids["list_id"]+"/delete"))
			}
			send := func() answer { return who.send(t, http.MethodPost, fillPath(rt.path, ids), form) }
			switch {
			case rt.path == uploadPath:
				ids["upload_id"] = id.New[id.Upload]().String()
				send = func() answer { return who.sends(t, fillPath(rt.path, ids), "leads.csv", leads) }
			case strings.HasPrefix(rt.path, "/w/{workspace_id}/match/"):
				ids["match_id"] = path.Base(who.post(t, in(h.acme, "/match"), "rows", "kept.example").location())
			case rt.path == "/account/two-factor/enable":
				form.Set("code", h.begin(t, who).code(t))
			case rt.path == "/account/two-factor/codes", rt.path == "/account/two-factor/disable":
				form.Set("code", h.enrol(t, h.ann).code(t))
			case rt.path == "/account/email":
				require.NoError(t, h.People.Change(t.Context(), h.ann, account.Person{Name: "ann", Email: "new@example.com"}, passphrase))
				secret, _, err := h.People.NewEmailSecret(t.Context(), h.ann.ID, "new@example.com")
				require.NoError(t, err)
				form.Set("link", secret)
			case rt.path == "/account/passkeys":
				form.Set("credential", (&keyed{browser: who, Device: &softkey.Device{Origin: passkeySiteOfTests, Host: "localhost"}}).created(t))
			case rt.path == "/sign-in/passkey":
				form.Set("proof", h.keyed(t, h.ann).answer(t, who, "/sign-in/passkey/begin"))
			case strings.Contains(rt.path, "passkey"):
				h.keyed(t, h.ann)
				h.keyed(t, h.bob) // the person of the path
				ids["passkey_id"] = h.text(t, `SELECT id FROM passkey WHERE name LIKE 'ann%'`)
			case strings.HasPrefix(rt.path, "/operator/uploads/"):
				at, _ := who.planned(t, "leads.csv", leads)
				ids["upload_id"] = path.Base(at)
			}
			a := send()
			require.Equal(t, http.StatusSeeOther, a.status, a.body)
			require.True(t, strings.HasPrefix(a.location(), basePath+"/"), a.location())
			next := who.get(t, strings.TrimPrefix(a.location(), basePath))
			require.Less(t, next.status, http.StatusBadRequest, "%s: %s", a.location(), next.body)
		})
	}
}

func TestASecretSurvivesOneRedirectAndIsStoredNowhere(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	a := ann.post(t, in(h.acme, "/tokens"), "name", "CI", "scope", "read")
	require.Equal(t, http.StatusSeeOther, a.status)
	at := strings.TrimPrefix(a.location(), basePath)
	require.NotContains(t, a.location(), "cornect_")

	stored := h.text(t, `SELECT CAST(data AS TEXT) FROM session`)
	other := h.as(t, h.ann)
	require.NotContains(t, other.get(t, at).body, `id="secret"`, "another browser does not see it")
	ann.get(t, in(h.acme, "/tokens"))
	first := ann.get(t, at)
	secret := secretIn(first.body)
	require.NotEmpty(t, secret, "a page in between does not use it up")
	require.NotContains(t, stored, secret)
	require.NotContains(t, a.header.Get("Set-Cookie"), secret)
	require.Equal(t, "no-store", first.header.Get("Cache-Control"))
	require.Contains(t, first.body, "Bearer "+secret, "the command is ready to run")
	again := ann.get(t, at).body
	require.NotContains(t, again, secret)
	require.Contains(t, again, "$CAPI_TOKEN")
	_, err := h.Tokens.Authenticate(t.Context(), "Bearer "+secret)
	require.NoError(t, err)
}

func TestBackFromAnExportShowsItsQuote(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 30)...)
	ann := h.as(t, h.ann)
	a := ann.post(t, in(h.acme, "/quotes"), "name", "Thirty", "format", "json", "column", "name")
	require.Equal(t, http.StatusSeeOther, a.status)
	at := strings.TrimPrefix(a.location(), basePath)
	page := ann.get(t, at).body
	require.Equal(t, []string{"30", "0", "30", "30", "970"}, figuresIn(t, page))
	require.Contains(t, page, "Thirty")
	require.Contains(t, page, "JSON")
	bought := ann.buys(t, hiddenIn(page))
	back := ann.get(t, at)
	require.Equal(t, http.StatusOK, back.status)
	require.Contains(t, back.body, "This quote was bought.")
	require.Contains(t, back.body, bought)
	require.NotContains(t, back.body, "Buy for")

	require.Equal(t, basePath+in(h.acme, "/exports/new"), ann.get(t, in(h.acme, "/quotes")).location())
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/quotes/"+id.New[id.Quote]().String())).status)
	eve := h.as(t, h.eve)
	require.Equal(t, http.StatusNotFound, eve.get(t, strings.Replace(at, h.acme.String(), h.elsewhere.String(), 1)).status)
}

func TestDoublesAreShownBeforePayment(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, &company.Company{ID: id.New[id.Company](), Name: "One", Domain: "same.example"},
		&company.Company{ID: id.New[id.Company](), Name: "Two", Domain: "same.example"},
		&company.Company{ID: id.New[id.Company](), Name: "Three", Domain: "other.example"}, &company.Company{ID: id.New[id.Company](), Name: "Four"})
	ann := h.as(t, h.ann)
	page := ann.follow(t, ann.post(t, in(h.acme, "/quotes"), "name", "All")).body
	require.Contains(t, page, "2 of these companies share their domain")
	page = ann.follow(t, ann.post(t, in(h.acme, "/quotes"), "name", "All", "query", "three")).body
	require.NotContains(t, page, "share their domain")
}

func TestAnExpiredQuoteLeadsBackToItsForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 30)...)
	ann := h.as(t, h.ann)
	at := strings.TrimPrefix(ann.post(t, in(h.acme, "/quotes"), "name", "Some", "limit", "12", "partial", "1").location(), basePath)
	h.exec(t, `UPDATE quote SET expires_at = $1, companies = NULL`, db.Time(time.Now().Add(-time.Hour)))
	a := ann.get(t, at)
	require.Equal(t, http.StatusSeeOther, a.status)
	back, err := url.Parse(a.location())
	require.NoError(t, err)
	require.Equal(t, basePath+in(h.acme, "/exports/new"), back.Path)
	for name, want := range map[string]string{"name": "Some", "limit": "12", "partial": "1"} {
		require.Equal(t, want, back.Query().Get(name), name)
	}
	require.Contains(t, ann.get(t, strings.TrimPrefix(a.location(), basePath)).body, "The quote has expired")
}

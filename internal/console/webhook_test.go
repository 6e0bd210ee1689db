package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

// A real receiver verifies with the secret that the page shows, and answers as the test decides.
func TestAWebhookIsMadeTestedRotatedAndRepeatedOnItsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	var mu sync.Mutex
	var secret string
	status, verified := http.StatusNoContent, map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		v, err := standardwebhooks.NewWebhook(secret)
		if err != nil || v.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		verified[r.Header.Get("webhook-id")]++
		w.WriteHeader(status)
	}))
	t.Cleanup(receiver.Close)
	tell := func(s string, answer int) {
		mu.Lock()
		defer mu.Unlock()
		secret, status = s, answer
	}
	ann, secretOn := h.as(t, h.ann), regexp.MustCompile(`id="secret"[^>]*>(whsec_[^<]+)<`)
	follow := func(a answer) string {
		t.Helper()
		require.Equal(t, http.StatusSeeOther, a.status, a.body)
		return ann.get(t, strings.TrimPrefix(a.location(), basePath)).body
	}

	require.Contains(t, ann.get(t, in(h.acme, "/webhooks")).body, "No webhooks yet")
	a := ann.post(t, in(h.acme, "/webhooks"), "url", "http://10.0.0.1/x", "type", "export.gone")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "http://10.0.0.1/x", "what was typed stays")
	require.Contains(t, a.body, `id="url-fault"`)
	require.Contains(t, a.body, "is not a type of events")
	require.Regexp(t, `id="url-fault">This [^<]+\.<`, a.body)

	chat := ann.post(t, in(h.acme, "/webhooks"), "url", receiver.URL+"/chat", "format", "text")
	require.Contains(t, follow(chat), "a sentence for a chat")
	require.Contains(t, follow(chat), `<option value="text" selected>`)

	made := ann.post(t, in(h.acme, "/webhooks"), "url", receiver.URL, "description", "CRM <b>", "type", "export.*", "type", "credits.low")
	path := strings.TrimPrefix(made.location(), basePath)
	page := follow(made)
	require.Contains(t, page, "CRM &lt;b&gt;")
	first := secretOn.FindStringSubmatch(page)[1]
	require.NotContains(t, ann.get(t, path).body, "whsec_", "it is shown once")

	tell(first, http.StatusNoContent)
	require.Contains(t, follow(ann.post(t, path+"/test")), "The test arrived in ")
	tell(first, http.StatusTeapot)
	require.Contains(t, follow(ann.post(t, path+"/test")), "The test did not arrive. The answer was 418 I&#39;m a teapot, not a success (200 to 299).")

	page = follow(ann.post(t, path+"/rotate", "hours", "24"))
	second := secretOn.FindStringSubmatch(page)[1]
	require.NotEqual(t, first, second)
	require.Contains(t, page, "Old secret signs until")
	for _, s := range []string{first, second} {
		tell(s, http.StatusNoContent)
		require.Contains(t, follow(ann.post(t, path+"/test")), "The test arrived in ", "both secrets sign")
	}
	require.Contains(t, follow(ann.post(t, path+"/rotate", "hours", "many")), "Nothing was changed: The hours must be between 0 and 168.")
	require.Contains(t, follow(ann.post(t, path+"/rotate", "hours", "24")), "The secret was not changed: the secret before it still signs")

	// A real event, delivered and sent again with the same id.
	h.put(t, &company.Company{ID: id.New[id.Company](), Name: "Kept"})
	h.bought(t, auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite})
	require.NoError(t, h.Events.Publish(t.Context()))
	runner := job.NewRunner(h.jobs, h.Webhooks.Handlers())
	require.NoError(t, runner.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, runner.Stop(t.Context())) })
	hook, err := id.Parse[id.Webhook](path[strings.LastIndex(path, "/")+1:])
	require.NoError(t, err)
	delivered := func(n int) []webhook.Delivery {
		var all []webhook.Delivery
		require.Eventually(t, func() bool {
			all, err = h.Webhooks.Deliveries(t.Context(), h.acme, hook, webhook.Delivered, id.Delivery{}, 50)
			return err == nil && len(all) == n
		}, 30*time.Second, 5*time.Millisecond)
		return all
	}
	event := delivered(4)[0]
	require.Contains(t, follow(ann.post(t, path+"/deliveries/"+event.ID.String()+"/replay")), "The event is sent again")
	delivered(5)
	mu.Lock()
	require.Equal(t, 2, verified[event.Event.String()], "the same webhook-id")
	mu.Unlock()
	page = ann.get(t, path+"?state=delivered").body
	require.Contains(t, page, "export.created")
	require.NotContains(t, page, `badge bad">failed`)
	require.Contains(t, ann.get(t, path+"?state=failed").body, "418")

	require.Contains(t, follow(ann.post(t, path+"/enabled", "enabled", "0")), "An owner disabled it.")
	require.Contains(t, follow(ann.post(t, path+"/deliveries/"+event.ID.String()+"/replay")), "Enable it first")
	require.Contains(t, follow(ann.post(t, path+"/enabled", "enabled", "1")), "The webhook is enabled")
	require.Contains(t, follow(ann.post(t, path, "url", receiver.URL, "description", "Sales")), "Saved.")
	h2, err := h.Webhooks.Get(t.Context(), h.acme, hook)
	require.NoError(t, err)
	require.Empty(t, h2.Types, "without a choice, all events")
	require.Contains(t, follow(ann.post(t, path+"/delete")), "The webhook was deleted.")
	require.Equal(t, http.StatusNotFound, ann.get(t, path).status)
	require.Equal(t, http.StatusForbidden, h.as(t, h.bob).get(t, in(h.acme, "/webhooks")).status, "members have no webhooks")
}

func TestNotificationsAreOfThePersonAndTheLowBalanceOfTheWorkspace(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	at := in(h.acme, "/notifications")
	require.Contains(t, bob.get(t, at).body, "No low balance is set")
	for _, wrong := range []string{"0", "-1", "many", "1.5", "99999999999999999999"} {
		ann.post(t, at+"/low", "low", wrong)
		require.Contains(t, ann.get(t, at).body, "The low balance was not changed: It must be a whole number from 1 to ", wrong)
	}
	ann.post(t, at+"/low", "low", "50")
	require.Contains(t, ann.get(t, at).body, "below 50 is reported")
	low, err := h.Credits.Low(t.Context(), h.acme)
	require.NoError(t, err)
	require.EqualValues(t, 50, *low)
	require.Contains(t, bob.get(t, at).body, "Credits are low below 50 credits")
	require.Equal(t, http.StatusForbidden, bob.post(t, at+"/low", "low", "5").status)

	bob.post(t, at, "exports", "1", "low", "1")
	wanted, err := h.Workspaces.Notifications(t.Context(), h.acme, h.bob.ID)
	require.NoError(t, err)
	require.True(t, wanted.Exports && wanted.Low)
	wanted, err = h.Workspaces.Notifications(t.Context(), h.acme, h.ann.ID)
	require.NoError(t, err)
	require.False(t, wanted.Exports || wanted.Low, "each person chooses")
	bob.post(t, at, "orders", "1", "deliveries", "1")
	wanted, err = h.Workspaces.Notifications(t.Context(), h.acme, h.bob.ID)
	require.NoError(t, err)
	require.Equal(t, workspace.Notifications{Orders: true, Deliveries: true}, wanted)
	require.Contains(t, bob.get(t, at).body, `name="deliveries" value="1" checked`)
	bob.post(t, at, "low", "1")
	wanted, err = h.Workspaces.Notifications(t.Context(), h.acme, h.bob.ID)
	require.NoError(t, err)
	require.True(t, !wanted.Exports && wanted.Low)
	ann.post(t, at+"/low", "low", "")
	low, err = h.Credits.Low(t.Context(), h.acme)
	require.NoError(t, err)
	require.Nil(t, low)
}

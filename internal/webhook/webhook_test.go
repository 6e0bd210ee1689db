package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/webhook"
)

// received is one request of a receiver.
type received struct {
	header http.Header
	body   []byte
}

// receiver is a real HTTP server that records what it gets and answers as told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []received
	answer func(n int, w http.ResponseWriter) // n counts the requests from 1; nil for 200
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.all = append(r.all, received{q.Header.Clone(), body})
		n, answer := len(r.all), r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(n, w)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received{}, r.all...)
}

// ids returns how often each message arrived.
func (r *receiver) ids() map[string]int {
	n := map[string]int{}
	for _, m := range r.got() {
		n[m.header.Get("webhook-id")]++
	}
	return n
}

type house struct {
	*testkit.Fixture
	ws id.Workspace
}

var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	quick    = webhook.Options{Allow: loopback, Pauses: []time.Duration{time.Millisecond, time.Millisecond}, Timeout: 5 * time.Second}
)

func open(t *testing.T, d *db.DB, o webhook.Options) *house {
	t.Helper()
	f := testkit.New(t, services.Parts{DB: d, Webhooks: o, Jobs: job.Options{Poll: 5 * time.Millisecond, RetryDelay: time.Millisecond, RetryDelayMax: time.Millisecond}})
	w, err := f.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Acme"})
	require.NoError(t, err)
	return &house{f, w.ID}
}

func (h *house) create(t *testing.T, url string, types ...string) (string, webhook.Webhook) {
	t.Helper()
	secret, made, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: url, Types: types})
	require.NoError(t, err)
	return secret, made
}

// happen records and publishes an event.
func (h *house) happen(t *testing.T, typ event.Type) {
	t.Helper()
	require.NoError(t, h.DB.Tx(t.Context(), func(tx *db.Tx) error {
		return event.Record(t.Context(), tx, h.ws, typ, map[string]any{"name": "Größe & <b>"})
	}))
	require.NoError(t, h.Events.Publish(t.Context()))
}

// work runs the jobs until no delivery is pending.
func (h *house) work(t *testing.T) {
	t.Helper()
	r := job.NewRunner(h.Jobs, h.Webhooks.Handlers())
	require.NoError(t, r.Start(t.Context()))
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, h.DB.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')`).Scan(&n))
		return n == 0
	}, 30*time.Second, 2*time.Millisecond)
	require.NoError(t, r.Stop(t.Context()))
}

func (h *house) deliveries(t *testing.T, w id.Webhook) []webhook.Delivery {
	t.Helper()
	all, err := h.Webhooks.Deliveries(t.Context(), h.ws, w, "", id.Delivery{}, 100)
	require.NoError(t, err)
	return all
}

func verify(t *testing.T, secret string, m received) error {
	t.Helper()
	v, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	return v.Verify(m.body, m.header)
}

func TestAWebhookGetsTheEventsThatItChoseSigned(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, r := open(t, d, quick), receive(t)
		secret, made := h.create(t, r.URL, "export.*")
		require.True(t, strings.HasPrefix(secret, "whsec_"))
		h.happen(t, event.ExportCompleted)
		h.happen(t, event.CreditsLow)
		h.work(t)
		got := r.got()
		require.Len(t, got, 1)
		require.NoError(t, verify(t, secret, got[0]))
		require.Error(t, verify(t, "whsec_"+strings.Repeat("A", 43)+"=", got[0]))
		var m webhook.Message
		require.NoError(t, json.Unmarshal(got[0].body, &m))
		require.Equal(t, event.ExportCompleted, m.Type)
		require.Equal(t, m.ID.String(), got[0].header.Get("webhook-id"))
		require.Equal(t, "application/json", got[0].header.Get("Content-Type"))
		events, err := h.Events.Page(t.Context(), event.Filter{Workspace: h.ws, Types: []event.Type{event.ExportCompleted}}, id.Event{}, 10)
		require.NoError(t, err)
		require.Equal(t, events[0].ID, m.ID)
		require.JSONEq(t, string(events[0].Data), string(m.Data))

		all := h.deliveries(t, made.ID)
		require.Len(t, all, 1)
		require.Equal(t, webhook.Delivered, all[0].State)
		require.Equal(t, 1, all[0].Attempts)
		require.Equal(t, 200, *all[0].Status)
		var stored []byte
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT secret FROM webhook`).Scan(&stored))
		require.NotContains(t, secret, string(stored))
	})
}

func TestAWebhookOfAChatGetsSentences(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, r := open(t, d, quick), receive(t)
		secret, made, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: r.URL, Format: webhook.FormatText})
		require.NoError(t, err)
		h.happen(t, event.ExportCompleted)
		h.work(t)
		_, err = h.Webhooks.Test(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		got := r.got()
		require.Len(t, got, 2)
		require.NoError(t, verify(t, secret, got[0]))
		require.JSONEq(t, `{"text":"Export “Größe & ‹b›” is ready: 0 companies for 0 credits."}`, string(got[0].body))
		require.JSONEq(t, `{"text":"This is a test of a webhook."}`, string(got[1].body))

		changed, err := h.Webhooks.Update(t.Context(), h.ws, made.ID, webhook.Change{Format: new(webhook.FormatEvent)})
		require.NoError(t, err)
		require.Equal(t, webhook.FormatEvent, changed.Format)
		_, err = h.Webhooks.Update(t.Context(), h.ws, made.ID, webhook.Change{Format: new(webhook.Format("xml"))})
		require.Equal(t, fault.Validation, fault.CodeOf(err))
	})
}

func TestARotatedSecretSignsBesideTheNewOneForTheOverlap(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, r := open(t, d, quick), receive(t)
		first, made := h.create(t, r.URL)
		second, rotated, err := h.Webhooks.Rotate(t.Context(), h.ws, made.ID, time.Hour)
		require.NoError(t, err)
		require.NotNil(t, rotated.OldSecretUntil)
		h.happen(t, event.ExportCompleted)
		h.work(t)
		require.NoError(t, verify(t, first, r.got()[0]))
		require.NoError(t, verify(t, second, r.got()[0]))
		_, _, err = h.Webhooks.Rotate(t.Context(), h.ws, made.ID, time.Hour)
		require.ErrorContains(t, err, "must be 0 until "+rotated.OldSecretUntil.Format(time.RFC3339), "the first secret signs for as long as was promised")
		third, _, err := h.Webhooks.Rotate(t.Context(), h.ws, made.ID, 0)
		require.NoError(t, err)
		h.happen(t, event.ExportCompleted)
		h.work(t)
		require.NoError(t, verify(t, third, r.got()[1]))
		require.Error(t, verify(t, second, r.got()[1]))
		require.Error(t, verify(t, first, r.got()[1]))
		_, _, err = h.Webhooks.Rotate(t.Context(), h.ws, made.ID, 200*time.Hour)
		require.ErrorContains(t, err, "must be between 0 and 168")
	})
}

func TestAnAddressHasOneWebhookHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, quick)
		create := func(address string) (webhook.Webhook, error) {
			_, made, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: address})
			return made, err
		}
		made, err := create("HTTP://127.0.0.1:80/Hook?")
		require.NoError(t, err)
		require.Equal(t, "http://127.0.0.1/Hook", made.URL)
		for _, same := range []string{"http://127.0.0.1/Hook", "http://[::ffff:127.0.0.1]/Hook", "http://127.0.0.1:80/Hook"} {
			_, err := create(same)
			require.ErrorContains(t, err, "is the address of another webhook", same)
		}
		other, err := create("http://127.0.0.1:8080/hook?a=B")
		require.NoError(t, err)
		require.Equal(t, "http://127.0.0.1:8080/hook?a=B", other.URL)
		_, err = h.Webhooks.Update(t.Context(), h.ws, other.ID, webhook.Change{URL: new("http://127.0.0.1:080/Hook")})
		require.Error(t, err)
		r := receive(t)
		spaced, err := create(r.URL + "/a b?to=the team&of=Größe%20%2f+")
		require.NoError(t, err)
		require.Equal(t, r.URL+"/a%20b?to=the%20team&of=Gr%C3%B6%C3%9Fe%20%2f+", spaced.URL)
		sent, err := h.Webhooks.Test(t.Context(), h.ws, spaced.ID)
		require.NoError(t, err)
		require.Equal(t, webhook.Delivered, sent.State, "a request with a space in its address cannot be read")
		for address, problem := range map[string]string{
			"http://127.0.0.1:0/": "has the port 0", "http://127.0.0.1:99999/": "has the port 99999", "http://127.0.0.1/#": "fragment",
		} {
			_, err := create(address)
			require.ErrorContains(t, err, problem, address)
		}
	})
}

func TestAFailedAttemptIsRepeatedWithTheSameID(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, r := open(t, d, quick), receive(t)
		r.answer = func(n int, w http.ResponseWriter) {
			if n < 3 {
				http.Error(w, strings.Repeat("busy ", 1000), http.StatusServiceUnavailable)
			}
		}
		_, made := h.create(t, r.URL)
		h.happen(t, event.ExportCompleted)
		h.work(t)
		require.Len(t, r.got(), 3)
		require.Len(t, r.ids(), 1)
		last := h.deliveries(t, made.ID)[0]
		require.Equal(t, webhook.Delivered, last.State)
		require.Equal(t, 3, last.Attempts)
		now, err := h.Webhooks.Get(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.Nil(t, now.FailingSince)
	})
}

func TestAWebhookThatFailsForDaysIsDisabledAndCanBeEnabled(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := quick
		o.FailingMax = time.Nanosecond
		h, r := open(t, d, o), receive(t)
		r.answer = func(_ int, w http.ResponseWriter) {
			http.Error(w, strings.Repeat("x", 5000), http.StatusInternalServerError)
		}
		_, made := h.create(t, r.URL)
		h.happen(t, event.ExportCompleted)
		h.work(t)
		require.Len(t, r.got(), 3)
		failed := h.deliveries(t, made.ID)[0]
		require.Equal(t, webhook.Failed, failed.State)
		require.Len(t, failed.Response, 2<<10, "an answer is stored only in part")
		require.Contains(t, failed.Error, "500 Internal Server Error")
		now, err := h.Webhooks.Get(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.NotNil(t, now.DisabledAt)
		require.Contains(t, now.DisabledWhy, "500 Internal Server Error")
		entries, err := h.Audit.Page(t.Context(), auditlog.Filter{Workspace: h.ws, Action: auditlog.WebhookDisabled}, id.AuditEntry{}, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1)

		h.happen(t, event.ExportCompleted)
		h.work(t)
		require.Len(t, r.got(), 3, "a disabled webhook gets nothing")
		_, err = h.Webhooks.Replay(t.Context(), h.ws, made.ID, failed.ID)
		require.ErrorContains(t, err, "Enable it first")
		r.answer = nil
		_, err = h.Webhooks.Update(t.Context(), h.ws, made.ID, webhook.Change{Enabled: new(true)})
		require.NoError(t, err)
		again, err := h.Webhooks.Replay(t.Context(), h.ws, made.ID, failed.ID)
		require.NoError(t, err)
		require.Equal(t, failed.Event, again.Event)
		h.work(t)
		require.Len(t, r.ids(), 1, "a repetition has the id of the event")
		require.Equal(t, webhook.Delivered, h.deliveries(t, made.ID)[0].State)
	})
}

func TestAReceiverThatIsGoneGetsNothingMore(t *testing.T) {
	t.Parallel()
	h, r := open(t, dbtest.SQLite(t), quick), receive(t)
	r.answer = func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusGone) }
	_, made := h.create(t, r.URL)
	h.happen(t, event.ExportCompleted)
	h.happen(t, event.ExportCompleted)
	h.work(t)
	now, err := h.Webhooks.Get(t.Context(), h.ws, made.ID)
	require.NoError(t, err)
	require.Contains(t, now.DisabledWhy, "410 Gone")
	for _, d := range h.deliveries(t, made.ID) {
		require.Equal(t, webhook.Failed, d.State)
		require.LessOrEqual(t, d.Attempts, 1)
	}
}

func TestADeliveryThatCannotBeMadeSaysWhyToPeople(t *testing.T) {
	t.Parallel()
	exec := func(h *house, q string, args ...any) {
		require.NoError(t, h.DB.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), q, args...)
			return err
		}))
	}
	failed := func(h *house, w id.Webhook) string {
		d := h.deliveries(t, w)[0]
		require.Equal(t, webhook.Failed, d.State)
		return d.Error
	}
	h, r := open(t, dbtest.SQLite(t), quick), receive(t)
	_, made := h.create(t, r.URL)
	h.happen(t, event.ExportCompleted)
	exec(h, `DELETE FROM event`)
	h.work(t)
	require.Equal(t, "The event is not in the log any more.", failed(h, made.ID))

	exec(h, `UPDATE webhook SET secret = $1`, []byte("of another key"))
	test, err := h.Webhooks.Test(t.Context(), h.ws, made.ID)
	require.NoError(t, err)
	require.Equal(t, "Nothing was sent: the secret cannot be decrypted with the key of this server; rotate it.", test.Error)

	h.happen(t, event.ExportFailed)
	exec(h, `UPDATE webhook SET types = 'unreadable'`)
	h.work(t)
	exec(h, `UPDATE webhook SET types = '[]'`)
	require.Equal(t, "It was given up, because the server ended or failed during its last attempts. Send it again.", failed(h, made.ID),
		"what a database or a decoder says is for the log of the server")
	require.Empty(t, r.got())
}

// What Go says about a connection has addresses of the server's own network, and words that only its programmers know.
func TestAReceiverThatDoesNotAnswerIsDescribedInPlainWords(t *testing.T) {
	t.Parallel()
	const cut = "The connection was cut before there was an answer, or the answer was not one of HTTP. Check the port and the receiver."
	listen := func(answer string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 1)) // so that the request was sent, and what is unread resets the connection
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			}
		}()
		return l.Addr().String()
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	untrusted, slow := httptest.NewTLSServer(nil), receive(t)
	t.Cleanup(untrusted.Close)
	slow.answer = func(int, http.ResponseWriter) { time.Sleep(300 * time.Millisecond) }
	odd := receive(t)
	odd.answer = func(_ int, w http.ResponseWriter) { w.WriteHeader(999) }

	o := quick
	o.Timeout = 100 * time.Millisecond
	h, hasty := open(t, dbtest.SQLite(t), quick), open(t, dbtest.SQLite(t), o)
	for _, c := range []struct {
		h         *house
		url, says string
	}{
		{h, "http://" + closed.Addr().String(), "The connection was refused. Check the host and the port, and that the receiver runs."},
		{h, "http://" + listen(""), cut},
		{h, "http://" + listen("SSH-2.0-OpenSSH_9.9\r\n"), cut},
		{h, "https://" + listen("HTTP/1.1 400 Bad Request\r\n\r\n"), "The receiver does not accept encrypted connections at this port. Check the port."},
		{h, untrusted.URL, "The certificate of the server is not accepted: certificate signed by unknown authority. " +
			"It must be valid for the host, and issued by an authority that is trusted publicly."},
		{hasty, slow.URL, "There was no answer in time."},
		{h, odd.URL, "The answer was 999, not a success (200 to 299)."},
	} {
		_, made := c.h.create(t, c.url)
		d, err := c.h.Webhooks.Test(t.Context(), c.h.ws, made.ID)
		require.NoError(t, err)
		require.Equal(t, webhook.Failed, d.State, c.url)
		require.Equal(t, c.says, d.Error)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	h, inside, r := open(t, dbtest.SQLite(t), quick), receive(t), receive(t)
	r.answer = func(_ int, w http.ResponseWriter) {
		w.Header().Set("Location", inside.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	_, made := h.create(t, r.URL)
	d, err := h.Webhooks.Test(t.Context(), h.ws, made.ID)
	require.NoError(t, err)
	require.Equal(t, webhook.Failed, d.State)
	require.Contains(t, d.Error, "redirect (307), which is not followed")
	require.Empty(t, inside.got())
	require.Len(t, r.got(), 1)
}

// A name that had a public address when the webhook was created leads inside when an event is sent.
func TestANameThatChangesItsAddressReachesNothingInside(t *testing.T) {
	t.Parallel()
	r := receive(t)
	secure := httptest.NewTLSServer(r.Config.Handler)
	t.Cleanup(secure.Close)
	lying := webhook.Options{Pauses: []time.Duration{}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
	}}
	h := open(t, dbtest.SQLite(t), lying)
	_, made := h.create(t, strings.Replace(secure.URL, "127.0.0.1", "localhost", 1))
	h.happen(t, event.ExportCompleted)
	h.work(t)
	d := h.deliveries(t, made.ID)[0]
	require.Equal(t, webhook.Failed, d.State)
	require.Contains(t, d.Error, "Nothing was sent")
	require.Contains(t, d.Error, "private, loopback")
	require.Empty(t, r.got())
}

func TestOnlyPublicAddressesAreAccepted(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t), webhook.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			switch host {
			case "unknown.example":
				return nil, errors.New("no such host")
			case "both.example":
				return []netip.Addr{netip.MustParseAddr("93.184.215.14"), netip.MustParseAddr("192.168.0.1")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
		},
	})
	const private = "private, loopback, link-local"
	for url, want := range map[string]string{
		"https://127.0.0.1/x": private, "https://[::1]/x": private, "https://10.0.0.1": private, "https://172.16.3.4": private, "https://192.168.1.1": private,
		"https://169.254.169.254/latest/meta-data": private, "https://[fd00:ec2::254]/": private, "https://100.100.100.200": private,
		"https://168.63.129.16": private, "https://0.0.0.0": private, "https://224.0.0.1": private, "https://255.255.255.255": private,
		"https://[fe80::1]": private, "https://[fe80::1%25eth0]": private, "https://[::ffff:127.0.0.1]": private, "https://[::ffff:a9fe:a9fe]": private,
		"https://[64:ff9b::7f00:1]": private, "https://[2002:7f00:1::]": private, "https://[2001:0:53aa:64c::]": private, "https://198.18.0.1": private,
		"https://both.example": private, "https://[::]": private,
		"http://public.example": "use https", "http://93.184.215.14": "use https", "http://127.0.0.1": "use https",
		"https://unknown.example": "does not resolve", "ftp://public.example": "must be a URL", "public.example/hook": "must be a URL", "": "must be a URL",
		"https://": "must be a URL", "https://user:pass@public.example": "must not contain a user name", "https://public.example/#x": "fragment",
		"https://public.example/" + strings.Repeat("x", 2000): "at most 2000",
	} {
		_, _, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: url})
		require.Equal(t, fault.Validation, fault.CodeOf(err), url)
		require.ErrorContains(t, err, want, url)
	}
	for _, url := range []string{"https://public.example/hook?x=1", "https://93.184.215.14:8443", "https://10.1.2.3", "http://10.1.2.3:8080/x", "https://[2606:2800:21f:cb07::1]"} {
		_, made := h.create(t, url)
		_, _, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: url})
		require.ErrorContains(t, err, "is the address of another webhook", url)
		_, err = h.Webhooks.Update(t.Context(), h.ws, made.ID, webhook.Change{URL: new("https://10.2.0.1")})
		require.ErrorContains(t, err, private)
	}
}

func TestAWorkspaceHasAFewWebhooksOfItsOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, quick)
		var group sync.WaitGroup
		errs := make(chan error, 20)
		for i := range 20 {
			group.Go(func() {
				_, _, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: "http://127.0.0.1/" + string(rune('a'+i))})
				errs <- err
			})
		}
		group.Wait()
		refused := 0
		for range 20 {
			if err := <-errs; err != nil {
				require.ErrorContains(t, err, "has 10 webhooks, the most")
				refused++
			}
		}
		require.Equal(t, 10, refused)
		all, err := h.Webhooks.List(t.Context(), h.ws)
		require.NoError(t, err)
		require.Len(t, all, webhook.PerWorkspaceMax)
		other := id.New[id.Workspace]()
		_, err = h.Webhooks.Get(t.Context(), other, all[0].ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		require.Equal(t, fault.NotFound, fault.CodeOf(h.Webhooks.Delete(t.Context(), other, all[0].ID)))
		require.NoError(t, h.Webhooks.Delete(t.Context(), h.ws, all[0].ID))
		_, _, err = h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.ws, URL: "http://127.0.0.1/", Types: []string{"export.finished"}})
		require.ErrorContains(t, err, "is not a type of events")
	})
}

// Each step on the database that publishing and delivering take fails once, as if the process died there: before it, or between a commit
// and its confirmation. Afterwards another process goes on. Each event must be in the log once and arrive at least once.
func TestEachEventArrivesWhateverStepFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		crash := errors.New("crash")
		for step, more := 1, true; more; step++ {
			h, r := open(t, d, quick), receive(t)
			_, made := h.create(t, r.URL)
			require.NoError(t, h.DB.Tx(t.Context(), func(tx *db.Tx) error {
				return event.Record(t.Context(), tx, h.ws, event.ExportCompleted, map[string]any{"n": step})
			}))
			var mu sync.Mutex
			taken := 0
			dying := d.Guarded(func(p db.GuardPoint) error {
				mu.Lock()
				defer mu.Unlock()
				if taken++; taken >= step {
					return crash
				}
				return nil
			})
			mortal := testkit.New(t, services.Parts{DB: dying, Webhooks: quick, Jobs: job.Options{Poll: time.Hour}})
			_ = mortal.Events.Publish(t.Context())
			dead, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			runner := job.NewRunner(mortal.Jobs, mortal.Webhooks.Handlers())
			_ = runner.Start(dead)
			require.Eventually(t, func() bool {
				mu.Lock()
				defer mu.Unlock()
				return taken >= step || len(r.got()) > 0
			}, 30*time.Second, time.Millisecond)
			_ = runner.Stop(dead)
			cancel()
			mu.Lock()
			more = taken >= step
			mu.Unlock()

			// The lease of the dead process runs out.
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE job SET lease_until = 0 WHERE state = 'running'`)
				return err
			}))
			require.NoError(t, h.Events.Publish(t.Context()))
			h.work(t)
			events, err := h.Events.Page(t.Context(), event.Filter{Workspace: h.ws, Types: []event.Type{event.ExportCompleted}}, id.Event{}, 10)
			require.NoError(t, err)
			require.Len(t, events, 1, "step %d", step)
			require.Contains(t, r.ids(), events[0].ID.String(), "step %d", step)
			require.Len(t, r.ids(), 1, "step %d", step)
			all := h.deliveries(t, made.ID)
			require.Len(t, all, 1, "step %d", step)
			require.Equal(t, webhook.Delivered, all[0].State, "step %d", step)
			require.Less(t, step, 200)
			if !more {
				require.Greater(t, step, 20, "publishing and delivering take more steps")
			}
		}
	})
}

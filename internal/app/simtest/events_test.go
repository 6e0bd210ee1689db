package simtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/testkit/customer"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/webhook"
)

// receiver is a real HTTP server that verifies requests by the Standard Webhooks specification.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	webhook  *standardwebhooks.Webhook
	received map[string]int // by webhook-id
	wrong    []string
	refuse   bool // every second request
	requests int
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{received: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err = errors.Join(err, r.webhook.Verify(body, q.Header)); err != nil {
			r.wrong = append(r.wrong, err.Error())
		}
		if r.requests++; r.refuse && r.requests%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.received[q.Header.Get("webhook-id")]++
	}))
	t.Cleanup(r.Close)
	return r
}

// eventful is a simulation of a workspace with a webhook: purchases, cancellations, failures, grants and tokens at random, and a process
// that crashes at any step.
type eventful struct {
	*simulation
	node     *node
	caller   auth.Caller
	hook     id.Webhook
	receiver *receiver
	last     id.Event          // that the follower of the log has seen
	seen     map[id.Event]bool // by the follower
	tokens   []id.Token
	crashes  int
}

func newEventful(t *testing.T, seed uint64, name string) *eventful {
	t.Helper()
	ctx, jobs := t.Context(), sequentialJobs()
	jobs.AttemptsMax = 20 // a delivery that kills its process again and again is given up at last, which is not what is tested
	s := &eventful{simulation: newSimulation(t, seed, 9, name, jobs), receiver: startReceiver(t), seen: map[id.Event]bool{}}
	s.node = s.boot(ctx)
	s.must((&customer.Catalog{Size: 60}).Import(ctx, s.node.Import), s.node)
	ws, err := s.node.CreateWorkspace(ctx, "Sim", 200)
	s.must(err, s.node)
	_, made, err := s.node.Tokens.Create(ctx, token.NewToken{Workspace: ws.ID, Name: "own", Scope: auth.ReadWrite})
	s.must(err, s.node)
	s.caller = auth.Caller{Token: made.ID, Workspace: ws.ID, Scope: auth.ReadWrite}
	s.must(s.node.Credits.SetLow(ctx, ws.ID, new(int64(190))), s.node)
	s.must(s.node.Events.Publish(ctx), s.node) // events before the webhook are not sent
	secret, hook, err := s.node.Webhooks.Create(ctx, webhook.Webhook{Workspace: ws.ID, URL: s.receiver.URL})
	s.must(err, s.node)
	s.receiver.webhook, err = standardwebhooks.NewWebhook(secret)
	s.must(err, s.node)
	s.hook = hook.ID
	return s
}

// work runs the jobs of exports and webhooks until none are left or the process crashes.
func (s *eventful) work(ctx context.Context) {
	handlers := s.node.Exports.Handlers()
	maps.Copy(handlers, s.node.Webhooks.Handlers())
	r := job.NewRunner(s.node.Jobs, handlers)
	if err := r.Start(ctx); err != nil {
		if !s.node.life.isOver() {
			s.must(err, s.node)
		}
		return
	}
	for !s.node.life.isOver() && s.unfinished(ctx) > 0 {
		s.node.Jobs.Notify()
		time.Sleep(time.Millisecond / 2)
	}
	ctx, cancel := context.WithCancel(ctx)
	if s.node.life.isOver() {
		cancel()
	}
	defer cancel()
	s.must(r.Stop(ctx), s.node)
}

// follow reads the log after the last event that was seen, as a program does.
func (s *eventful) follow(ctx context.Context) error {
	for {
		page, err := s.node.Events.Page(ctx, event.Filter{Workspace: s.caller.Workspace, Types: everyType()}, s.last, 7)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if s.seen[e.ID] {
				s.unexplained(fmt.Sprintf("the log returned event %s twice", e.ID))
			}
			s.seen[e.ID], s.last = true, e.ID
		}
	}
}

func everyType() (all []event.Type) {
	for _, e := range event.Catalogue() {
		all = append(all, e.Type)
	}
	return all
}

// act does one thing at random. What fails because the process has crashed is expected to.
func (s *eventful) act(ctx context.Context) {
	s.t.Helper()
	var what string
	var err error
	switch s.r.IntN(9) {
	case 0, 1, 2:
		what = "buy"
		low := int64(1 + s.r.IntN(60))
		r := employing(low, low+2)
		r.Name = "x"
		_, _, err = s.node.Exports.Create(ctx, s.caller, r)
	case 3:
		what = "cancel"
		var all []export.Export
		if all, _, err = s.node.Exports.List(ctx, s.caller, "", 3); err == nil && len(all) > 0 {
			_, err = s.node.Exports.Cancel(ctx, s.caller, all[s.r.IntN(len(all))].ID)
		}
	case 4:
		what = "work"
		s.breakStore([]int{0, 0, 100}[s.r.IntN(3)])
		s.receiver.mu.Lock()
		s.receiver.refuse = s.r.IntN(2) == 0
		s.receiver.mu.Unlock()
		s.work(ctx)
	case 5:
		what, err = "publish", s.node.Events.Publish(ctx)
	case 6:
		what, err = "follow", s.follow(ctx)
	case 7:
		what, err = "grant", s.node.Grant(ctx, s.caller.Workspace.String(), 1+s.r.IntN(5), "")
	default:
		what = "token"
		var made token.Token
		if len(s.tokens) > 0 && s.r.IntN(2) == 0 {
			err = s.node.Tokens.Revoke(ctx, s.tokens[s.r.IntN(len(s.tokens))])
		} else if _, made, err = s.node.Tokens.Create(ctx, token.NewToken{Workspace: s.caller.Workspace, Name: "sim", Scope: auth.Read}); err == nil {
			s.tokens = append(s.tokens, made.ID)
		}
	}
	s.logf("%s: %v", what, err)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind() != fault.KindInternal || s.node.life.isOver() {
		err = nil
	}
	s.must(err, s.node)
}

// restart starts the next process and checks everything.
func (s *eventful) restart(ctx context.Context) {
	s.t.Helper()
	s.crashes++
	s.logf("crash %d: %s", s.crashes, s.node.life.steps[len(s.node.life.steps)-1])
	s.node = s.boot(ctx)
	s.must(errors.Join(s.examine(ctx, s.node), s.reported(ctx)), s.node)
}

// reported compares the log with what has happened: the rows of exports, the ledger and the tokens.
func (s *eventful) reported(ctx context.Context) error {
	wrong, err := db.Collect(ctx, s.raw.Read(), db.Value[string], `
		WITH ended (type, status) AS (VALUES ('export.created', ''), ('export.completed', 'completed'), ('export.failed', 'failed'), ('export.cancelled', 'cancelled')),
		happened (type, n) AS (
			SELECT 'export.refunded', COUNT(*) FROM entry WHERE reason = 'export_refund'
			UNION ALL SELECT 'credits.granted', COUNT(*) FROM entry WHERE reason IN ('grant', 'purchase', 'adjustment')
			UNION ALL SELECT 'token.created', COUNT(*) FROM token
			UNION ALL SELECT 'token.revoked', COUNT(*) FROM token WHERE revoked_at IS NOT NULL)
		SELECT type || ' happened ' || n || ' times' FROM happened h WHERE n <> (SELECT COUNT(*) FROM event e WHERE e.type = h.type)
		UNION ALL
		SELECT 'export ' || x.id || ' has not one event ' || ended.type FROM export x JOIN ended ON ended.status IN (x.status, '')
		WHERE 1 <> (SELECT COUNT(*) FROM event e WHERE e.type = ended.type AND e.data LIKE '%"export_id":"' || x.id || '"%')
		UNION ALL
		SELECT 'invented: ' || e.id FROM event e JOIN ended ON ended.type = e.type
		WHERE NOT EXISTS (SELECT 1 FROM export x WHERE ended.status IN (x.status, '') AND e.data LIKE '%"export_id":"' || x.id || '"%')
		UNION ALL
		SELECT 'number ' || seq || ' is given ' || COUNT(*) || ' times' FROM event WHERE seq IS NOT NULL GROUP BY seq HAVING COUNT(*) > 1`)
	for _, w := range wrong {
		err = errors.Join(err, errors.New(w))
	}
	return err
}

// finish delivers what is left, and checks that the follower and the receiver have every event.
func (s *eventful) finish(ctx context.Context) (events, repeated int) {
	s.t.Helper()
	s.node.life.keepAlive()
	s.breakStore(0)
	s.receiver.refuse = false
	s.must(s.node.Events.Publish(ctx), s.node)
	s.work(ctx)
	s.must(s.node.Events.Publish(ctx), s.node) // what the jobs have reported
	s.work(ctx)
	s.must(errors.Join(s.examine(ctx, s.node), s.reported(ctx), s.follow(ctx)), s.node)
	logged, err := db.Collect(ctx, s.raw.Read(), func(row db.Row) (e event.Event, err error) {
		var at int64
		err = row.Scan(&e.ID, &at)
		e.CreatedAt = db.FromTime(at)
		return e, err
	}, `SELECT id, created_at FROM event ORDER BY seq`)
	s.must(err, s.node)
	sent, err := db.Collect(ctx, s.raw.Read(), db.Value[string], `SELECT event_id FROM webhook_delivery GROUP BY event_id HAVING COUNT(*) = 1`)
	s.must(err, s.node)
	delivered := map[string]bool{}
	for _, e := range sent {
		delivered[e] = true
	}
	for i, e := range logged {
		n := s.receiver.received[e.ID.String()]
		switch {
		case !s.seen[e.ID]:
			s.must(fmt.Errorf("the follower has missed event %s", e.ID), s.node)
		case i < eventsBefore && n > 0:
			s.must(fmt.Errorf("event %s of before the webhook was sent", e.ID), s.node)
		case i >= eventsBefore && (n == 0 || !delivered[e.ID.String()]):
			s.must(fmt.Errorf("event %s was received %d times", e.ID, n), s.node)
		case n > 1:
			repeated++
		}
		delete(s.receiver.received, e.ID.String())
	}
	if len(s.receiver.received) > 0 || len(s.receiver.wrong) > 0 {
		s.must(fmt.Errorf("received what is not in the log: %v, or not signed: %v", s.receiver.received, s.receiver.wrong), s.node)
	}
	s.close()
	return len(logged), repeated
}

// eventsBefore is the number of events before the webhook: those of the workspace's first credits and of its token.
const eventsBefore = 2

const crashesPerEventful = 12

func TestEachEventIsLoggedOnceAndArrivesAfterEveryCrash(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		crashes, events, repeated := 0, 0, 0
		for wanted := crashesWanted(1, 10); crashes < wanted; {
			s := newEventful(t, newSeed(), fresh(t))
			for s.crashes < crashesPerEventful {
				s.node.life.crashAfter(s.r.IntN(90))
				for !s.node.life.isOver() {
					s.act(t.Context())
				}
				s.restart(t.Context())
			}
			n, again := s.finish(t.Context())
			crashes, events, repeated = crashes+s.crashes, events+n, repeated+again
		}
		require.Greater(t, events, crashes)
		t.Logf("%d crashes, %d events, %d received more than once", crashes, events, repeated)
	})
}

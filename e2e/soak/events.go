package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is a server to which webhooks send events, each workspace's to a path of its own.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	webhooks map[string]*standardwebhooks.Webhook // by path
	received map[string]int                       // by path and webhook-id
	wrong    error                                // the first request that could not be verified
}

func startReceiver() *receiver {
	r := &receiver{webhooks: map[string]*standardwebhooks.Webhook{}, received: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		hook := r.webhooks[q.URL.Path]
		if err != nil || hook == nil { // the server was killed while it sent, or has not printed the secret yet
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err := hook.Verify(body, q.Header); err != nil && r.wrong == nil {
			r.wrong = fmt.Errorf("a webhook has sent what cannot be verified: %w", err)
		}
		r.received[q.URL.Path+" "+q.Header.Get("webhook-id")]++
	}))
	return r
}

// followed is a workspace whose events are sent to the receiver.
type followed struct {
	token, path string
	runs        []string // of its orders, with the type of each one's event
}

// follow creates a webhook for the events of exports and orders of a workspace.
func (l *load) follow(workspace, token string) error {
	f := followed{token: token, path: "/" + workspace}
	var made struct{ Secret string }
	err := l.service.json(&made, "webhook", "create", l.receiver.URL+f.path, "--workspace", workspace, "--types", "export.*,order.*", "--json")
	if err != nil {
		return err
	}
	hook, err := standardwebhooks.NewWebhook(made.Secret)
	if err != nil {
		return err
	}
	l.receiver.mu.Lock()
	defer l.receiver.mu.Unlock()
	l.receiver.webhooks[f.path] = hook
	l.followed = append(l.followed, f)
	return nil
}

// checkEvents compares the log of a workspace with its exports and runs, and waits until the receiver has every event of it. Nothing else is killed.
func (l *load) checkEvents(ctx context.Context, f followed) error {
	c := l.service.client(f.token)
	logged := map[string]int{} // by type and export
	ids := map[string]bool{}
	for e, err := range c.EventsAfter(ctx, []string{"export.*", "order.*"}, "") {
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if ids[e.ID] {
			return fmt.Errorf("the log returned event %s twice", e.ID)
		}
		ids[e.ID] = true
		var data struct {
			Export string `json:"export_id"`
			Run    string `json:"run_id"`
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return fmt.Errorf("read event %s: %w", e.ID, err)
		}
		switch {
		case data.Run != "":
			logged[e.Type+" "+data.Run]++
		case strings.HasPrefix(e.Type, "export.") && e.Type != "export.refunded":
			logged[e.Type+" "+data.Export]++
		}
	}
	want := map[string]int{}
	for _, run := range f.runs {
		want[run] = 1
	}
	for cursor := ""; ; {
		page, err := c.Exports(ctx, cursor, 100)
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			want["export.created "+e.ID], want["export."+string(e.Status)+" "+e.ID] = 1, 1
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	for what, n := range want {
		if logged[what] != n {
			return fmt.Errorf("%s is %d times in the log", what, logged[what])
		}
	}
	if len(logged) != len(want) {
		return fmt.Errorf("the log has %d events of exports and runs, and %d happened", len(logged), len(want))
	}
	for deadline := time.Now().Add(settleWait); ; {
		missing, err := l.receiver.missing(f.path, ids)
		if err != nil || len(missing) == 0 {
			l.actions["events"] += len(ids)
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d events have not arrived: %s", len(missing), len(ids), strings.Join(missing, ", "))
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// missing returns the events that have not arrived at the path. It is an error if another one has.
func (r *receiver) missing(path string, ids map[string]bool) (missing []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range ids {
		if r.received[path+" "+id] == 0 {
			missing = append(missing, id)
		}
	}
	for what := range r.received {
		if id, ok := strings.CutPrefix(what, path+" "); ok && !ids[id] {
			err = errors.Join(err, fmt.Errorf("event %s arrived, but is not in the log", id))
		}
	}
	return missing, errors.Join(r.wrong, err)
}

package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/testkit/customer"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/webhook"
)

// node is one simulated process: everything that capi serve runs, on a database handle guarded by its lifetime. Only the
// database and the files survive its crash.
type node struct {
	*app.App
	life     *lifetime
	follower *indexing.Follower
	handler  http.Handler
}

// newNode builds the same as app.Open and Serve, with the store and options of the simulation.
func newNode(d *db.DB, files *file.Store, dir string, l *lifetime, fault func() error, jobs job.Options, to *place, log *slog.Logger) (*node, error) {
	a := app.Build(config.Config{Storage: config.Storage{Data: dir}}, services.Parts{
		DB: d.Guarded(l.guard), Blobs: &store{Store: files, life: l, fault: fault}, Index: embedded.Open(embedded.Options{Answers: 32}), Log: log,
		Tokens: token.Options{UsePeriod: time.Hour}, Unlocks: unlock.Options{SnapshotEvery: 5}, Jobs: jobs,
		Exports: export.Options{ProgressEvery: time.Hour, PastKept: time.Nanosecond}, Key: bytes.Repeat([]byte("k"), 32),
		Webhooks: webhook.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Pauses: slices.Repeat([]time.Duration{time.Millisecond}, 20)},
		Destinations: destination.Options{Open: func(destination.Destination, destination.Secrets) (remote.Server, error) {
			return placeServer{to, l, fault}, nil
		}},
		Deliveries: delivery.Options{Pauses: []time.Duration{time.Millisecond, time.Millisecond}},
	})
	limits, err := ratelimit.Parse("off")
	if err != nil {
		return nil, err
	}
	n := &node{App: a, life: l}
	n.handler, err = api.New(api.Deps{
		Auth: a.Tokens, Credits: a.Credits, Lists: a.Lists, Exports: a.Exports, Idempotency: a.Idempotency, Orders: a.Orders, Deliveries: a.Deliveries,
		Search:     a.Search,
		RateLimits: limits, Log: log,
		Mounts: map[string]http.Handler{file.Path: files.Handler(httpx.ErrorWriter(log, nil))},
	})
	n.follower = indexing.NewFollower(indexing.FollowOptions{Catalog: a.Catalog, Index: a.Index, Poll: time.Millisecond})
	return n, err
}

// errCutOff is the error that a client gets when the server crashes.
var errCutOff = errors.New("connection reset by peer")

// answer passes a request to the handler and returns its response. delivered is whether a successful answer that was ready
// when the process crashed still reaches the client. unexplained is called for a 5xx response that neither a crash nor a
// client that hung up explains.
func (n *node) answer(r *http.Request, delivered bool, unexplained func(string)) (_ *http.Response, err error) {
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != nil { // http.ErrAbortHandler
			err = errCutOff
		}
	}()
	n.handler.ServeHTTP(w, r)
	switch {
	case n.life.isOver():
		if w.Code >= http.StatusMultipleChoices || !delivered {
			return nil, errCutOff
		}
	case hasHungUp(r.Context()):
		return nil, context.DeadlineExceeded
	case w.Code >= http.StatusInternalServerError:
		unexplained(fmt.Sprintf("%s %s: %d %s", r.Method, r.URL.Path, w.Code, w.Body))
	}
	return w.Result(), nil
}

// hasHungUp reports whether the client is gone. It also compares the deadline with the clock, since a connection may time
// out at the deadline just before the context does.
func hasHungUp(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// maintain runs the periodic maintenance of a server.
func (n *node) maintain(ctx context.Context) error {
	return errors.Join(
		n.Exports.Prune(ctx), n.Exports.PruneQuotes(ctx), n.Idempotency.Prune(ctx), n.Tokens.Start(ctx), n.Tokens.Stop(ctx))
}

// node is a customer.Operator. The other commands of capi run as separate processes, but crash in the same way.

func (n *node) Grant(ctx context.Context, ws string, credits int, note string) error {
	to, err := id.Parse[id.Workspace](ws)
	if err != nil {
		return err
	}
	return n.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := n.Credits.Grant(ctx, tx, to, credit.Grant{Amount: int64(credits), Note: note, Actor: "cli"})
		return err
	})
}

func (n *node) Import(ctx context.Context, ndjson string) error {
	_, err := importer.Import(ctx, importer.Options{
		Catalog: n.Catalog, Files: []string{"-"}, Stdin: strings.NewReader(ndjson), Workers: 1,
	})
	if err != nil {
		return err
	}
	return n.follower.Build(ctx)
}

func (n *node) Undo(ctx context.Context) error {
	all, err := n.Catalog.Imports(ctx, 0, 1)
	if err != nil {
		return err
	}
	_, err = importer.Undo(ctx, importer.UndoOptions{
		Catalog: n.Catalog, Workspaces: n.Workspaces, Unlocks: n.Unlocks, Lists: n.Lists,
	}, all[0].Number)
	if err != nil {
		return err
	}
	return n.follower.Build(ctx)
}

func (n *node) NewToken(ctx context.Context, ws string, budget *int, member bool) (customer.Token, error) {
	to, err := id.Parse[id.Workspace](ws)
	if err != nil {
		return customer.Token{}, err
	}
	settings := token.NewToken{Workspace: to, Name: "sim", Scope: auth.ReadWrite}
	if budget != nil {
		credits := int64(*budget)
		settings.Budget.Total = &credits
	}
	if member {
		members, err := n.Workspaces.Members(ctx, to)
		if err != nil {
			return customer.Token{}, err
		}
		settings.Creator = members[0].Person
	}
	secret, t, err := n.Tokens.Create(ctx, settings)
	return customer.Token{ID: t.ID.String(), Secret: secret, Budget: budget, Member: member}, err
}

func (n *node) Revoke(ctx context.Context, t customer.Token) error {
	token, err := id.Parse[id.Token](t.ID)
	if err != nil {
		return err
	}
	return n.Tokens.Revoke(ctx, token)
}

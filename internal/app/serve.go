package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/console"
	"github.com/opencapi/capi/internal/diskspace"
	"github.com/opencapi/capi/internal/docsite"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/reconcile"
	"github.com/opencapi/capi/internal/token"
)

const (
	readHeaderTimeout     = 10 * time.Second
	readTimeout           = time.Minute
	writeTimeout          = 10 * time.Minute // how long a slow client may take to download a file
	idleTimeout           = 2 * time.Minute
	recordPruneEvery      = time.Minute
	quotePruneEvery       = time.Minute
	filePruneEvery        = 10 * time.Minute
	idempotencyPruneEvery = time.Hour
	jobPruneEvery         = time.Hour
	sessionPruneEvery     = time.Hour
	matchPruneEvery       = time.Hour
	requestPruneEvery     = time.Minute
	limitPruneEvery       = time.Minute
	uploadPruneEvery      = time.Hour
	eventPruneEvery       = time.Hour
	eventPublishEvery     = time.Second
	orderEvery            = time.Second
	orderPruneEvery       = time.Hour
)

// part is something that runs while the server does. Both functions are safe to call twice.
type part struct {
	name        string
	start, stop func(ctx context.Context) error
}

// Serve answers requests on the listener until ctx is cancelled, then gives running requests and jobs at most the drain
// timeout to finish. It starts answering once the index contains the whole catalog. It closes the listener. On SQLite a
// data directory has at most one server; Serve returns an error if another one is running.
func (a *App) Serve(ctx context.Context, listener net.Listener) (err error) {
	defer listener.Close()
	if a.Config.Postgres() == "" {
		lock, err := lockData(a.Config.Data)
		if err != nil {
			return err
		}
		defer lock.Close()
		if a.examine != nil {
			if err := a.afterKill(ctx); err != nil || ctx.Err() != nil {
				return err
			}
		}
		if err := a.storeKeys(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		if files, ok := a.Blobs.(blob.Cleaner); ok {
			if err := files.ClearUnfinished(); err != nil { // left by a server that was killed
				return err
			}
		}
	}
	leading, lead := a.leading()
	follower := indexing.NewFollower(indexing.FollowOptions{Catalog: a.Catalog, Index: a.Index, Log: a.Log, Lead: lead})
	metrics := a.newRegistry(follower, lead)
	handler, err := a.handler(ctx, a.publicURL(listener.Addr()), follower, metrics)
	if err != nil {
		return err
	}
	parts := append(append(leading, a.parts(follower, a.publicURL(listener.Addr()))...), a.metricsPart(metricsHandler(metrics, a.Log))...)
	defer func() { err = errors.Join(err, a.stop(parts)) }()
	for _, p := range parts {
		if err := p.start(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // stopped before the start was complete
			}
			return fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	return a.answer(ctx, listener, handler)
}

// afterKill checks the database. A log that is left beside another database file, such as a backup that was copied by hand, damages it
// when it is applied, and purchases from it would fail only after they are charged.
func (a *App) afterKill(ctx context.Context) error {
	began := time.Now()
	err := a.examine(ctx)
	if ctx.Err() != nil {
		return nil // stopped before the start was complete
	}
	if err != nil {
		return fmt.Errorf("%w; nothing was changed: put a backup back with capi restore, which keeps the damaged files aside", err)
	}
	a.Log.InfoContext(ctx, "the database was not closed: it was checked and is intact", "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// storeKeys stores the keys of companies that an import has left without, because it was killed or goes on at the moment.
func (a *App) storeKeys(ctx context.Context) error {
	began := time.Now()
	stored, err := a.Catalog.StoreKeys(ctx, true)
	if ctx.Err() != nil {
		return nil // stopped before the start was complete
	}
	if stored > 0 {
		a.Log.InfoContext(ctx, "the keys of companies that an import left without were stored", "companies", stored, "took", time.Since(began).Round(time.Millisecond))
	}
	return err
}

// parts returns the parts in the order in which they start. They stop in reverse order.
func (a *App) parts(follower *indexing.Follower, publicURL string) []part {
	runner := job.NewRunner(a.Jobs, a.Exports.Handlers())
	records := &pruner{what: "past records", every: recordPruneEvery, prune: a.Exports.Prune, log: a.Log}
	files := &pruner{what: "files", every: filePruneEvery, prune: a.Exports.PruneFiles, log: a.Log}
	quotes := &pruner{what: "quotes", every: quotePruneEvery, prune: a.Exports.PruneQuotes, log: a.Log}
	answers := &pruner{what: "kept answers", every: idempotencyPruneEvery, prune: a.Idempotency.Prune, log: a.Log}
	sessions := &pruner{what: "sessions and invitations", every: sessionPruneEvery, prune: a.pruneSessions, log: a.Log}
	jobs := &pruner{what: "finished jobs", every: jobPruneEvery, prune: a.Jobs.Prune, log: a.Log}
	requests := &pruner{what: "requests", every: requestPruneEvery, prune: a.Requests.Prune, log: a.Log}
	limits := &pruner{what: "rate limits", every: limitPruneEvery, prune: a.limiter.Prune, log: a.Log}
	matches := &pruner{what: "matches and deleted lists", every: matchPruneEvery, prune: a.pruneMatches, log: a.Log}
	events := &pruner{what: "events", every: eventPruneEvery, prune: a.Events.Prune, log: a.Log}
	publisher := &pruner{what: "new events", every: eventPublishEvery, prune: a.Events.Publish, log: a.Log}
	deliveries := &pruner{what: "deliveries of webhooks", every: eventPruneEvery, prune: a.Webhooks.Prune, log: a.Log}
	orders := &pruner{what: "standing orders", every: orderEvery, prune: a.Orders.RunDue, log: a.Log}
	runs := &pruner{what: "runs of orders", every: orderPruneEvery, prune: a.Orders.Prune, log: a.Log}
	diagnostics := doctor.NewServer(doctor.ServerOptions{
		Servers: serversDir(a.Config.Data), Catalog: a.Catalog, Index: a.Index, Log: a.Log,
	})
	answering := append([]part{a.following(follower)}, a.sharing()...)
	answering = append(answering, []part{
		{"diagnostics", diagnostics.Start, diagnostics.Stop},
		{"tokens", a.Tokens.Start, a.Tokens.Stop},
		{"request log", a.Requests.Start, a.Requests.Stop},
		{"uploads", a.Uploads.Start, a.Uploads.Close},
		{"standing orders", orders.Start, orders.Stop}, // here, because they need the index
	}...)
	working := append([]part{
		{"jobs", runner.Start, runner.Stop},
		a.mailing(publicURL),
		a.webhooks(),
		a.deliveries(),
		{"pruning of past records", records.Start, records.Stop},
		{"pruning of files", files.Start, files.Stop},
		{"pruning of quotes", quotes.Start, quotes.Stop},
		{"pruning of kept answers", answers.Start, answers.Stop},
		{"pruning of jobs", jobs.Start, jobs.Stop},
		{"pruning of sessions", sessions.Start, sessions.Stop},
		{"pruning of matches", matches.Start, matches.Stop},
		{"pruning of requests", requests.Start, requests.Stop},
		{"pruning of rate limits", limits.Start, limits.Stop},
		{"pruning of events", events.Start, events.Stop},
		{"pruning of deliveries", deliveries.Start, deliveries.Stop},
		{"pruning of runs of orders", runs.Start, runs.Stop},
		{"publishing of events", publisher.Start, publisher.Stop},
	}, a.filePruning()...)
	switch a.Config.Role {
	case config.RoleAPI:
		return answering
	case config.RoleWorker:
		return working
	}
	return append(answering, working...)
}

// filePruning returns the part that deletes what crashed writers have left in a store on another machine.
func (a *App) filePruning() []part {
	files, ok := a.Blobs.(blob.Remote)
	if !ok {
		return nil
	}
	unfinished := &pruner{what: "unfinished files", every: uploadPruneEvery, prune: files.Prune, log: a.Log}
	return []part{{"pruning of unfinished files", unfinished.Start, unfinished.Stop}}
}

// mailing returns the part that sends emails. It has workers of its own, so that a mail server that does not answer delays no export.
func (a *App) mailing(publicURL string) part {
	if !a.Notifier.Enabled() {
		nothing := func(context.Context) error { return nil }
		return part{"emails", nothing, nothing}
	}
	runner := job.NewRunner(a.Jobs, a.Notifier.Handlers(mailLinks(publicURL)))
	return part{"emails", runner.Start, runner.Stop}
}

// webhookWorkers is how many receivers of webhooks may be slow at once.
const webhookWorkers = 8

// webhooks returns the part that sends events to webhooks. It has workers of its own, so that a slow receiver delays no export.
func (a *App) webhooks() part {
	runner := job.NewRunner(a.Jobs, a.Webhooks.Handlers())
	runner.SetWorkers(webhookWorkers)
	return part{"webhooks", runner.Start, runner.Stop}
}

// deliveryWorkers is how many destinations may be slow at once.
const deliveryWorkers = 4

// deliveries returns the part that brings exports to their destinations. It has workers of its own, so that a slow destination delays no
// export.
func (a *App) deliveries() part {
	runner := job.NewRunner(a.Jobs, a.Deliveries.Handlers())
	runner.SetWorkers(deliveryWorkers)
	return part{"deliveries", runner.Start, runner.Stop}
}

// following returns the part that fills the index before anything else starts, and then keeps it up to date.
func (a *App) following(f *indexing.Follower) part {
	var lock *filelock.Lock
	start := func(ctx context.Context) (err error) {
		began := time.Now()
		if lock, err = a.attachIndex(ctx); err != nil {
			return err
		}
		if err := f.Build(ctx); err != nil {
			return err
		}
		a.Log.InfoContext(ctx, "index built", "companies", a.Index.Len(), "took", time.Since(began).Round(time.Millisecond))
		if a.Index.Len() == 0 {
			a.Log.InfoContext(ctx, "the catalog is empty", "fill_with", "capi import FILE")
		}
		f.Start(context.WithoutCancel(ctx))
		return nil
	}
	stop := func(context.Context) error {
		f.Stop()
		return errors.Join(a.Index.Close(), lock.Close())
	}
	return part{"index", start, stop}
}

func (a *App) stop(parts []part) error {
	ctx, cancel := context.WithTimeout(context.Background(), a.Config.DrainTimeout)
	defer cancel()
	var errs []error
	for i := len(parts) - 1; i >= 0; i-- {
		if err := parts[i].stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", parts[i].name, err))
		}
	}
	return errors.Join(errs...)
}

// workerHandler answers only questions about the state of this server.
func (a *App) workerHandler(metrics *prometheus.Registry) http.Handler {
	fail := httpx.ErrorWriter(a.Log, a.DB.Explain)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, fault.New(fault.NotFound, "This server only writes files and sends emails (--role worker). Send requests to another one."))
	})
	mux.HandleFunc("GET /healthz", httpx.Healthy)
	mux.Handle("GET /readyz", readiness{a, func() time.Duration { return 0 }, diskspace.Of})
	if a.Config.MetricsAddr == "" {
		mux.Handle("GET "+metricsPath, metricsHandler(metrics, a.Log))
	}
	return mux
}

func (a *App) handler(
	ctx context.Context, publicURL string, follower *indexing.Follower, metrics *prometheus.Registry,
) (http.Handler, error) {
	if a.Config.Role == config.RoleWorker {
		return a.workerHandler(metrics), nil
	}
	limits, err := ratelimit.Parse(a.Config.RateLimits)
	if err != nil {
		return nil, fmt.Errorf("rate limits: %w", err)
	}
	pages, err := a.console(ctx, publicURL, func(t token.Token) []console.RateLimit { return a.rateLimitsLeft(limits, t) })
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	fail := httpx.ErrorWriter(a.Log, a.DB.Explain)
	mounts := docsite.Mounts(docsite.Deps{OpenAPI: api.OpenAPI, Status: httpx.Status, PublicURL: publicURL})
	if files, ok := a.Blobs.(blob.Server); ok {
		mounts[files.LinkPattern()] = files.Handler(fail)
	}
	mounts[console.Path], mounts["GET /{$}"] = pages, console.Front(fail)
	mounts["GET /favicon.ico"], mounts["GET /robots.txt"] = console.Icon(), console.Robots()
	service := reconcile.New(reconcile.Deps{
		Auth: a.Tokens, Search: a.Search, Requests: a.Requests, Limiter: a.limiter, RateLimits: limits, PublicURL: publicURL,
		CompanyPath: console.CompanyPath, DocsPath: docsite.Path + "/openrefine", Explain: a.DB.Explain, Log: a.Log,
	})
	mounts[reconcile.Path], mounts[reconcile.Path+"/"] = service, service
	mounts["GET /readyz"] = readiness{a, follower.Lag, diskspace.Of}
	if a.Config.MetricsAddr == "" {
		mounts["GET "+metricsPath] = metricsHandler(metrics, a.Log)
	}
	return api.New(api.Deps{
		Auth: a.Tokens, Credits: a.Credits, Lists: a.Lists, Exports: a.Exports, Idempotency: a.Idempotency, Search: a.Search, Audit: a.Audit, Events: a.Events, Webhooks: a.Webhooks, Destinations: a.Destinations, Deliveries: a.Deliveries, Orders: a.Orders, Presets: a.Presets, Signing: a.Signing,
		Requests: a.Requests, Limiter: a.limiter, RateLimits: limits, MountLimits: reconcile.Limits(), PublicURL: publicURL,
		Explain: a.DB.Explain, Log: a.Log, Stopping: ctx.Done(), Mounts: mounts, Traffic: middleware.NewTraffic(metrics),
	})
}

// rateLimitsLeft returns what the token may still request of each operation that its scope allows.
func (a *App) rateLimitsLeft(limits ratelimit.Overrides, t token.Token) (all []console.RateLimit) {
	if t.Scope != auth.Reconcile {
		for _, r := range api.RemainingOf(a.limiter, limits, t.ID) {
			all = append(all, console.RateLimit(r))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(reconcile.Limits())) {
		if limit := limits.For(name, reconcile.Limits()[name]); !limit.IsOff() {
			all = append(all, console.RateLimit{Name: name, Limit: limit, Left: a.limiter.Left(reconcile.Bucket(t.ID, name), limit)})
		}
	}
	return all
}

// answer serves requests until ctx is cancelled, then waits for running requests to finish.
func (a *App) answer(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: a.untilStopped(handler), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		DisableGeneralOptionsHandler: true, // so that OPTIONS * gets the same error body as every other refusal
		IdleTimeout:                  idleTimeout, ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	a.Log.InfoContext(ctx, "serving", "url", "http://"+reachable(listener.Addr()),
		"documentation", "http://"+reachable(listener.Addr())+docsite.Path, "companies", a.Index.Len())
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.Log.InfoContext(ctx, "stopping")
	a.stopping.Store(true)
	select {
	case <-time.After(a.Config.ShutdownDelay):
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	}
	drain, cancel := context.WithTimeout(context.Background(), a.Config.DrainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		a.Log.WarnContext(ctx, "requests did not finish in time; closing their connections", "error", err)
		return server.Close()
	}
	return nil
}

// untilStopped closes connections after their next answer once the server is stopping, so that none is reused when it stops.
func (a *App) untilStopped(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}

// reachable returns the address with localhost in place of an unspecified IP, so that a browser on this machine can open it.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return fmt.Sprintf("localhost:%d", tcp.Port)
}

// pruneMatches prunes what matching lists of callers and domains for lists gave, and the counts of what was shown.
func (a *App) pruneMatches(ctx context.Context) error {
	return errors.Join(a.Lists.Prune(ctx), a.Matches.Prune(ctx), a.Wall.Prune(ctx))
}

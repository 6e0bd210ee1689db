package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/indexing"
)

// ServerOptions are what a Server answers from.
type ServerOptions struct {
	Servers string // the directory in which it registers itself
	Catalog *catalog.Store
	Index   index.Index
	Log     *slog.Logger
}

// Server lets the doctor of another process, as in capi doctor, audit the index of this one. It listens at a Unix socket
// that only the owner of the data directory can reach, for as long as it runs.
type Server struct {
	options  ServerOptions
	registry registry

	mu         sync.Mutex
	registered *registration // nil while stopped
	cancel     context.CancelFunc
	http       *http.Server
	group      sync.WaitGroup
	auditing   chan struct{} // holds a token while an audit runs; others wait
}

const (
	auditPath         = "/audit/index"
	readHeaderTimeout = 10 * time.Second
)

// NewServer returns a stopped Server.
func NewServer(o ServerOptions) *Server {
	return &Server{options: o, registry: registry(o.Servers), auditing: make(chan struct{}, 1)}
}

// Start begins to listen; a second call does nothing. The program serves as well without it, so an error is only logged.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registered != nil {
		return nil
	}
	if err := s.open(ctx); err != nil {
		s.options.Log.WarnContext(ctx, "capi doctor will not find this server", "error", err)
	}
	return nil
}

func (s *Server) open(ctx context.Context) error {
	if err := s.registry.clear(); err != nil {
		return err
	}
	registered, err := s.registry.register()
	if err != nil {
		return err
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+auditPath, func(w http.ResponseWriter, r *http.Request) { s.auditIndex(r.Context(), w) })
	s.registered = registered
	s.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: readHeaderTimeout,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	s.group.Go(func() { s.http.Serve(registered) }) //nolint:errcheck // it ends with Shutdown
	return nil
}

// Stop ends the server and cuts off an audit that is running. A second call does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registered == nil {
		return nil
	}
	s.cancel()
	err := s.http.Shutdown(ctx)
	s.group.Wait()
	err = errors.Join(err, s.registered.unregister())
	s.registered = nil
	return err
}

// line is one line of an answer, with one of its fields. An answer without an end was cut off.
type line struct {
	Done    int            `json:"done,omitempty"`
	Total   int            `json:"total,omitempty"`
	Finding *audit.Finding `json:"finding,omitempty"`
	Error   string         `json:"error,omitempty"`
	End     bool           `json:"end,omitempty"`
}

func (s *Server) auditIndex(ctx context.Context, w http.ResponseWriter) {
	select {
	case s.auditing <- struct{}{}:
		defer func() { <-s.auditing }()
	case <-ctx.Done():
		return
	}
	out := json.NewEncoder(w)
	send := func(l line) { // a client that has gone has ended the context
		out.Encode(l) //nolint:errcheck // see above
		http.NewResponseController(w).Flush()
	}
	found, err := indexing.AuditIndex(ctx, indexing.AuditOptions{
		Catalog: s.options.Catalog, Index: s.options.Index,
		Progress: func(done, total int) { send(line{Done: done, Total: total}) },
	})
	switch {
	case ctx.Err() != nil:
		return // the server stops, which an answer without an end says
	case err != nil:
		send(line{Error: err.Error()})
		return
	}
	for _, f := range found {
		send(line{Finding: &f})
	}
	send(line{End: true})
}

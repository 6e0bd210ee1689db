// Package apptest starts the whole program in the test's process, on a free port and with its own data directory.
// It uses no fakes: the database, index and files are the real ones.
package apptest

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/token"
)

// Options are the settings of a test server. The zero value is valid.
type Options struct {
	Config    func(*config.Config) // changes the configuration before the start
	Companies string               // NDJSON to import before the start
	Credits   int64                // initial credits of the workspace
}

// Server is a running program with a workspace and a token with read and write scope.
type Server struct {
	*app.App
	URL       string
	Workspace id.Workspace
	Token     string

	stop   context.CancelFunc
	served chan error
}

// Start starts the program, which stops gracefully at the end of the test. Rate limits are off.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	c := config.Config{
		Storage: config.Storage{Data: t.TempDir(), DB: "sqlite"},
		Server:  config.Server{Addr: "127.0.0.1:0", RateLimits: "off", Workers: 2, DrainTimeout: 10 * time.Second},
	}
	if o.Config != nil {
		o.Config(&c)
	}
	a, err := app.Open(t.Context(), c, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	s := &Server{App: a, served: make(chan error, 1)}
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	s.fill(t, o)
	listener, err := net.Listen("tcp", c.Addr)
	require.NoError(t, err)
	s.URL = "http://" + listener.Addr().String()
	// Not the test's context, which is cancelled before the cleanup functions run.
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.served <- a.Serve(ctx, listener) }()
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func (s *Server) fill(t testing.TB, o Options) {
	t.Helper()
	w, err := s.CreateWorkspace(t.Context(), "Test", o.Credits)
	require.NoError(t, err)
	s.Workspace = w.ID
	s.Token, _, err = s.Tokens.Create(t.Context(), token.NewToken{Workspace: w.ID, Name: "test", Scope: auth.ReadWrite})
	require.NoError(t, err)
	if o.Companies != "" {
		_, err := importer.Import(t.Context(), importer.Options{
			Catalog: s.Catalog, Files: []string{"-"}, Stdin: strings.NewReader(o.Companies),
		})
		require.NoError(t, err)
	}
}

// Client returns an API client with the token of the server.
func (s *Server) Client() *client.Client { return client.New(s.URL, s.Token, client.Options{}) }

// Stop stops the server as a signal would and returns the error of Serve. A second call returns nil.
func (s *Server) Stop() error {
	s.stop()
	err := <-s.served
	s.served <- nil
	return err
}

// Package apptest boots the whole program in the test's process, on a free port and a directory of its own.
// It replaces nothing: books, index and files are the real ones.
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

// Options are what a test can choose; the zero Options are good.
type Options struct {
	Config    func(*config.Config) // changes the settings before the start
	Companies string               // NDJSON that is imported before the start
	Credits   int64                // of the workspace
}

// Server is a running program with a workspace and a token that may do everything.
type Server struct {
	*app.App
	URL       string
	Workspace id.Workspace
	Token     string

	stop   context.CancelFunc
	served chan error
}

// Start boots the program; it is stopped, in order, with the test. Rate limits are off.
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
	// Not the test's context, which ends before its clean-up does.
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

// Client speaks to the server with its token.
func (s *Server) Client() *client.Client { return client.New(s.URL, s.Token, client.Options{}) }

// Stop ends the serving as a signal would and gives what Serve returned; a second call gives nil.
func (s *Server) Stop() error {
	s.stop()
	err := <-s.served
	s.served <- nil
	return err
}

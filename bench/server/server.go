// Package server runs the whole program as a contender: the built binary serves, and the Go client calls it.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/opencapi/capi/client"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/workload"
)

// Options of the server and its client.
type Options struct {
	Program string // path of the built program
	Gzip    bool   // whether the client asks for compressed answers
	// Unconnected leaves out the connections, which take most of the import's time.
	Unconnected bool

	DB       string   // URL of a PostgreSQL database; empty for SQLite
	Settings []string // environment of the server

	Log io.Writer // gets everything that the server logs; nil for its warnings on standard error
}

// Kind is the serving program.
func Kind(o Options) contender.Kind {
	store := "server"
	if o.Unconnected {
		store = "server-unconnected"
	}
	return contender.Kind{
		Name: "HTTP", About: "capi serve on SQLite", Store: store, Load: o.load, Skip: o.skip,
		Open: func(ctx context.Context, _ *workload.Workload, dir string) (contender.Contender, error) {
			return start(ctx, o, dir)
		},
	}
}

// skip reports whether the API has no request for the operation: it quotes a selection, but lists it only in a file. Without
// connections, Q8 cannot be searched.
func (o Options) skip(op workload.Op) bool {
	return op.Kind == workload.Select && !op.ByRelevance() || o.Unconnected && len(op.Filters.Connections) > 0
}

func (o Options) logLevel() string {
	if o.Log != nil {
		return "info"
	}
	return "warn"
}

// readyWithin is the longest time a server may take to build its index before it serves.
const readyWithin = 30 * time.Minute

// server is a running program.
type server struct {
	command *exec.Cmd
	ended   chan error
	url     string
	token   string
	client  *client.Client
	watch   *watch

	firstAnswer time.Duration
	readyAfter  time.Duration // only with PostgreSQL
}

func start(ctx context.Context, o Options, dir string) (*server, error) {
	token, err := os.ReadFile(filepath.Join(dir, tokenFile))
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	s := &server{watch: newWatch(o.Gzip), ended: make(chan error, 1), url: "http://" + addr, token: string(token)}
	s.client = client.New(s.url, s.token, client.Options{HTTP: &http.Client{Transport: s.watch}})
	s.command = exec.Command(o.Program, "serve", "--data", dir, "--addr", addr, "--rate-limits", "off", "--log-level", o.logLevel())
	s.command.Env = append(os.Environ(), o.Settings...)
	if o.DB != "" {
		s.command.Env = append(s.command.Env, "CAPI_DB="+o.DB)
	}
	s.command.Stderr = os.Stderr
	if o.Log != nil {
		s.command.Stderr = o.Log
	}
	began := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Program, err)
	}
	go func() { s.ended <- s.command.Wait() }()
	if o.DB != "" {
		if err := s.await(ctx, s.saysReady); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.readyAfter = time.Since(began)
	}
	if err := s.await(ctx, s.answers); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.firstAnswer = time.Since(began)
	fmt.Fprintf(os.Stderr, "server's first answer to a search %s after its start\n", s.firstAnswer.Round(time.Millisecond))
	return s, nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// answers asks for a search of everything, with facets.
func (s *server) answers(ctx context.Context) error {
	_, err := s.client.Search(ctx, client.SearchRequest{Limit: workload.Page, Facets: facetNames()})
	return err
}

// saysReady asks the server whether it is ready.
func (s *server) saysReady(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(r)
	if err == nil && a.StatusCode != http.StatusOK {
		err = errors.New(a.Status)
	}
	if a != nil {
		a.Body.Close()
	}
	return err
}

// await asks until there is no error, or the server has ended.
func (s *server) await(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case ended := <-s.ended:
			s.ended <- ended
			return fmt.Errorf("the server ended before it answered: %w", ended)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Close stops the server with the signal that operators use.
func (s *server) Close() error {
	_ = s.command.Process.Signal(syscall.SIGTERM) // it may have ended already
	return <-s.ended
}

// PID returns the server's process id.
func (s *server) PID() int { return s.command.Process.Pid }

// Took returns the duration of the last request, from its first byte to the last byte of the answer. The client's decoding
// is not included.
func (s *server) Took() time.Duration { return s.watch.took }

// DataTook returns the share of the server's index and catalog. Searches report it, quotes do not.
func (s *server) DataTook() (took time.Duration, known bool) {
	return s.watch.dataTook, s.watch.dataTook > 0
}

// FirstAnswer returns the time from the server's start to its first answer to a search.
func (s *server) FirstAnswer() time.Duration { return s.firstAnswer }

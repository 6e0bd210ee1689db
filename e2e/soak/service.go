package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/testkit/customer"
)

// service is the nodes that serve one catalog, and the commands that are run next to them.
type service struct {
	binary, dir string
	environment []string // of every process
	nodes       []*node
	database    *postgres // nil on SQLite
	http        *http.Client
	files       string        // host and port of the links to files; empty if the nodes serve them
	gaps        *gaps         // of the answers to do
	importPause time.Duration // after each import
	wrong       func(error)   // gets each answer that no server may give

	mu       sync.Mutex
	commands map[*exec.Cmd]bool // the running ones
}

// newService returns a service with n nodes that share a data directory. dir also gets the logs.
func newService(binary, dir string, n int) *service {
	s := &service{
		binary: binary, dir: dir, commands: map[*exec.Cmd]bool{}, gaps: newGaps(),
		environment: append(os.Environ(), "CAPI_RATE_LIMITS=off", "CAPI_WEBHOOK_ALLOW=127.0.0.0/8", "CAPI_DATA="+filepath.Join(dir, "data")),
		http:        &http.Client{Timeout: answerWait, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	for i := range n {
		s.nodes = append(s.nodes, &node{service: s, name: fmt.Sprint("node-", i+1)})
	}
	return s
}

// answerWait is how long a client waits for an answer.
const answerWait = 30 * time.Second

func (s *service) use(p *postgres) {
	s.database = p
	s.environment = append(s.environment, "CAPI_DB="+p.url())
}

// command returns a command with more settings than those of every process.
func (s *service) command(settings []string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, args...)
	cmd.Env = append(append([]string{}, s.environment...), settings...)
	cmd.Dir = s.dir // so that a developer's capi.toml is not read
	return cmd
}

// run runs a command until it ends or is killed, and returns its standard output.
func (s *service) run(stdin string, args ...string) ([]byte, error) {
	return s.runWith(nil, stdin, args...)
}

func (s *service) runWith(settings []string, stdin string, args ...string) ([]byte, error) {
	cmd := s.command(settings, args...)
	var out, failure bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &failure
	s.mu.Lock()
	err := cmd.Start()
	s.commands[cmd] = err == nil
	s.mu.Unlock()
	if err == nil {
		err = cmd.Wait()
	}
	s.mu.Lock()
	delete(s.commands, cmd)
	s.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("capi %s: %w: %s%s", strings.Join(args, " "), err, out.Bytes(), failure.Bytes())
	}
	return out.Bytes(), err
}

func (s *service) json(v any, args ...string) error {
	out, err := s.run("", args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}

// raise starts the nodes that do not run.
func (s *service) raise(ctx context.Context) error {
	for _, n := range s.nodes {
		if n.running() == nil {
			if err := n.start(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// killCommand kills a running command other than a server, and reports whether there was one.
func (s *service) killCommand() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for cmd := range s.commands {
		return cmd.Process.Kill() == nil
	}
	return false
}

// stopAll stops the nodes with SIGTERM.
func (s *service) stopAll() error {
	for _, n := range s.nodes {
		if err := n.stop(); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) killAll() {
	for _, n := range s.nodes {
		n.kill()
	}
}

// do sends a client's request to a random node that is ready, as a proxy in front of them does, and to any other if none is. A link to a
// file in a bucket is left as it is.
func (s *service) do(r *http.Request) (*http.Response, error) {
	if s.files != "" && r.URL.Host == s.files {
		return s.sent(r, "downloads")
	}
	var ready, up []string
	for _, n := range s.nodes {
		if v := n.running(); v != nil {
			up = append(up, v.url)
			if n.ready.Load() {
				ready = append(ready, v.url)
			}
		}
	}
	if len(ready) == 0 {
		ready = up
	}
	if len(ready) == 0 {
		time.Sleep(10 * time.Millisecond)
		return nil, errors.New("no server is running")
	}
	r.URL.Host, r.Host = strings.TrimPrefix(ready[rand.IntN(len(ready))], "http://"), ""
	kinds := []string{"answers"}
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/exports"):
		kinds = append(kinds, "purchases")
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/companies/search"):
		kinds = append(kinds, "searches")
	}
	a, err := s.sent(r, kinds...)
	if err == nil && a.StatusCode >= http.StatusInternalServerError && (a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "") {
		s.wrong(fmt.Errorf("the answer to %s %s is %s, Retry-After %q", r.Method, r.URL.Path, a.Status, a.Header.Get("Retry-After")))
	}
	return a, err
}

func (s *service) sent(r *http.Request, kinds ...string) (*http.Response, error) {
	a, err := s.http.Do(r)
	if err == nil && a.StatusCode < http.StatusInternalServerError {
		s.gaps.answered(kinds...)
	}
	return a, err
}

// RoundTrip makes the service the transport of a client.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	return s.do(r.Clone(r.Context()))
}

// doctor returns an error if capi doctor, run with more settings than those of every process, finds anything.
func (s *service) doctor(settings ...string) error {
	_, err := s.runWith(settings, "", "doctor", "--json")
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	return nil
}

// findings returns an error if capi doctor finds anything. It may fail, and it may say that a check cannot be completed, because the
// database or the store is away.
func (s *service) findings() error {
	out, err := s.run("", "doctor", "--json")
	var examined struct{ Findings []struct{ Subject string } }
	if err == nil || json.Unmarshal(out, &examined) != nil {
		return nil
	}
	for _, f := range examined.Findings {
		if f.Subject != "check" {
			return fmt.Errorf("doctor: %w", err)
		}
	}
	return nil
}

// The methods below implement customer.Operator on the command line.

// Grant grants credits.
func (s *service) Grant(_ context.Context, ws string, credits int, note string) error {
	_, err := s.run("", "credit", "grant", "--workspace", ws, strconv.Itoa(credits), "--note", note)
	return err
}

// Import loads companies from the standard input.
func (s *service) Import(_ context.Context, ndjson string) error {
	_, err := s.run(ndjson, "import", "-")
	time.Sleep(s.importPause)
	return err
}

// imported is an import as the command line lists it.
type imported struct {
	Number     int64
	FinishedAt *time.Time `json:"finished_at"`
}

func (s *service) imports() (all []imported, err error) {
	return all, s.json(&all, "import", "list", "--json")
}

// Undo undoes the newest import.
func (s *service) Undo(context.Context) error {
	all, err := s.imports()
	if err != nil {
		return err
	}
	_, err = s.run("", "import", "undo", strconv.FormatInt(all[0].Number, 10))
	return err
}

// NewToken creates a token that may create exports. The command line creates none for members.
func (s *service) NewToken(_ context.Context, ws string, budget *int, _ bool) (customer.Token, error) {
	args := []string{"token", "create", "--workspace", ws, "--name", "soak", "--scope", "read_write", "--json"}
	if budget != nil {
		args = append(args, "--budget", strconv.Itoa(*budget))
	}
	var made struct{ ID, Token string }
	err := s.json(&made, args...)
	return customer.Token{ID: made.ID, Secret: made.Token}, err
}

// Revoke revokes a token.
func (s *service) Revoke(_ context.Context, t customer.Token) error {
	_, err := s.run("", "token", "revoke", t.ID)
	return err
}

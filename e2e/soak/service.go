package main

import (
	"bufio"
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
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/opencapi/capi/internal/testkit/customer"
)

// service is a data directory and the processes of capi that use it.
type service struct {
	binary, data string
	environment  []string
	cluster      *cluster // nil on SQLite
	http         *http.Client

	mu       sync.Mutex
	servers  []*server
	commands map[*exec.Cmd]bool // the running ones
}

// server is a running capi serve.
type server struct {
	cmd   *exec.Cmd
	url   string
	log   string
	ended chan struct{} // closed when it has ended
}

func newService(binary, data string) *service {
	return &service{
		binary: binary, data: data, commands: map[*exec.Cmd]bool{},
		environment: append(os.Environ(), "CAPI_RATE_LIMITS=off", "CAPI_DATA="+data),
		http:        &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

func (s *service) use(c *cluster) {
	s.cluster = c
	s.environment = append(s.environment, "CAPI_DB="+c.url())
}

func (s *service) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, args...)
	cmd.Env, cmd.Dir = s.environment, filepath.Dir(s.data) // so that a developer's capi.toml is not read
	return cmd
}

// run runs a command until it ends or is killed, and returns its standard output.
func (s *service) run(stdin string, args ...string) ([]byte, error) {
	cmd := s.command(args...)
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

var servingLine = regexp.MustCompile(`msg="?serving"?.* url=(\S+)`)

// serve starts a server and waits until it answers.
func (s *service) serve(ctx context.Context) (*server, error) {
	v := &server{cmd: s.command("serve", "--addr", "127.0.0.1:0"), ended: make(chan struct{})}
	s.mu.Lock()
	v.log = filepath.Join(filepath.Dir(s.data), fmt.Sprintf("serve-%d.log", time.Now().UnixMicro()))
	s.mu.Unlock()
	pipe, err := v.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(v.log)
	if err != nil {
		return nil, err
	}
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	found := make(chan string, 1)
	go func() {
		defer log.Close()
		for scan := bufio.NewScanner(pipe); scan.Scan(); {
			fmt.Fprintln(log, scan.Text())
			if m := servingLine.FindStringSubmatch(scan.Text()); m != nil {
				found <- m[1]
			}
		}
		v.cmd.Wait() //nolint:errcheck // it is killed
		close(v.ended)
	}()
	select {
	case v.url = <-found:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.servers = append(s.servers, v)
		return v, nil
	case <-v.ended:
		return nil, fmt.Errorf("a server ended at its start; see %s", v.log)
	case <-time.After(time.Minute):
	case <-ctx.Done():
	}
	v.kill()
	return nil, errors.Join(ctx.Err(), fmt.Errorf("a server is not ready after a minute; see %s", v.log))
}

// kill kills the server and waits until it has ended.
func (v *server) kill() {
	v.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-v.ended
}

// killServer kills a random server.
func (s *service) killServer(r *rand.Rand) {
	s.mu.Lock()
	i := r.IntN(len(s.servers))
	v := s.servers[i]
	s.servers = append(s.servers[:i:i], s.servers[i+1:]...)
	s.mu.Unlock()
	v.kill()
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

// stopAll stops the servers with SIGTERM.
func (s *service) stopAll() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.servers {
		if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		select {
		case <-v.ended:
		case <-time.After(time.Minute):
			return fmt.Errorf("a server does not stop; see %s", v.log)
		}
		if v.cmd.ProcessState.ExitCode() != 0 {
			return fmt.Errorf("a server ended with %s; see %s", v.cmd.ProcessState, v.log)
		}
	}
	s.servers = nil
	return nil
}

func (s *service) killAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.servers {
		v.kill()
	}
}

// do sends a customer's request to a random server.
func (s *service) do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	if len(s.servers) == 0 {
		s.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		return nil, errors.New("no server is running")
	}
	host := strings.TrimPrefix(s.servers[rand.IntN(len(s.servers))].url, "http://")
	s.mu.Unlock()
	r.URL.Host, r.Host = host, ""
	return s.http.Do(r)
}

// doctor returns an error if capi doctor finds anything.
func (s *service) doctor() error {
	out, err := s.run("", "doctor", "--json")
	if err != nil {
		return fmt.Errorf("doctor: %w\n%s", err, out)
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
	return err
}

// Undo undoes the newest import.
func (s *service) Undo(context.Context) error {
	var imports []struct{ Number int64 }
	if err := s.json(&imports, "import", "list", "--json"); err != nil {
		return err
	}
	_, err := s.run("", "import", "undo", strconv.FormatInt(imports[0].Number, 10))
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

// Package e2e tests the built binary through its command line and its HTTP API, as a user sees them.
package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary is the path of the program, which TestMain builds.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "capi-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "capi")
	cmd := exec.Command("go", "build", "-o", binary, "github.com/opencapi/capi/cmd/capi")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build capi:", err)
		return 1
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return m.Run()
}

// fixture is a data directory with a workspace and a token that the command line created.
type fixture struct {
	data      string
	workspace string
	token     string
	program   string   // its path; empty for the one of this version
	settings  []string // more environment variables
	addr      string   // the address to listen on; empty for any free port
}

func newFixture(t *testing.T, credits int, settings ...string) *fixture {
	t.Helper()
	return newFixtureOf(t, binary, credits, settings...)
}

// newFixtureOf is newFixture for another program than the one of this version.
func newFixtureOf(t *testing.T, program string, credits int, settings ...string) *fixture {
	t.Helper()
	s := &fixture{program: program, data: t.TempDir(), settings: append([]string{"CAPI_RATE_LIMITS=off"}, settings...)}
	var w struct {
		ID      string
		Balance int
	}
	s.json(t, &w, "workspace", "create", "Acme", "--credits", strconv.Itoa(credits), "--json")
	require.Equal(t, credits, w.Balance)
	s.workspace = w.ID
	s.token = s.newToken(t, "read_write")
	return s
}

func (s *fixture) newToken(t *testing.T, scope string) string {
	t.Helper()
	var k struct {
		Token       string
		Scope       string
		WorkspaceID string `json:"workspace_id"`
	}
	s.json(t, &k, "token", "create", "--workspace", s.workspace, "--name", t.Name(), "--scope", scope, "--json")
	require.Equal(t, s.workspace, k.WorkspaceID)
	require.Equal(t, scope, k.Scope)
	return k.Token
}

// capi runs a command, which must succeed, and returns its standard output.
func (s *fixture) capi(t *testing.T, args ...string) string {
	t.Helper()
	cmd := s.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "capi %s\n%s%s", strings.Join(args, " "), out, stderr.String())
	return string(out)
}

func (s *fixture) json(t *testing.T, v any, args ...string) {
	t.Helper()
	out := s.capi(t, args...)
	require.NoError(t, json.Unmarshal([]byte(out), v), out)
}

func (s *fixture) command(args ...string) *exec.Cmd {
	cmd := exec.Command(cmp.Or(s.program, binary), args...)
	cmd.Env = append(os.Environ(), append(s.settings, "CAPI_DATA="+s.data)...)
	cmd.Dir = s.data // so that a developer's capi.toml is not read
	return cmd
}

// write writes a file to the data directory and returns its path.
func (s *fixture) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(s.data, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// server is a running capi serve.
type server struct {
	*exec.Cmd
	url    string
	stdout *lines
	stderr *lines
	ended  chan error
}

var servingLine = regexp.MustCompile(`msg="?serving"?.* url=(\S+)`)

// serve starts a server and waits until it answers. The server is killed when the test ends.
func (s *fixture) serve(t *testing.T) *server {
	t.Helper()
	v := &server{Cmd: s.command("serve", "--addr", cmp.Or(s.addr, "127.0.0.1:0")), stdout: &lines{}, stderr: &lines{}, ended: make(chan error, 1)}
	v.Stdout = v.stdout
	pipe, err := v.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, v.Start())
	found := make(chan string, 1)
	go func() {
		for scan := bufio.NewScanner(pipe); scan.Scan(); {
			v.stderr.add(scan.Text())
			if m := servingLine.FindStringSubmatch(scan.Text()); m != nil {
				found <- m[1]
			}
		}
		v.ended <- v.Wait()
	}()
	t.Cleanup(func() {
		v.Process.Kill() //nolint:errcheck // it may have ended
	})
	select {
	case v.url = <-found:
	case err := <-v.ended:
		require.FailNow(t, "the server ended", "%v\n%s", err, v.stderr)
	case <-time.After(time.Minute):
		require.FailNow(t, "the server is not ready after a minute", "%s", v.stderr)
	}
	r, err := http.Get(v.url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, http.StatusOK, r.StatusCode)
	return v
}

// stop sends SIGTERM and waits until the server has ended.
func (v *server) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, v.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-v.ended:
		require.NoError(t, err, "%s", v.stderr)
	case <-time.After(time.Minute):
		require.FailNow(t, "the server does not stop", "%s", v.stderr)
	}
}

// kill kills the server and waits until it has ended.
func (v *server) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, v.Process.Kill())
	require.Error(t, <-v.ended)
}

// lines collects the output of a process.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

// Write adds p, which need not be a whole line.
func (l *lines) Write(p []byte) (int, error) {
	l.add(string(p))
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

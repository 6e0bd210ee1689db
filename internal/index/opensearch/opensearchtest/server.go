// Package opensearchtest gives tests the OpenSearch server that scripts/with-opensearch.sh has started.
package opensearchtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// Server is a running OpenSearch server, which tests share.
type Server struct {
	Addresses []string // of its nodes, each HOST:PORT
	home      string   // has a folder for each node; empty if the server was not started by the script
}

// Find returns the server. Without one the test is skipped, or fails if CAPI_TEST_REQUIRE names opensearch.
func Find(t testing.TB) *Server {
	t.Helper()
	urls := os.Getenv("CAPI_TEST_OPENSEARCH")
	if urls == "" {
		required.Missing(t, "opensearch", "CAPI_TEST_OPENSEARCH is not set: run scripts/with-opensearch.sh go test ...")
	}
	s := &Server{home: os.Getenv("CAPI_TEST_OPENSEARCH_HOME")}
	for url := range strings.SplitSeq(urls, ",") {
		s.Addresses = append(s.Addresses, strings.TrimPrefix(url, "http://"))
	}
	return s
}

// Index returns an unused name of an index. What has that name, or begins with it, is deleted at the end of the test.
func (s *Server) Index(t testing.TB) string {
	t.Helper()
	name := "t" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		status, body := s.Do(context.WithoutCancel(t.Context()), t, http.MethodGet, "/_cat/indices/"+name+"*?h=index&expand_wildcards=all", "")
		if status == http.StatusNotFound {
			return
		}
		for index := range strings.FieldsSeq(body) {
			s.Do(context.WithoutCancel(t.Context()), t, http.MethodDelete, "/"+index, "")
		}
	})
	return name
}

// Do sends a request to the first node, and returns the status and the body of the answer.
func (s *Server) Do(ctx context.Context, t testing.TB, method, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.Addresses[0]+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	read, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.StatusCode, string(read)
}

// Kill ends a node with SIGKILL. It is started again at the end of the test, if the test has not done so. Only a test that
// runs alone may call it.
func (s *Server) Kill(t testing.TB, node int) {
	t.Helper()
	if s.home == "" {
		t.Skip("CAPI_TEST_OPENSEARCH names a server that the tests must not end")
	}
	text, err := os.ReadFile(filepath.Join(s.folder(node), "pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !s.answers(context.WithoutCancel(t.Context()), node) }, 30*time.Second, 20*time.Millisecond)
	t.Cleanup(func() {
		if ctx := context.WithoutCancel(t.Context()); !s.answers(ctx, node) {
			s.run(ctx, t, node)
		}
	})
}

// Start starts a node again that was killed, and waits until it answers.
func (s *Server) Start(t testing.TB, node int) {
	t.Helper()
	s.run(t.Context(), t, node)
}

func (s *Server) run(ctx context.Context, t testing.TB, node int) {
	t.Helper()
	run := exec.Command(filepath.Join(s.folder(node), "run"))
	run.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives the test; the script ends it
	require.NoError(t, run.Start())
	go func() { _ = run.Wait() }()
	require.Eventually(t, func() bool { return s.answers(ctx, node) }, 5*time.Minute, 100*time.Millisecond)
}

func (s *Server) folder(node int) string { return filepath.Join(s.home, fmt.Sprintf("node%d", node)) }

// answers reports whether the node has joined a cluster.
func (s *Server) answers(ctx context.Context, node int) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addresses[node]+"/_cluster/health", http.NoBody)
	if err != nil {
		return false
	}
	w, err := (&http.Client{Timeout: 5 * time.Second}).Do(r)
	if err != nil {
		return false
	}
	w.Body.Close()
	return w.StatusCode == http.StatusOK
}

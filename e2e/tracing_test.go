package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans receives what a server sends to its collector.
type spans struct {
	mu      sync.Mutex
	all     []*trace.Span
	text    strings.Builder
	service string
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		http.Error(w, "not traces", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(sent.String())
	for _, of := range sent.ResourceSpans {
		for _, a := range of.Resource.Attributes {
			if a.Key == "service.name" {
				s.service = a.Value.GetStringValue()
			}
		}
		for _, scope := range of.ScopeSpans {
			s.all = append(s.all, scope.Spans...)
		}
	}
}

func (s *spans) named(name string) (found []*trace.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		if one.Name == name {
			found = append(found, one)
		}
	}
	return found
}

func TestRequestsAndJobsAreTraced(t *testing.T) {
	t.Parallel()
	received := &spans{}
	to := httptest.NewServer(received)
	t.Cleanup(to.Close)
	s := newFixture(t, 100, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL, "OTEL_BSP_SCHEDULE_DELAY=50")
	s.load(t, companies(0, 50, nil))
	v := s.serve(t)
	c := s.client(v)

	const parent = "4bf92f3577b34da6a3ce929d0e0e4736"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+"/api/v1/companies/search", strings.NewReader(`{"query":"sought after"}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Traceparent", "00-"+parent+"-00f067aa0ba902b7-01")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var bought created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("traced", map[string]any{}), &bought)
	c.wait(t, bought.Job.ID)

	require.Eventually(t, func() bool {
		return len(received.named("POST /api/v1/companies/search")) == 1 && len(received.named("POST /api/v1/exports")) == 1 &&
			len(received.named("job export.run")) == 1
	}, 20*time.Second, 20*time.Millisecond)
	search := received.named("POST /api/v1/companies/search")[0]
	require.Equal(t, parent, hex.EncodeToString(search.TraceId), "it belongs to the client's trace")
	require.Equal(t, "00f067aa0ba902b7", hex.EncodeToString(search.ParentSpanId))
	within := false
	for _, one := range received.named("index search") {
		within = within || string(one.ParentSpanId) == string(search.SpanId)
	}
	require.True(t, within, "the search of the index is within the request")
	require.Contains(t, v.stderr.String(), "trace_id="+parent)
	v.stop(t)
	require.Equal(t, "capi", received.service)
	for _, secret := range []string{c.token, "sought", "traced"} {
		require.NotContains(t, received.text.String(), secret)
	}
	for _, one := range received.all {
		require.NotContains(t, one.Name, "healthz")
	}
}

func TestAWrongCollectorIsAnErrorAtTheStart(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct{ setting, problem string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318", "is not a URL such as http://localhost:4318"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "traces are sent as http/protobuf only"},
	} {
		s := newFixture(t, 0, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", wrong.setting)
		out, err := s.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), wrong.problem)
	}
}

func TestACollectorThatIsAwayIsReported(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 0, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY=10")
	s.load(t, companies(0, 5, nil))
	v := s.serve(t)
	s.client(v).must(t, http.StatusOK, "POST", "/companies/search", map[string]any{}, nil)
	v.stop(t)
	require.Contains(t, v.stderr.String(), "traces not sent")
}

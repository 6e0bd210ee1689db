package middleware_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/middleware"
)

func TestTheLogLineHasTheHandlersNotesAndTheStatus(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	var written, flushed error
	var ended int
	var lasted time.Duration
	h := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		middleware.NoteOf(r.Context()).Add(slog.String("operation", "brewCoffee"))
		middleware.NoteOf(r.Context()).OnEnd(func(status int, took time.Duration) { ended, lasted = status, took })
		w.WriteHeader(http.StatusTeapot)
		_, written = w.Write([]byte("short and stout"))
		flushed = http.NewResponseController(w).Flush()
	}), middleware.RequestID, middleware.AccessLog(log))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/pot?secret=1", nil))

	require.Equal(t, http.StatusTeapot, ended)
	require.Positive(t, lasted)
	require.NoError(t, written)
	require.NoError(t, flushed, "the connection can still be reached")
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.NotContains(t, out.String(), "secret")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	for key, want := range map[string]any{
		"operation": "brewCoffee", "method": "GET", "path": "/pot", "status": 418.0, "size_bytes": 15.0,
	} {
		t.Run(key, func(t *testing.T) {
			require.Equal(t, want, line[key], key)
		})
	}
}

func TestOnlySuccessfulHealthChecksAreNotLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	status := http.StatusOK
	h := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), middleware.AccessLog(log))
	ask := func() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/healthz", nil))
	}
	ask()
	require.Empty(t, out.String())
	status = http.StatusServiceUnavailable
	ask()
	require.Contains(t, out.String(), "status=503")
}

func TestAPanicBecomesAResponseIfNothingWasSent(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	var failed error
	fail := func(w http.ResponseWriter, _ *http.Request, err error) {
		failed = err
		w.WriteHeader(http.StatusInternalServerError)
	}
	serve := func(h http.HandlerFunc) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		middleware.Chain(h, middleware.Recover(log, fail)).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		return w
	}
	w := serve(func(http.ResponseWriter, *http.Request) { panic("a reason") })
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.ErrorContains(t, failed, "a reason")

	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK); panic("too late") },
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { serve(h) })
	}
	require.NotErrorIs(t, failed, http.ErrAbortHandler)
}

func TestNotesOutsideOfARequestAreIgnored(t *testing.T) {
	t.Parallel()
	require.Empty(t, middleware.RequestIDOf(t.Context()))
	middleware.NoteOf(t.Context()).Add(slog.Int("x", 1))
}

func TestEventsOfACompressingHandlerAreFlushed(t *testing.T) {
	t.Parallel()
	wait := make(chan struct{})
	events := httpx.Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("retry: 2000\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-wait
	}), "text/event-stream")
	server := httptest.NewServer(middleware.AccessLog(slog.New(slog.DiscardHandler))(events))
	defer server.Close()
	defer close(wait)
	answer, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer answer.Body.Close()
	line := make([]byte, 12)
	_, err = io.ReadFull(answer.Body, line)
	require.NoError(t, err)
	require.Equal(t, "retry: 2000\n", string(line))
}

package console

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/httpx"
)

// streamed opens a stream. next gets the number of its call, from 1.
func streamed(t *testing.T, stopping <-chan struct{}, next func(e *events, call int) (bool, error)) *bufio.Scanner {
	t.Helper()
	s := &server{Deps: Deps{Stopping: stopping}}
	call := 0
	served := httptest.NewServer(s.handle(func(s *server, w http.ResponseWriter, r *http.Request) error {
		return s.stream(w, r, time.Millisecond, func(e *events) (bool, error) {
			call++
			return next(e, call)
		})
	}))
	t.Cleanup(served.Close)
	res, err := http.Get(served.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, res.Body.Close()) })
	require.Equal(t, httpx.EventStreamType, res.Header.Get("Content-Type"))
	return bufio.NewScanner(res.Body)
}

func lines(s *bufio.Scanner) (all []string) {
	for s.Scan() {
		if s.Text() != "" {
			all = append(all, s.Text())
		}
	}
	return all
}

func TestStreamSendsUntilThereIsNoMore(t *testing.T) {
	t.Parallel()
	s := streamed(t, nil, func(e *events, call int) (bool, error) {
		return call < 2, e.send("progress", templ.Raw("<p>\n50 %</p>"))
	})
	require.Equal(t, []string{
		"retry: 2000", "event: progress", "data: <p>", "data: 50 %</p>", "event: progress", "data: <p>", "data: 50 %</p>",
		"event: end", "data:",
	}, lines(s))
}

func TestStreamEndsWhenTheServerStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	s := streamed(t, stopping, func(_ *events, call int) (bool, error) {
		if call == 3 {
			close(stopping)
		}
		return true, nil
	})
	require.Equal(t, []string{"retry: 2000"}, lines(s), "no end event, so that the browser connects again")
}

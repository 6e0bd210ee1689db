package server

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// watch is a transport that reads answers whole and knows how long the last one took.
type watch struct {
	inner *http.Transport
	took  time.Duration
}

func newWatch(gzip bool) *watch { return &watch{inner: &http.Transport{DisableCompression: !gzip}} }

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	answer, err := w.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	w.took = time.Since(start)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

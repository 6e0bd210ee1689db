package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// watch is a transport that reads answers whole and knows how long the last one took.
type watch struct {
	inner     *http.Transport
	took      time.Duration
	indexTook time.Duration // what of it the answer's header tells; 0 where it does not
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
	w.indexTook = indexTookOf(answer.Header)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// indexTookOf reads the Server-Timing header.
func indexTookOf(h http.Header) time.Duration {
	var ms float64
	if _, err := fmt.Sscanf(h.Get("Server-Timing"), "index;dur=%f", &ms); err != nil {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}

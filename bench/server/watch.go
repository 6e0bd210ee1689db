package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// watch is a transport that reads answers completely and records the duration of the last one.
type watch struct {
	inner    *http.Transport
	took     time.Duration
	dataTook time.Duration // the share of index and catalog, from the answer's header; 0 if it has none
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
	w.dataTook = dataTookOf(answer.Header)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// dataTookOf reads the Server-Timing header.
func dataTookOf(h http.Header) time.Duration {
	var index, catalog float64
	if _, err := fmt.Sscanf(h.Get("Server-Timing"), "index;dur=%f, catalog;dur=%f", &index, &catalog); err != nil {
		return 0
	}
	return time.Duration((index + catalog) * float64(time.Millisecond))
}

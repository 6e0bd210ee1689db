package server

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// watch is a transport that reads answers whole and knows how long the last one took.
type watch struct{ took time.Duration }

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	answer, err := http.DefaultTransport.RoundTrip(r)
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

package httpx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// Encode returns body as JSON. It does not escape < > &, because responses are never embedded in a page.
func Encode(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, fmt.Errorf("encode %T: %w", body, err)
	}
	return b.Bytes(), nil
}

// WriteJSON responds with body as JSON. It panics if body cannot be encoded.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	p, err := Encode(body)
	if err != nil {
		panic(err) // our own types always encode
	}
	WriteBody(w, status, p)
}

// WriteBody responds with p, which must be JSON.
func WriteBody(w http.ResponseWriter, status int, p []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(p) // if the client is gone, there is nobody to report to
}

// Healthy answers /healthz: the process is alive.
func Healthy(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

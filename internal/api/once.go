package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/middleware"
)

const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
)

// once makes an endpoint of a handler that creates or buys something. The handler passes idempotency.Last(a, rendered(…)) to
// the use case as its last step, so that the response is stored in the same transaction as what it reports.
func once[In, Out any](fn func(*server, context.Context, auth.Caller, *In, *idempotency.Attempt) error) endpoint {
	return endpoint{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		once: func(s *server, ctx context.Context, caller auth.Caller, in any, a *idempotency.Attempt) error {
			return fn(s, ctx, caller, in.(*In), a)
		},
	}
}

// rendered returns a function that encodes the response to what was made.
func rendered[T, Out any](responseOf func(T) Out) func(T) ([]byte, error) {
	return func(made T) ([]byte, error) { return httpx.Encode(responseOf(made)) }
}

// answerOnce is answer for requests that must take effect only once: per Idempotency-Key, or, without a key, while an
// identical request is in flight.
func (s *server) answerOnce(
	rt route, b *binding, caller auth.Caller, w http.ResponseWriter, r *http.Request,
) (idempotency.Answer, error) {
	key, errs := keyOf(r.Header)
	var sent bytes.Buffer
	r.Body = io.NopCloser(io.TeeReader(r.Body, &sent))
	in, err := b.read(w, r, errs...)
	if err != nil {
		return idempotency.Answer{}, err
	}
	request := idempotency.Request{
		Workspace: caller.Workspace, Key: key, Operation: rt.operation, SHA256: fingerprint(r, sent.Bytes()), Status: rt.status,
	}
	if rt.scope == auth.ReadWrite { // a read charges nothing, so an identical one does no harm
		request.Token = caller.Token
	}
	answer, err := s.Idempotency.Do(r.Context(), request, func(a *idempotency.Attempt) error {
		if err := rt.once(s, r.Context(), caller, in, a); err != nil {
			return fmt.Errorf("%s: %w", rt.operation, err)
		}
		return nil
	})
	if answer.Replayed {
		middleware.NoteOf(r.Context()).Add(slog.Bool("replayed", true))
	}
	return answer, err
}

// keyOf returns the request's Idempotency-Key, or "" without one.
func keyOf(h http.Header) (string, []fault.FieldError) {
	given := h.Values(keyHeader)
	switch {
	case len(given) == 0:
		return "", nil
	case len(given) > 1:
		return "", []fault.FieldError{{Field: keyHeader, Message: "is given more than once"}}
	}
	if message := idempotency.KeyFault(given[0]); message != "" {
		return "", []fault.FieldError{{Field: keyHeader, Message: message}}
	}
	return given[0], nil
}

// fingerprint returns a hash of method, path and body that does not depend on the white space and the order of names in the
// JSON.
func fingerprint(r *http.Request, body []byte) [sha256.Size]byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err == nil {
		if sorted, err := json.Marshal(v); err == nil {
			body = sorted
		}
	}
	return sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.Path, body))
}

func writeAnswer(w http.ResponseWriter, a idempotency.Answer) {
	if a.Replayed {
		w.Header().Set(replayedHeader, "true")
	}
	httpx.WriteBody(w, a.Status, a.Body)
}

func keyParameter() *huma.Param {
	return &huma.Param{
		Name: keyHeader, In: "header", Example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
		Description: "Makes the request safe to retry: for at least 24 hours, the same key with the same request returns the first " +
			"response, byte for byte, and creates and charges nothing again. Keys belong to the token's workspace. Errors are " +
			"not stored, because they have changed nothing: after an error, the same key can be used again.",
		Schema: &huma.Schema{
			Type: huma.TypeString, MinLength: new(1), MaxLength: new(idempotency.KeyLengthMax), Pattern: "^[ -~]+$",
		},
	}
}

func replayedParam() *huma.Param {
	return &huma.Param{
		Description: "true if this is the stored response to an earlier request with the same Idempotency-Key; absent otherwise.",
		Schema:      &huma.Schema{Type: huma.TypeBoolean},
	}
}

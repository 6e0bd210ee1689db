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

// once makes an endpoint of a handler that creates or buys something. The handler gives the attempt's last step, made
// by idempotency.Last and rendered, to the use case, whose transaction then keeps the answer with what it tells of.
func once[In, Out any](fn func(*server, context.Context, auth.Caller, *In, *idempotency.Attempt) error) endpoint {
	return endpoint{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		once: func(s *server, ctx context.Context, caller auth.Caller, in any, a *idempotency.Attempt) error {
			return fn(s, ctx, caller, in.(*In), a)
		},
	}
}

// rendered makes the body that tells of what was made.
func rendered[T, Out any](tell func(T) Out) func(T) ([]byte, error) {
	return func(made T) ([]byte, error) { return httpx.Encode(tell(made)) }
}

// answerOnce is answer for what may happen once only: by the key of the request, or, without one, while it is in flight.
func (s *server) answerOnce(
	rt route, b *binding, caller auth.Caller, w http.ResponseWriter, r *http.Request,
) (idempotency.Answer, error) {
	key, faults := keyOf(r.Header)
	var sent bytes.Buffer
	r.Body = io.NopCloser(io.TeeReader(r.Body, &sent))
	in, err := b.read(w, r, faults...)
	if err != nil {
		return idempotency.Answer{}, err
	}
	request := idempotency.Request{
		Workspace: caller.Workspace, Key: key, Operation: rt.operation, SHA256: fingerprint(r, sent.Bytes()), Status: rt.status,
	}
	if rt.scope == auth.ReadWrite { // a read charges nothing that a twin could double
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

// keyOf is the request's Idempotency-Key, empty without one.
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

// fingerprint is the same for two requests that ask for the same in the same place, however their JSON is spaced and
// its names are ordered.
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
		Description: "Makes the request safe to retry: for at least 24 hours the same key and request get the first answer, " +
			"to the byte, and nothing is created or charged again. A key belongs to the token's workspace. Errors are not " +
			"kept, for they have changed nothing: after one, the same key tries anew.",
		Schema: &huma.Schema{
			Type: huma.TypeString, MinLength: new(1), MaxLength: new(idempotency.KeyLengthMax), Pattern: "^[ -~]+$",
		},
	}
}

func replayedParam() *huma.Param {
	return &huma.Param{
		Description: "true if the answer is the one of an earlier request with the same Idempotency-Key; absent otherwise.",
		Schema:      &huma.Schema{Type: huma.TypeBoolean},
	}
}

package api

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/middleware"
)

// Error is the body of every answer that is not a success.
type Error struct {
	Detail ErrorDetail `json:"detail"`
}

// ErrorDetail says what went wrong, for programs by code and for people by message.
type ErrorDetail struct {
	Code    fault.Code     `json:"code" doc:"Machine-readable name of the failure; see the table in this document's description." example:"VALIDATION_ERROR"`
	Message string         `json:"message" doc:"What went wrong and what to do about it, for people." example:"limit: must be at most 100"`
	Details map[string]any `json:"details" doc:"What belongs to the code, such as the list of errors of a VALIDATION_ERROR; empty for most codes."`
}

// Status is the HTTP status of a kind of failure, the only place that says so.
func Status(k fault.Kind) int {
	switch k {
	case fault.KindState:
		return http.StatusBadRequest
	case fault.KindUnauthenticated:
		return http.StatusUnauthorized
	case fault.KindNoCredit:
		return http.StatusPaymentRequired
	case fault.KindForbidden:
		return http.StatusForbidden
	case fault.KindNotFound:
		return http.StatusNotFound
	case fault.KindNotAllowed:
		return http.StatusMethodNotAllowed
	case fault.KindTimeout:
		return http.StatusRequestTimeout
	case fault.KindConflict:
		return http.StatusConflict
	case fault.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.KindUnsupported:
		return http.StatusUnsupportedMediaType
	case fault.KindRange:
		return http.StatusRequestedRangeNotSatisfiable
	case fault.KindInvalid:
		return http.StatusUnprocessableEntity
	case fault.KindRateLimited:
		return http.StatusTooManyRequests
	case fault.KindUnavailable:
		return http.StatusServiceUnavailable
	case fault.KindInternal:
	}
	return http.StatusInternalServerError
}

// ErrorWriter answers with an error's body and status. What is no fault is logged and told as INTERNAL with the
// request's id alone.
func ErrorWriter(log *slog.Logger) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		e, known := errors.AsType[*fault.Error](err)
		if !known || e.Kind() == fault.KindInternal {
			e = internal(log, r, err)
		}
		status := Status(e.Kind())
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		if wait, ok := e.Details["retry_after"].(int); ok && status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
		}
		middleware.NoteOf(r.Context()).Add(slog.String("code", string(e.Code)))
		details := e.Details
		if details == nil {
			details = map[string]any{}
		}
		writeJSON(w, status, Error{ErrorDetail{Code: e.Code, Message: e.Message, Details: details}})
	}
}

func internal(log *slog.Logger, r *http.Request, err error) *fault.Error {
	id := middleware.RequestIDOf(r.Context())
	level := slog.LevelError
	if r.Context().Err() != nil {
		level = slog.LevelInfo // the client has gone; nobody reads the answer
	}
	log.Log(r.Context(), level, "request failed", "request_id", id, "method", r.Method, "path", r.URL.Path, "error", err)
	return fault.New(fault.Internal, "Something failed on our side. If it stays so, quote the request id %s.", id).
		With("request_id", id)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	p, err := encode(body)
	if err != nil {
		panic(err) // our own types always encode
	}
	writeBody(w, status, p)
}

func writeBody(w http.ResponseWriter, status int, p []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(p) // a client that has gone is nobody's failure
}

package httpx

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/middleware"
)

// Error is the body of every error response.
type Error struct {
	Detail ErrorDetail `json:"detail"`
}

// ErrorDetail describes a failure: the code is for programs, the message for people.
type ErrorDetail struct {
	Code    fault.Code     `json:"code" doc:"Machine-readable code of the failure; see the table in the description of this document." example:"VALIDATION_ERROR"`
	Message string         `json:"message" doc:"What went wrong and what to do about it, for people." example:"limit: must be at most 100"`
	Details map[string]any `json:"details" doc:"Further facts that depend on the code, such as the list of errors of a VALIDATION_ERROR; empty for most codes."`
}

// ErrorWriter returns a function that responds with the status and body of an error. An error that is not a fault is logged,
// and the client gets INTERNAL with nothing but the request id.
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
		WriteJSON(w, status, Error{ErrorDetail{Code: e.Code, Message: e.Message, Details: details}})
	}
}

func internal(log *slog.Logger, r *http.Request, err error) *fault.Error {
	id := middleware.RequestIDOf(r.Context())
	level := slog.LevelError
	if r.Context().Err() != nil {
		level = slog.LevelInfo // the client is gone and will not read the response
	}
	log.Log(r.Context(), level, "request failed", "request_id", id, "method", r.Method, "path", r.URL.Path, "error", err)
	return fault.New(fault.Internal, "Something failed on our side. If it keeps failing, quote the request id %s.", id).
		With("request_id", id)
}

package httpx

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
		WriteJSON(w, status, Error{ErrorDetail{Code: e.Code, Message: e.Message, Details: details}})
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

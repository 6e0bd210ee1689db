package httpx

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/middleware"
)

// Error is the body of every error response.
type Error struct {
	Detail ErrorDetail `json:"detail" doc:"What failed."`
}

// ErrorDetail describes a failure: the code is for programs, the message for people.
type ErrorDetail struct {
	Code    fault.Code     `json:"code" doc:"Machine-readable code of the failure; see the table in the description of this document." example:"VALIDATION_ERROR"`
	Message string         `json:"message" doc:"What went wrong and what to do about it, for people." example:"limit: must be at most 100"`
	Details map[string]any `json:"details" doc:"Further facts that depend on the code, such as the list of errors of a VALIDATION_ERROR; empty for most codes."`
}

// Explain returns the fault behind an unexpected error, such as SERVICE_UNAVAILABLE if the database cannot be reached; nil if it
// knows none.
type Explain func(error) *fault.Error

// ErrorWriter returns a function that responds with the status and body of an error. An error that is neither a fault nor
// explained by explain, which may be nil, is logged, and the client gets INTERNAL with nothing but the request id.
func ErrorWriter(log *slog.Logger, explain Explain) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		e := FaultOf(log, explain, r, err)
		status := Status(e.Kind())
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		SetRetryAfter(w, e)
		middleware.NoteOf(r.Context()).Add(slog.String("code", string(e.Code)))
		details := e.Details
		if details == nil {
			details = map[string]any{}
		}
		WriteJSON(w, status, Error{ErrorDetail{Code: e.Code, Message: e.Message, Details: details}})
	}
}

// The headers of SetDaily.
const (
	dailyLimitHeader     = "Daily-Companies-Limit"
	dailyRemainingHeader = "Daily-Companies-Remaining"
	dailyResetHeader     = "Daily-Companies-Reset"
)

// DailyHeaders are the names of the headers of SetDaily, for other sites to read.
const DailyHeaders = dailyLimitHeader + ", " + dailyRemainingHeader + ", " + dailyResetHeader

// SetDaily reports how many companies may be shown in a day, how many more today, and how long it takes until the next one begins.
func SetDaily(w http.ResponseWriter, limit, left int, reset time.Duration) {
	w.Header().Set(dailyLimitHeader, strconv.Itoa(limit))
	w.Header().Set(dailyRemainingHeader, strconv.Itoa(left))
	w.Header().Set(dailyResetHeader, strconv.Itoa(int(math.Ceil(reset.Seconds()))))
}

// SetRateLimit reports the state of a request's bucket: its size, the requests left in it, and how long it takes to fill
// (IETF draft-ietf-httpapi-ratelimit-headers-03).
func SetRateLimit(w http.ResponseWriter, size, left int, reset time.Duration) {
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(size))
	h.Set("RateLimit-Remaining", strconv.Itoa(left))
	h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil(reset.Seconds()))))
}

// SetRetryAfter sets the Retry-After header if the fault says when to try again: a 503, a rate limit or a daily limit.
func SetRetryAfter(w http.ResponseWriter, e *fault.Error) {
	if wait, ok := e.Details["retry_after"].(int); ok && (e.Kind() == fault.KindUnavailable || e.Kind() == fault.KindRateLimited) {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
}

// FaultOf returns the fault to respond with. An error that is not a fault is logged; it is INTERNAL unless explain, which may
// be nil, knows better.
func FaultOf(log *slog.Logger, explain Explain, r *http.Request, err error) *fault.Error {
	if e, known := errors.AsType[*fault.Error](err); known && e.Kind() != fault.KindInternal {
		return e
	}
	id := middleware.RequestIDOf(r.Context())
	level := slog.LevelError
	if r.Context().Err() != nil {
		level = slog.LevelInfo // the client is gone and will not read the response
	}
	log.Log(r.Context(), level, "request failed", "request_id", id, "method", r.Method, "path", middleware.LoggedPath(r.URL.Path), "error", err)
	if explain != nil {
		if e := explain(err); e != nil {
			return e
		}
	}
	return fault.New(fault.Internal, "Something went wrong on our side. Try again. If it keeps happening, quote the request id %s.", id).
		With("request_id", id)
}

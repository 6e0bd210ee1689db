// Package fault names the kinds of failure that a caller can act on.
// It is not for bugs and outages: those stay plain errors, and the HTTP handlers answer them with KindInternal.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about a failure; each kind has one HTTP status.
type Kind uint8

// The kinds, in the order of their HTTP statuses.
const (
	KindInternal        Kind = iota // 500: nothing the caller can do
	KindState                       // 400: valid, but not possible in the current state
	KindUnauthenticated             // 401
	KindNoCredit                    // 402
	KindForbidden                   // 403
	KindNotFound                    // 404
	KindNotAllowed                  // 405: no such method on this path
	KindTimeout                     // 408: the request came too slowly
	KindConflict                    // 409
	KindTooLarge                    // 413
	KindUnsupported                 // 415: media type
	KindRange                       // 416: of a file
	KindInvalid                     // 422
	KindRateLimited                 // 429
	KindUnavailable                 // 503: retry the same request later
)

// Error is a failure for the caller: kind, code, message and details are shown to the caller, Err is only logged.
type Error struct {
	Code    Code
	Message string
	Details map[string]any
	Err     error
}

// New returns an Error with the code and a message for people, which should say what to do.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// With returns a copy with one more detail.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Details = make(map[string]any, len(e.Details)+1)
	for k, v := range e.Details {
		c.Details[k] = v
	}
	c.Details[key] = value
	return &c
}

// Because returns a copy that wraps err, which is only logged.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// Kind returns the kind of the error's code.
func (e *Error) Kind() Kind { return e.Code.Kind() }

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an Error with the same code, so errors.Is(err, fault.New(fault.NotFound, "")) tests for a code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf returns the code of the first Error in err's chain, Internal if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

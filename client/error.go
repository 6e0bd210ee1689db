package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Error is a response that is not a success.
type Error struct {
	Status     int
	Code       ErrorCode // empty if the response did not come from the API
	Message    string
	Details    map[string]any
	RequestID  string
	RetryAfter time.Duration // of a 429
}

func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// errorSizeBytesMax bounds how much is read of a response that may come from a proxy.
const errorSizeBytesMax = 1 << 20

func errorOf(response *http.Response) error {
	e := &Error{Status: response.StatusCode, RequestID: response.Header.Get("X-Request-Id")}
	if s, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	p, err := io.ReadAll(io.LimitReader(response.Body, errorSizeBytesMax))
	if err != nil {
		e.Message = err.Error()
		return e
	}
	var body struct {
		Detail struct {
			Code    ErrorCode      `json:"code"`
			Message string         `json:"message"`
			Details map[string]any `json:"details"`
		} `json:"detail"`
	}
	if json.Unmarshal(p, &body) != nil || body.Detail.Code == "" {
		e.Message = http.StatusText(response.StatusCode)
		return e
	}
	e.Code, e.Message, e.Details = body.Detail.Code, body.Detail.Message, body.Detail.Details
	return e
}

// patiently calls fn until the server no longer limits its rate, and waits between calls as long as the server says.
func patiently(ctx context.Context, fn func() error) error {
	for {
		err := fn()
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Status != http.StatusTooManyRequests || e.Code == CodeDailyLimitExceeded { // waiting for another day is no patience
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(e.RetryAfter, time.Second)):
		}
	}
}

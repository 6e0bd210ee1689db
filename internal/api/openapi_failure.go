package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
)

// codesOf returns every fault code that the route can respond with.
func codesOf(rt route, b *binding) []fault.Code {
	codes := []fault.Code{
		fault.MissingAuthHeader, fault.InvalidTokenFormat, fault.InvalidToken, fault.TokenExpired,
		fault.TokenNotWorkspaceBound, fault.NotWorkspaceMember, fault.Validation, fault.RateLimited, fault.ServiceUnavailable, fault.Internal,
	}
	if rt.scope == auth.ReadWrite {
		codes = append(codes, fault.InsufficientScope)
	}
	if b.body != nil {
		codes = append(codes, fault.RequestTimeout, fault.PayloadTooLarge, fault.UnsupportedMediaType)
	}
	if rt.once != nil {
		codes = append(codes, fault.IdempotencyKeyReused, fault.RequestInFlight)
	}
	return append(codes, rt.codes...)
}

func byStatus(codes []fault.Code) map[int][]fault.Code {
	groups := map[int][]fault.Code{}
	for _, c := range codes {
		status := httpx.Status(c.Kind())
		groups[status] = append(groups[status], c)
	}
	return groups
}

// failure returns a reference to the error response for the codes; operations share them.
func (d *document) failure(status int, codes []fault.Code) *huma.Response {
	name := responseName(status, codes)
	if d.api.Components.Responses[name] == nil {
		d.api.Components.Responses[name] = d.newFailure(status, codes)
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

func responseName(status int, codes []fault.Code) string {
	if status == http.StatusUnauthorized {
		return "UNAUTHENTICATED"
	}
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = string(c)
	}
	return strings.Join(names, ".")
}

func (d *document) newFailure(status int, codes []fault.Code) *huma.Response {
	r := &huma.Response{Headers: map[string]*huma.Param{}}
	examples := map[string]*huma.Example{}
	var lines []string
	for _, e := range fault.Catalogue() {
		if !slices.Contains(codes, e.Code) {
			continue
		}
		lines = append(lines, fmt.Sprintf("`%s`: %s", e.Code, e.When))
		examples[string(e.Code)] = &huma.Example{Value: httpx.Error{Detail: httpx.ErrorDetail{
			Code: e.Code, Message: e.When, Details: exampleDetails(e.Code),
		}}}
	}
	r.Description = strings.Join(lines, "\n\n")
	r.Content = map[string]*huma.MediaType{"application/json": {Schema: d.errorRef, Examples: examples}}
	if status == http.StatusTooManyRequests {
		r.Headers = limitHeaders()
		r.Headers["Retry-After"] = header("Whole seconds until the next request is allowed, at least 1.")
	}
	if status == http.StatusServiceUnavailable {
		r.Headers["Retry-After"] = header("Whole seconds after which to try again.")
	}
	return r
}

func exampleDetails(c fault.Code) map[string]any {
	details := map[fault.Code]map[string]any{
		fault.InsufficientScope: {"token_scope": "read", "required": "read_write"},
		fault.InsufficientBalance: {
			"balance": 179, "requested_count": 500, "already_unlocked": 320, "new_count": 180, "would_skip": 1,
		},
		fault.TokenBudgetExceeded:  {"whose": "token", "budget": 500, "spent": 400, "left": 100, "needed": 180, "period": "month"},
		fault.ExportNotCompleted:   {"status": "processing"},
		fault.ExportNotCancellable: {"status": "completed"},
		fault.Validation: {"errors": []fault.FieldError{
			{Field: "countrys", Message: "unknown field; did you mean countries?"},
		}},
		fault.RateLimited: {"retry_after": 12},
		fault.DailyLimitExceeded: {
			"whose": "token", "limit": 5000, "shown": 4990, "resets_at": exampleTime.Truncate(24 * time.Hour).Add(24 * time.Hour), "retry_after": 52200,
		},
		fault.IndexUnavailable:   {"retry_after": 10},
		fault.ServiceUnavailable: {"retry_after": 10},
		fault.Internal:           {"request_id": "6GQ5ZVJ3M4K2TQ3ZP7K5X2N7QA"},
	}
	if d, ok := details[c]; ok {
		return maps.Clone(d)
	}
	return map[string]any{}
}

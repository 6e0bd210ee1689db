package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/id"
)

func TestRequestsOfATokenAreLogged(t *testing.T) {
	t.Parallel()
	h := stocked(t, 30, settings{limits: "credits.get=1/min"})
	order := map[string]any{"name": "Ten", "search_filters": map[string]any{}, "limit": 10}
	for range 2 {
		require.Equal(t, http.StatusCreated, h.keyed(t, h.writer, "same", "/exports", order).status)
	}
	require.Equal(t, http.StatusOK, h.send(t, h.writer, http.MethodGet, "/credits", nil).status)
	require.Equal(t, http.StatusTooManyRequests, h.send(t, h.writer, http.MethodGet, "/credits", nil).status)
	require.Equal(t, http.StatusUnprocessableEntity, h.send(t, h.writer, http.MethodPost, "/exports", map[string]any{"name": ""}).status)
	require.Equal(t, http.StatusForbidden, h.send(t, h.reader, http.MethodPost, "/exports", order).status)
	require.Equal(t, http.StatusUnauthorized, h.send(t, "cornect_unknown", http.MethodGet, "/credits", nil).status)
	require.NoError(t, h.Requests.Flush(t.Context()))

	tokens, err := h.tokens.List(t.Context(), h.ws)
	require.NoError(t, err)
	of := map[string]id.Token{}
	for _, token := range tokens {
		of[string(token.Scope)] = token.ID
	}
	writer, _, err := h.Requests.Recent(t.Context(), of["read_write"], id.Request{}, 20)
	require.NoError(t, err)
	type line struct {
		method, route string
		status        int
		credits       int64
	}
	var lines []line
	for _, r := range writer {
		require.NotEmpty(t, r.ID)
		require.Positive(t, r.Took)
		require.WithinDuration(t, time.Now(), r.At, time.Minute)
		lines = append(lines, line{r.Method, r.Route, r.Status, r.Credits})
	}
	require.Equal(t, []line{
		{"POST", "/api/v1/exports", 422, 0},
		{"GET", "/api/v1/credits", 429, 0},
		{"GET", "/api/v1/credits", 200, 0},
		{"POST", "/api/v1/exports", 201, 0}, // a repeated answer charged nothing
		{"POST", "/api/v1/exports", 201, 10},
	}, lines)
	reader, _, err := h.Requests.Recent(t.Context(), of["read"], id.Request{}, 20)
	require.NoError(t, err)
	require.Len(t, reader, 1)
	require.Equal(t, 403, reader[0].Status)
}

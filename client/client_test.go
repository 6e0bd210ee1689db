package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
)

// broken returns a client whose requests get these answers, one after the other.
func broken(t *testing.T, answers ...http.HandlerFunc) *client.Client {
	t.Helper()
	return client.New("http://capi.test/", "cornect_x", client.Options{HTTP: &http.Client{
		Transport: roundTrip(func(r *http.Request) *http.Response {
			w := httptest.NewRecorder()
			answers[0](w, r)
			answers = answers[1:]
			return w.Result()
		}),
	}})
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestErrorsCarryTheServersCodeMessageAndDetails(t *testing.T) {
	t.Parallel()
	c := broken(t,
		answer(402, `{"detail": {"code": "insufficient_balance", "message": "Too little.", "details": {"balance": 179}}}`),
		answer(502, "<html>Bad gateway</html>"),
		answer(200, "not JSON"),
	)
	_, err := c.CreateExport(t.Context(), client.ExportRequest{})
	var failure *client.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, client.CodeInsufficientBalance, failure.Code)
	require.InDelta(t, 179, failure.Details["balance"], 0)
	require.Equal(t, "insufficient_balance: Too little.", err.Error())

	_, err = c.Credits(t.Context())
	require.ErrorAs(t, err, &failure)
	require.Equal(t, 502, failure.Status)
	require.Empty(t, failure.Code)

	_, err = c.Credits(t.Context())
	require.ErrorContains(t, err, "read response")
}

func TestEveryCreatingRequestHasItsOwnIdempotencyKey(t *testing.T) {
	t.Parallel()
	var keys []string
	note := func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		_, _ = w.Write([]byte("{}"))
	}
	c := broken(t, note, note, note, note, note, note)
	_, err := c.CreateExport(t.Context(), client.ExportRequest{})
	require.NoError(t, err)
	_, err = c.CreateExport(t.Context(), client.ExportRequest{})
	require.NoError(t, err)
	_, err = c.Quote(t.Context(), client.ExportRequest{})
	require.NoError(t, err)
	_, err = c.CreateList(t.Context(), "x")
	require.NoError(t, err)
	_, err = c.AddToList(t.Context(), "x", client.ListMembers{})
	require.NoError(t, err)
	require.NotContains(t, keys, "")
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(keys))), 5, "a new key for each call")
	_, err = c.Credits(t.Context())
	require.NoError(t, err)
	require.Empty(t, keys[5])
}

func TestAPurchaseIsRetriedWithItsKeyWhenTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // leaves a connection that can be used again
			_, _ = w.Write([]byte("{}"))
			return
		}
		if keys = append(keys, r.Header.Get("Idempotency-Key")); len(keys) == 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	c := client.New(server.URL, "cornect_x", client.Options{HTTP: server.Client()})
	_, err := c.Credits(t.Context())
	require.NoError(t, err)
	_, err = c.CreateExport(t.Context(), client.ExportRequest{Name: "x"})
	require.NoError(t, err)
	require.Len(t, keys, 2)
	require.Equal(t, keys[0], keys[1])
}

func TestSearchAllWaitsWhenRateLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := broken(t,
			answer(200, `{"items": [{"id": "1"}], "next_cursor": "more"}`),
			answer(429, `{"detail": {"code": "RATE_LIMITED", "message": "Slower.", "details": {}}}`),
			answer(200, `{"items": [{"id": "2"}], "next_cursor": null}`),
		)
		start := time.Now()
		var ids []string
		for company, err := range c.SearchAll(t.Context(), client.SearchRequest{}) {
			require.NoError(t, err)
			ids = append(ids, company.ID)
		}
		require.Equal(t, []string{"1", "2"}, ids)
		require.Equal(t, 7*time.Second, time.Since(start))
	})
}

func TestRequestsNameTheClientAndItsVersion(t *testing.T) {
	t.Parallel()
	var agents []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents = append(agents, r.UserAgent())
		_, _ = w.Write([]byte(`{"download_url": "http://` + r.Host + `/file"}`))
	}))
	t.Cleanup(server.Close)
	c := client.New(server.URL, "cornect_x", client.Options{})
	_, err := c.Credits(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.TransactionsCSV(t.Context(), client.LedgerFilter{}, io.Discard))
	_, err = c.Download(t.Context(), "e1", io.Discard)
	require.NoError(t, err)
	require.Len(t, agents, 4)
	for _, agent := range agents {
		require.Regexp(t, `^capi-go/\S+$`, agent)
	}
}

func TestSearchAllDoesNotWaitForAnotherDay(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "40000")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"detail": {"code": "DAILY_LIMIT_EXCEEDED", "message": "Tomorrow.", "details": {}}}`))
	}))
	t.Cleanup(server.Close)
	for _, err := range client.New(server.URL, "cornect_x", client.Options{}).SearchAll(t.Context(), client.SearchRequest{}) {
		require.ErrorContains(t, err, "Tomorrow.")
	}
}

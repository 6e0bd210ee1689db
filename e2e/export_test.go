package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// publishedSample is the published code sample. The tests replace only its host and token.
const publishedSample = `curl -X POST https://api.cornect.io/api/v1/exports \
  -H "Authorization: Bearer cornect_your_token_here" \
  -H "Content-Type: application/json" \
  -d '{"name":"US fintech 50+","source_type":"search","export_format":"csv","search_filters":{"query":"fintech","countries":["US"]}}'`

const publishedBody = `{"name":"US fintech 50+","source_type":"search","export_format":"csv","search_filters":{"query":"fintech","countries":["US"]}}`

func fintech(i int, c map[string]any) {
	c["country"] = "United States"
	if i%2 == 0 {
		c["description"] = "A fintech for small shops"
	}
}

// sendPublishedSample runs the published sample with curl. Without curl it sends the same request, or fails if
// CAPI_TEST_REQUIRE names curl.
func sendPublishedSample(t *testing.T, c *client) (p []byte) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		require.False(t, required.Has("curl"), "curl is required here, and missing")
		t.Log("curl is not installed: the same request is sent without it")
		var raw json.RawMessage
		c.must(t, http.StatusCreated, "POST", "/exports", json.RawMessage(publishedBody), &raw)
		return raw
	}
	line := strings.NewReplacer("https://api.cornect.io", c.base, "cornect_your_token_here", c.token, "curl ", "curl -sS ").Replace(publishedSample)
	p, err := exec.Command("sh", "-c", line).Output()
	require.NoError(t, err)
	return p
}

func TestPublishedSampleReturnsEveryFieldAndIsFreeTheSecondTime(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 1000)
	s.load(t, companies(0, 360, fintech))
	c := s.client(s.serve(t))

	first := sendPublishedSample(t, c)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(first, &fields), "%s", first)
	job, ok := fields["export_job"].(map[string]any)
	require.True(t, ok, "%s", first)
	require.Subset(t, job, map[string]any{
		"name": "US fintech 50+", "status": "pending", "export_format": "csv", "source_type": "search",
	})
	require.Contains(t, job, "id")
	transaction, ok := fields["transaction_id"].(string)
	require.True(t, ok)
	require.Len(t, transaction, 36)
	delete(fields, "export_job")
	delete(fields, "transaction_id")
	require.Equal(t, map[string]any{
		"requested_count": 180.0, "already_unlocked": 0.0, "new_count": 180.0, "cost": 180.0,
		"credits_charged": 180.0, "would_skip": 0.0, "capped_at_10k": false, "excluded_count": 0.0, "warnings": []any{},
	}, fields)

	var v created
	require.NoError(t, json.Unmarshal(first, &v))
	c.wait(t, v.Job.ID)
	file := rows(t, c.file(t, v.Job.ID))
	require.Len(t, file, 180)
	for _, row := range file {
		require.Equal(t, "United States", row["country"])
		require.Contains(t, row["description"], "fintech")
	}

	var again created
	require.NoError(t, json.Unmarshal(sendPublishedSample(t, c), &again))
	require.Equal(t, 180, again.Requested)
	require.Equal(t, 180, again.Already)
	require.Zero(t, again.Cost+again.Charged+again.New)
	require.Nil(t, again.Transaction)
	credits := c.credits(t)
	require.Equal(t, 820, credits.Balance)
	require.Len(t, credits.Recent, 2, "the grant and one charge")
	require.Equal(t, "export:"+v.Job.ID+":create", credits.Recent[0].Reference)
	require.Equal(t, -180, credits.Recent[0].Amount)
	s.requireHealthy(t)
}

func TestPurchaseOneCreditOverTheBalanceChangesNothing(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 179)
	s.load(t, companies(0, 180, nil))
	c := s.client(s.serve(t))

	var refusal struct {
		Detail struct {
			Code    string         `json:"code"`
			Details map[string]any `json:"details"`
		} `json:"detail"`
	}
	c.must(t, http.StatusPaymentRequired, "POST", "/exports", exportOf("all", map[string]any{"countries": []string{"DE"}}), &refusal)
	require.Equal(t, "insufficient_balance", refusal.Detail.Code)
	require.Subset(t, refusal.Detail.Details, map[string]any{
		"balance": 179.0, "requested_count": 180.0, "already_unlocked": 0.0, "new_count": 180.0, "would_skip": 1.0,
	})
	credits := c.credits(t)
	require.Equal(t, 179, credits.Balance)
	require.Len(t, credits.Recent, 1, "only the grant")
	var exports struct{ Items []any }
	c.must(t, http.StatusOK, "GET", "/exports", nil, &exports)
	require.Empty(t, exports.Items)
	s.requireHealthy(t)
}

func TestFiftyConcurrentClientsAreChargedOnceForEachCompany(t *testing.T) {
	t.Parallel()
	const (
		clients     = 50
		catalogSize = 1000
	)
	s := newFixture(t, catalogSize/2) // not enough for all: some purchases are refused, and the balance must not go below zero
	s.load(t, companies(0, catalogSize, nil))
	c := s.client(s.serve(t))
	var (
		mu        sync.Mutex
		group     sync.WaitGroup
		delivered = map[int]bool{}
		charged   int
		jobs      []string
	)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range clients {
		from := random.IntN(catalogSize - 60)
		to := from + 10 + random.IntN(50)
		group.Go(func() {
			var v created
			status, err := c.call("POST", "/exports", exportOf(fmt.Sprint("client ", i),
				map[string]any{"employee_count_min": from, "employee_count_max": to}), &v)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Errorf("client %d: %v", i, err)
			case status == http.StatusCreated:
				charged += v.Charged
				jobs = append(jobs, v.Job.ID)
				for n := from; n <= to; n++ {
					delivered[n] = true
				}
			case status != http.StatusPaymentRequired:
				t.Errorf("client %d: status %d", i, status)
			}
		})
	}
	group.Wait()
	require.NotEmpty(t, jobs)
	require.Equal(t, len(delivered), charged, "the sum charged is the number of distinct companies")
	require.Equal(t, catalogSize/2-charged, c.credits(t).Balance)
	for _, job := range jobs {
		c.wait(t, job)
	}
	s.requireHealthy(t)
}

// requireHealthy checks that doctor finds nothing.
func (s *fixture) requireHealthy(t *testing.T) {
	t.Helper()
	var report struct{ Findings []any }
	s.json(t, &report, "doctor", "--json")
	require.Empty(t, report.Findings)
}

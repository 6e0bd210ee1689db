package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCancellingRunningExportsCostsOnlyWhatIsDelivered(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 2_000)
	s.load(t, companies(0, 1_000, nil))
	v := s.serve(t)
	c := s.client(v)
	delivered := map[int]bool{}
	cancelled := 0
	for i := range 12 {
		low, high := i*60, i*60+300 // each shares most companies with the previous one
		var made struct {
			ExportJob struct{ ID string } `json:"export_job"`
		}
		body := exportOf(fmt.Sprint("export ", i), map[string]any{"employee_count_min": low, "employee_count_max": high - 1})
		c.must(t, http.StatusCreated, "POST", "/exports", body, &made)
		path := "/exports/" + made.ExportJob.ID
		if i%3 == 0 {
			c.wait(t, made.ExportJob.ID)
		}
		status, err := c.call("POST", path+"/cancel", nil, nil)
		require.NoError(t, err)
		if status == http.StatusOK {
			cancelled++
			refused, err := c.call("POST", path+"/download", nil, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusBadRequest, refused)
			continue
		}
		require.Equal(t, http.StatusConflict, status)
		c.wait(t, made.ExportJob.ID)
		for n := low; n < min(high, 1_000); n++ {
			delivered[n] = true
		}
	}
	require.Positive(t, cancelled)
	require.Equal(t, 2_000-len(delivered), c.credits(t).Balance)
	s.requireHealthy(t) // while the server runs
	v.stop(t)
	s.requireHealthy(t)

	var refunds, all struct {
		Items []struct {
			Amount   int
			Actor    string
			ExportID *string `json:"export_id"`
		}
	}
	s.json(t, &all, "credit", "history", "--workspace", s.workspace, "--from", "2020-01-01", "--json")
	s.json(t, &refunds, "credit", "history", "--workspace", s.workspace, "--reason", "export_refund", "--json")
	sum := 0
	for _, e := range all.Items {
		sum += e.Amount
	}
	require.Equal(t, 2_000-len(delivered), sum)
	for _, e := range refunds.Items {
		require.Positive(t, e.Amount)
		require.NotNil(t, e.ExportID)
		require.Contains(t, e.Actor, "token:")
	}
}

func TestBudgetSetOnTheCommandLineAppliesToTheNextPurchase(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	s.load(t, companies(0, 20, nil))
	v := s.serve(t)
	var k struct{ ID, Token string }
	s.json(t, &k, "token", "create", "--workspace", s.workspace, "--name", "metered", "--scope", "read_write", "--budget", "5", "--json")
	c := &client{base: v.url, token: k.Token}
	all := exportOf("all", map[string]any{})
	var refusal struct {
		Detail struct {
			Code    string
			Details map[string]any
		}
	}
	c.must(t, http.StatusPaymentRequired, "POST", "/exports", all, &refusal)
	require.Equal(t, "TOKEN_BUDGET_EXCEEDED", refusal.Detail.Code)
	require.Equal(t, "all", refusal.Detail.Details["period"])

	s.capi(t, "token", "budget", k.ID, "--budget", "none", "--budget-month", "20")
	c.must(t, http.StatusCreated, "POST", "/exports", all, nil)
	var budget struct {
		Budget     *int
		SpentMonth int `json:"spent_month"`
	}
	s.json(t, &budget, "token", "budget", k.ID, "--json")
	require.Nil(t, budget.Budget)
	require.Equal(t, 20, budget.SpentMonth)
	require.Contains(t, s.capi(t, "credit", "history", "--workspace", s.workspace), "token metered")
}

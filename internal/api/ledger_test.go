package api_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/token"
)

func cancel(t testing.TB, h *house, export string) M {
	t.Helper()
	return get[M](t, h, h.writer, 200, "POST", "/exports/"+export+"/cancel", nil)
}

func TestCancellingAnExportRefundsItOnce(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	export := create(t, h, M{"name": "mine", "search_filters": M{}}).ExportJob.ID
	require.Equal(t, 980, balance(t, h))
	done := cancel(t, h, export)
	require.Equal(t, "cancelled", done["status"])
	require.EqualValues(t, 20, done["credits_charged"])
	require.EqualValues(t, 20, done["credits_refunded"])
	require.Nil(t, done["error"])
	require.Equal(t, 1000, balance(t, h))
	require.Equal(t, done, cancel(t, h, export))
	require.Equal(t, done, get[M](t, h, h.reader, 200, "GET", "/exports/"+export, nil))
	require.Equal(t, 1000, balance(t, h))
	a := h.send(t, h.reader, "POST", "/exports/"+export+"/download", nil)
	require.Equal(t, "EXPORT_NOT_COMPLETED", a.code(t))
	require.Equal(t, "cancelled", a.failure(t).Details["status"])
}

func TestACompletedExportCannotBeCancelled(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	h.work(t)
	export := create(t, h, M{"name": "mine", "search_filters": M{}}).ExportJob.ID
	finish(t, h, export)
	a := h.send(t, h.writer, "POST", "/exports/"+export+"/cancel", nil)
	require.Equal(t, 409, a.status)
	require.Equal(t, "EXPORT_NOT_CANCELLABLE", a.code(t))
	require.Equal(t, "completed", a.failure(t).Details["status"])
	other := h.token(t, h.workspace(t, 10), auth.ReadWrite)
	require.Equal(t, "NOT_FOUND", h.send(t, other, "POST", "/exports/"+export+"/cancel", nil).code(t))
	require.Equal(t, "INSUFFICIENT_SCOPE", h.send(t, h.reader, "POST", "/exports/"+export+"/cancel", nil).code(t))
	require.Equal(t, 980, balance(t, h))
}

func TestATokenOverItsBudgetIsRefused(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	secret, _, err := h.tokens.Create(t.Context(), token.NewToken{
		Workspace: h.ws, Name: "metered", Scope: auth.ReadWrite, Budget: budget.Limits{Month: new(int64(19))},
	})
	require.NoError(t, err)
	a := h.send(t, secret, "POST", "/exports", M{"name": "all", "search_filters": M{}})
	require.Equal(t, 402, a.status)
	f := a.failure(t)
	require.Equal(t, "TOKEN_BUDGET_EXCEEDED", f.Code)
	require.Equal(t, M{"whose": "token", "budget": 19.0, "spent": 0.0, "left": 19.0, "needed": 20.0, "period": "month"}, f.Details)
	require.Equal(t, 1000, balance(t, h))
	require.Equal(t, 201, h.send(t, secret, "POST", "/exports", M{"name": "some", "search_filters": M{}, "limit": 19}).status)
}

type transactions struct {
	Items []struct {
		ID           string
		Amount       int64
		BalanceAfter int64 `json:"balance_after"`
		Reason       string
		Reference    *string
		ExportID     *string `json:"export_id"`
		Note         *string
		Actor        struct {
			Type     string
			ID, Name *string
		}
		CreatedAt time.Time `json:"created_at"`
	}
	NextCursor *string `json:"next_cursor"`
}

// grants enters n grants, of 1, 2, 3 … credits.
func grants(t testing.TB, h *house, n int64, note string) {
	t.Helper()
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		for i := range n {
			_, err := h.credits.Grant(context.WithoutCancel(t.Context()), tx, h.ws, credit.Grant{
				Amount: i + 1, Reason: credit.ReasonPurchase, Note: note, Actor: "person:ada",
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestTheLedgerNamesTheActorOfEveryEntry(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	export := create(t, h, M{"name": "mine", "search_filters": M{}}).ExportJob.ID
	cancel(t, h, export)
	grants(t, h, 1, "=1+1 invoice 7")
	got := get[transactions](t, h, h.reader, 200, "GET", "/credits/transactions", nil)
	require.Nil(t, got.NextCursor)
	require.Len(t, got.Items, 4)
	balances := make([]int64, 4)
	for i, e := range got.Items {
		balances[i] = e.BalanceAfter
		if i > 0 {
			require.Equal(t, got.Items[i-1].BalanceAfter, e.BalanceAfter+got.Items[i-1].Amount)
		}
	}
	require.Equal(t, []int64{1001, 1000, 980, 1000}, balances)
	purchase, refund, charge, grant := got.Items[0], got.Items[1], got.Items[2], got.Items[3]
	require.Equal(t, "person", purchase.Actor.Type)
	require.Equal(t, "ada", *purchase.Actor.Name)
	require.Equal(t, "=1+1 invoice 7", *purchase.Note)
	require.Nil(t, purchase.ExportID)
	require.Equal(t, "export_refund", refund.Reason)
	require.Equal(t, "export_charge", charge.Reason)
	require.Equal(t, export, *refund.ExportID)
	require.Equal(t, export, *charge.ExportID)
	require.Equal(t, "token", charge.Actor.Type)
	require.Equal(t, "a token", *charge.Actor.Name)
	require.Equal(t, "system", grant.Actor.Type)
	require.Nil(t, grant.Actor.ID)

	sheet := h.send(t, h.reader, "GET", "/credits/transactions?format=csv", nil)
	require.Equal(t, "text/csv; charset=utf-8", sheet.header.Get("Content-Type"))
	require.Contains(t, sheet.header.Get("Content-Disposition"), "transactions.csv")
	rows, err := csv.NewReader(bytes.NewReader(sheet.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5)
	require.Equal(t, "'=1+1 invoice 7", rows[1][len(rows[1])-1], "must not be a formula")
	require.Equal(t, []string{"-20", "980", "export_charge"}, rows[3][2:5])
}

func TestTheLedgerIsPagedAndFiltered(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	grants(t, h, 9, "")
	var amounts []int64
	path := "/credits/transactions?limit=4&reason=purchase"
	for next := path; next != ""; {
		p := get[transactions](t, h, h.reader, 200, "GET", next, nil)
		for _, e := range p.Items {
			amounts = append(amounts, e.Amount)
		}
		grants(t, h, 1, "") // new entries do not appear on later pages
		next = ""
		if p.NextCursor != nil {
			next = path + "&cursor=" + url.QueryEscape(*p.NextCursor)
			other := h.send(t, h.reader, "GET", "/credits/transactions?cursor="+url.QueryEscape(*p.NextCursor), nil)
			require.Equal(t, "INVALID_CURSOR", other.code(t), "the cursor belongs to other filters")
		}
	}
	require.Equal(t, []int64{9, 8, 7, 6, 5, 4, 3, 2, 1}, amounts)

	past, future := "2020-01-01T00:00:00Z", "2120-01-01T00:00:00%2B02:00"
	for query, want := range map[string]int{
		"from=" + past: 13, "to=" + future: 13, "from=" + future: 0, "to=" + past: 0, "reason=grant": 1, "reason=export_refund": 0,
	} {
		t.Run(query, func(t *testing.T) {
			p := get[transactions](t, h, h.reader, 200, "GET", "/credits/transactions?"+query, nil)
			require.Len(t, p.Items, want, query)
		})
	}
	for query, field := range map[string]string{
		"from=yesterday": "from", "to=2026-03-01": "to", "reason=gift": "reason", "format=xml": "format", "limit=101": "limit",
		"from=" + future + "&to=" + past: "to", "format=csv&limit=5": "limit", "format=csv&cursor=x": "cursor", "since=1": "since",
	} {
		t.Run(query, func(t *testing.T) {
			require.Contains(t, h.send(t, h.reader, "GET", "/credits/transactions?"+query, nil).fields(t), field, query)
		})
	}
	require.Equal(t, "INVALID_CURSOR", h.send(t, h.reader, "GET", "/credits/transactions?cursor=x", nil).code(t))
	stranger := h.token(t, h.workspace(t, 0), auth.Read)
	require.Empty(t, get[transactions](t, h, stranger, 200, "GET", "/credits/transactions", nil).Items)
	empty := h.send(t, stranger, "GET", "/credits/transactions?format=csv", nil)
	require.True(t, strings.HasPrefix(string(empty.body), "id,created_at,"))
}

func TestTheReceiptAddsUpToTheCharge(t *testing.T) {
	t.Parallel()
	h := stocked(t, 30, settings{})
	first := create(t, h, M{"name": "first", "search_filters": M{}, "limit": 12}).ExportJob.ID
	second := create(t, h, M{"name": "second", "search_filters": M{}}).ExportJob.ID
	type receipt struct {
		CreditsCharged int `json:"credits_charged"`
		Items          []struct {
			CompanyID  string `json:"company_id"`
			Status     string
			Credits    int
			UnlockedBy string `json:"unlocked_by"`
		}
		NextCursor *string `json:"next_cursor"`
	}
	charged, seen := 0, map[string]string{}
	path := "/exports/" + second + "/receipt"
	for next := path + "?limit=7"; next != ""; {
		r := get[receipt](t, h, h.reader, 200, "GET", next, nil)
		require.Equal(t, 18, r.CreditsCharged)
		for _, l := range r.Items {
			charged += l.Credits
			seen[l.CompanyID] = l.Status
			require.Equal(t, map[string]string{"owned": first, "charged": second}[l.Status], l.UnlockedBy)
		}
		next = ""
		if r.NextCursor != nil {
			next = path + "?limit=7&cursor=" + url.QueryEscape(*r.NextCursor)
		}
	}
	require.Len(t, seen, 30)
	require.Equal(t, 18, charged)

	sheet := h.send(t, h.reader, "GET", path+"?format=csv", nil)
	rows, err := csv.NewReader(bytes.NewReader(sheet.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 31)
	for _, row := range rows[1:] {
		require.Equal(t, seen[row[0]], row[3])
	}
	other := h.token(t, h.workspace(t, 10), auth.Read)
	for _, query := range []string{"", "?format=csv"} {
		require.Equal(t, "NOT_FOUND", h.send(t, other, "GET", path+query, nil).code(t))
	}
	require.Equal(t, "INVALID_CURSOR", h.send(t, h.reader, "GET", path+"?cursor=x", nil).code(t))
	require.Contains(t, h.send(t, h.reader, "GET", path+"?limit=1001", nil).fields(t), "limit")
	require.Contains(t, h.send(t, h.reader, "GET", path+"?format=csv&limit=5", nil).fields(t), "limit")
}

func TestTheClientReadsLedgerAndReceipt(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx, c := t.Context(), client.New(server.URL, h.writer, client.Options{})
	made, err := c.CreateExport(ctx, client.ExportRequest{Name: "all", SearchFilters: &client.Filters{}})
	require.NoError(t, err)
	receipt, err := c.Receipt(ctx, made.ExportJob.ID, "", 5)
	require.NoError(t, err)
	require.Len(t, receipt.Items, 5)
	require.NotEmpty(t, receipt.NextCursor)
	var sheet bytes.Buffer
	require.NoError(t, c.ReceiptCSV(ctx, made.ExportJob.ID, &sheet))
	require.Equal(t, 21, strings.Count(sheet.String(), "\r\n"))

	e, err := c.CancelExport(ctx, made.ExportJob.ID)
	require.NoError(t, err)
	require.True(t, e.Final())
	charges := client.LedgerFilter{Reason: "export_charge", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}
	ledger, err := c.Transactions(ctx, charges, "", 1)
	require.NoError(t, err)
	require.Len(t, ledger.Items, 1)
	require.Empty(t, ledger.NextCursor)
	require.Equal(t, made.ExportJob.ID, *ledger.Items[0].ExportID)
	sheet.Reset()
	require.NoError(t, c.TransactionsCSV(ctx, client.LedgerFilter{}, &sheet))
	require.Equal(t, 4, strings.Count(sheet.String(), "\r\n"))
	_, err = c.CancelExport(ctx, *made.TransactionID)
	require.Error(t, err)
}

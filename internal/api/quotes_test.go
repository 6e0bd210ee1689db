package api_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
)

type quote struct {
	figures
	QuoteID    string    `json:"quote_id"`
	ExpiresAt  time.Time `json:"expires_at"`
	Balance    int
	Affordable bool
}

func quoted(t testing.TB, h *house, body M) quote {
	t.Helper()
	return get[quote](t, h, h.reader, http.StatusOK, "POST", "/exports/quote", body)
}

// poor replaces the fixture's tokens by tokens of a new workspace.
func (h *house) poor(t testing.TB, credits int64) {
	t.Helper()
	ws := h.workspace(t, credits)
	h.writer, h.reader = h.token(t, ws, auth.ReadWrite), h.token(t, ws, auth.Read)
}

func (h *house) exec(t testing.TB, q string) {
	t.Helper()
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), q)
		return err
	}))
}

func TestAQuoteIsBinding(t *testing.T) {
	t.Parallel()
	h := stocked(t, 40, settings{})
	q := quoted(t, h, M{"search_filters": M{}, "limit": 30, "export_format": "json"})
	require.Equal(t, 30, q.Cost)
	require.WithinDuration(t, time.Now().Add(15*time.Minute), q.ExpiresAt, time.Minute)
	create(t, h, M{"name": "between", "search_filters": M{}, "limit": 5})

	made := create(t, h, M{"name": "by the quote", "quote_id": q.QuoteID, "export_format": "csv"})
	require.Equal(t, figures{RequestedCount: 30, AlreadyUnlocked: 5, NewCount: 25, Cost: 25, CreditsCharged: 25}, made.figures)
	require.Equal(t, "csv", made.ExportJob.ExportFormat)
	require.Equal(t, "search", made.ExportJob.SourceType)
	detail := get[M](t, h, h.reader, 200, "GET", "/exports/"+made.ExportJob.ID, nil)
	require.Equal(t, q.QuoteID, detail["quote_id"])
	require.EqualValues(t, 30, detail["limit"])
	require.Equal(t, M{}, detail["search_filters"])

	again := create(t, h, M{"name": "once more", "quote_id": q.QuoteID})
	require.Zero(t, again.CreditsCharged)
	require.Equal(t, "json", again.ExportJob.ExportFormat)
	require.Equal(t, 970, balance(t, h))
}

func TestAQuoteRepeatedWithItsKeyIsTheSameQuote(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	ask := func(body M) answer {
		r := h.request(t, h.reader, "POST", base+"/exports/quote", body)
		r.Header.Set("Idempotency-Key", "one")
		return h.raw(t, r)
	}
	first, again := ask(M{"search_filters": M{}}), ask(M{"search_filters": M{}})
	require.Equal(t, string(first.body), string(again.body))
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", ask(M{"search_filters": M{}, "limit": 1}).code(t))
}

func TestFieldsThatSelectCompaniesAreRefusedBesideAQuote(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	id := quoted(t, h, M{"search_filters": M{}}).QuoteID
	settled := M{
		"source_type": "search", "search_filters": M{}, "sort_by": "name", "sort_order": "asc", "list_id": uuid.NewString(),
		"limit": 5, "only_new": true, "on_insufficient_balance": "fail", "max_credits": 0,
	}
	for field, value := range settled {
		faults := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "quote_id": id, field: value}).fields(t)
		require.Equal(t, map[string]string{field: "is fixed by the quote; leave it out"}, faults)
	}
	all := M{"name": "x", "quote_id": id, "export_format": "json", "csv_options": M{"bom": true}}
	maps.Copy(all, settled)
	require.Len(t, h.send(t, h.writer, "POST", "/exports", all).fields(t), len(settled)+1, "every error at once")
	require.Contains(t, h.send(t, h.reader, "POST", "/exports/quote", M{"quote_id": id}).fields(t), "quote_id")
	require.Contains(t, h.send(t, h.writer, "POST", "/exports", M{"name": "x", "quote_id": "1"}).fields(t), "quote_id")
	require.Contains(t, h.send(t, h.writer, "POST", "/exports", M{"name": "x", "quote_id": nil}).fields(t), "search_filters")
	require.Zero(t, exportsMade(t, h))
}

func TestAnExpiredOrOutdatedQuoteIsAClearError(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	id := quoted(t, h, M{"search_filters": M{}}).QuoteID
	body := M{"name": "x", "quote_id": id}
	require.Equal(t, "NOT_FOUND", h.send(t, h.writer, "POST", "/exports", M{"name": "x", "quote_id": uuid.NewString()}).code(t))
	other := h.token(t, h.workspace(t, 10), auth.ReadWrite)
	foreign := h.send(t, other, "POST", "/exports", body)
	require.Equal(t, http.StatusNotFound, foreign.status)

	h.exec(t, `UPDATE quote SET expires_at = 1`)
	expired := h.send(t, h.writer, "POST", "/exports", body)
	require.Equal(t, http.StatusBadRequest, expired.status)
	require.Equal(t, "QUOTE_EXPIRED", expired.code(t))
	require.Equal(t, "1970-01-01T00:00:00.000001Z", expired.failure(t).Details["expires_at"])

	id = quoted(t, h, M{"search_filters": M{}}).QuoteID
	h.exec(t, `UPDATE quote SET cost = 4 WHERE id = '`+id+`'`)
	outdated := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "quote_id": id})
	require.Equal(t, http.StatusConflict, outdated.status)
	require.Equal(t, "QUOTE_OUTDATED", outdated.code(t))
	require.Zero(t, exportsMade(t, h))
	require.Equal(t, 1000, balance(t, h))
}

func TestExportTermsLimitWhatIsBought(t *testing.T) {
	t.Parallel()
	h := stocked(t, 30, settings{})
	h.poor(t, 20)
	h.work(t)
	everything := func(more M) M {
		body := M{"name": "terms", "search_filters": M{}}
		maps.Copy(body, more)
		return body
	}
	made := create(t, h, everything(M{"limit": 5}))
	require.Equal(t, figures{RequestedCount: 5, NewCount: 5, Cost: 5, CreditsCharged: 5}, made.figures)
	made = create(t, h, everything(M{"limit": 5, "only_new": true, "max_credits": 5}))
	require.Equal(t, figures{RequestedCount: 5, NewCount: 5, Cost: 5, CreditsCharged: 5}, made.figures)

	made = create(t, h, everything(M{"only_owned": true}))
	require.Equal(t, figures{RequestedCount: 10, AlreadyUnlocked: 10}, made.figures, "free")
	require.Equal(t, true, finish(t, h, made.ExportJob.ID)["only_owned"])
	a := h.send(t, h.writer, "POST", "/exports", everything(M{"only_owned": true, "only_new": true}))
	require.Contains(t, a.fields(t), "only_new")

	a = h.send(t, h.writer, "POST", "/exports", everything(M{"max_credits": 19}))
	require.Equal(t, http.StatusPaymentRequired, a.status)
	require.Equal(t, "MAX_CREDITS_EXCEEDED", a.code(t))
	require.Equal(t, M{
		"max_credits": 19.0, "balance": 10.0, "requested_count": 30.0, "already_unlocked": 10.0, "new_count": 20.0, "would_skip": 10.0,
	}, a.failure(t).Details)
	a = h.send(t, h.writer, "POST", "/exports", everything(M{"on_insufficient_balance": "fail"}))
	require.Equal(t, "insufficient_balance", a.code(t))

	q := quoted(t, h, everything(M{"on_insufficient_balance": "partial"}))
	require.Equal(t, figures{RequestedCount: 30, AlreadyUnlocked: 10, NewCount: 20, Cost: 10, WouldSkip: 10}, q.figures)
	require.True(t, q.Affordable)
	made = create(t, h, everything(M{"on_insufficient_balance": "partial", "export_format": "json", "max_credits": 50}))
	require.Equal(t, figures{
		RequestedCount: 30, AlreadyUnlocked: 10, NewCount: 20, Cost: 10, CreditsCharged: 10, WouldSkip: 10,
	}, made.figures)
	done := finish(t, h, made.ExportJob.ID)
	require.EqualValues(t, 20, done["total_records"], "the rows of the file")
	require.EqualValues(t, 20, done["processed_records"])
	require.EqualValues(t, 10, done["would_skip"])
	require.Equal(t, "partial", done["on_insufficient_balance"])
	require.EqualValues(t, 50, done["max_credits"])
	require.Nil(t, done["limit"])
	require.Nil(t, done["quote_id"])
	var rows []M
	download(t, h, made.ExportJob.ID).into(t, &rows)
	require.Len(t, rows, 20)
	require.Zero(t, balance(t, h))
}

func TestInvalidExportTermsAreRefused(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	for field, values := range map[string][]any{
		"limit":                   {0, -1, 10_001, 1.5, "5", true},
		"max_credits":             {-1, 0.5, "5", []int{}},
		"only_new":                {"yes", 1},
		"only_owned":              {"yes", 1},
		"exclude_list_id":         {"x", 1},
		"on_insufficient_balance": {"skip", "", 1},
	} {
		t.Run(field, func(t *testing.T) {
			for _, value := range values {
				for _, path := range []string{"/exports", "/exports/quote"} {
					a := h.send(t, h.writer, "POST", path, M{"name": "x", "search_filters": M{}, field: value})
					require.Contains(t, a.fields(t), field, "%v", value)
				}
			}
		})
	}
	made := create(t, h, M{
		"name": "nulls are left out", "search_filters": M{}, "limit": nil, "max_credits": nil, "only_new": nil,
		"on_insufficient_balance": nil, "quote_id": nil,
	})
	require.Equal(t, 5, made.CreditsCharged)
}

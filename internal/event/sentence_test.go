package event_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/event"
)

func TestSentencesSayWhatHappened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind event.Type
		data string
		want string
	}{
		{event.ExportCompleted, `{"name":"New","total_records":1200,"credits_charged":1}`, "Export “New” is ready: 1,200 companies for 1 credit."},
		{event.ExportCompleted, `{"name":"<!channel>\n@all","total_records":1}`, "Export “‹!channel› ＠all” is ready: 1 company for 0 credits."},
		{event.ExportFailed, `{"name":"New","error":"The disk is full"}`, "Export “New” failed: The disk is full."},
		{event.ExportRefunded, `{"export_id":"e-1","credits_refunded":1,"balance":2000}`, "Refunded for export e-1: 1 credit. The balance is 2,000 credits."},
		{event.ExportDelivered, `{"export_id":"e-1","path":"s3://b/dt=2026-11-30/new.parquet"}`, "Export e-1 was delivered to s3://b/dt=2026-11-30/new.parquet."},
		{event.ExportDelivered, `{"export_id":"e-1","name":"Fintech","path":"new.parquet"}`, "Export “Fintech” was delivered to new.parquet."},
		{event.ExportDeliveryFailed, `{"export_id":"e-1","name":"Fintech","error":"Access denied","next_attempt_at":null}`, "Export “Fintech” could not be delivered: Access denied. There is no further attempt."},
		{event.ExportDeliveryFailed, `{"export_id":"e-1","error":"Access denied","next_attempt_at":"2026-11-30T10:00:00Z"}`, "Export e-1 could not be delivered yet: Access denied. It is tried again."},
		{event.ExportDeliveryFailed, `{"export_id":"e-1","error":"Access denied.","next_attempt_at":null}`, "Export e-1 could not be delivered: Access denied. There is no further attempt."},
		{event.OrderRan, `{"name":"Mondays","export_id":"e-1","total_records":3,"credits_charged":2}`, "Standing order “Mondays” ran: 3 companies for 2 credits."},
		{event.OrderRan, `{"name":"Mondays","message":"Nothing is new."}`, "Standing order “Mondays” ran: Nothing is new."},
		{event.OrderSkipped, `{"name":"Mondays","message":"It would cost 300 credits"}`, "Standing order “Mondays” was skipped: It would cost 300 credits."},
		{event.CreditsGranted, `{"amount":-5,"balance_after":10}`, "The balance changed by -5, to 10 credits."},
		{event.CreditsGranted, `{"amount":25000,"balance_after":1025000}`, "The balance changed by +25,000, to 1,025,000 credits."},
		{event.CreditsLow, `{"balance":1,"low_balance":1000}`, "Credits are low: 1 credit left, fewer than 1,000."},
		{event.BudgetThreshold, `{"name":"laptop","percent":80}`, "“laptop” has spent 80 % of a budget."},
		{event.TokenCreated, `{"name":"laptop"}`, "A token was created: “laptop”."},
		{"later.kind", `{}`, "An event of the type later.kind happened."},
		{event.QuoteExpired, `[]`, "An event of the type quote.expired happened."},
	} {
		require.Equal(t, c.want, event.Sentence(c.kind, json.RawMessage(c.data)))
	}
	for _, e := range event.Catalogue() {
		got := event.Sentence(e.Type, json.RawMessage(`{"name":"x"}`))
		require.False(t, strings.HasPrefix(got, "An event of the type"), "%s: %s", e.Type, got)
	}
}

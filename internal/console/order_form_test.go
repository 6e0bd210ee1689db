package console

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
)

func TestTheFormOfAnOrderHasWhatTheAPIKnowsAndKeepsItAfterAnError(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann := h.as(t, h.ann)
	filled := []string{
		"name", "Weekly", "has", "name", "deliver", "changed", "baseline", "1", "only_new", "1", "when", "", "cron", "0 6 * * *", "time_zone", "Europe/Berlin",
		"missed", "skip", "ends_at", "2099-07-01T18:30", "max_credits", "5", "max_credits_total", "50", "above_cap", "fill", "format", "csv", "bom", "1",
		"raw_formulas", "1", "compression", "gzip", "header_row", "label", "column", "name", "column", "domain", "limit", "7",
	}
	with := func(field, value string) []string {
		changed := append([]string{}, filled...)
		for i := 0; i < len(changed); i += 2 {
			if changed[i] == field {
				changed[i+1] = value
			}
		}
		return changed
	}
	kept := []string{
		`value="Weekly"`, `name="has" value="name"`, `value="changed" checked`, `name="baseline" value="1" checked`, `name="only_new" value="1" checked`,
		`value="0 6 * * *"`, `value="Europe/Berlin"`, `value="skip" selected`, `value="2099-07-01T18:30"`, `value="5"`, `value="50"`, `value="fill" selected`,
		`value="csv" checked`, `name="bom" value="1" checked`, `name="raw_formulas" value="1" checked`, `value="gzip" selected`, `value="label" selected`,
		`name="column" value="domain" checked`, `name="limit" type="number" inputmode="numeric" min="1" max="10000" value="7"`,
	}
	for message, wrong := range map[string][2]string{
		`id="name-fault"`: {"name", " "}, `id="cron-fault"`: {"cron", "0 0 30 2 *"}, `id="time_zone-fault"`: {"time_zone", "Mars"}, `id="missed-fault"`: {"missed", "x"},
		"This must be a date with a time": {"ends_at", "soon"}, "This must be in the future.": {"ends_at", "2020-01-01T00:00"}, "This is before the next run.": {"ends_at", time.Now().Add(time.Minute).UTC().Format("2006-01-02T15:04")},
		`id="max_credits_total-fault"`: {"max_credits_total", "-1"}, "Only CSV, JSON and NDJSON are compressed": {"format", "parquet"}, `id="limit-fault"`: {"limit", "0"},
	} {
		form := with(wrong[0], wrong[1])
		if wrong[0] == "ends_at" && strings.HasPrefix(message, "This is before") {
			form = append(form, "cron", "0 0 1 1 *")
			for i := 0; i < len(form)-2; i += 2 {
				if form[i] == "cron" || form[i] == "time_zone" {
					form[i+1] = map[string]string{"cron": "0 0 1 1 *", "time_zone": "UTC"}[form[i]]
				}
			}
		}
		bad := ann.post(t, in(h.acme, "/orders"), form...)
		require.Equal(t, http.StatusUnprocessableEntity, bad.status, message)
		require.Contains(t, bad.body, message)
		missing := 0
		for _, text := range kept {
			if !strings.Contains(bad.body, text) {
				missing++
			}
		}
		require.LessOrEqual(t, missing, 3, "%s: what was right stays", message) // what is wrong, and what this test changed with it
	}
	made := ann.post(t, in(h.acme, "/orders"), filled...)
	require.Equal(t, http.StatusSeeOther, made.status, made.body)
	orderID, err := id.Parse[id.Order](path.Base(made.location()))
	require.NoError(t, err)
	o, err := h.Orders.Get(t.Context(), h.acme, orderID)
	require.NoError(t, err)
	require.Equal(t, []any{order.Changed, order.Skip, order.Fill, int64(5), int64(50), order.Schedule{Cron: "0 6 * * *", Zone: "Europe/Berlin"}},
		[]any{o.Deliver, o.Missed, o.AboveCap, *o.MaxCredits, *o.MaxCreditsTotal, o.Schedule})
	require.Equal(t, "2099-07-01T16:30:00Z", o.EndsAt.Format(time.RFC3339), "the end is in the time zone of the schedule")
	require.Equal(t, format.Options{Columns: []string{"name", "domain"}, Headers: "label", Compression: "gzip", BOM: true, RawFormulas: true}, o.Request.Options)
	require.Equal(t, []any{7, true}, []any{o.Request.Terms.Limit, o.Request.Terms.OnlyNew})

	after := ann.post(t, in(h.acme, "/orders"), with("when", "import")...)
	require.Equal(t, http.StatusSeeOther, after.status, "an order after imports has no missed runs to skip")
	at := strings.TrimPrefix(after.location(), basePath)
	for _, page := range []string{at, in(h.acme, "/orders")} {
		require.Contains(t, ann.get(t, page).body, "after the next import")
	}
	ann.post(t, at+"/pause")
	require.NotContains(t, ann.get(t, at).body, "after the next import")
}

func TestAnOrderIsChangedOnItsPageInTheNameOfWhoChangesIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	made := ann.post(t, in(h.acme, "/orders"), "has", "name", "name", "Weekly", "max_credits", "5", "ends_at", "2099-01-01T00:00", "time_zone", "UTC")
	at := strings.TrimPrefix(made.location(), basePath)
	page := ann.get(t, at).body
	for _, text := range []string{`value="2099-01-01T00:00"`, `value="0 8 * * MON"`, `name="max_credits" type="number" inputmode="numeric" min="0" value="5"`} {
		require.Contains(t, page, text)
	}
	bad := bob.post(t, at, "name", "Daily", "cron", "never", "time_zone", "UTC", "missed", "skip")
	require.Equal(t, http.StatusUnprocessableEntity, bad.status)
	for _, text := range []string{`id="cron-fault"`, `value="never"`, `value="Daily"`, "<details open", `value="skip" selected`} {
		require.Contains(t, bad.body, text)
	}
	read := func() order.Order {
		orders, err := h.Orders.List(t.Context(), h.acme, id.Order{}, 10)
		require.NoError(t, err)
		return orders[0]
	}
	require.Equal(t, "Weekly", read().Name, "a change that is refused changes nothing")
	require.Contains(t, bob.follow(t, bob.post(t, at, "name", "Daily", "cron", "0 7 * * *", "time_zone", "UTC", "missed", "skip", "above_cap", "fill", "max_credits_total", "9")).body, "in your name")
	o := read()
	require.Equal(t, []any{"Daily", "0 7 * * *", order.Skip, order.Fill, int64(9), h.bob.ID}, []any{o.Name, o.Schedule.Cron, o.Missed, o.AboveCap, *o.MaxCreditsTotal, o.Person})
	require.Nil(t, o.MaxCredits, "an empty field is no limit")
	require.Nil(t, o.EndsAt)
	require.Equal(t, http.StatusNotFound, h.as(t, h.eve).post(t, at, "name", "Mine").status)
}

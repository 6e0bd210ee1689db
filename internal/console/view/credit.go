package view

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/wall"
)

// Credits is the page of a workspace's credits.
type Credits struct {
	Page     string // the address without parameters
	Balance  int64
	Budget   budget.Use  // the viewer's
	Today    *wall.Daily // the daily limit of companies and what is left of it; nil without one
	Spans    []Span
	Span     Span
	Chart    Chart
	ByToken  []Spender
	ByMember []Spender
	Filter   LedgerFilter
	Faults   map[string]string
	Entries  []credit.Entry
	Next     string
	Sheet    string // the address of the ledger as CSV
}

// Spender is a token or a member with the credits they spent, less refunds.
type Spender struct {
	Name    string
	Exports int
	Net     int64
	Share   int // percent of the highest spender
}

// LedgerFilter selects entries of the ledger, as it was typed.
type LedgerFilter struct{ From, To, Reason, Before string }

var reasons = []credit.Reason{
	credit.ReasonGrant, credit.ReasonPurchase, credit.ReasonAdjustment, credit.ReasonCharge, credit.ReasonRefund,
}

// Spenders sums up what was spent by name, highest first.
func Spenders(spent []export.Spending, name func(export.Spending) string) (all []Spender) {
	for _, x := range spent {
		n := name(x)
		i := slices.IndexFunc(all, func(s Spender) bool { return s.Name == n })
		if i < 0 {
			i, all = len(all), append(all, Spender{Name: n})
		}
		all[i].Exports += x.Exports
		all[i].Net += x.Charged - x.Refunded
	}
	slices.SortStableFunc(all, func(a, b Spender) int { return cmp.Compare(b.Net, a.Net) })
	for i := range all {
		all[i].Share = percent(all[i].Net, all[0].Net)
	}
	return all
}

// Read returns the filter for the ledger, and the entry before which the page begins (0 for the first page). Days are whole
// days in UTC.
func (f LedgerFilter) Read() (filter credit.Filter, before int64, err error) {
	var faults []fault.FieldError
	filter.From, filter.To, faults = readDays(f.From, f.To)
	if filter.Reason = credit.Reason(f.Reason); f.Reason != "" && !slices.Contains(reasons, filter.Reason) {
		faults = append(faults, fault.FieldError{Field: "reason", Message: "is not a known reason"})
	}
	if f.Before != "" {
		if before, err = strconv.ParseInt(f.Before, 10, 64); err != nil || before < 1 {
			faults = append(faults, fault.FieldError{Field: "before", Message: "is not a valid position in the ledger"})
		}
	}
	return filter, before, fault.Invalid(faults...)
}

// readDays reads the first and the last day of a filter as times in UTC, of which the second is exclusive. An empty text is no
// bound.
func readDays(from, to string) (first, end time.Time, faults []fault.FieldError) {
	day := func(field, text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			faults = append(faults, fault.FieldError{Field: field, Message: "must be a date such as 2026-03-01"})
		}
		return t
	}
	first, end = day("from", from), day("to", to)
	if !end.IsZero() {
		end = end.AddDate(0, 0, 1) // the last day is included
	}
	return first, end, faults
}

// At returns the address of the page with parameters changed, given as pairs of name and value. An empty value removes the
// parameter.
func (v *Credits) At(changes ...string) string {
	params := url.Values{}
	for _, p := range [][2]string{
		{"span", v.Span.Value}, {"from", v.Filter.From}, {"to", v.Filter.To}, {"reason", v.Filter.Reason}, {"before", v.Filter.Before},
	} {
		if p[1] != "" {
			params.Set(p[0], p[1])
		}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if params.Del(changes[i]); changes[i+1] != "" {
			params.Set(changes[i], changes[i+1])
		}
	}
	return withQuery(v.Page, params)
}

// reasonText returns the reason of an entry for people.
func reasonText(r credit.Reason) string {
	switch r {
	case credit.ReasonGrant:
		return "Grant"
	case credit.ReasonPurchase:
		return "Purchase"
	case credit.ReasonAdjustment:
		return "Adjustment"
	case credit.ReasonCharge:
		return "Export"
	case credit.ReasonRefund:
		return "Refund"
	}
	return string(r)
}

// actorText returns the name of the person or token that made an entry.
func actorText(e credit.Entry) string {
	kind, rest, _ := strings.Cut(e.Actor, ":")
	switch kind {
	case "token":
		return "token " + cmp.Or(e.ActorName, rest)
	case "person":
		return cmp.Or(e.ActorName, rest)
	}
	return "the system"
}

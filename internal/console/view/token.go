package view

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/requestlog"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/workspace"
)

// Tokens is the page of a workspace's tokens.
type Tokens struct {
	Tokens []TokenRow
	Ended  int // number of tokens that no longer work; they come last
	Form   TokenForm
	Faults map[string]string
}

// TokenRow is a token with what it has spent.
type TokenRow struct {
	token.Token
	Owner      string // the member's name; empty if it belongs to the workspace
	CreatedBy  string // the name of the member who created it
	Mine       bool   // whether the viewer may change it
	Spent      int64  // credits, less refunds
	SpentMonth int64  // in this calendar month

	Today *wall.Daily // the daily limit of companies and what is left of it; nil without one
}

// TokenForm is the form of a new token, as it was filled in.
type TokenForm struct{ Name, Scope, Days, Budget, BudgetMonth, Shared string }

// tokenActive is the state of a token that works.
const tokenActive = "Active"

// State returns the state of the token, and its colour class.
func (t TokenRow) State(now time.Time) (text, tone string) {
	switch {
	case t.RevokedAt != nil:
		return "Revoked", "bad"
	case t.ExpiresAt != nil && !t.ExpiresAt.After(now):
		return "Expired", "warn"
	}
	return tokenActive, "good"
}

// Ended reports whether the token no longer works.
func (t TokenRow) Ended(now time.Time) bool {
	text, _ := t.State(now)
	return text != tokenActive
}

// daysMax is the longest lifetime of a token in days.
const daysMax = 3650

func (f TokenForm) Read(v Viewer, now time.Time) (token.NewToken, error) {
	n := token.NewToken{Workspace: v.Workspace.ID, Name: f.Name, Scope: auth.Scope(f.Scope), Owner: v.Person.ID, Creator: v.Person.ID}
	if f.Shared != "" && v.Role.Allows(workspace.Owner) {
		n.Owner = id.Person{} // stays active when its creator leaves
	}
	var faults []fault.FieldError
	n.Budget, faults = ReadBudget(f.Budget, f.BudgetMonth)
	if f.Days != "" {
		days, err := strconv.Atoi(f.Days)
		if err != nil || days < 1 || days > daysMax {
			faults = append(faults, fault.FieldError{Field: "days", Message: "must be a whole number from 1 to 3650"})
		} else {
			at := now.AddDate(0, 0, days)
			n.ExpiresAt = &at
		}
	}
	return n, fault.Invalid(faults...)
}

// needsBudget reports whether a token that the viewer creates to export needs a budget.
func needsBudget(v Viewer) bool {
	return token.Unbudgeted(v.Workspace.UnbudgetedTokens).NeedsBudget(auth.ReadWrite, v.Role.Allows(workspace.Owner))
}

// budgetRule says who may create tokens without a budget.
func budgetRule(v Viewer) string {
	if token.Unbudgeted(v.Workspace.UnbudgetedTokens) == token.Owners {
		return "A token that can export needs a total or a monthly limit here: only owners may create one without."
	}
	return "A token that can export needs a total or a monthly limit in this workspace."
}

// ReadBudget reads the two limits of a token or a member from a form; an empty one is no limit.
func ReadBudget(total, month string) (budget.Limits, []fault.FieldError) {
	var b budget.Limits
	var faults []fault.FieldError
	for _, f := range []struct {
		field, text string
		to          **int64
	}{{"budget", total, &b.Total}, {"budget_month", month, &b.Month}} {
		text := strings.TrimSpace(f.text)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			faults = append(faults, fault.FieldError{Field: f.field, Message: "must be a whole number of credits, or empty"})
			continue
		}
		*f.to = &n
	}
	return b, faults
}

// ReadDaily reads a daily limit of companies from a form; an empty one is no limit, which is 0.
func ReadDaily(given string) (most int64, err error) {
	if given = strings.TrimSpace(given); given == "" {
		return 0, nil
	}
	if most, err = strconv.ParseInt(given, 10, 64); err != nil || most < 1 {
		return 0, fault.Invalid(fault.FieldError{Field: "daily", Message: "must be a whole number from 1, or empty for no limit"})
	}
	return most, nil
}

// TokenDetail is the page of one token.
type TokenDetail struct {
	TokenRow
	Secret  string // only right after it was created or changed
	Address string // of the server, such as https://capi.example.com

	Requests []requestlog.Logged
	Later    bool
	Next     string
	Days     []RequestDay
	Limits   []RateLimit
}

// RateLimit is what a token may still request of an operation.
type RateLimit struct {
	Name  string
	Limit ratelimit.Limit
	Left  int
}

// RequestDay are the requests of a day in the reader's time zone.
type RequestDay struct {
	Label            string
	Requests, Errors int64
	Credits          int64
}

// requestDays is how many days the chart of requests has.
const requestDays = 7

// RequestDays sums the hours into the last days, the oldest first.
func RequestDays(ctx context.Context, hours []requestlog.Hour, now time.Time) []RequestDay {
	zone := cmp.Or(zoneOf(ctx), time.UTC)
	year, month, day := now.In(zone).Date()
	days := make([]RequestDay, requestDays)
	for i := range days {
		begin := time.Date(year, month, day-requestDays+1+i, 0, 0, 0, 0, zone)
		days[i].Label = begin.Format("Mon 2 Jan")
		for _, h := range hours {
			if !h.Begin.Before(begin) && h.Begin.Before(begin.AddDate(0, 0, 1)) {
				days[i].Requests += h.Requests
				days[i].Errors += h.Errors
				days[i].Credits += h.Credits
			}
		}
	}
	return days
}

// busiest returns the most requests of a day.
func busiest(days []RequestDay) (most int64) {
	for _, d := range days {
		most = max(most, d.Requests)
	}
	return most
}

// took formats the duration of a request.
func took(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// httpTone returns the colour class of an HTTP status.
func httpTone(status int) string {
	switch {
	case status >= 500:
		return "bad"
	case status >= 400:
		return "warn"
	}
	return "good"
}

// curl returns a command that the reader can run as it is, if the secret is known.
func (t *TokenDetail) curl() string {
	secret := "$CAPI_TOKEN"
	if t.Secret != "" {
		secret = t.Secret
	}
	return "curl -sS " + t.Address + "/api/v1/companies/search \\\n  -H \"Authorization: Bearer " + secret + "\" \\\n" +
		"  -H 'Content-Type: application/json' \\\n  -d '{\"query\": \"software\", \"limit\": 3}'"
}

// service returns the address that OpenRefine is given; with the word SECRET if the secret is not known.
func (t *TokenDetail) service() string { return t.Address + "/reconcile/" + cmp.Or(t.Secret, "SECRET") }

// TokenPath returns the address of the token's page, or of one of its forms.
func TokenPath(ctx context.Context, t id.Token, rest string) string {
	return ViewerOf(ctx).Path("/tokens/" + t.String() + rest)
}

func scopeText(s auth.Scope) string {
	switch s {
	case auth.ReadWrite:
		return "Read and export"
	case auth.Reconcile:
		return "Reconcile in OpenRefine"
	case auth.Read:
	}
	return "Read only"
}

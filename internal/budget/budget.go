// Package budget is what a token or a member of a workspace may spend. It stores nothing: the packages token and workspace
// do.
package budget

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// Limits bound the credits that may be spent; nil for no bound.
type Limits struct {
	Total *int64 // in all
	Month *int64 // in a calendar month, UTC
}

// IsZero reports whether there is no bound.
func (l Limits) IsZero() bool { return l.Total == nil && l.Month == nil }

// Faults returns the errors of bad limits, by the names of their fields.
func (l Limits) Faults() []fault.FieldError {
	var faults []fault.FieldError
	bad := func(field string, credits *int64) {
		if credits != nil && *credits < 0 {
			faults = append(faults, fault.FieldError{Field: field, Message: "must not be negative"})
		}
	}
	bad("budget", l.Total)
	bad("budget_month", l.Month)
	return faults
}

// Describe adds the limits to the details of an audit entry.
func (l Limits) Describe(details map[string]any) {
	for name, credits := range map[string]*int64{"budget": l.Total, "budget_month": l.Month} {
		if details[name] = "none"; credits != nil {
			details[name] = *credits
		}
	}
}

// Use is a budget and how much of it is spent: charges minus refunds. A refund counts for the month of its charge.
type Use struct {
	Limits
	Spent      int64
	SpentMonth int64
}

// Left returns how many credits may still be spent; nil for any number. It is negative if the budget was lowered below what is
// spent.
func (u Use) Left() *int64 {
	var left *int64
	for _, b := range u.bounds() {
		if n := *b.credits - b.spent; left == nil || n < *left {
			left = &n
		}
	}
	return left
}

// Kind is what has a budget.
type Kind string

// The kinds.
const (
	Token  Kind = "token"
	Member Kind = "member"
)

// Holder is a token or a member with its budget.
type Holder struct {
	Kind Kind
	ID   string // of the token or the person
	Name string
	Use
}

// Refusal returns TokenBudgetExceeded if the holder may not spend the cost; nil if they may. It names the owners, who can raise
// the budget.
func (h Holder) Refusal(cost int64, owners []string) error {
	for _, b := range h.bounds() {
		if cost <= *b.credits-b.spent {
			continue
		}
		subject, left := h.Name, max(0, *b.credits-b.spent)
		if h.Kind == Token {
			subject = "The token " + h.Name
		}
		return fault.New(fault.TokenBudgetExceeded,
			"%s may spend %s %s and has %s left; this costs %s. Nothing was charged. %s",
			subject, text.Count(*b.credits, "credit", "credits"), b.within, humanize.Comma(left), humanize.Comma(cost), advice(owners)).
			With("whose", string(h.Kind)).With("budget", *b.credits).With("spent", b.spent).With("left", left).
			With("needed", cost).With("period", b.period)
	}
	return nil
}

// Crossing is a share of a limit that a purchase reaches.
type Crossing struct {
	Percent int
	Period  string // month, or all
	Limit   int64
	Spent   int64 // with the purchase
}

// Crossings returns the shares of 80 % and 100 % of the limits that a purchase at the cost reaches, and that were not reached before.
func (u Use) Crossings(cost int64) (all []Crossing) {
	for _, b := range u.bounds() {
		limit := *b.credits
		for percent, share := range map[int]int64{80: limit - limit/5, 100: limit} {
			if b.spent < share && b.spent+cost >= share {
				all = append(all, Crossing{percent, b.period, limit, b.spent + cost})
			}
		}
	}
	slices.SortFunc(all, func(a, b Crossing) int { return cmp.Or(cmp.Compare(a.Period, b.Period), a.Percent-b.Percent) })
	return all
}

// namedMax is how many owners a refusal names.
const namedMax = 3

func advice(owners []string) string {
	switch n := len(owners); {
	case n == 0:
		return "Ask the person who runs this server for a higher budget."
	case n == 1:
		return fmt.Sprintf("Ask %s, who owns the workspace, for a higher budget.", owners[0])
	case n <= namedMax:
		return fmt.Sprintf("Ask an owner of the workspace for a higher budget: %s or %s.",
			strings.Join(owners[:n-1], ", "), owners[n-1])
	default:
		return fmt.Sprintf("Ask an owner of the workspace for a higher budget, such as %s.", owners[0])
	}
}

// bound is one limit with what is spent of it.
type bound struct {
	period, within string
	credits        *int64
	spent          int64
}

func (u Use) bounds() (set []bound) {
	for _, b := range []bound{
		{"all", "in all", u.Total, u.Spent}, {"month", "in a calendar month (UTC)", u.Month, u.SpentMonth},
	} {
		if b.credits != nil {
			set = append(set, b)
		}
	}
	return set
}

// MonthOf returns the begin of the calendar month of t, UTC.
func MonthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

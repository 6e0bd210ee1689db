package export

import (
	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// Terms limit what is bought and what it may cost. The zero Terms buy all companies or none.
type Terms struct {
	Limit      int    `json:"limit,omitempty"`       // maximum rows, 1 to RowsMax; 0 means RowsMax
	OnlyNew    bool   `json:"only_new,omitempty"`    // leave out what the workspace has unlocked already
	OnlyOwned  bool   `json:"only_owned,omitempty"`  // leave out everything else
	Partial    bool   `json:"partial,omitempty"`     // buy what the balance covers and leave out the rest
	MaxCredits *int64 `json:"max_credits,omitempty"` // maximum cost; nil means the whole balance

	NotOn id.List `json:"exclude_list_id,omitzero"` // leave out the companies of this list, unless it is zero

	Order   id.Order `json:"order_id,omitzero"` // the standing order that buys it; zero for none
	Deliver string   `json:"deliver,omitempty"` // what the order delivers of its source: added, changed, left or all
}

func (t Terms) rowsMax() int {
	if t.Limit == 0 {
		return RowsMax
	}
	return t.Limit
}

func (t Terms) faults() (errs []fault.FieldError) {
	if t.Limit < 0 || t.Limit > RowsMax {
		errs = append(errs, fault.FieldError{Field: "limit", Message: "must be between 1 and 10,000"})
	}
	if t.OnlyNew && t.OnlyOwned {
		errs = append(errs, fault.FieldError{Field: "only_new", Message: "excludes every owned company, and only those were asked for"})
	}
	if t.MaxCredits != nil && *t.MaxCredits < 0 {
		errs = append(errs, fault.FieldError{Field: "max_credits", Message: "must be at least 0"})
	}
	return errs
}

// funds returns how much of the balance may be spent.
func (t Terms) funds(balance int64) int64 {
	if t.MaxCredits == nil {
		return balance
	}
	return min(balance, *t.MaxCredits)
}

// price splits the selection into owned and new companies, and returns what is left to deliver with the figures. A partial
// purchase leaves out the new companies that the funds do not cover, from the end of the file's order. NoCandidates if
// only new companies are asked for and all are owned, or the other way round.
func (t Terms) price(s selection, owned company.Set, balance int64) (selection, Figures, error) {
	if t.OnlyNew {
		if s = s.without(owned); len(s.numbers) == 0 {
			return selection{}, Figures{}, noCandidates(Request{Terms: t}, nil)
		}
	}
	if t.OnlyOwned {
		// A refund may have taken some of them back since they were found. They are not bought again.
		if s = s.filter(owned.Has); len(s.numbers) == 0 {
			return selection{}, Figures{}, noCandidates(Request{Terms: t}, nil)
		}
	}
	fresh := len(s.numbers) - s.set.AndLen(owned)
	short := int(max(0, int64(fresh)-t.funds(balance)))
	f := Figures{
		RequestedCount:  len(s.numbers) + s.skipped,
		AlreadyUnlocked: len(s.numbers) - fresh,
		NewCount:        fresh + s.skipped,
		Cost:            int64(fresh),
		WouldSkip:       short + s.skipped,
		CappedAt10k:     s.capped,
		Excluded:        s.excluded,
		Balance:         balance,
	}
	if t.Partial && short > 0 {
		s = s.withNew(fresh-short, owned)
		f.Cost = int64(fresh - short)
	}
	return s, f, nil
}

// refusal returns why the priced selection cannot be bought; nil if it can.
func (t Terms) refusal(s selection, f Figures) error {
	if f.Cost <= t.funds(f.Balance) && len(s.numbers) > 0 {
		return nil
	}
	var refusal *fault.Error
	switch {
	case t.MaxCredits != nil && (f.Cost > *t.MaxCredits || *t.MaxCredits == 0):
		refusal = fault.New(fault.MaxCreditsExceeded,
			"The %s more than the limit of %s. Nothing was charged.",
			text.Count(f.NewCount, "new company costs", "new companies cost"), humanize.Comma(*t.MaxCredits)).
			With("max_credits", *t.MaxCredits)
	case len(s.numbers) == 0 && s.skipped > 0:
		refusal = fault.New(fault.InsufficientBalance,
			"The quote is empty, because the balance covered none of the companies when it was made. Ask for a new quote.")
	default:
		refusal = fault.New(fault.InsufficientBalance,
			"The balance of %s does not cover the %s. Nothing was charged.",
			text.Count(f.Balance, "credit", "credits"), text.Count(f.NewCount, "new company", "new companies"))
	}
	return refusal.
		With("balance", f.Balance).
		With("requested_count", f.RequestedCount).
		With("already_unlocked", f.AlreadyUnlocked).
		With("new_count", f.NewCount).
		With("would_skip", f.WouldSkip)
}

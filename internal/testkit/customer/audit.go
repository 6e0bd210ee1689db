package customer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// exported is an export as the API returns it.
type exported struct {
	ID, Name, Status string
	Total            int `json:"total_records"`
	Refunded         int `json:"credits_refunded"`
	figures
}

// entry is a ledger entry as the API returns it.
type entry struct {
	ID           string
	Amount       int
	BalanceAfter int `json:"balance_after"`
	Reason       string
	Reference    *string
	Note         *string
}

// Audit reads everything that the workspace has and compares it with all earlier answers. The service must be up, and no
// other request may be in flight.
func (c *Customer) Audit(ctx context.Context) error {
	exports, err := pages[exported](ctx, c, "/exports?")
	if err != nil {
		return err
	}
	slices.Reverse(exports) // in the order in which they were bought
	if err := c.auditTokens(ctx); err != nil {
		return err
	}
	if err := c.auditExports(exports); err != nil {
		return err
	}
	if err := c.auditLedger(ctx, exports); err != nil {
		return err
	}
	return c.auditLists(ctx)
}

// auditExports records the status of every export and the outcome of requests that got no answer.
func (c *Customer) auditExports(exports []exported) error {
	listed := map[string]bool{}
	for _, e := range exports {
		listed[e.ID] = true
		if err := c.auditExport(e); err != nil {
			return fmt.Errorf("export %s, %s: %w", e.ID, e.Name, err)
		}
	}
	for id, s := range c.purchases {
		if !listed[id] {
			return fmt.Errorf("export %s, %s, is missing", id, s.name)
		}
	}
	for _, req := range c.requests {
		req.open = 0 // what has not happened by now will never happen
	}
	if !c.Alone {
		return nil
	}
	c.refund()
	for _, e := range exports {
		if n := c.purchases[e.ID].refunded; n != e.Refunded {
			return fmt.Errorf("export %s, %s, refunded %d credits, want %d", e.ID, e.Name, e.Refunded, n)
		}
	}
	return nil
}

func (c *Customer) auditExport(e exported) error {
	s, err := c.known(e)
	if err != nil {
		return err
	}
	if err := sameFigures(s.figures, e.figures); err != nil {
		return err
	}
	switch {
	case s.cancelled && e.Status != "cancelled":
		return fmt.Errorf("it was cancelled, but is %s", e.Status)
	case s.final() && e.Status != s.status:
		return fmt.Errorf("it was %s, but is %s", s.status, e.Status)
	case e.Status == "cancelled" && s.cancels == 0:
		return errors.New("nobody cancelled it")
	case s.status == "processing" && e.Status == "pending":
		return errors.New("it was processing, but is pending")
	case e.Total != e.Requested-e.WouldSkip:
		return fmt.Errorf("it has %d records, but figures %+v", e.Total, e.figures)
	}
	s.status = e.Status
	if !c.Alone {
		s.refunded = e.Refunded // which auditLedger compares with the ledger
	}
	return nil
}

// known returns the customer's record of the export. An export without one must come from a request that got no answer.
func (c *Customer) known(e exported) (*purchase, error) {
	if s := c.purchases[e.ID]; s != nil {
		return s, nil
	}
	req := c.requests[e.Name]
	switch {
	case req == nil || req.open == 0:
		return nil, errors.New("nobody requested it")
	case req.key != "" && c.purchaseOf(req) != nil:
		return nil, fmt.Errorf("it is the second export with the key %q", req.key)
	}
	req.open--
	return c.recordPurchase(req, c.buyerOf(req), e.ID, e.figures)
}

// auditTokens finds out which revocations with an unknown outcome were made, and checks all others.
func (c *Customer) auditTokens(ctx context.Context) error {
	for _, t := range c.tokens {
		a, err := c.call(ctx, t, apiRequest{method: "GET", path: "/credits"})
		if err != nil {
			return err
		}
		refused := a.code() == "INVALID_TOKEN"
		if !refused && !a.ok() || refused && !t.asked || !refused && t.revoked {
			return fmt.Errorf("token %s, revocation requested: %t, confirmed: %t, got the answer %s", t.ID, t.asked, t.revoked, a)
		}
		t.asked, t.revoked = refused, refused
	}
	return nil
}

// auditLedger checks the whole ledger: it has every grant once, every export is charged once and for the amount of its
// answer, every refund is there, and the balance is the sum of the entries, after each entry and at the end.
func (c *Customer) auditLedger(ctx context.Context, exports []exported) error {
	entries, err := pages[entry](ctx, c, "/credits/transactions?")
	if err != nil {
		return err
	}
	slices.Reverse(entries) // oldest first
	sum, granted := 0, map[string]bool{}
	charged, refunded := map[string]int{}, map[string]int{}
	for _, e := range entries {
		sum += e.Amount
		if e.BalanceAfter != sum || sum < 0 {
			return fmt.Errorf("ledger entry %+v: the sum of the entries is %d", e, sum)
		}
		switch e.Reason {
		case "grant":
			err = c.auditGrant(e, granted)
		case "export_charge":
			id := exportOf(e)
			if charged[id] += -e.Amount; e.Amount >= 0 || charged[id] != -e.Amount {
				err = errors.New("charged more than once")
			}
		case "export_refund":
			refunded[exportOf(e)] += e.Amount
		default:
			err = errors.New("unknown reason")
		}
		if err != nil {
			return fmt.Errorf("ledger entry %+v: %w", e, err)
		}
	}
	for note, g := range c.grants {
		if g.confirmed && !granted[note] {
			return fmt.Errorf("grant %q of %d is not in the ledger", note, g.credits)
		}
		if !granted[note] {
			delete(c.grants, note) // it has not happened, and will never happen
		}
	}
	return c.compare(ctx, exports, sum, charged, refunded)
}

func (c *Customer) auditGrant(e entry, granted map[string]bool) error {
	note := ""
	if e.Note != nil {
		note = *e.Note
	}
	g := c.grants[note]
	if g == nil || granted[note] || g.credits != e.Amount {
		return fmt.Errorf("it does not match a grant: %+v", g)
	}
	g.confirmed, granted[note] = true, true
	return nil
}

// compare compares the sums of the ledger with the exports and with the model.
func (c *Customer) compare(ctx context.Context, exports []exported, sum int, charged, refunded map[string]int) error {
	for _, e := range exports {
		if charged[e.ID] != e.Charged || refunded[e.ID] != e.Refunded {
			return fmt.Errorf("export %s, %s: %d credits charged and %d refunded, but %d and %d in the ledger",
				e.ID, e.Name, e.Charged, e.Refunded, charged[e.ID], refunded[e.ID])
		}
		delete(charged, e.ID)
		delete(refunded, e.ID)
	}
	if len(charged)+len(refunded) > 0 {
		return fmt.Errorf("the ledger has entries of exports that do not exist: %v %v",
			slices.Collect(maps.Keys(charged)), slices.Collect(maps.Keys(refunded)))
	}
	var credits struct{ Balance int }
	if err := c.get(ctx, "/credits", &credits); err != nil {
		return err
	}
	if credits.Balance != sum {
		return fmt.Errorf("the balance is %d, but the entries add up to %d", credits.Balance, sum)
	}
	if c.Alone && sum != c.balance() {
		return fmt.Errorf("the balance is %d, want %d", sum, c.balance())
	}
	return nil
}

// exportOf returns the id of the export in the reference of a charge or a refund.
func exportOf(e entry) string {
	const prefix, length = "export:", 36
	if e.Reference == nil || len(*e.Reference) < len(prefix)+length {
		return ""
	}
	return (*e.Reference)[len(prefix) : len(prefix)+length]
}

package customer

// price is the arithmetic of the contract in its plainest form. It returns the rows that a request for want delivers and
// what they cost, or the code of the refusal.
func (c *Customer) price(want []int, t terms, skipped, balance int) (rows []int, f figures, refusal string) {
	for _, n := range want {
		if t.onlyNew && c.payer[n] != nil {
			continue
		}
		if t.limit > 0 && len(rows) == t.limit {
			break
		}
		rows = append(rows, n)
	}
	if len(rows) == 0 && skipped == 0 {
		return nil, f, "no_candidates"
	}
	funds, fresh := balance, 0
	if t.creditsMax != nil {
		funds = min(funds, *t.creditsMax)
	}
	for _, n := range rows {
		if c.payer[n] == nil {
			fresh++
		}
	}
	short := max(0, fresh-funds)
	f = figures{
		Requested: len(rows) + skipped, Already: len(rows) - fresh, New: fresh + skipped, Cost: fresh, WouldSkip: short + skipped,
	}
	if t.partial && short > 0 {
		f.Cost = fresh - short
		rows = c.affordable(rows, f.Cost)
	}
	switch {
	case f.Cost <= funds && len(rows) > 0:
	case t.creditsMax != nil && (f.Cost > *t.creditsMax || *t.creditsMax == 0):
		refusal = "MAX_CREDITS_EXCEEDED"
	default:
		refusal = "insufficient_balance"
	}
	return rows, f, refusal
}

// affordable returns the rows that are owned and as many of the others as the credits pay for.
func (c *Customer) affordable(rows []int, credits int) (kept []int) {
	for _, n := range rows {
		if c.payer[n] == nil {
			if credits == 0 {
				continue
			}
			credits--
		}
		kept = append(kept, n)
	}
	return kept
}

// predict returns the outcome of a request sent now with the token, if the customer is alone.
func (c *Customer) predict(req *request, by *token) (rows []int, f figures, refusal string) {
	skipped := 0
	if req.quote != nil {
		skipped = req.quote.skipped
	}
	rows, f, refusal = c.price(req.want, req.terms, skipped, c.balance())
	f.Charged = f.Cost
	switch {
	case by.revoked:
		return nil, f, "INVALID_TOKEN"
	case req.quote != nil && len(req.quote.rows) == 0: // nothing could be paid for when it was made
		if req.terms.creditsMax != nil && *req.terms.creditsMax == 0 {
			return nil, f, "MAX_CREDITS_EXCEEDED"
		}
		return nil, f, "insufficient_balance"
	case req.quote != nil && f.Cost > req.quote.cost:
		return nil, f, "QUOTE_OUTDATED"
	case refusal != "":
		return nil, f, refusal
	case f.Cost > 0 && by.Budget != nil && f.Cost > *by.Budget-c.spent(by):
		return nil, f, "TOKEN_BUDGET_EXCEEDED"
	case f.Cost > 0 && by.Member && f.Cost > c.MemberBudget-c.spentByMember():
		return nil, f, "TOKEN_BUDGET_EXCEEDED"
	}
	return rows, f, ""
}

// balance returns the expected balance, given that each owned company was paid for once.
func (c *Customer) balance() int {
	n := -len(c.payer)
	for _, g := range c.grants {
		if g.confirmed {
			n += g.credits
		}
	}
	return n
}

// spentByMember returns what the tokens of the member have spent.
func (c *Customer) spentByMember() (n int) {
	for _, s := range c.purchases {
		if s.by != nil && s.by.Member {
			n += s.figures.Charged - s.refunded
		}
	}
	return n
}

func (c *Customer) spent(by *token) (n int) {
	for _, s := range c.purchases {
		if s.by == by {
			n += s.figures.Charged - s.refunded
		}
	}
	return n
}

// pay makes the export the payer of its rows that no other export has paid for.
func (c *Customer) pay(s *purchase) {
	for _, n := range s.rows {
		if c.payer[n] == nil {
			c.payer[n] = s
		}
	}
}

// refund applies the rule of refunds: an export is refunded for the companies that no live export delivers.
func (c *Customer) refund() {
	delivered := map[int]bool{}
	for _, s := range c.purchases {
		if s.live() {
			for _, n := range s.rows {
				delivered[n] = true
			}
		}
	}
	for n, s := range c.payer {
		if !delivered[n] {
			s.refunded++
			delete(c.payer, n)
		}
	}
}

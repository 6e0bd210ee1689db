package witness

// price is the arithmetic of the contract once more, in the plainest words: which rows come of what is wanted, for how
// much, or the code of the refusal.
func (w *Witness) price(want []int, t terms, skipped, balance int) (rows []int, f figures, refusal string) {
	for _, n := range want {
		if t.onlyNew && w.payer[n] != nil {
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
		if w.payer[n] == nil {
			fresh++
		}
	}
	short := max(0, fresh-funds)
	f = figures{
		Requested: len(rows) + skipped, Already: len(rows) - fresh, New: fresh + skipped, Cost: fresh, WouldSkip: short + skipped,
	}
	if t.partial && short > 0 {
		f.Cost = fresh - short
		rows = w.affordable(rows, f.Cost)
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

// affordable keeps what is owned and the first n of the others.
func (w *Witness) affordable(rows []int, n int) (kept []int) {
	for _, c := range rows {
		if w.payer[c] == nil {
			if n == 0 {
				continue
			}
			n--
		}
		kept = append(kept, c)
	}
	return kept
}

// foretell is what an order sent now with the token comes to, if the witness is alone.
func (w *Witness) foretell(o *order, by *token) (rows []int, f figures, refusal string) {
	skipped := 0
	if o.quote != nil {
		skipped = o.quote.skipped
	}
	rows, f, refusal = w.price(o.want, o.terms, skipped, w.balance())
	f.Charged = f.Cost
	switch {
	case by.revoked:
		return nil, f, "INVALID_TOKEN"
	case o.quote != nil && len(o.quote.rows) == 0: // nothing could be paid for when it was made
		if o.terms.creditsMax != nil && *o.terms.creditsMax == 0 {
			return nil, f, "MAX_CREDITS_EXCEEDED"
		}
		return nil, f, "insufficient_balance"
	case o.quote != nil && f.Cost > o.quote.cost:
		return nil, f, "QUOTE_OUTDATED"
	case refusal != "":
		return nil, f, refusal
	case f.Cost > 0 && by.Budget != nil && f.Cost > *by.Budget-w.spent(by):
		return nil, f, "TOKEN_BUDGET_EXCEEDED"
	}
	return rows, f, ""
}

// balance is what must be left: each company that is owned was paid for once.
func (w *Witness) balance() int {
	n := -len(w.payer)
	for _, g := range w.grants {
		if g.told {
			n += g.credits
		}
	}
	return n
}

func (w *Witness) spent(by *token) (n int) {
	for _, s := range w.sold {
		if s.by == by {
			n += s.figures.Charged - s.refunded
		}
	}
	return n
}

// pay makes the export the payer of what nobody has paid for.
func (w *Witness) pay(s *sold) {
	for _, n := range s.rows {
		if w.payer[n] == nil {
			w.payer[n] = s
		}
	}
}

// giveBack is the rule of refunds: what no live export delivers goes back to whoever paid for it.
func (w *Witness) giveBack() {
	delivered := map[int]bool{}
	for _, s := range w.sold {
		if s.live() {
			for _, n := range s.rows {
				delivered[n] = true
			}
		}
	}
	for n, s := range w.payer {
		if !delivered[n] {
			s.refunded++
			delete(w.payer, n)
		}
	}
}

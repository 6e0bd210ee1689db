package customer

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

func (c *Customer) buy(ctx context.Context, r *rand.Rand) (string, error) {
	var o *order
	var by *token
	c.locked(func() { o, by = c.newOrder(r), c.someToken(r) })
	return c.send(ctx, o, by)
}

// retry repeats a request that got no answer, unchanged.
func (c *Customer) retry(ctx context.Context, r *rand.Rand) (string, error) {
	var o *order
	var by *token
	c.locked(func() { o, by = c.someOrder(r, func(o *order) bool { return o.lost }), c.someToken(r) })
	if o == nil {
		return c.buy(ctx, r)
	}
	return c.send(ctx, o, by)
}

// replay repeats a request that was answered. The answer must be the same, byte for byte.
func (c *Customer) replay(ctx context.Context, r *rand.Rand) (string, error) {
	var o *order
	c.locked(func() { o = c.someOrder(r, func(o *order) bool { return o.raw != nil }) })
	if o == nil {
		return "none", nil
	}
	return c.send(ctx, o, c.own)
}

// reuseKey sends another order with a key that was already answered. It must be refused.
func (c *Customer) reuseKey(ctx context.Context, r *rand.Rand) (string, error) {
	var o *order
	var fields map[string]any
	c.locked(func() {
		o = c.someOrder(r, func(o *order) bool { return o.raw != nil })
		fields, _ = c.source(r)
	})
	if o == nil {
		return "none", nil
	}
	fields["name"] = "not " + o.name
	a, err := c.call(ctx, c.own, request{http.MethodPost, "/exports", o.key, encode(fields)})
	if err == nil && a.code() != "IDEMPOTENCY_KEY_REUSED" && a.code() != "REQUEST_IN_FLIGHT" {
		err = fmt.Errorf("the key of %s, sent with another body, got the answer %s", o.name, a)
	}
	return o.name, err
}

// someOrder returns a random order that is fit, or nil if there is none.
func (c *Customer) someOrder(r *rand.Rand, fit func(*order) bool) *order {
	var names []string
	for name, o := range c.orders {
		if fit(o) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return c.orders[names[r.IntN(len(names))]]
}

// send sends the order and records the answer.
func (c *Customer) send(ctx context.Context, o *order, by *token) (string, error) {
	c.locked(func() {
		if o.list != nil && c.Alone && (o.key == "" || c.soldOf(o) == nil) {
			o.want = slices.Sorted(maps.Keys(o.list.members)) // the list is bought with its current members
		}
		o.open++
		o.token = by
	})
	a, err := c.call(ctx, by, o.request())
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		o.lost = true
		return "", fmt.Errorf("%s: %w", o.name, err)
	}
	if a.code() == "REQUEST_IN_FLIGHT" && !c.Alone {
		o.open--
		return o.name + " in flight", nil
	}
	got, err := c.answered(o, by, a)
	if err != nil {
		return "", fmt.Errorf("%s, %s, with key %q: %w", o.name, o.body, o.key, err)
	}
	o.open--
	o.lost = false
	return fmt.Sprintf("%s %s", o.name, got), nil
}

// answered checks and records an answer to an order.
func (c *Customer) answered(o *order, by *token, a answer) (string, error) {
	before := c.soldOf(o)
	if !a.ok() {
		return a.code(), c.refused(o, by, a, before)
	}
	var created struct {
		Job struct{ ID, Name, Status string } `json:"export_job"`
		figures
	}
	if err := a.into(&created); err != nil {
		return "", err
	}
	got := fmt.Sprintf("is %s for %d of %d", created.Job.ID, created.Charged, created.Requested)
	s := c.sold[created.Job.ID]
	switch {
	case a.status != http.StatusCreated || created.Job.Name != o.name:
		return "", fmt.Errorf("got the answer %s", a)
	case o.raw != nil && !bytes.Equal(o.raw, a.body):
		return "", fmt.Errorf("first got the answer %s and then %s", o.raw, a)
	case s != nil && (o.key == "" || s.order != o):
		return "", fmt.Errorf("got an older export as its answer: %s", a)
	case s == nil && o.key != "" && before != nil:
		return "", fmt.Errorf("created two exports: %s, and now %s", before.id, a)
	case s != nil && !a.replayed && (c.Alone || o.fresh > 0): // otherwise the answer to a concurrent retry may arrive before the first one
		return "", fmt.Errorf("got a replayed answer that is not marked as one: %s", a)
	case s == nil && a.replayed && c.Alone:
		return "", fmt.Errorf("got an answer marked as replayed to its first request: %s", a)
	}
	if o.key != "" {
		o.raw = a.body
	}
	if !a.replayed {
		o.fresh++
	}
	if s != nil {
		s.confirmed = true
		return got + ", as before", sameFigures(s.figures, created.figures)
	}
	s, err := c.adopt(o, by, created.Job.ID, created.figures)
	if err == nil {
		s.confirmed = true
	}
	return got, err
}

func sameFigures(before, now figures) error {
	if before != now {
		return fmt.Errorf("figures were %+v and are %+v", before, now)
	}
	return nil
}

func (c *Customer) soldOf(o *order) *sold {
	for _, s := range c.sold {
		if s.order == o {
			return s
		}
	}
	return nil
}

// quoteTTL is the minimum time for which a quote is valid.
const quoteTTL = 15 * time.Minute

// refused checks that a refusal of an order is allowed.
func (c *Customer) refused(o *order, by *token, a answer, before *sold) error {
	code := a.code()
	if code == "INVALID_TOKEN" && (by.revoked || by.asked && !c.Alone) {
		return nil
	}
	if before != nil && o.key != "" {
		return fmt.Errorf("was bought, but a retry is refused: %s", a)
	}
	if code == "QUOTE_EXPIRED" && o.quote != nil && time.Since(o.quote.at) > quoteTTL {
		return nil
	}
	if c.Alone {
		if _, f, predicted := c.predict(o, by); code != predicted {
			return fmt.Errorf("is refused with %s, want %q or %+v", a, predicted, f)
		}
		return nil
	}
	if !slices.Contains([]string{
		"insufficient_balance", "MAX_CREDITS_EXCEEDED", "TOKEN_BUDGET_EXCEEDED", "QUOTE_OUTDATED", "no_candidates",
	}, code) {
		return fmt.Errorf("is refused with %s", a)
	}
	return nil
}

// adopt checks and records a new export: its companies and its price must be those of the order.
func (c *Customer) adopt(o *order, by *token, id string, f figures) (*sold, error) {
	s := &sold{order: o, id: id, seq: len(c.sold), by: by, figures: f, status: "pending", until: c.newest(), rows: o.knownRows()}
	if err := f.check(); err != nil {
		return nil, err
	}
	if s.rows != nil && len(s.rows) != f.Requested-f.WouldSkip {
		return nil, fmt.Errorf("orders %d companies, but was sold as %+v", len(s.rows), f)
	}
	if o.quote != nil && f.Cost > o.quote.cost {
		return nil, fmt.Errorf("was quoted for %d credits, but sold as %+v", o.quote.cost, f)
	}
	if c.Alone {
		rows, predicted, refusal := c.predict(o, by)
		if refusal != "" || predicted != f {
			return nil, fmt.Errorf("was sold as %+v, want %+v %q", f, predicted, refusal)
		}
		s.rows = rows
		c.pay(s)
	}
	c.sold[id] = s
	return s, nil
}

// knownRows returns the rows of an order whose rows do not depend on what the workspace owns, otherwise nil.
func (o *order) knownRows() []int {
	switch {
	case o.quote != nil:
		return o.quote.rows
	case !o.plain():
		return nil
	case o.terms.limit > 0:
		return o.want[:min(len(o.want), o.terms.limit)]
	}
	return o.want
}

func (c *Customer) getQuote(ctx context.Context, r *rand.Rand) (string, error) {
	var o *order
	var fields map[string]any
	var key string
	c.locked(func() {
		fields, o = c.source(r)
		key = pick(r, "", "key of "+c.name("quote"))
	})
	a, err := c.call(ctx, c.own, request{http.MethodPost, "/exports/quote", key, encode(fields)})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.code() == "no_candidates" && (o.terms.onlyNew || len(o.want) == 0) {
		return a.code(), nil
	}
	var got struct {
		ID string `json:"quote_id"`
		figures
		Balance    int
		Affordable bool
	}
	if err := a.into(&got); err != nil {
		return "", err
	}
	q := &quote{
		id: got.ID, want: o.want, rows: o.knownRows(), skipped: got.Requested - got.rows(), terms: o.terms, cost: got.Cost,
		format: o.format, at: time.Now(),
	}
	if c.Alone {
		rows, f, refusal := c.price(o.want, o.terms, 0, c.balance())
		if f != got.figures || got.Balance != c.balance() || got.Affordable != (refusal == "") {
			return "", fmt.Errorf("%s was quoted as %s, want %+v %q", encode(fields), a, f, refusal)
		}
		q.rows = rows
	}
	c.quotes = append(c.quotes, q)
	return fmt.Sprintf("%s for %d", q.id, q.cost), nil
}

// rows returns the number of companies of a quote with these figures.
func (f figures) rows() int { return f.Already + f.Cost }

func (c *Customer) cancel(ctx context.Context, r *rand.Rand) (string, error) {
	var s *sold
	var key string
	c.locked(func() {
		if s = c.someSold(r); s != nil {
			s.cancels++
			key = pick(r, "", "key of "+c.name("cancel"))
		}
	})
	if s == nil {
		return "none", nil
	}
	a, err := c.call(ctx, c.own, request{method: http.MethodPost, path: "/exports/" + s.id + "/cancel", key: key})
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.cancelAnswered(s, a); err != nil {
		return "", fmt.Errorf("%s, %s: %w", s.name, s.id, err)
	}
	return fmt.Sprintf("%s %d %s", s.name, a.status, a.code()), nil
}

func (c *Customer) cancelAnswered(s *sold, a answer) error {
	if a.code() == "EXPORT_NOT_CANCELLABLE" {
		if s.cancelled || c.Alone && s.status != "completed" && s.status != "failed" {
			return fmt.Errorf("it is %s, but cannot be cancelled: %s", s.status, a)
		}
		return nil
	}
	if a.code() == "REQUEST_IN_FLIGHT" && !c.Alone {
		return nil
	}
	var got exported
	if err := a.into(&got); err != nil {
		return err
	}
	if got.ID != s.id || got.Status != "cancelled" || s.status == "completed" || s.status == "failed" {
		return fmt.Errorf("it is %s, but was cancelled: %s", s.status, a)
	}
	s.cancelled, s.status = true, "cancelled"
	if !c.Alone {
		return nil
	}
	c.refund()
	if got.Refunded != s.refunded {
		return fmt.Errorf("its refund is %d, want %d", got.Refunded, s.refunded)
	}
	return nil
}

// someSold returns a random export, usually one that is not final, or nil if there is none.
func (c *Customer) someSold(r *rand.Rand) *sold {
	var open, all []string
	for id, s := range c.sold {
		all = append(all, id)
		if !s.final() {
			open = append(open, id)
		}
	}
	if len(open) > 0 && r.IntN(5) > 0 {
		all = open
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(c.sold[a].seq, c.sold[b].seq) })
	return c.sold[all[r.IntN(len(all))]]
}

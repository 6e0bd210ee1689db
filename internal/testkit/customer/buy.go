package customer

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

func (c *Customer) buy(ctx context.Context, r *rand.Rand) (string, error) {
	var req *request
	var by *token
	c.locked(func() { req, by = c.newRequest(r), c.someToken(r) })
	return c.send(ctx, req, by)
}

// retry repeats a request that got no answer, unchanged.
func (c *Customer) retry(ctx context.Context, r *rand.Rand) (string, error) {
	var req *request
	var by *token
	c.locked(func() { req, by = c.someRequest(r, func(req *request) bool { return req.lost }), c.someToken(r) })
	if req == nil {
		return c.buy(ctx, r)
	}
	return c.send(ctx, req, by)
}

// replay repeats a request that was answered. The answer must be the same, byte for byte.
func (c *Customer) replay(ctx context.Context, r *rand.Rand) (string, error) {
	var req *request
	c.locked(func() { req = c.someRequest(r, func(req *request) bool { return req.raw != nil }) })
	if req == nil {
		return "none", nil
	}
	return c.send(ctx, req, c.own)
}

// reuseKey sends another request with a key that was already answered. It must be refused.
func (c *Customer) reuseKey(ctx context.Context, r *rand.Rand) (string, error) {
	var req *request
	var fields map[string]any
	c.locked(func() {
		req = c.someRequest(r, func(req *request) bool { return req.raw != nil })
		fields, _ = c.source(r)
	})
	if req == nil {
		return "none", nil
	}
	fields["name"] = "not " + req.name
	a, err := c.call(ctx, c.own, apiRequest{http.MethodPost, "/exports", req.key, encode(fields)})
	if err == nil && a.code() != "IDEMPOTENCY_KEY_REUSED" && a.code() != "REQUEST_IN_FLIGHT" {
		err = fmt.Errorf("the key of %s, sent with another body, got the answer %s", req.name, a)
	}
	return req.name, err
}

// someRequest returns a random request that is fit, or nil if there is none.
func (c *Customer) someRequest(r *rand.Rand, fit func(*request) bool) *request {
	var names []string
	for name, req := range c.requests {
		if fit(req) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return c.requests[names[r.IntN(len(names))]]
}

// send sends the request and records the answer.
func (c *Customer) send(ctx context.Context, req *request, by *token) (string, error) {
	c.locked(func() {
		if req.source != nil && c.Alone && (req.key == "" || c.purchaseOf(req) == nil) {
			c.resolve(req) // what it names is bought as it is now
		}
		req.open++
		req.tokens = append(req.tokens, by)
	})
	a, err := c.call(ctx, by, req.toAPI())
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		req.lost = true
		return "", fmt.Errorf("%s: %w", req.name, err)
	}
	if a.code() == "REQUEST_IN_FLIGHT" && !c.Alone {
		req.open--
		return req.name + " in flight", nil
	}
	got, err := c.answered(req, by, a)
	if err != nil {
		return "", fmt.Errorf("%s, %s, with key %q: %w", req.name, req.body, req.key, err)
	}
	req.open--
	req.lost = false
	return fmt.Sprintf("%s %s", req.name, got), nil
}

// answered checks and records an answer to a request.
func (c *Customer) answered(req *request, by *token, a answer) (string, error) {
	before := c.purchaseOf(req)
	if !a.ok() {
		return a.code(), c.refused(req, by, a, before)
	}
	var created struct {
		Job      struct{ ID, Name, Status string } `json:"export_job"`
		Excluded int                               `json:"excluded_count"`
		figures
	}
	if err := a.into(&created); err != nil {
		return "", err
	}
	got := fmt.Sprintf("is %s for %d of %d", created.Job.ID, created.Charged, created.Requested)
	s := c.purchases[created.Job.ID]
	switch {
	case a.status != http.StatusCreated || created.Job.Name != req.name:
		return "", fmt.Errorf("got the answer %s", a)
	case req.raw != nil && !bytes.Equal(req.raw, a.body):
		return "", fmt.Errorf("first got the answer %s and then %s", req.raw, a)
	case s != nil && (req.key == "" || s.request != req):
		return "", fmt.Errorf("got an older export as its answer: %s", a)
	case s == nil && req.key != "" && before != nil:
		return "", fmt.Errorf("created two exports: %s, and now %s", before.id, a)
	case s != nil && !a.replayed && (c.Alone || req.fresh > 0): // otherwise the answer to a concurrent retry may arrive before the first one
		return "", fmt.Errorf("got a replayed answer that is not marked as one: %s", a)
	case s == nil && a.replayed && c.Alone:
		return "", fmt.Errorf("got an answer marked as replayed to its first request: %s", a)
	}
	if req.key != "" {
		req.raw = a.body
	}
	if !a.replayed {
		req.fresh++
	}
	if s != nil {
		s.confirmed = true
		return got + ", as before", sameFigures(s.figures, created.figures)
	}
	if a.replayed {
		by = c.buyerOf(req)
	}
	if c.Alone && created.Excluded != req.hidden {
		return "", fmt.Errorf("excluded %d companies, want %d", created.Excluded, req.hidden)
	}
	s, err := c.recordPurchase(req, by, created.Job.ID, created.figures)
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

// buyerOf returns the token of the attempt that bought a request of which only the outcome is known: nil if it may be any of
// several.
func (c *Customer) buyerOf(req *request) *token {
	newest := req.tokens[len(req.tokens)-1]
	if !c.Alone && slices.ContainsFunc(req.tokens, func(t *token) bool { return t != newest }) {
		return nil
	}
	return newest
}

func (c *Customer) purchaseOf(req *request) *purchase {
	for _, s := range c.purchases {
		if s.request == req {
			return s
		}
	}
	return nil
}

// quoteTTL is the minimum time for which a quote or a match is valid.
const quoteTTL = 15 * time.Minute

// refused checks that a refusal of a request is allowed.
func (c *Customer) refused(req *request, by *token, a answer, before *purchase) error {
	code := a.code()
	if code == "INVALID_TOKEN" && (by.revoked || by.asked && !c.Alone) {
		return nil
	}
	if before != nil && req.key != "" {
		return fmt.Errorf("was bought, but a retry is refused: %s", a)
	}
	if code == "NOT_FOUND" && req.match != nil && time.Since(req.match.at) > quoteTTL {
		return nil
	}
	if code == "QUOTE_EXPIRED" && req.quote != nil && time.Since(req.quote.at) > quoteTTL {
		return nil
	}
	if c.Alone {
		if _, f, predicted := c.predict(req, by); code != predicted {
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

// recordPurchase checks and records a new export: its companies and its price must be those of the request.
func (c *Customer) recordPurchase(req *request, by *token, id string, f figures) (*purchase, error) {
	s := &purchase{request: req, id: id, seq: len(c.purchases), by: by, figures: f, status: "pending", until: c.newest(), rows: req.knownRows()}
	if err := f.check(); err != nil {
		return nil, err
	}
	if s.rows != nil && len(s.rows) != f.Requested-f.WouldSkip {
		return nil, fmt.Errorf("asks for %d companies, but the export is %+v", len(s.rows), f)
	}
	if req.quote != nil && f.Cost > req.quote.cost {
		return nil, fmt.Errorf("was quoted for %d credits, but the export is %+v", req.quote.cost, f)
	}
	if c.Alone {
		rows, predicted, refusal := c.predict(req, by)
		if refusal != "" || predicted != f {
			return nil, fmt.Errorf("the export is %+v, want %+v %q", f, predicted, refusal)
		}
		s.rows = rows
		c.pay(s)
	}
	c.purchases[id] = s
	return s, nil
}

// knownRows returns the rows of a request whose rows do not depend on what the workspace owns, otherwise nil.
func (req *request) knownRows() []int {
	switch {
	case req.quote != nil:
		return req.quote.rows
	case !req.plain():
		return nil
	case req.terms.limit > 0:
		return req.want[:min(len(req.want), req.terms.limit)]
	}
	return req.want
}

func (c *Customer) getQuote(ctx context.Context, r *rand.Rand) (string, error) {
	var req *request
	var fields map[string]any
	var key string
	c.locked(func() {
		fields, req = c.source(r)
		key = pick(r, "", "key of "+c.name("quote"))
	})
	a, err := c.call(ctx, c.own, apiRequest{http.MethodPost, "/exports/quote", key, encode(fields)})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.code() == "no_candidates" && (req.terms.onlyNew || len(req.want) == 0) {
		return a.code(), nil
	}
	if a.code() == "NOT_FOUND" && req.match != nil && time.Since(req.match.at) > quoteTTL {
		return a.code(), nil
	}
	var got struct {
		ID string `json:"quote_id"`
		figures
		Excluded   int `json:"excluded_count"`
		Balance    int
		Affordable bool
	}
	if err := a.into(&got); err != nil {
		return "", err
	}
	q := &quote{
		id: got.ID, want: req.want, rows: req.knownRows(), skipped: got.Requested - got.rows(), terms: req.terms, cost: got.Cost, hidden: got.Excluded,
		format: req.format, at: time.Now(),
	}
	if c.Alone {
		rows, f, refusal := c.price(req.want, req.terms, 0, c.balance())
		if got.Excluded != req.hidden || f != got.figures || got.Balance != c.balance() || got.Affordable != (refusal == "") {
			return "", fmt.Errorf("%s was quoted as %s, want %+v %q without %d", encode(fields), a, f, refusal, req.hidden)
		}
		q.rows = rows
	}
	c.quotes = append(c.quotes, q)
	return fmt.Sprintf("%s for %d", q.id, q.cost), nil
}

// rows returns the number of companies of a quote with these figures.
func (f figures) rows() int { return f.Already + f.Cost }

func (c *Customer) cancel(ctx context.Context, r *rand.Rand) (string, error) {
	var s *purchase
	var key string
	c.locked(func() {
		if s = c.somePurchase(r); s != nil {
			s.cancels++
			key = pick(r, "", "key of "+c.name("cancel"))
		}
	})
	if s == nil {
		return "none", nil
	}
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodPost, path: "/exports/" + s.id + "/cancel", key: key})
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

func (c *Customer) cancelAnswered(s *purchase, a answer) error {
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

// somePurchase returns a random export, usually one that is not final, or nil if there is none.
func (c *Customer) somePurchase(r *rand.Rand) *purchase {
	var open, all []string
	for id, s := range c.purchases {
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
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(c.purchases[a].seq, c.purchases[b].seq) })
	return c.purchases[all[r.IntN(len(all))]]
}

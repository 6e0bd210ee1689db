package customer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// action is an action of a customer or of the operator. do returns a description of the outcome for the trace.
type action struct {
	weight int
	what   string
	do     func(*Customer, context.Context, *rand.Rand) (string, error)
}

var actions = []action{
	{30, "buy", (*Customer).buy},
	{14, "retry", (*Customer).retry},
	{5, "replay", (*Customer).replay},
	{2, "reuse key", (*Customer).reuseKey},
	{9, "quote", (*Customer).getQuote},
	{10, "cancel", (*Customer).cancel},
	{7, "grant", (*Customer).grant},
	{4, "import", (*Customer).importCatalog},
	{2, "import and undo", (*Customer).importAndUndo},
	{3, "create list", (*Customer).createList},
	{6, "change list", (*Customer).changeList},
	{4, "exclude list", (*Customer).excludeList},
	{5, "match", (*Customer).matchDomains},
	{8, "look", (*Customer).look},
	{2, "create token", (*Customer).createToken},
	{2, "revoke token", (*Customer).revokeToken},
	{3, "download", (*Customer).download},
}

// DoRandom performs a random action and returns a description of it. An error means that the service broke a guarantee.
func (c *Customer) DoRandom(ctx context.Context, r *rand.Rand) (string, error) {
	total := 0
	for _, d := range actions {
		total += d.weight
	}
	at := r.IntN(total)
	for _, d := range actions {
		if at -= d.weight; at < 0 {
			return c.run(ctx, r, d)
		}
	}
	panic("unreachable")
}

// DoNamed performs the action with that name.
func (c *Customer) DoNamed(ctx context.Context, r *rand.Rand, what string) (string, error) {
	i := slices.IndexFunc(actions, func(d action) bool { return d.what == what })
	return c.run(ctx, r, actions[i])
}

func (c *Customer) run(ctx context.Context, r *rand.Rand, d action) (string, error) {
	got, err := d.do(c, ctx, r)
	if errors.Is(err, errLost) {
		got, err = err.Error(), nil
	}
	if err != nil {
		return d.what, fmt.Errorf("%s: %w", d.what, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(d.what)
	return d.what + ": " + got, nil
}

// locked runs fn with the customer's mutex held.
func (c *Customer) locked(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

// someToken returns the customer's own token half of the time, and a revoked one now and then.
func (c *Customer) someToken(r *rand.Rand) *token {
	if r.IntN(2) == 0 {
		return c.own
	}
	return c.tokens[r.IntN(len(c.tokens))]
}

func (c *Customer) grant(ctx context.Context, r *rand.Rand) (string, error) {
	g := &grant{credits: 1 + r.IntN(2*c.RowsMax)}
	var note string
	c.locked(func() {
		note = c.name("grant")
		c.grants[note] = g
	})
	if err := c.Operator.Grant(ctx, c.Workspace, g.credits, note); err != nil {
		return "", fmt.Errorf("%w to %s: %w", errLost, note, err)
	}
	c.locked(func() { g.confirmed = true })
	return fmt.Sprintf("%s of %d", note, g.credits), nil
}

func (c *Customer) importCatalog(ctx context.Context, _ *rand.Rand) (string, error) {
	if err := c.Catalog.Import(ctx, c.Operator.Import); err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	return "all", nil
}

func (c *Customer) importAndUndo(ctx context.Context, _ *rand.Rand) (string, error) {
	if err := c.Catalog.ImportAndUndo(ctx, c.Operator.Import, c.Operator.Undo); err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	return "all", nil
}

func (c *Customer) createToken(ctx context.Context, r *rand.Rand) (string, error) {
	var budget *int
	if r.IntN(2) == 0 {
		n := r.IntN(2 * c.RowsMax)
		budget = &n
	}
	t, err := c.Operator.NewToken(ctx, c.Workspace, budget, r.IntN(2) == 0)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err) // its secret is lost
	}
	t.Budget = budget
	c.locked(func() { c.tokens = append(c.tokens, &token{Token: t}) })
	return t.ID, nil
}

// revokeToken revokes a token and uses it at once, which must be refused.
func (c *Customer) revokeToken(ctx context.Context, r *rand.Rand) (string, error) {
	var t *token
	c.locked(func() {
		if len(c.tokens) > 1 {
			t = c.tokens[1+r.IntN(len(c.tokens)-1)]
			t.asked = true
		}
	})
	if t == nil {
		return "none", nil
	}
	if err := c.Operator.Revoke(ctx, t.Token); err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	c.locked(func() { t.revoked = true })
	a, err := c.call(ctx, t, apiRequest{method: "GET", path: "/credits"})
	if err == nil && a.code() != "INVALID_TOKEN" {
		return "", fmt.Errorf("revoked token %s got the answer %s", t.ID, a)
	}
	return t.ID, err
}

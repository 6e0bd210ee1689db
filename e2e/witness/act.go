package witness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// deed is one thing that a customer or the operator does. What it gives says what came of it, for people.
type deed struct {
	weight int
	what   string
	do     func(*Witness, context.Context, *rand.Rand) (string, error)
}

var deeds = []deed{
	{30, "buy", (*Witness).buy},
	{14, "retry", (*Witness).retry},
	{5, "replay", (*Witness).replay},
	{2, "reuse key", (*Witness).reuseKey},
	{9, "quote", (*Witness).getQuote},
	{10, "cancel", (*Witness).cancel},
	{7, "grant", (*Witness).grant},
	{4, "import", (*Witness).load},
	{2, "import and undo", (*Witness).undo},
	{3, "create list", (*Witness).createList},
	{6, "change list", (*Witness).changeList},
	{2, "create token", (*Witness).createToken},
	{2, "revoke token", (*Witness).revokeToken},
	{3, "download", (*Witness).download},
}

// Act does one thing at random and tells it; an error is a broken promise.
func (w *Witness) Act(ctx context.Context, r *rand.Rand) (string, error) {
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	at := r.IntN(total)
	for _, d := range deeds {
		if at -= d.weight; at < 0 {
			return w.act(ctx, r, d)
		}
	}
	panic("unreachable")
}

// Perform does the thing of that name in deeds.
func (w *Witness) Perform(ctx context.Context, r *rand.Rand, what string) (string, error) {
	i := slices.IndexFunc(deeds, func(d deed) bool { return d.what == what })
	return w.act(ctx, r, deeds[i])
}

func (w *Witness) act(ctx context.Context, r *rand.Rand, d deed) (string, error) {
	told, err := d.do(w, ctx, r)
	if errors.Is(err, errLost) {
		told, err = err.Error(), nil
	}
	if err != nil {
		return d.what, fmt.Errorf("%s: %w", d.what, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count(d.what)
	return d.what + ": " + told, nil
}

// locked runs fn while nobody else looks at what the witness knows.
func (w *Witness) locked(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

// someToken is the witness's own every other time, and one that is revoked now and then.
func (w *Witness) someToken(r *rand.Rand) *token {
	if r.IntN(2) == 0 {
		return w.own
	}
	return w.tokens[r.IntN(len(w.tokens))]
}

func (w *Witness) grant(ctx context.Context, r *rand.Rand) (string, error) {
	g := &grant{credits: 1 + r.IntN(2*w.RowsMax)}
	var note string
	w.locked(func() {
		note = w.name("grant")
		w.grants[note] = g
	})
	if err := w.Operator.Grant(ctx, w.Workspace, g.credits, note); err != nil {
		return "", fmt.Errorf("%w to %s: %w", errLost, note, err)
	}
	w.locked(func() { g.told = true })
	return fmt.Sprintf("%s of %d", note, g.credits), nil
}

func (w *Witness) load(ctx context.Context, _ *rand.Rand) (string, error) {
	if err := w.Stock.Load(ctx, w.Operator.Import); err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	return "all", nil
}

func (w *Witness) undo(ctx context.Context, _ *rand.Rand) (string, error) {
	if err := w.Stock.TakeBack(ctx, w.Operator.Import, w.Operator.Undo); err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	return "all", nil
}

func (w *Witness) createToken(ctx context.Context, r *rand.Rand) (string, error) {
	var budget *int
	if r.IntN(2) == 0 {
		n := r.IntN(2 * w.RowsMax)
		budget = &n
	}
	t, err := w.Operator.NewToken(ctx, w.Workspace, budget)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err) // nobody knows its secret
	}
	t.Budget = budget
	w.locked(func() { w.tokens = append(w.tokens, &token{Token: t}) })
	return t.ID, nil
}

// revokeToken revokes one and uses it at once: it must be refused.
func (w *Witness) revokeToken(ctx context.Context, r *rand.Rand) (string, error) {
	var t *token
	w.locked(func() {
		if len(w.tokens) > 1 {
			t = w.tokens[1+r.IntN(len(w.tokens)-1)]
			t.asked = true
		}
	})
	if t == nil {
		return "none", nil
	}
	if err := w.Operator.Revoke(ctx, t.Token); err != nil {
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	w.locked(func() { t.revoked = true })
	a, err := w.call(ctx, t, request{method: "GET", path: "/credits"})
	if err == nil && a.code() != "INVALID_TOKEN" {
		return "", fmt.Errorf("token %s was revoked, and is answered %s", t.ID, a)
	}
	return t.ID, err
}

package customer

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
)

// savedList is a list as the API gives it.
type savedList struct {
	ID    string
	Count int `json:"company_count"`
}

func (c *Customer) createList(ctx context.Context, r *rand.Rand) (string, error) {
	var body []byte
	var key string
	c.locked(func() {
		name := c.name("list")
		body, key = encode(map[string]any{"name": name}), pick(r, "", "key of "+name)
	})
	// One that gets no answer is not used, be it there or not.
	a, err := c.call(ctx, c.own, request{http.MethodPost, "/lists", key, body})
	if err != nil {
		return "", err
	}
	var told savedList
	if err := a.into(&told); err != nil {
		return "", err
	}
	c.locked(func() { c.lists = append(c.lists, &list{id: told.ID, members: map[int]bool{}}) })
	return told.ID, nil
}

// changeList adds or takes away a range of companies.
func (c *Customer) changeList(ctx context.Context, r *rand.Rand) (string, error) {
	var l *list
	var low, high int
	adds := r.IntN(3) > 0
	c.locked(func() {
		if l = c.someList(r); l == nil || l.ordered && !c.Alone { // else nobody knew what the order was of
			l = nil
			return
		}
		low, high = c.span(r)
		l.wanted = maps.Clone(l.members)
		for n := low; n <= high; n++ {
			if adds {
				l.wanted[n] = true
			} else {
				delete(l.wanted, n)
			}
		}
	})
	if l == nil {
		return "none", nil
	}
	out := request{method: http.MethodPost, path: "/lists/" + l.id + "/companies", body: encode(map[string]any{
		"search_filters": map[string]any{"employee_count_min": low, "employee_count_max": high},
	})}
	if !adds {
		out.method = http.MethodDelete
	}
	a, err := c.call(ctx, c.own, out)
	if err != nil {
		return "", fmt.Errorf("list %s: %w", l.id, err)
	}
	var told struct {
		List             savedList
		Matched, Changed int
	}
	if err := a.into(&told); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := len(l.wanted) - len(l.members)
	if told.List.Count != len(l.wanted) || told.Matched != high-low+1 || told.Changed != max(changed, -changed) {
		return "", fmt.Errorf("list %s of %d companies, to become %d by %d: %s", l.id, len(l.members), len(l.wanted), high-low+1, a)
	}
	l.members, l.wanted = l.wanted, nil
	return fmt.Sprintf("%s has %d", l.id, len(l.members)), nil
}

// lookAtLists finds out which changes of unknown outcome went through: each in whole, or not at all.
func (c *Customer) lookAtLists(ctx context.Context) error {
	for _, l := range c.lists {
		var now savedList
		if err := c.get(ctx, "/lists/"+l.id, &now); err != nil {
			return fmt.Errorf("list %s: %w", l.id, err)
		}
		if l.wanted != nil && now.Count == len(l.wanted) {
			l.members = l.wanted
		}
		l.wanted = nil
		if now.Count != len(l.members) {
			return fmt.Errorf("list %s has %d companies, in place of %d", l.id, now.Count, len(l.members))
		}
	}
	return nil
}

// checkLists looks at what the lists hold.
func (c *Customer) checkLists(ctx context.Context) error {
	for _, l := range c.lists {
		members, err := pages[struct{ Domain string }](ctx, c, "/lists/"+l.id+"/companies?")
		if err != nil {
			return fmt.Errorf("list %s: %w", l.id, err)
		}
		for _, m := range members {
			r, err := parseRow(m.Domain, "Edition 1. ")
			if err != nil || !l.members[r.number] {
				return fmt.Errorf("list %s holds %q, which was not added to it", l.id, m.Domain)
			}
		}
		if len(members) != len(l.members) {
			return fmt.Errorf("list %s holds %d companies, in place of %d", l.id, len(members), len(l.members))
		}
	}
	return nil
}

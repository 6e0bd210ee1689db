package customer

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
)

// savedList is a list as the API returns it.
type savedList struct {
	ID    string
	Count int `json:"company_count"`

	Excluded bool
}

func (c *Customer) createList(ctx context.Context, r *rand.Rand) (string, error) {
	var body []byte
	var key string
	c.locked(func() {
		name := c.name("list")
		body, key = encode(map[string]any{"name": name}), pick(r, "", "key of "+name)
	})
	// If there is no answer, the list is not used, whether it exists or not.
	a, err := c.call(ctx, c.own, apiRequest{http.MethodPost, "/lists", key, body})
	if err != nil {
		return "", err
	}
	var got savedList
	if err := a.into(&got); err != nil {
		return "", err
	}
	c.locked(func() { c.lists = append(c.lists, &list{id: got.ID, members: map[int]bool{}}) })
	return got.ID, nil
}

// changeList adds or removes a range of companies.
func (c *Customer) changeList(ctx context.Context, r *rand.Rand) (string, error) {
	var l *list
	var low, high int
	adds, matched := r.IntN(3) > 0, 0
	c.locked(func() {
		if l = c.someList(r); l == nil || l.requested && !c.Alone { // otherwise the companies of the request would be unknown
			l = nil
			return
		}
		low, high = c.span(r)
		l.wanted = maps.Clone(l.members)
		for n := low; n <= high; n++ {
			switch {
			case !adds:
				delete(l.wanted, n)
			case c.isExcluded(n): // a search adds none of them
				continue
			default:
				l.wanted[n] = true
			}
			matched++
		}
	})
	if l == nil {
		return "none", nil
	}
	out := apiRequest{method: http.MethodPost, path: "/lists/" + l.id + "/companies", body: encode(map[string]any{
		"search_filters": map[string]any{"employee_count_min": low, "employee_count_max": high},
	})}
	if !adds {
		out.method = http.MethodDelete
	}
	a, err := c.call(ctx, c.own, out)
	if err != nil {
		return "", fmt.Errorf("list %s: %w", l.id, err)
	}
	var got struct {
		List             savedList
		Matched, Changed int
	}
	if err := a.into(&got); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := len(l.wanted) - len(l.members)
	if got.List.Count != len(l.wanted) || got.Matched != matched || got.Changed != max(changed, -changed) {
		return "", fmt.Errorf("list %s has %d companies, want %d after a change of up to %d: %s", l.id, len(l.members), len(l.wanted), matched, a)
	}
	l.members, l.wanted = l.wanted, nil
	return fmt.Sprintf("%s has %d", l.id, len(l.members)), nil
}

// excludeList switches the exclusion of a list. Concurrent purchases would not know whether it applies to them.
func (c *Customer) excludeList(ctx context.Context, r *rand.Rand) (string, error) {
	if !c.Alone {
		return "none", nil
	}
	l := c.someList(r)
	if l == nil {
		return "none", nil
	}
	l.switched = true
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodPatch, path: "/lists/" + l.id, body: encode(map[string]any{"excluded": !l.excluded})})
	if err != nil {
		return "", fmt.Errorf("list %s: %w", l.id, err)
	}
	var got savedList
	if err := a.into(&got); err != nil {
		return "", err
	}
	if got.Excluded == l.excluded {
		return "", fmt.Errorf("the exclusion of list %s was not changed: %s", l.id, a)
	}
	l.excluded, l.switched = got.Excluded, false
	return fmt.Sprintf("%s %t", l.id, l.excluded), nil
}

// auditLists finds out which changes with an unknown outcome were made. Each must have happened completely or not at all.
func (c *Customer) auditLists(ctx context.Context) error {
	for _, l := range c.lists {
		var now savedList
		if err := c.get(ctx, "/lists/"+l.id, &now); err != nil {
			return fmt.Errorf("list %s: %w", l.id, err)
		}
		if l.wanted != nil && now.Count == len(l.wanted) {
			l.members = l.wanted
		}
		l.wanted = nil
		if l.switched {
			l.excluded, l.switched = now.Excluded, false
		}
		if now.Excluded != l.excluded {
			return fmt.Errorf("list %s is excluded: %t, want %t", l.id, now.Excluded, l.excluded)
		}
		if now.Count != len(l.members) {
			return fmt.Errorf("list %s has %d companies, want %d", l.id, now.Count, len(l.members))
		}
	}
	return nil
}

// checkLists checks the companies of all lists.
func (c *Customer) checkLists(ctx context.Context) error {
	for _, l := range c.lists {
		members, err := pages[struct{ Domain string }](ctx, c, "/lists/"+l.id+"/companies?")
		if err != nil {
			return fmt.Errorf("list %s: %w", l.id, err)
		}
		for _, m := range members {
			r, err := parseRow(m.Domain, "Edition 1. ")
			if err != nil || !l.members[r.number] {
				return fmt.Errorf("list %s contains %q, which was not added", l.id, m.Domain)
			}
		}
		if len(members) != len(l.members) {
			return fmt.Errorf("list %s contains %d companies, want %d", l.id, len(members), len(l.members))
		}
	}
	return nil
}

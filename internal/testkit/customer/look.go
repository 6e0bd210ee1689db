package customer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// matchDomains matches a list of domains, which can be bought for some time.
func (c *Customer) matchDomains(ctx context.Context, r *rand.Rand) (string, error) {
	m := &match{at: time.Now()}
	var rows []any
	c.locked(func() {
		low, high := c.span(r)
		for n := low; n <= high; n++ {
			if r.IntN(3) > 0 {
				m.numbers = append(m.numbers, n)
			}
		}
		r.Shuffle(len(m.numbers), func(i, j int) { m.numbers[i], m.numbers[j] = m.numbers[j], m.numbers[i] })
	})
	for _, n := range m.numbers {
		rows = append(rows, map[string]any{"domain": domain(n)})
	}
	rows = append(rows, map[string]any{"domain": "nobody.example"})
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodPost, path: "/companies/match", body: encode(map[string]any{"rows": rows})})
	if err != nil {
		return "", err
	}
	var got struct {
		ID                 string `json:"match_id"`
		Matched, Companies int
		Credits            struct {
			Already int `json:"already_unlocked"`
			New     int `json:"new_count"`
		}
		Excluded int `json:"excluded_count"`
	}
	if err := a.into(&got); err != nil {
		return "", err
	}
	if all := len(m.numbers); got.Matched != all || got.Companies != all || got.Credits.Already+got.Credits.New+got.Excluded != all {
		return "", fmt.Errorf("%d domains matched %s", all, a)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Alone {
		owned, hidden := 0, 0
		for _, n := range m.numbers {
			switch {
			case c.isExcluded(n):
				hidden++
			case c.payer[n] != nil:
				owned++
			}
		}
		if got.Credits.Already != owned || got.Excluded != hidden {
			return "", fmt.Errorf("matched %s, want %d owned and %d excluded", a, owned, hidden)
		}
	}
	m.id = got.ID
	c.matches = append(c.matches, m)
	return fmt.Sprintf("%s of %d", m.id, len(m.numbers)), nil
}

// someMatch returns one of the newest matches that found a company, or nil if there is none.
func (c *Customer) someMatch(r *rand.Rand) *match {
	known := slices.DeleteFunc(slices.Clone(c.matches[max(0, len(c.matches)-quotesUsed):]), func(m *match) bool {
		return len(m.numbers) == 0 || time.Since(m.at) > quoteTTL/3
	})
	if len(known) == 0 {
		return nil
	}
	return known[r.IntN(len(known))]
}

// seen is a company as a search shows it.
type seen struct {
	Domain      string
	Description *string
	Unlocked    bool
	Locked      []string `json:"locked_fields"`
}

// look searches a range of companies and checks that what is locked is shown only of those that were delivered.
func (c *Customer) look(ctx context.Context, r *rand.Rand) (string, error) {
	var low, high int
	c.locked(func() { low, high = c.span(r) })
	return c.lookAt(ctx, low, high)
}

func (c *Customer) lookAt(ctx context.Context, low, high int) (string, error) {
	body := encode(map[string]any{"employee_count_min": low, "employee_count_max": high, "limit": 100, "facets": []string{}})
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodPost, path: "/companies/search", body: body})
	if err != nil {
		return "", err
	}
	var got struct {
		Items    []seen
		Total    int
		Excluded int `json:"excluded_count"`
	}
	if err := a.into(&got); err != nil {
		return "", err
	}
	if all := high - low + 1; got.Total+got.Excluded != all || len(got.Items) != min(100, got.Total) {
		return "", fmt.Errorf("%d companies, of which %d are excluded and %d shown, want %d", got.Total, got.Excluded, len(got.Items), all)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range got.Items {
		if err := c.checkSeen(x); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d of %d", got.Total, high-low+1), nil
}

func (c *Customer) checkSeen(x seen) error {
	of, err := parseRow(x.Domain, "Edition 1. ")
	if err != nil {
		return err
	}
	shown := x.Description != nil
	switch {
	case shown == (len(x.Locked) > 0):
		return fmt.Errorf("company %d is shown: %t, and its locked fields are %v", of.number, shown, x.Locked)
	case !c.Walled && !shown:
		return fmt.Errorf("company %d has no description, and nothing is locked", of.number)
	case c.Walled && shown && !x.Unlocked:
		return fmt.Errorf("company %d is shown in full, but not owned", of.number)
	case !c.Alone:
		return nil
	case x.Unlocked != (c.payer[of.number] != nil):
		return fmt.Errorf("company %d is owned: %t, want %t", of.number, x.Unlocked, c.payer[of.number] != nil)
	case c.Walled && shown != c.isDelivered(of.number):
		return fmt.Errorf("company %d is shown in full: %t, and delivered: %t", of.number, shown, c.isDelivered(of.number))
	}
	return nil
}

// isDelivered reports whether a completed export has the company.
func (c *Customer) isDelivered(n int) bool {
	for _, s := range c.purchases {
		if s.status == "completed" && slices.Contains(s.rows, n) {
			return true
		}
	}
	return false
}

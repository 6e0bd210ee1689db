package customer

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// download gets the file of a completed export and checks every row.
func (c *Customer) download(ctx context.Context, r *rand.Rand) (string, error) {
	var s *purchase
	c.locked(func() { s = c.somePurchase(r) })
	if s == nil {
		return "none", nil
	}
	a, rows, err := c.rowsOf(ctx, s)
	if err != nil {
		return "", fmt.Errorf("%s, %s: %w", s.name, s.id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.code() == "EXPORT_NOT_COMPLETED" && s.status != "completed" {
		return s.name + " " + a.code(), nil
	}
	if !a.ok() || s.cancelled {
		return "", fmt.Errorf("%s, %s: is %s, but got the answer %s", s.name, s.id, s.status, a)
	}
	return s.name, c.verify(s, rows)
}

func (c *Customer) rowsOf(ctx context.Context, s *purchase) (answer, []row, error) {
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodPost, path: "/exports/" + s.id + "/download"})
	if err != nil || !a.ok() {
		return a, nil, err
	}
	var link struct {
		URL string `json:"download_url"`
	}
	if err := a.into(&link); err != nil {
		return a, nil, err
	}
	content, err := c.fetch(ctx, link.URL)
	if err != nil {
		return a, nil, err
	}
	rows, err := readFile(s.format, content)
	return a, rows, err
}

// verify checks that a file has exactly the companies that were bought, in the same order, in an edition of the time of
// purchase.
func (c *Customer) verify(s *purchase, rows []row) error {
	numbers := make([]int, len(rows))
	for i, r := range rows {
		numbers[i] = r.number
		if r.edition < s.since || r.edition > s.until {
			return fmt.Errorf("the file of %s, %s, has edition %d of company %d, want %d to %d",
				s.name, s.id, r.edition, r.number, s.since, s.until)
		}
	}
	if s.rows == nil && within(numbers, s.want) {
		s.rows = numbers
	}
	if !slices.Equal(numbers, s.rows) || len(rows) != s.figures.Requested-s.figures.WouldSkip {
		return fmt.Errorf("the file of %s, %s, an export of %+v, has the companies %v, want %v of %v",
			s.name, s.id, s.figures, numbers, s.rows, s.want)
	}
	s.verified = true
	return nil
}

// within reports whether rows is a subsequence of wanted.
func within(rows, wanted []int) bool {
	for _, n := range rows {
		i := slices.Index(wanted, n)
		if i < 0 {
			return false
		}
		wanted = wanted[i+1:]
	}
	return true
}

// Settle polls until every export is final. The service may be down while it waits.
func (c *Customer) Settle(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		exports, err := pages[exported](ctx, c, "/exports?")
		i := slices.IndexFunc(exports, func(e exported) bool { return e.Status == "pending" || e.Status == "processing" })
		switch {
		case err == nil && i < 0:
			return nil
		case err != nil && !errors.Is(err, errLost):
			return err
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("export %s is %s", exports[i].ID, exports[i].Status)
			}
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Check calls Audit and then checks the final state, after everything that was started has ended: every export is final,
// every file has the companies that were bought, every delivered company was paid for exactly once, and every receipt
// agrees.
func (c *Customer) Check(ctx context.Context) error {
	if err := c.Audit(ctx); err != nil {
		return err
	}
	for low := 1; low <= c.Catalog.Size; low += 50 {
		if _, err := c.lookAt(ctx, low, min(low+49, c.Catalog.Size)); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delivered, paid := map[int]bool{}, map[int]*purchase{}
	for _, s := range c.purchases {
		if !s.final() {
			return fmt.Errorf("%s, %s, is still %s", s.name, s.id, s.status)
		}
		if err := c.checkPurchase(ctx, s, delivered, paid); err != nil {
			return err
		}
	}
	for n := range delivered {
		if paid[n] == nil {
			return fmt.Errorf("company %d is delivered, but not paid for", n)
		}
	}
	for n, s := range paid {
		if !delivered[n] {
			return fmt.Errorf("company %d is paid for by %s, %s, but not delivered", n, s.name, s.id)
		}
	}
	if err := c.checkBudgets(); err != nil {
		return err
	}
	var credits struct{ Balance int }
	if err := c.get(ctx, "/credits", &credits); err != nil {
		return err
	}
	c.payer = paid
	if credits.Balance != c.balance() {
		return fmt.Errorf("the balance is %d, want %d: %d companies are paid for", credits.Balance, c.balance(), len(paid))
	}
	return c.checkLists(ctx)
}

// checkBudgets checks that no token and no member has spent more than their budget, by the exports of which the buyer is known.
func (c *Customer) checkBudgets() error {
	for _, t := range c.tokens {
		if spent := c.spent(t); t.Budget != nil && spent > *t.Budget {
			return fmt.Errorf("token %s has spent %d of %d credits", t.ID, spent, *t.Budget)
		}
	}
	if spent := c.spentByMember(); spent > c.MemberBudget {
		return fmt.Errorf("the member has spent %d of %d credits", spent, c.MemberBudget)
	}
	return nil
}

func (c *Customer) checkPurchase(ctx context.Context, s *purchase, delivered map[int]bool, paid map[int]*purchase) error {
	if s.status == "completed" {
		a, rows, err := c.rowsOf(ctx, s)
		if err != nil || !a.ok() {
			return fmt.Errorf("file of %s, %s: %s, %w", s.name, s.id, a, err)
		}
		if err := c.verify(s, rows); err != nil {
			return err
		}
		for _, n := range s.rows {
			delivered[n] = true
		}
	}
	return c.checkReceipt(ctx, s, paid)
}

// checkReceipt checks that as many rows of the receipt are charged as the export was charged for, and that no company is
// charged on two receipts.
func (c *Customer) checkReceipt(ctx context.Context, s *purchase, paid map[int]*purchase) error {
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodGet, path: "/exports/" + s.id + "/receipt?format=csv"})
	if err != nil || !a.ok() {
		return fmt.Errorf("receipt of %s, %s: %s, %w", s.name, s.id, a, err)
	}
	lines, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
	if err != nil || len(lines) == 0 {
		return fmt.Errorf("receipt of %s, %s: %s, %w", s.name, s.id, a, err)
	}
	at := slices.Index(lines[0], "status")
	charged := 0
	for _, line := range lines[1:] {
		r, err := parseRow(line[slices.Index(lines[0], "domain")], "Edition 1. ")
		if err != nil {
			return fmt.Errorf("receipt of %s, %s: %w", s.name, s.id, err)
		}
		if line[at] != "owned" {
			charged++
		}
		if line[at] == "charged" {
			if other := paid[r.number]; other != nil {
				return fmt.Errorf("company %d is paid for twice, by %s and %s", r.number, other.id, s.id)
			}
			paid[r.number] = s
		}
	}
	if n := s.figures.Requested - s.figures.WouldSkip; charged != s.figures.Charged || len(lines)-1 != n {
		return fmt.Errorf("the receipt of %s, %s, has %d rows, %d of them charged, want %+v",
			s.name, s.id, len(lines)-1, charged, s.figures)
	}
	return nil
}

package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

type tokenBudget struct {
	ID          tokenID      `arg:"" help:"The token's ID, from capi token list."`
	Budget      *creditLimit `placeholder:"N" help:"Credits that the token may spend in all, including what it has spent already; none for no limit."`
	BudgetMonth *creditLimit `placeholder:"N" help:"Credits that the token may spend in a calendar month (UTC); none for no limit."`
	jsonFlag
}

// Help is shown below the summary.
func (tokenBudget) Help() string {
	return `Without flags, it shows the budget. Refunded credits do not count as spent. Examples:

    capi token budget ID
    capi token budget ID --budget 5000 --budget-month 500
    capi token budget ID --budget-month none`
}

// creditLimit is a number of credits, or none.
type creditLimit struct{ credits *int64 }

// UnmarshalText accepts a whole number of at least 0, or none.
func (l *creditLimit) UnmarshalText(p []byte) error {
	if strings.EqualFold(string(p), "none") {
		l.credits = nil
		return nil
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a whole number of credits; for no limit, use none", p)
	}
	l.credits = &n
	return nil
}

// or returns the limit if the flag was given, else old.
func (l *creditLimit) or(old *int64) *int64 {
	if l == nil {
		return old
	}
	return l.credits
}

type budgetRow struct {
	ID          id.Token `json:"id"`
	Budget      *int64   `json:"budget"`
	Spent       int64    `json:"spent"`
	BudgetMonth *int64   `json:"budget_month"`
	SpentMonth  int64    `json:"spent_month"`
}

// Run sets the given limits, then shows the budget and what is spent.
func (c *tokenBudget) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	spending, err := a.Tokens.Spending(s.ctx, c.ID.Token)
	if err != nil {
		return err
	}
	if c.Budget != nil || c.BudgetMonth != nil {
		spending.Budget = token.Budget{Total: c.Budget.or(spending.Total), Month: c.BudgetMonth.or(spending.Month)}
		if err := a.Tokens.SetBudget(s.ctx, c.ID.Token, spending.Budget); err != nil {
			return err
		}
	}
	if c.JSON {
		return s.printJSON(budgetRow{c.ID.Token, spending.Total, spending.Spent, spending.Month, spending.SpentMonth})
	}
	s.printTable([]string{"PERIOD", ">BUDGET", ">SPENT", ">LEFT"}, [][]string{
		budgetLine("in all", spending.Total, spending.Spent),
		budgetLine("this month (UTC)", spending.Month, spending.SpentMonth),
	})
	return nil
}

func budgetLine(period string, budget *int64, spent int64) []string {
	if budget == nil {
		return []string{period, "none", count(spent), "-"}
	}
	return []string{period, count(*budget), count(spent), count(max(0, *budget-spent))}
}

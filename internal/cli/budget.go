package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

type tokenBudget struct {
	ID          tokenID `arg:"" help:"The token's ID, from capi token list."`
	Budget      *bound  `placeholder:"N" help:"Credits that it may spend in all, what it has spent already included; none for no bound."`
	BudgetMonth *bound  `placeholder:"N" help:"Credits that it may spend in a calendar month (UTC); none for no bound."`
	jsonFlag
}

// Help is shown below the summary.
func (tokenBudget) Help() string {
	return `Without a flag it only shows. What was refunded is not spent. Examples:

    capi token budget ID
    capi token budget ID --budget 5000 --budget-month 500
    capi token budget ID --budget-month none`
}

// bound is a number of credits, or none.
type bound struct{ credits *int64 }

// UnmarshalText reads a whole number that is not negative, or none.
func (b *bound) UnmarshalText(p []byte) error {
	if strings.EqualFold(string(p), "none") {
		b.credits = nil
		return nil
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is neither a whole number of credits nor none", p)
	}
	b.credits = &n
	return nil
}

// or is the bound if it was given, else the old one.
func (b *bound) or(old *int64) *int64 {
	if b == nil {
		return old
	}
	return b.credits
}

type budgetRow struct {
	ID          id.Token `json:"id"`
	Budget      *int64   `json:"budget"`
	Spent       int64    `json:"spent"`
	BudgetMonth *int64   `json:"budget_month"`
	SpentMonth  int64    `json:"spent_month"`
}

// Run sets what is given and shows the budget and what of it is spent.
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

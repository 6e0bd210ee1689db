package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/id"
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

// apply returns the limits with those of the flags that were given, and whether there were any.
func apply(to budget.Limits, total, month *creditLimit) (budget.Limits, bool) {
	return budget.Limits{Total: total.or(to.Total), Month: month.or(to.Month)}, total != nil || month != nil
}

// budgetFigures are a budget and what is spent of it.
type budgetFigures struct {
	Budget      *int64 `json:"budget"`
	Spent       int64  `json:"spent"`
	BudgetMonth *int64 `json:"budget_month"`
	SpentMonth  int64  `json:"spent_month"`
}

func figuresOf(u budget.Use) budgetFigures {
	return budgetFigures{u.Total, u.Spent, u.Month, u.SpentMonth}
}

type tokenBudgetRow struct {
	ID id.Token `json:"id"`
	budgetFigures
}

// Run sets the given limits, then shows the budget and what is spent.
func (c *tokenBudget) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	use, err := a.Tokens.Spending(s.ctx, c.ID.Token)
	if err != nil {
		return err
	}
	limits, given := apply(use.Limits, c.Budget, c.BudgetMonth)
	if given {
		if err := a.Tokens.SetBudget(s.ctx, c.ID.Token, limits); err != nil {
			return err
		}
	}
	use.Limits = limits
	if c.JSON {
		return s.printJSON(tokenBudgetRow{c.ID.Token, figuresOf(use)})
	}
	s.printBudget(use)
	return nil
}

type personBudget struct {
	personArg
	Workspace   workspaceID  `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace that the person is a member of."`
	Budget      *creditLimit `placeholder:"N" help:"Credits that the member may spend in all, including what they have spent already; none for no limit."`
	BudgetMonth *creditLimit `placeholder:"N" help:"Credits that the member may spend in a calendar month (UTC); none for no limit."`
	jsonFlag
}

// Help is shown below the summary.
func (personBudget) Help() string {
	return `Without flags, it shows the budget. It applies to what the member buys in the console and by the tokens that they created.
Refunded credits do not count as spent. Examples:

    capi person budget ann@example.com --workspace ID
    capi person budget ann@example.com --workspace ID --budget-month 500`
}

type personBudgetRow struct {
	ID          id.Person    `json:"id"`
	WorkspaceID id.Workspace `json:"workspace_id"`
	budgetFigures
}

// Run sets the given limits, then shows the budget and what is spent.
func (c *personBudget) Run(s *session) error {
	a, p, err := c.open(s)
	if err != nil {
		return err
	}
	defer a.Close()
	ws := c.Workspace.Workspace
	use, err := a.Workspaces.Spending(s.ctx, ws, p.ID)
	if err != nil {
		return err
	}
	limits, given := apply(use.Limits, c.Budget, c.BudgetMonth)
	if given {
		if err := a.Workspaces.SetBudget(s.ctx, ws, p.ID, limits); err != nil {
			return err
		}
	}
	use.Limits = limits
	if c.JSON {
		return s.printJSON(personBudgetRow{p.ID, ws, figuresOf(use)})
	}
	s.printBudget(use)
	return nil
}

func (s *session) printBudget(u budget.Use) {
	s.printTable([]string{"PERIOD", ">BUDGET", ">SPENT", ">LEFT"}, [][]string{
		budgetLine("in all", u.Total, u.Spent),
		budgetLine("this month (UTC)", u.Month, u.SpentMonth),
	})
}

func budgetLine(period string, budget *int64, spent int64) []string {
	if budget == nil {
		return []string{period, "none", count(spent), "-"}
	}
	return []string{period, count(*budget), count(spent), count(max(0, *budget-spent))}
}

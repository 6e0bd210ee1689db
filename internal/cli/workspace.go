package cli

import (
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/id"
)

type workspaceCommand struct {
	Create workspaceCreate `cmd:"" help:"Create a workspace, optionally with credits."`
	List   workspaceList   `cmd:"" help:"List the workspaces with their balances."`
	Tokens workspaceTokens `cmd:"" help:"Show or set who may create tokens without a budget."`
	Wall   workspaceWall   `cmd:"" help:"Show or set what a workspace sees of companies that it does not own."`
}

type workspaceCreate struct {
	Name    string `arg:"" help:"A name of 1 to 200 characters."`
	Credits int64  `default:"0" placeholder:"N" help:"Credits to grant (default ${default})."`
	jsonFlag
}

// Help is shown below the summary.
func (workspaceCreate) Help() string {
	return `Example:

    capi workspace create Acme --credits 1000`
}

type workspaceRow struct {
	ID        id.Workspace `json:"id"`
	Name      string       `json:"name"`
	Balance   int64        `json:"balance"`
	CreatedAt *time.Time   `json:"created_at,omitempty"`
}

// Run creates the workspace, its account and its first credits in one transaction.
func (c *workspaceCreate) Run(s *session) error {
	if c.Credits < 0 {
		return &config.Error{Setting: "credits", Message: "must not be negative, not " + count(c.Credits)}
	}
	a, err := s.openOrMake()
	if err != nil {
		return err
	}
	defer a.Close()
	w, err := a.CreateWorkspace(s.ctx, c.Name, c.Credits)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(workspaceRow{ID: w.ID, Name: w.Name, Balance: c.Credits})
	}
	s.printf("Created workspace %s with %s.\n\n    %s\n\n", w.Name, plural(c.Credits, "credit", "credits"), w.ID)
	s.printf("Next, create a token for it:\n\n    capi token create --workspace %s --name laptop --scope read_write\n", w.ID)
	return nil
}

type workspaceList struct{ jsonFlag }

// Run lists every workspace, oldest first.
func (c *workspaceList) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	all, err := a.Workspaces.List(s.ctx)
	if err != nil {
		return err
	}
	items := make([]workspaceRow, 0, len(all))
	rows := make([][]string, 0, len(all))
	for _, w := range all {
		balance, err := a.Credits.Balance(s.ctx, w.ID)
		if err != nil {
			return err
		}
		items = append(items, workspaceRow{w.ID, w.Name, balance, &w.CreatedAt})
		rows = append(rows, []string{w.ID.String(), w.Name, count(balance), timestamp(w.CreatedAt)})
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No workspaces yet. Create one: capi workspace create NAME --credits 1000\n")
		return nil
	}
	s.printTable([]string{"ID", "NAME", ">BALANCE", "CREATED (UTC)"}, rows)
	return nil
}

type workspaceTokens struct {
	ID            workspaceID `arg:"" help:"The workspace's ID, from capi workspace list."`
	WithoutBudget string      `enum:",everyone,owners,nobody" default:"" placeholder:"WHO" help:"Who may create tokens that can export but have no budget: everyone, owners or nobody. Existing tokens stay as they are."`
	jsonFlag
}

// Run sets who may create tokens without a budget if that is given, then shows it.
func (c *workspaceTokens) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if c.WithoutBudget != "" {
		if err := a.Workspaces.SetUnbudgetedTokens(s.ctx, c.ID.Workspace, c.WithoutBudget); err != nil {
			return err
		}
	}
	w, err := a.Workspaces.Get(s.ctx, c.ID.Workspace)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(map[string]any{"id": w.ID, "tokens_without_budget": w.UnbudgetedTokens})
	}
	s.printf("Who may create tokens without a budget in %s: %s\n", w.Name, w.UnbudgetedTokens)
	return nil
}

// workspaceID is a workspace's id as an argument.
type workspaceID struct{ id.Workspace }

// UnmarshalText accepts the canonical text of an id.
func (w *workspaceID) UnmarshalText(p []byte) error {
	v, err := id.Parse[id.Workspace](string(p))
	if err != nil {
		return fmt.Errorf("%q is not a workspace ID; capi workspace list shows the IDs", p)
	}
	w.Workspace = v
	return nil
}

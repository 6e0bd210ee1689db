package cli

import (
	"strings"
	"time"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

type creditCommand struct {
	Grant   creditGrant   `cmd:"" help:"Add credits to a workspace."`
	Balance creditBalance `cmd:"" help:"Show a workspace's balance."`
	History creditHistory `cmd:"" help:"Show a workspace's ledger, newest first."`
	Low     creditLow     `cmd:"" help:"Show or set the balance below which a workspace's credits are low."`
}

type creditGrant struct {
	Workspace workspaceID `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace."`
	Amount    int64       `arg:"" help:"A whole number; an adjustment may be negative."`
	Reason    string      `default:"grant" enum:"grant,purchase,adjustment" placeholder:"REASON" help:"grant, purchase or adjustment (default ${default})."`
	Note      string      `placeholder:"TEXT" help:"A note for the ledger."`
	jsonFlag
}

// Help is shown below the summary.
func (creditGrant) Help() string {
	return `Examples:

    capi credit grant --workspace ID 500 --note "pilot"
    capi credit grant --workspace ID --reason adjustment -20`
}

type entryRow struct {
	ID           id.Entry      `json:"id"`
	Amount       int64         `json:"amount"`
	BalanceAfter int64         `json:"balance_after"`
	Reason       credit.Reason `json:"reason"`
	Reference    string        `json:"reference"`
	ExportID     *id.Export    `json:"export_id"`
	Actor        string        `json:"actor"`
	Note         string        `json:"note"`
	CreatedAt    time.Time     `json:"created_at"`
}

func rowOf(e credit.Entry) entryRow {
	row := entryRow{e.ID, e.Amount, e.BalanceAfter, e.Reason, e.Reference, nil, e.Actor, e.Note, e.CreatedAt}
	if export := e.Export(); !export.IsZero() {
		row.ExportID = &export
	}
	return row
}

// Run writes the ledger entry.
func (c *creditGrant) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	var e credit.Entry
	err = a.DB.Tx(s.ctx, func(tx *db.Tx) (err error) {
		e, err = a.Credits.Grant(s.ctx, tx, c.Workspace.Workspace, credit.Grant{
			Amount: c.Amount, Reason: credit.Reason(c.Reason), Note: c.Note, Actor: app.Operator(),
		})
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(rowOf(e))
	}
	s.printf("%s (%s). The balance is now %s.\n", signed(e.Amount), e.Reason, plural(e.BalanceAfter, "credit", "credits"))
	return nil
}

type creditBalance struct {
	Workspace workspaceID `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace."`
	jsonFlag
}

// Run prints the balance.
func (c *creditBalance) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	balance, err := a.Credits.Balance(s.ctx, c.Workspace.Workspace)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(map[string]any{"workspace_id": c.Workspace.Workspace, "balance": balance})
	}
	s.printf("%s\n", plural(balance, "credit", "credits"))
	return nil
}

type creditLow struct {
	Workspace workspaceID  `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace."`
	Balance   *creditLimit `arg:"" optional:"" help:"A number of credits; none for never."`
	jsonFlag
}

// Help is shown below the summary.
func (creditLow) Help() string {
	return `A purchase or a correction that takes the balance below it is reported as the event credits.low. Without a number, it shows what is set. Examples:

    capi credit low --workspace ID 500
    capi credit low --workspace ID none`
}

// Run sets the low balance if one is given, then shows it.
func (c *creditLow) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if c.Balance != nil {
		if err := a.Credits.SetLow(s.ctx, c.Workspace.Workspace, c.Balance.credits); err != nil {
			return err
		}
	}
	low, err := a.Credits.Low(s.ctx, c.Workspace.Workspace)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(map[string]any{"workspace_id": c.Workspace.Workspace, "low_balance": low})
	}
	if low == nil {
		s.printf("No low balance is set.\n")
		return nil
	}
	s.printf("A balance below %s is low.\n", plural(*low, "credit", "credits"))
	return nil
}

type creditHistory struct {
	Workspace workspaceID `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace."`
	Reason    string      `default:"" enum:",grant,purchase,adjustment,export_charge,export_refund" placeholder:"REASON" help:"Only entries with this reason: grant, purchase, adjustment, export_charge or export_refund."`
	From      instant     `placeholder:"TIME" help:"Only entries at or after this day or time, such as 2026-03-01."`
	To        instant     `placeholder:"TIME" help:"Only entries before this day or time."`
	Limit     rowsMax     `default:"50" placeholder:"N" help:"The most entries to show (default ${default})."`
	jsonFlag
}

// Help is shown below the summary.
func (creditHistory) Help() string {
	return `Example:

    capi credit history --workspace ID --reason export_charge --from 2026-03-01 --to 2026-04-01`
}

// Run prints the newest ledger entries.
func (c *creditHistory) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Workspaces.Get(s.ctx, c.Workspace.Workspace); err != nil {
		return err
	}
	filter := credit.Filter{From: c.From.Time, To: c.To.Time, Reason: credit.Reason(c.Reason)}
	entries, err := a.Credits.Page(s.ctx, c.Workspace.Workspace, filter, 0, int(c.Limit))
	if err != nil {
		return err
	}
	items := make([]entryRow, 0, len(entries))
	rows := make([][]string, 0, len(entries))
	for _, e := range entries {
		items = append(items, rowOf(e))
		rows = append(rows, []string{timestamp(e.CreatedAt), signed(e.Amount), count(e.BalanceAfter), string(e.Reason), e.Reference, who(e), e.Note})
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No entries.\n")
		return nil
	}
	s.printTable([]string{"TIME (UTC)", ">AMOUNT", ">BALANCE", "REASON", "REFERENCE", "BY", "NOTE"}, rows)
	return nil
}

// who returns the entry's actor for display: a token or a person by name.
func who(e credit.Entry) string {
	person, isPerson := strings.CutPrefix(e.Actor, "person:")
	switch {
	case e.ActorName != "" && !isPerson:
		return "token " + e.ActorName
	case e.ActorName != "":
		return e.ActorName
	case isPerson:
		return person
	}
	return e.Actor
}

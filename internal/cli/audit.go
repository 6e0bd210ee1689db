package cli

import (
	"encoding/json"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/id"
)

type auditCommand struct {
	Workspace workspaceID `env:"CAPI_WORKSPACE" placeholder:"ID" help:"Only what concerns this workspace (default: the whole installation)."`
	Action    string      `placeholder:"ACTION" help:"Only this action, such as token.revoked, or all actions of a kind, such as token."`
	Actor     string      `placeholder:"ACTOR" help:"Only what this actor did, such as person:ID or person:LOGIN."`
	From      instant     `placeholder:"TIME" help:"Only entries at or after this day or time, such as 2026-03-01."`
	To        instant     `placeholder:"TIME" help:"Only entries before this day or time."`
	Limit     rowsMax     `default:"50" placeholder:"N" help:"The most entries to show (default ${default})."`
	jsonFlag
}

// Help is shown below the summary.
func (auditCommand) Help() string {
	return `The audit log records who changed people, roles, tokens, budgets, credits and imports, and who signed in. Example:

    capi audit --action token --from 2026-03-01`
}

type auditRow struct {
	ID        id.AuditEntry   `json:"id"`
	CreatedAt time.Time       `json:"created_at"`
	Workspace *id.Workspace   `json:"workspace_id"`
	Actor     string          `json:"actor"`
	ActorName string          `json:"actor_name"`
	Address   string          `json:"address"`
	Action    auditlog.Action `json:"action"`
	Subject   string          `json:"subject"`
	Name      string          `json:"name"`
	Details   map[string]any  `json:"details"`
}

// Run prints the newest entries.
func (c *auditCommand) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	entries, err := a.Audit.Page(s.ctx, auditlog.Filter{
		Workspace: c.Workspace.Workspace, Action: auditlog.Action(c.Action), Actor: c.Actor, From: c.From.Time, To: c.To.Time,
	}, id.AuditEntry{}, int(c.Limit))
	if err != nil {
		return err
	}
	items := make([]auditRow, 0, len(entries))
	rows := make([][]string, 0, len(entries))
	for _, e := range entries {
		row := auditRow{e.ID, e.CreatedAt, nil, e.Actor, e.ActorName, e.Address, e.Action, e.Subject, e.Name, e.Details}
		if !e.Workspace.IsZero() {
			row.Workspace = &e.Workspace
		}
		items = append(items, row)
		details, err := json.Marshal(e.Details)
		if err != nil {
			return err
		}
		_, who := e.ActorParts()
		if e.ActorName != "" {
			who = e.ActorName
		}
		rows = append(rows, []string{timestamp(e.CreatedAt), who, string(e.Action), e.Name, e.Subject, string(details)})
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No entries.\n")
		return nil
	}
	s.printTable([]string{"TIME (UTC)", "BY", "ACTION", "NAME", "SUBJECT", "DETAILS"}, rows)
	return nil
}

func (c *auditCommand) check() error {
	for _, known := range auditlog.Selectable() {
		if c.Action == "" || auditlog.Action(c.Action) == known {
			return nil
		}
	}
	return &config.Error{Setting: "action", Message: "is not an action of the audit log, such as token.revoked or token"}
}

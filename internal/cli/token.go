package cli

import (
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Create a token; it is shown only once."`
	List   tokenList   `cmd:"" help:"List a workspace's tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token; its next request is refused."`
	Budget tokenBudget `cmd:"" help:"Show or set how many credits a token may spend."`
	Daily  tokenDaily  `cmd:"" help:"Show or set how many companies a token is shown in a day."`
}

type tokenCreate struct {
	Workspace   workspaceID     `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace that the token acts for."`
	Name        string          `required:"" placeholder:"NAME" help:"A name that says where the token is used."`
	Scope       string          `required:"" enum:"read,read_write,reconcile" placeholder:"SCOPE" help:"read; read_write, which can also create exports and so spend credits; or reconcile, for the address that OpenRefine is given."`
	ExpiresIn   config.Lifetime `placeholder:"TIME" help:"Lifetime, such as 30d or 720h (default: unlimited)."`
	Budget      *creditLimit    `placeholder:"N" help:"Credits that the token may spend in all (default: no limit)."`
	BudgetMonth *creditLimit    `placeholder:"N" help:"Credits that the token may spend in a calendar month, UTC (default: no limit)."`
	jsonFlag
}

// Help is shown below the summary.
func (tokenCreate) Help() string {
	return `Examples:

    capi token create --workspace ID --name laptop --scope read_write --expires-in 30d
    capi token create --workspace ID --name nightly --scope read_write --budget-month 500
    capi token create --workspace ID --name OpenRefine --scope reconcile`
}

type tokenCreated struct {
	ID          id.Token     `json:"id"`
	Token       string       `json:"token"`
	Scope       auth.Scope   `json:"scope"`
	WorkspaceID id.Workspace `json:"workspace_id"`
	Name        string       `json:"name"`
	ExpiresAt   *time.Time   `json:"expires_at"`
}

// Run creates the token and prints its secret.
func (c *tokenCreate) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	var expires *time.Time
	if c.ExpiresIn != 0 {
		t := time.Now().UTC().Add(time.Duration(c.ExpiresIn)).Truncate(time.Second)
		expires = &t
	}
	secret, t, err := a.Tokens.Create(s.ctx, token.NewToken{
		Workspace: c.Workspace.Workspace, Name: c.Name, Scope: auth.Scope(c.Scope), ExpiresAt: expires,
		Budget: budget.Limits{Total: c.Budget.or(nil), Month: c.BudgetMonth.or(nil)},
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(tokenCreated{t.ID, secret, t.Scope, c.Workspace.Workspace, t.Name, expires})
	}
	s.printf("Created token %s (%s). Copy it now; it is not shown again:\n\n    %s\n\n", t.Name, t.Scope, secret)
	if t.Scope == auth.Reconcile {
		s.printf("Add this address as a service in OpenRefine while capi serve is running:\n\n    http://127.0.0.1:8080/reconcile/%s\n", secret)
		return nil
	}
	s.printf("To try it while capi serve is running:\n\n    curl -H \"Authorization: Bearer %s\" http://127.0.0.1:8080/api/v1/credits\n", secret)
	return nil
}

type tokenList struct {
	Workspace workspaceID `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace."`
	jsonFlag
}

type tokenRow struct {
	ID         id.Token   `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"`
	Scope      auth.Scope `json:"scope"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`

	Budget      *int64 `json:"budget"`
	BudgetMonth *int64 `json:"budget_month"`

	DailyCompanies int64 `json:"daily_companies"` // 0 for no limit
}

// Run lists the tokens, including revoked and expired ones.
func (c *tokenList) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Workspaces.Get(s.ctx, c.Workspace.Workspace); err != nil {
		return err
	}
	tokens, err := a.Tokens.List(s.ctx, c.Workspace.Workspace)
	if err != nil {
		return err
	}
	items := make([]tokenRow, 0, len(tokens))
	rows := make([][]string, 0, len(tokens))
	for _, t := range tokens {
		items = append(items, tokenRow{
			t.ID, t.Name, t.Prefix, t.Scope, t.CreatedAt, t.ExpiresAt, t.LastUsedAt, t.RevokedAt, t.Budget.Total, t.Budget.Month, t.DailyCompanies,
		})
		rows = append(rows, []string{t.ID.String(), t.Name, t.Prefix + "…", string(t.Scope), tokenState(t, time.Now()), orDash(t.LastUsedAt)})
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No tokens yet. Create one: capi token create --workspace %s --name laptop --scope read_write\n", c.Workspace)
		return nil
	}
	s.printTable([]string{"ID", "NAME", "TOKEN", "SCOPE", "STATE", "LAST USED (UTC)"}, rows)
	return nil
}

func tokenState(t token.Token, now time.Time) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt == nil:
		return "active"
	case t.ExpiresAt.After(now):
		return "until " + timestamp(*t.ExpiresAt)
	default:
		return "expired"
	}
}

type tokenRevoke struct {
	ID tokenID `arg:"" help:"The token's ID, from capi token list."`
	jsonFlag
}

// Run revokes the token. Revoking it again changes nothing.
func (c *tokenRevoke) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Tokens.Revoke(s.ctx, c.ID.Token); err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(map[string]any{"id": c.ID.Token, "revoked": true})
	}
	s.printf("Revoked token %s. Its next request is refused.\n", c.ID)
	return nil
}

// tokenID is a token's id as an argument.
type tokenID struct{ id.Token }

// UnmarshalText accepts the canonical text of an id.
func (t *tokenID) UnmarshalText(p []byte) error {
	v, err := id.Parse[id.Token](string(p))
	if err != nil {
		return fmt.Errorf("%q is not a token ID; capi token list shows the IDs", p)
	}
	t.Token = v
	return nil
}

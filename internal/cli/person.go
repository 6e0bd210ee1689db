package cli

import (
	"strings"
	"time"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/console"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

type personCommand struct {
	List          personList   `cmd:"" help:"List the people who can sign in to the console."`
	Invite        personInvite `cmd:"" help:"Create a link for a person to create their account."`
	ResetPassword personReset  `cmd:"" help:"Create a link for a person to set a new password."`
}

type personList struct{ jsonFlag }

type personRow struct {
	ID        id.Person `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Operator  bool      `json:"operator"`
	CreatedAt time.Time `json:"created_at"`
}

// Run lists the people.
func (c *personList) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	people, err := a.People.List(s.ctx)
	if err != nil {
		return err
	}
	items := make([]personRow, 0, len(people))
	rows := make([][]string, 0, len(people))
	for _, p := range people {
		items = append(items, personRow{p.ID, p.Email, p.Name, p.Operator, p.CreatedAt})
		role := ""
		if p.Operator {
			role = "operator"
		}
		rows = append(rows, []string{p.Email, p.Name, role, timestamp(p.CreatedAt)})
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No people yet. Create a link for the first owner: capi person invite\n")
		return nil
	}
	s.printTable([]string{"E-MAIL", "NAME", "ROLE", "CREATED (UTC)"}, rows)
	return nil
}

// linkFlags are the flags of commands that create a link.
type linkFlags struct {
	PublicURL string `name:"public-url" env:"CAPI_PUBLIC_URL" placeholder:"URL" help:"The server's public address, for the link (default: http://127.0.0.1:8080)."`
	jsonFlag
}

type linkMade struct {
	Link      string    `json:"link"`
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (f linkFlags) print(s *session, secret, email, what string) error {
	base := strings.TrimSuffix(f.PublicURL, "/")
	if base == "" {
		base = "http://" + config.Default("addr")
	}
	link := base + console.JoinPath(secret)
	if f.JSON {
		return s.printJSON(linkMade{link, email, time.Now().UTC().Add(account.InvitationAge).Truncate(time.Second)})
	}
	s.printf("%s. It works once, within 7 days, while capi serve is running:\n\n    %s\n\n", what, link)
	return nil
}

type personInvite struct {
	Email     string      `arg:"" optional:"" help:"The only person who can use the link (default: anyone with the link)."`
	Workspace workspaceID `placeholder:"ID" env:"CAPI_WORKSPACE" help:"The workspace to join."`
	Role      string      `default:"member" enum:"owner,member" placeholder:"ROLE" help:"Role in the workspace: owner or member (default ${default})."`
	Operator  bool        `help:"Make the person an operator, who manages the whole installation."`
	linkFlags
}

// Help is shown below the summary.
func (personInvite) Help() string {
	return `If nobody has an account yet, the link creates the first owner, who is also an operator. Examples:

    capi person invite
    capi person invite ann@example.com --workspace ID --role owner
    capi person invite ann@example.com --operator`
}

// Run creates the link.
func (c *personInvite) Run(s *session) error {
	a, err := s.openOrMake()
	if err != nil {
		return err
	}
	defer a.Close()
	secret, what, err := c.make(s, a)
	if err != nil {
		return err
	}
	return c.print(s, secret, c.Email, what)
}

func (c *personInvite) make(s *session, a *app.App) (secret, what string, err error) {
	switch {
	case c.Operator:
		secret, _, err = a.Memberships.InviteOperator(s.ctx, c.Email, id.Person{})
		return secret, "Link for a new operator", err
	case !c.Workspace.IsZero():
		secret, _, err = a.Memberships.InviteMember(s.ctx, c.Workspace.Workspace, workspace.Role(c.Role), c.Email, id.Person{})
		return secret, "Link for a new " + c.Role, err
	}
	if secret, err = a.Memberships.First(s.ctx); err == nil && secret == "" {
		err = &config.Error{Setting: "workspace", Message: "is missing; use --workspace ID with an ID from capi workspace list, or --operator"}
	}
	return secret, "Link for the first owner", err
}

type personReset struct {
	Email string `arg:"" help:"The person's e-mail address."`
	linkFlags
}

// Run creates the link.
func (c *personReset) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	secret, i, err := a.Memberships.InvitePassword(s.ctx, c.Email)
	if err != nil {
		return err
	}
	return c.print(s, secret, i.Email, "Link for "+i.Email+" to set a new password, which signs out all their browsers")
}

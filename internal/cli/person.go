package cli

import (
	"errors"
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
	List          personList     `cmd:"" help:"List the people who can sign in to the console."`
	Invite        personInvite   `cmd:"" help:"Create a link for a person to create their account."`
	Remove        personRemove   `cmd:"" help:"End a person's account, sessions and tokens."`
	Operator      personOperator `cmd:"" help:"Make a person an operator of the installation, or no longer one."`
	Budget        personBudget   `cmd:"" help:"Show or set what a member of a workspace may spend."`
	ResetPassword personReset    `cmd:"" help:"Create a link for a person to set a new password."`

	RemovePasskeys personRemovePasskeys `cmd:"" help:"Remove all passkeys of a person who has lost them."`
	ResetTwoFactor personResetTwoFactor `cmd:"" help:"Switch off the two-factor sign-in of a person who has lost their app and recovery codes."`
}

type personList struct{ jsonFlag }

type personRow struct {
	ID         id.Person  `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Operator   bool       `json:"operator"`
	TwoFactor  bool       `json:"two_factor"`
	CreatedAt  time.Time  `json:"created_at"`
	SignedInAt *time.Time `json:"signed_in_at"` // last; null for never
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
		items = append(items, personRow{p.ID, p.Email, p.Name, p.Operator, p.TwoFactor, p.CreatedAt, p.SignedInAt})
		role, factor, signedIn := "", "", "never"
		if p.Operator {
			role = "operator"
		}
		if p.TwoFactor {
			factor = "on"
		}
		if p.SignedInAt != nil {
			signedIn = timestamp(*p.SignedInAt)
		}
		rows = append(rows, []string{p.Email, p.Name, role, factor, timestamp(p.CreatedAt), signedIn})
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No people yet. Create a link for the first owner: capi person invite\n")
		return nil
	}
	s.printTable([]string{"EMAIL", "NAME", "ROLE", "TWO-FACTOR", "CREATED (UTC)", "LAST SIGN-IN (UTC)"}, rows)
	return nil
}

// linkFlags are the flags of commands that create a link.
type linkFlags struct {
	Send      bool        `name:"mail" help:"Also send the link by email, once capi serve runs with the same SMTP server."`
	SMTP      config.Mail `embed:"" group:"mail"`
	PublicURL string      `name:"public-url" env:"CAPI_PUBLIC_URL" placeholder:"URL" help:"The server's public address, for the link (default: http://127.0.0.1:8080)."`
	jsonFlag
}

// mail makes the command send its link by email, if that was asked for. Every kind of link has an address then.
func (f linkFlags) mail(s *session, email string) error {
	if !f.Send {
		return nil
	}
	if email == "" {
		return &config.Error{Setting: "mail", Message: "needs the email address of the person"}
	}
	if f.SMTP.SMTPHost == "" {
		return &config.Error{Setting: "mail", Message: "needs an SMTP server: set --smtp-host and the settings beside it, as for capi serve"}
	}
	if err := f.SMTP.ValidateMail(); err != nil {
		return err
	}
	s.config.Mail = f.SMTP
	return nil
}

type linkMade struct {
	Link      string    `json:"link"`
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (f linkFlags) print(s *session, secret string, i account.Invitation, what string) error {
	base := strings.TrimSuffix(f.PublicURL, "/")
	if base == "" {
		base = "http://" + config.Default("addr")
	}
	link := base + console.JoinPath(secret)
	if f.JSON {
		return s.printJSON(linkMade{link, i.Email, i.ExpiresAt.Truncate(time.Second)})
	}
	s.printf("%s. It works once, within %s, while capi serve is running:\n\n    %s\n\n", what,
		plural(int(i.Kind.Age().Hours()), "hour", "hours"), link)
	if f.Send {
		s.printf("The running server also sends a link to %s.\n", i.Email)
	}
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
	if err := c.mail(s, c.Email); err != nil {
		return err
	}
	a, err := s.openOrMake()
	if err != nil {
		return err
	}
	defer a.Close()
	secret, made, what, err := c.make(s, a)
	if err != nil {
		return err
	}
	return c.print(s, secret, made, what)
}

func (c *personInvite) make(s *session, a *app.App) (secret string, made account.Invitation, what string, err error) {
	switch {
	case c.Operator:
		secret, made, err = a.Memberships.InviteOperator(s.ctx, c.Email, id.Person{})
		return secret, made, "Link for a new operator", err
	case !c.Workspace.IsZero():
		secret, made, err = a.Memberships.InviteMember(s.ctx, c.Workspace.Workspace, workspace.Role(c.Role), c.Email, id.Person{})
		return secret, made, "Link for a new " + c.Role, err
	}
	if secret, made, err = a.Memberships.First(s.ctx, c.Email); err == nil && secret == "" {
		err = &config.Error{Setting: "workspace", Message: "is missing; use --workspace ID with an ID from capi workspace list, or --operator"}
	}
	return secret, made, "Link for the first owner; earlier ones no longer work", err
}

// personArg names a person.
type personArg struct {
	Email string `arg:"" help:"The person's email address."`
}

// open opens the data and finds the person. The caller closes the App.
func (c *personArg) open(s *session) (*app.App, account.Person, error) {
	a, err := s.open()
	if err != nil {
		return nil, account.Person{}, err
	}
	p, err := a.People.ByEmail(s.ctx, c.Email)
	if err != nil {
		return nil, account.Person{}, errors.Join(err, a.Close())
	}
	return a, p, nil
}

type personRemove struct{ personArg }

// Help is shown below the summary.
func (personRemove) Help() string {
	return `The person can no longer sign in, leaves all workspaces, and their sessions and tokens end at once. Tokens that they created to
stay active without them continue. The ledger and exports keep their name; their email address is deleted, and can be invited
again as a new account.`
}

// Run removes the person.
func (c *personRemove) Run(s *session) error {
	a, p, err := c.open(s)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Memberships.Remove(s.ctx, p.ID); err != nil {
		return err
	}
	s.printf("Removed %s. Their sessions and tokens have ended.\n", p.Email)
	return nil
}

type personOperator struct {
	personArg
	Off bool `help:"The person is no longer an operator."`
}

// Run changes whether the person is an operator.
func (c *personOperator) Run(s *session) error {
	a, p, err := c.open(s)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Memberships.SetOperator(s.ctx, p.ID, !c.Off); err != nil {
		return err
	}
	if c.Off {
		s.printf("%s is no longer an operator.\n", p.Email)
	} else {
		s.printf("%s is now an operator.\n", p.Email)
	}
	return nil
}

type personReset struct {
	personArg
	linkFlags
}

// Help is shown below the summary.
func (personReset) Help() string {
	return `A new link replaces the earlier ones, and setting a password ends them all.`
}

// Run creates the link.
func (c *personReset) Run(s *session) error {
	if err := c.mail(s, c.Email); err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	secret, i, err := a.Memberships.InvitePassword(s.ctx, c.Email)
	if err != nil {
		return err
	}
	return c.print(s, secret, i, "Link for "+i.Email+" to set a new password, which signs out all their browsers")
}

type personRemovePasskeys struct{ personArg }

// Help is shown below the summary.
func (personRemovePasskeys) Help() string {
	return `If a passkey is asked for after the password, this also switches off two-factor sign-in. A person without a password needs a link
to set one then: capi person reset-password. Make sure first that it is really they who ask. The audit log records it.`
}

// Run removes them.
func (c *personRemovePasskeys) Run(s *session) error {
	a, p, err := c.open(s)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := account.NewPasskeys(a.TwoFactor, account.PasskeyOptions{}).Reset(s.ctx, p.ID); err != nil {
		return err
	}
	s.printf("Removed %s of %s.\n", plural(p.Passkeys, "passkey", "passkeys"), p.Email)
	return nil
}

type personResetTwoFactor struct{ personArg }

// Help is shown below the summary.
func (personResetTwoFactor) Help() string {
	return `From then on the person signs in with the password alone, and can set up two-factor sign-in again. Make sure first that it is
really they who ask. The audit log records it.`
}

// Run switches it off.
func (c *personResetTwoFactor) Run(s *session) error {
	a, p, err := c.open(s)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.TwoFactor.Reset(s.ctx, p.ID); err != nil {
		return err
	}
	s.printf("%s signs in without a code from now on.\n", p.Email)
	return nil
}

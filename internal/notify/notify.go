// Package notify sends people emails: links of invitations, links to set a new password, the end of exports that somebody asked about,
// and what members choose: skipped orders, failed deliveries and low credits. An email is a job that commits with what it reports, so no
// request waits for the mail server or fails with it. A job that fails is repeated; a message that the server refuses for good is not.
package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/mail"
)

// The kinds of the jobs.
const (
	linkKind   = "mail.link"
	resetKind  = "mail.reset"
	exportKind = "mail.export"
	emailKind  = "mail.email"
	movedKind  = "mail.moved"
	brokenKind = "mail.webhook"
	lowKind    = "mail.low"

	skippedKind     = "mail.order"
	undeliveredKind = "mail.delivery"
)

// Deps are what a Notifier needs.
type Deps struct {
	DB     *db.DB
	People *account.People
	Jobs   *job.Queue
	Mail   *mail.Client // nil if no mail server is configured
}

// Notifier sends emails. Safe for concurrent use.
type Notifier struct{ Deps }

// New returns a Notifier.
func New(d Deps) *Notifier { return &Notifier{d} }

// Enabled reports whether a mail server is configured. Without one, nothing is sent.
func (n *Notifier) Enabled() bool { return n != nil && n.Mail != nil }

// Links are the addresses of pages that the emails name.
type Links struct {
	Join   func(secret string) string
	Email  func(secret string) string // confirms another email
	Export func(id.Workspace, id.Export) string
	Order  func(id.Workspace, id.Order) string
}

// Handlers returns the handlers of the jobs by kind, for a runner.
func (n *Notifier) Handlers(links Links) map[string]job.Handler {
	s := &sender{Notifier: n, links: links}
	return map[string]job.Handler{
		linkKind: {Run: s.link}, resetKind: {Run: s.reset}, emailKind: {Run: s.email}, movedKind: {Run: s.moved},
		exportKind: mails(s, s.exportLetter), brokenKind: mails(s, s.brokenLetter), lowKind: mails(s, s.lowLetter),
		skippedKind: mails(s, s.skippedLetter), undeliveredKind: mails(s, s.undeliveredLetter),
	}
}

type linkPayload struct {
	Invitation string `json:"invitation_id"`
	Email      string `json:"email,omitempty"` // to which the link is sent if the invitation has no address
}

// Link sends the link of an invitation to its email address, after the transaction. It does nothing if the invitation has none, or
// without a mail server.
func (n *Notifier) Link(ctx context.Context, tx *db.Tx, i account.Invitation) error {
	if !n.Enabled() || i.Email == "" {
		return nil
	}
	made, err := n.Jobs.Enqueue(ctx, tx, linkKind, linkPayload{Invitation: i.ID.String()})
	if err != nil {
		return err
	}
	tx.OnCommit(n.Jobs.Notify)
	return n.People.SetMailJob(ctx, tx, i.ID, made)
}

// MustConfirm reports whether the link of the invitation does not create an account yet: its bearer must first open a link that is sent
// to the address of the account. Otherwise anybody with a link could find out which addresses have an account. Nobody has one before the
// first person.
func (n *Notifier) MustConfirm(i account.Invitation) bool {
	return n.Enabled() && !i.ByEmail && (i.Kind == account.InviteMember || i.Kind == account.InviteOperator)
}

// Confirm sends a link of the invitation to its address, or to the given one if it has none, and returns the address. Neither the answer
// nor its time depends on whether the address has an account. Faults: Validation for a malformed address.
func (n *Notifier) Confirm(ctx context.Context, i account.Invitation, email string) (string, error) {
	if i.Email != "" {
		email = i.Email
	}
	email, err := account.CheckEmail(email)
	if err != nil {
		return "", err
	}
	return email, n.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := n.Jobs.Enqueue(ctx, tx, linkKind, linkPayload{i.ID.String(), email})
		tx.OnCommit(n.Jobs.Notify)
		return err
	})
}

type resetPayload struct {
	Email   string `json:"email"`
	Address string `json:"address"`
}

// Reset sends the person with the email address a link to set a new password. Whether there is such a person is looked up later, so
// neither the answer nor its time depends on it. Faults: Validation for a malformed address.
func (n *Notifier) Reset(ctx context.Context, email, clientAddress string) error {
	email, err := account.CheckEmail(email)
	if err != nil {
		return err
	}
	return n.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := n.Jobs.Enqueue(ctx, tx, resetKind, resetPayload{email, clientAddress})
		tx.OnCommit(n.Jobs.Notify)
		return err
	})
}

type emailPayload struct {
	Person string `json:"person_id"`
	Email  string `json:"email"`
}

// Email sends a link to the email to which the person wants to change, after the transaction. It does nothing without a mail server.
func (n *Notifier) Email(ctx context.Context, tx *db.Tx, person account.Person) error {
	if !n.Enabled() {
		return nil
	}
	_, err := n.Jobs.Enqueue(ctx, tx, emailKind, emailPayload{person.ID.String(), person.WantedEmail})
	tx.OnCommit(n.Jobs.Notify)
	return err
}

// Moved tells the earlier email of a person that it was replaced, after the transaction. It does nothing without a mail server.
func (n *Notifier) Moved(ctx context.Context, tx *db.Tx, moved account.Moved) error {
	if !n.Enabled() {
		return nil
	}
	_, err := n.Jobs.Enqueue(ctx, tx, movedKind, emailPayload{moved.Person.String(), moved.From})
	tx.OnCommit(n.Jobs.Notify)
	return err
}

type exportPayload struct {
	Export id.Export `json:"export_id"`
}

func (p exportPayload) note() (key string, value any) { return "export_id", p.Export }

// Export tells the person who created the export how it ended, after the transaction. It does nothing without a mail server.
func (n *Notifier) Export(ctx context.Context, tx *db.Tx, export id.Export) error {
	if !n.Enabled() {
		return nil
	}
	_, err := n.Jobs.Enqueue(ctx, tx, exportKind, exportPayload{export})
	tx.OnCommit(n.Jobs.Notify)
	return err
}

type brokenPayload struct {
	Workspace id.Workspace `json:"workspace_id"`
	Webhook   id.Webhook   `json:"webhook_id"`
	Person    id.Person    `json:"person_id"`
}

func (p brokenPayload) note() (key string, value any) { return "webhook_id", p.Webhook }

// Webhook tells each owner of the workspace that a webhook was disabled because it failed, after the transaction. It does nothing
// without a mail server.
func (n *Notifier) Webhook(ctx context.Context, tx *db.Tx, ws id.Workspace, webhook id.Webhook) error {
	if !n.Enabled() {
		return nil
	}
	owners, err := db.Collect(ctx, tx, db.Value[id.Person], `SELECT m.person FROM member m JOIN person p ON p.id = m.person AND p.removed_at IS NULL
		WHERE m.workspace_id = $1 AND m.role = 'owner' AND m.left_at IS NULL ORDER BY m.person`, ws)
	if err != nil {
		return fmt.Errorf("list owners of workspace %s: %w", ws, err)
	}
	for _, owner := range owners {
		if _, err := n.Jobs.Enqueue(ctx, tx, brokenKind, brokenPayload{ws, webhook, owner}); err != nil {
			return err
		}
	}
	tx.OnCommit(n.Jobs.Notify)
	return nil
}

type lowPayload struct {
	Workspace id.Workspace `json:"workspace_id"`
	Person    id.Person    `json:"person_id"`
	Balance   int64        `json:"balance"`
	Low       int64        `json:"low_balance"`
}

func (p lowPayload) note() (key string, value any) { return "workspace_id", p.Workspace }

// Low tells the members of the workspace who want to know that its credits are low, after the transaction. It does nothing without a mail
// server.
func (n *Notifier) Low(ctx context.Context, tx *db.Tx, ws id.Workspace, balance, low int64) error {
	if !n.Enabled() {
		return nil
	}
	return n.tell(ctx, tx, ws, "mail_low", lowKind, func(p id.Person) any { return lowPayload{ws, p, balance, low} })
}

// tell adds a job for each member who wants the emails of the column.
func (n *Notifier) tell(ctx context.Context, tx *db.Tx, ws id.Workspace, column, kind string, payload func(id.Person) any) error {
	members, err := db.Collect(ctx, tx, db.Value[id.Person], `SELECT m.person FROM member m JOIN person p ON p.id = m.person AND p.removed_at IS NULL
		WHERE m.workspace_id = $1 AND m.`+column+` <> 0 AND m.left_at IS NULL ORDER BY m.person`, ws)
	if err != nil {
		return fmt.Errorf("list members of workspace %s: %w", ws, err)
	}
	for _, member := range members {
		if _, err := n.Jobs.Enqueue(ctx, tx, kind, payload(member)); err != nil {
			return err
		}
	}
	tx.OnCommit(n.Jobs.Notify)
	return nil
}

// sender sends the emails of one server, whose address they name.
type sender struct {
	*Notifier
	links Links
}

// link sends the link of an invitation, unless it no longer works.
func (s *sender) link(ctx context.Context, j job.Job) error {
	var p linkPayload
	if err := j.Decode(&p); err != nil {
		return err
	}
	invitation, err := id.Parse[id.Invitation](p.Invitation)
	if err != nil {
		return job.Fatal(err)
	}
	return s.sendLink(ctx, j, invitation, p.Email)
}

// reset creates the link, unless an earlier attempt has done so, and sends it. It does nothing if no person with a password has the
// address, or if they were sent a link moments ago.
func (s *sender) reset(ctx context.Context, j job.Job) error {
	var p resetPayload
	if err := j.Decode(&p); err != nil {
		return err
	}
	ctx = auditlog.With(ctx, auditlog.By{Address: p.Address})
	made, err := s.People.MailedReset(ctx, p.Email, j.ID)
	if err != nil || made.IsZero() {
		return err
	}
	return s.sendLink(ctx, j, made, p.Email)
}

func (s *sender) sendLink(ctx context.Context, j job.Job, invitation id.Invitation, email string) error {
	secret, i, err := s.People.NewSecret(ctx, invitation, email)
	if fault.CodeOf(err) == fault.InvalidLink { // used, withdrawn or expired before the email could be sent
		j.Note("skipped", "the link no longer works")
		return nil
	}
	if err != nil {
		return err
	}
	l, err := s.linkLetter(ctx, i, s.links.Join(secret))
	if err != nil {
		return err
	}
	return s.send(ctx, j, i.Email, l)
}

// email sends the link that confirms an email, unless the person does not want it any more.
func (s *sender) email(ctx context.Context, j job.Job) error {
	var p emailPayload
	if err := j.Decode(&p); err != nil {
		return err
	}
	who, err := id.Parse[id.Person](p.Person)
	if err != nil {
		return job.Fatal(err)
	}
	secret, expires, err := s.People.NewEmailSecret(ctx, who, p.Email)
	if fault.CodeOf(err) == fault.InvalidLink {
		j.Note("skipped", "the address is not wanted any more")
		return nil
	}
	if err != nil {
		return err
	}
	person, err := s.People.Get(ctx, who)
	if err != nil {
		return err
	}
	return s.send(ctx, j, p.Email, emailLetter(person, s.links.Email(secret), expires))
}

// moved tells the earlier email of a person that it was replaced. It does not name the new one: the messages may be read by others by now.
func (s *sender) moved(ctx context.Context, j job.Job) error {
	var p emailPayload
	if err := j.Decode(&p); err != nil {
		return err
	}
	who, err := id.Parse[id.Person](p.Person)
	if err != nil {
		return job.Fatal(err)
	}
	person, err := s.People.Get(ctx, who)
	if err != nil {
		return err
	}
	return s.send(ctx, j, p.Email, movedLetter(person.Name, p.Email))
}

// about is the payload of a job that sends one email.
type about interface {
	note() (key string, value any) // what the job's log line says of it
}

// mails returns the handler that sends an email. Its address is empty if there is nothing to send any more: the person has left or does
// not want to know, or what it is about has changed.
func mails[P about](s *sender, letterOf func(context.Context, P) (to string, l letter, err error)) job.Handler {
	return job.Handler{Run: func(ctx context.Context, j job.Job) error {
		var p P
		if err := j.Decode(&p); err != nil {
			return err
		}
		j.Note(p.note())
		to, l, err := letterOf(ctx, p)
		if err != nil || to == "" {
			return err
		}
		return s.send(ctx, j, to, l)
	}}
}

func (s *sender) send(ctx context.Context, j job.Job, to string, l letter) error {
	html, err := l.html()
	if err != nil {
		return job.Fatal(err)
	}
	err = s.Mail.Send(ctx, mail.Message{ID: j.ID.String(), To: to, Subject: l.Subject, Text: l.text(), HTML: html})
	if errors.Is(err, mail.ErrRefused) {
		return job.Fatal(err)
	}
	return err
}

// Test sends a test message at once.
func (n *Notifier) Test(ctx context.Context, to string) error {
	l := letter{
		Subject: "Test message from CAPI",
		Lines:   []string{"This message shows that CAPI can send emails with its current settings."},
	}
	html, err := l.html()
	if err != nil {
		return fmt.Errorf("write test message: %w", err)
	}
	return n.Mail.Send(ctx, mail.Message{ID: id.New[id.Job]().String(), To: to, Subject: l.Subject, Text: l.text(), HTML: html})
}

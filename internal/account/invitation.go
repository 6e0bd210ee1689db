package account

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// InvitationKind is what an invitation link lets its bearer do, once.
type InvitationKind string

// The kinds.
const (
	InviteFirst    InvitationKind = "first"    // become the first person and operator, while there are no people
	InviteOperator InvitationKind = "operator" // become an operator
	InviteMember   InvitationKind = "member"   // become a member of a workspace
	InvitePassword InvitationKind = "password" // set a new password
)

// Age returns how long a link of the kind works. Anyone who finds a link can use it, so a link that gives more power works for a
// shorter time.
func (k InvitationKind) Age() time.Duration {
	switch k {
	case InviteFirst:
		return time.Hour
	case InvitePassword:
		return 4 * time.Hour
	case InviteOperator, InviteMember:
	}
	return 72 * time.Hour
}

// Invitation is a link that works once. The secret in the link is not stored.
type Invitation struct {
	ID        id.Invitation
	Kind      InvitationKind
	Workspace id.Workspace // of a member; else zero
	Role      string       // of a member; else empty
	Email     string       // of the invited person; empty if anyone with the link may use it
	ByEmail   bool         // the link that was read is from a message to Email
	Person    id.Person    // whose password it sets; else zero
	InvitedBy id.Person    // zero if it was made at the command line
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Mailed is what became of the email with an invitation's link.
type Mailed struct {
	State string // of its job: queued, running, done or buried; empty if the link is not sent by email
	Error string // of the last attempt
}

// Sending reports whether the email was not sent yet, but will be.
func (m Mailed) Sending() bool { return m.State == "queued" || m.State == "running" }

// Failed reports whether the email was not sent and will not be.
func (m Mailed) Failed() bool { return m.State == "buried" }

// Open is an invitation that can still be used.
type Open struct {
	Invitation
	Mailed Mailed
}

// Invite stores an invitation and returns the secret of its link, which cannot be read again. It sets the ID and times of
// the invitation. A link for the first owner, or for a person's password, replaces the earlier ones. The steps run last in the same
// transaction. Faults: Validation for a malformed email.
func (p *People) Invite(ctx context.Context, i Invitation, then ...db.Step[Invitation]) (string, Invitation, error) {
	if i.Email != "" {
		email, faults := emailOf(i.Email)
		if err := fault.Invalid(faults...); err != nil {
			return "", Invitation{}, err
		}
		i.Email = email
	}
	now := db.FromTime(db.Time(time.Now()))
	i.ID, i.CreatedAt, i.ExpiresAt = id.New[id.Invitation](), now, now.Add(i.Kind.Age())
	secret := rand.Text()
	err := p.db.Tx(ctx, func(tx *db.Tx) error {
		if err := withdrawEarlier(ctx, tx, i.Kind, i.Person); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO invitation (id, hash, kind, workspace_id, role, email, person_id, invited_by, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			i.ID, hashOf(secret), string(i.Kind), sql.NullString{String: i.Workspace.String(), Valid: !i.Workspace.IsZero()},
			i.Role, i.Email, nullPerson(i.Person), nullPerson(i.InvitedBy), db.Time(i.CreatedAt), db.Time(i.ExpiresAt))
		if err != nil {
			return err
		}
		if err := recordLink(ctx, tx, auditlog.LinkCreated, i); err != nil {
			return err
		}
		return db.Then(ctx, tx, i, then)
	})
	if err != nil {
		return "", Invitation{}, fmt.Errorf("invite: %w", err)
	}
	return secret, i, nil
}

// recordLink adds a link that was created or withdrawn to the audit log.
func recordLink(ctx context.Context, tx *db.Tx, action auditlog.Action, i Invitation) error {
	details := map[string]any{"kind": string(i.Kind)}
	if i.Role != "" {
		details["role"] = i.Role
	}
	return auditlog.Record(ctx, tx, auditlog.Event{
		Workspace: i.Workspace, Action: action, Subject: "link:" + i.ID.String(), Name: i.Email, Details: details,
	})
}

// withdrawEarlier deletes the unused links that one of this kind replaces.
func withdrawEarlier(ctx context.Context, tx *db.Tx, kind InvitationKind, person id.Person) (err error) {
	switch kind {
	case InviteFirst:
		_, err = tx.ExecContext(ctx, `DELETE FROM invitation WHERE kind = 'first' AND used_at IS NULL`)
	case InvitePassword:
		_, err = tx.ExecContext(ctx, `DELETE FROM invitation WHERE kind = 'password' AND used_at IS NULL AND person_id = $1`, person)
	case InviteOperator, InviteMember:
	}
	return err
}

// An invitation works once until it expires, and one of kind first only while there are no people.
const usable = ` used_at IS NULL AND expires_at > $2 AND (kind <> 'first' OR NOT EXISTS (SELECT 1 FROM person))`

// The secret with the hash $1 is that of an invitation, or of an email with its link.
const withSecret = ` (hash = $1 OR id = (SELECT invitation_id FROM invitation_secret WHERE hash = $1)) AND`

// sentTo are the columns that say whether the secret with the hash $1 was sent by email, and to which address if the invitation has none.
const sentTo = `, hash <> $1, COALESCE((SELECT s.email FROM invitation_secret s WHERE s.hash = $1), '')`

const invitationColumns = `id, kind, workspace_id, role, email, person_id, invited_by, created_at, expires_at`

// Invitation returns the invitation with the secret. InvalidLink if the link no longer works.
func (p *People) Invitation(ctx context.Context, secret string) (Invitation, error) {
	return invitationOf(p.db.Read().QueryRowContext(ctx, `SELECT `+invitationColumns+sentTo+` FROM invitation
		WHERE`+withSecret+usable, hashOf(secret), db.Time(time.Now())))
}

// Redeem marks the invitation with the secret as used and returns it. InvalidLink if the link no longer works.
func (p *People) Redeem(ctx context.Context, tx *db.Tx, secret string) (Invitation, error) {
	if err := lockFirst(ctx, tx); err != nil {
		return Invitation{}, fmt.Errorf("lock first invitations: %w", err)
	}
	return invitationOf(tx.QueryRowContext(ctx, `UPDATE invitation SET used_at = $2
		WHERE`+withSecret+usable+` RETURNING `+invitationColumns+sentTo, hashOf(secret), db.Time(time.Now())))
}

// lockFirst makes the second of two concurrent first invitations wait, so that it then finds the first person.
func lockFirst(ctx context.Context, tx *db.Tx) error {
	// A row is locked when it is read.
	return db.Each(ctx, tx, func(row db.Row) error { return row.Scan(new(id.Invitation)) },
		`SELECT id FROM invitation WHERE kind = 'first' ORDER BY id`+tx.ForUpdate())
}

// invitationOf scans invitationColumns and sentTo.
func invitationOf(row *sql.Row) (Invitation, error) {
	var byEmail bool
	var email string
	i, err := scanInvitation(row, &byEmail, &email)
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, errInvitationLink()
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	i.ByEmail = byEmail
	if i.Email == "" {
		i.Email = email
	}
	return i, nil
}

func errInvitationLink() error {
	return fault.New(fault.InvalidLink, "The link has been used or withdrawn, or it has expired. Ask the person who sent it for a new one.")
}

// Invited returns the invitations to the workspace that can still be used, newest first.
func (p *People) Invited(ctx context.Context, ws id.Workspace) ([]Open, error) {
	all, err := db.Collect(ctx, p.db.Read(), func(row db.Row) (o Open, err error) {
		o.Invitation, err = scanInvitation(row, &o.Mailed.State, &o.Mailed.Error)
		return o, err
	}, `SELECT `+invitationColumns+`,
		CASE WHEN mail_job IS NULL THEN '' ELSE COALESCE((SELECT state FROM job WHERE job.id = mail_job), 'done') END,
		COALESCE((SELECT error FROM job WHERE job.id = mail_job), '')
		FROM invitation WHERE workspace_id = $1 AND`+usable+` ORDER BY created_at DESC, id`, ws, db.Time(time.Now()))
	if err != nil {
		return nil, fmt.Errorf("list invitations to workspace %s: %w", ws, err)
	}
	return all, nil
}

// Withdraw deletes an unused invitation to the workspace. NotFound without one.
func (p *People) Withdraw(ctx context.Context, ws id.Workspace, invitation id.Invitation) error {
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		i, err := scanInvitation(tx.QueryRowContext(ctx, `DELETE FROM invitation WHERE id = $1 AND workspace_id = $2 AND used_at IS NULL
			RETURNING `+invitationColumns, invitation, ws))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no such invitation; it may have been used already.")
		}
		if err != nil {
			return fmt.Errorf("withdraw invitation %s: %w", invitation, err)
		}
		return recordLink(ctx, tx, auditlog.LinkWithdrawn, i)
	})
}

// Nobody reports whether there are no people yet.
func (p *People) Nobody(ctx context.Context) (bool, error) {
	var someone bool
	err := p.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM person)`).Scan(&someone)
	if err != nil {
		return false, fmt.Errorf("look for people: %w", err)
	}
	return !someone, nil
}

// Prune deletes the expired invitations, challenges of passkeys and links that confirm an email.
func (p *People) Prune(ctx context.Context) error {
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		for _, table := range []string{"invitation", "passkey_challenge", "email_change"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires_at <= $1`, db.Time(time.Now())); err != nil {
				return fmt.Errorf("prune %s: %w", table, err)
			}
		}
		return nil
	})
}

// scanInvitation scans invitationColumns, and the columns that the query selects after them into more.
func scanInvitation(row db.Row, more ...any) (Invitation, error) {
	var i Invitation
	var created, expires int64
	err := row.Scan(append([]any{&i.ID, &i.Kind, &i.Workspace, &i.Role, &i.Email, &i.Person, &i.InvitedBy, &created, &expires}, more...)...)
	i.CreatedAt, i.ExpiresAt = db.FromTime(created), db.FromTime(expires)
	return i, err
}

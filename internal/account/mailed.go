package account

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// resetPause is how long after an email with a link to set a new password the next one may be sent to the same person, so that
// nobody can flood them.
const resetPause = 5 * time.Minute

// CheckEmail returns the email address in the form in which it is stored. Validation if it is malformed.
func CheckEmail(email string) (string, error) {
	email, faults := emailOf(email)
	return email, fault.Invalid(faults...)
}

// SetMailJob records the job that sends the link of the invitation by email.
func (p *People) SetMailJob(ctx context.Context, tx *db.Tx, invitation id.Invitation, job id.Job) error {
	if _, err := tx.ExecContext(ctx, `UPDATE invitation SET mail_job = $2 WHERE id = $1`, invitation, job); err != nil {
		return fmt.Errorf("note the email of invitation %s: %w", invitation, err)
	}
	return nil
}

// NewSecret creates a further secret of the invitation's link, for an email that is about to be sent: so the database never has
// one that works. It is sent to email if the invitation has no address. InvalidLink if the link no longer works.
func (p *People) NewSecret(ctx context.Context, invitation id.Invitation, email string) (string, Invitation, error) {
	secret := rand.Text()
	var i Invitation
	err := p.db.Tx(ctx, func(tx *db.Tx) (err error) {
		i, err = scanInvitation(tx.QueryRowContext(ctx, `SELECT `+invitationColumns+` FROM invitation WHERE id = $1 AND`+usable,
			invitation, db.Time(time.Now())))
		if errors.Is(err, sql.ErrNoRows) {
			return errInvitationLink()
		}
		if err != nil {
			return err
		}
		if i.Email == "" {
			i.Email = email
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO invitation_secret (hash, invitation_id, email) VALUES ($1, $2, $3)`,
			hashOf(secret), invitation, i.Email)
		return err
	})
	if err != nil {
		return "", Invitation{}, fmt.Errorf("create a secret of invitation %s: %w", invitation, err)
	}
	return secret, i, nil
}

// MailedReset returns the link to set a new password that the job sends to the email address. A second call for the job returns the
// same one. It returns zero if there is nothing to send: nobody with a password has the address, or they were sent a link within
// the last minutes.
func (p *People) MailedReset(ctx context.Context, email string, job id.Job) (id.Invitation, error) {
	var made id.Invitation
	err := p.db.Read().QueryRowContext(ctx, `SELECT id FROM invitation WHERE mail_job = $1 AND used_at IS NULL`, job).Scan(&made)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return made, err
	}
	person, err := p.ByEmail(ctx, email)
	if fault.CodeOf(err) == fault.NotFound || err == nil && !person.HasPassword {
		return id.Invitation{}, nil
	}
	if err != nil {
		return id.Invitation{}, err
	}
	var recent bool
	err = p.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM invitation
		WHERE kind = 'password' AND person_id = $1 AND mail_job IS NOT NULL AND created_at > $2)`,
		person.ID, db.Time(time.Now().Add(-resetPause))).Scan(&recent)
	if err != nil {
		return id.Invitation{}, fmt.Errorf("look for earlier emails to person %s: %w", person.ID, err)
	}
	if recent {
		return id.Invitation{}, nil
	}
	_, i, err := p.Invite(ctx, Invitation{Kind: InvitePassword, Email: person.Email, Person: person.ID},
		func(ctx context.Context, tx *db.Tx, i Invitation) error { return p.SetMailJob(ctx, tx, i.ID, job) })
	return i.ID, err
}

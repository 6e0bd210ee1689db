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

// emailLinkAge is how long a link works that confirms an email.
const emailLinkAge = 4 * time.Hour

// NewEmailSecret creates a secret of a link that confirms the email, for a message that is about to be sent to it. It returns when the
// link ends. InvalidLink if the person does not want to change to this email any more.
func (p *People) NewEmailSecret(ctx context.Context, person id.Person, email string) (secret string, expires time.Time, err error) {
	secret, expires = rand.Text(), db.FromTime(db.Time(time.Now().Add(emailLinkAge)))
	err = p.db.Tx(ctx, func(tx *db.Tx) error {
		if wanted, err := wantedEmail(ctx, tx, person); err != nil {
			return err
		} else if wanted != email {
			return errEmailLink()
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO email_change (hash, person_id, email, expires_at) VALUES ($1, $2, $3, $4)`,
			hashOf(secret), person, email, db.Time(expires))
		if err != nil {
			return fmt.Errorf("create link for another email of person %s: %w", person, err)
		}
		return nil
	})
	return secret, expires, err
}

// Moved is a person whose email has changed.
type Moved struct {
	Person id.Person
	From   string // the earlier email
}

// errEmailLink is the one answer to every link that is wrong, was used, is too old or is another person's.
func errEmailLink() error {
	return fault.New(fault.InvalidLink, "The link has been used, replaced or declined, it has expired, or it is for another account than the one "+
		"that is signed in here. Ask for the change again under Your account.")
}

// wantedEmail returns the email to which the person wants to change, and locks it to the end of the transaction. It is empty for none.
func wantedEmail(ctx context.Context, tx *db.Tx, person id.Person) (string, error) {
	var email sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT wanted_email FROM person WHERE id = $1 AND removed_at IS NULL`+tx.ForUpdate(), person).Scan(&email)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the email that person %s wants: %w", person, err)
	}
	return email.String, nil
}

// EmailOfLink returns the email that the link with the secret confirms for the person. InvalidLink if it does not work for them.
func (p *People) EmailOfLink(ctx context.Context, person id.Person, secret string) (email string, err error) {
	err = p.db.Read().QueryRowContext(ctx, `SELECT c.email FROM email_change c JOIN person p ON p.id = c.person_id AND p.wanted_email = c.email
		WHERE c.hash = $1 AND c.person_id = $2 AND c.expires_at > $3`, hashOf(secret), person, db.Time(time.Now())).Scan(&email)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errEmailLink()
	}
	if err != nil {
		return "", fmt.Errorf("read link for another email of person %s: %w", person, err)
	}
	return email, nil
}

// ConfirmEmailByLink changes the person's email to the one that the link with the secret confirms, and ends their other such links.
// The steps run last in the same transaction. InvalidLink if it does not work for them; Validation if the email belongs to another
// account.
func (p *People) ConfirmEmailByLink(ctx context.Context, person id.Person, secret string, then ...db.Step[Moved]) error {
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		wanted, err := wantedEmail(ctx, tx, person)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM email_change WHERE hash = $1 AND person_id = $2 AND email = $3 AND expires_at > $4`,
			hashOf(secret), person, wanted, db.Time(time.Now()))
		if err != nil {
			return fmt.Errorf("use link for another email of person %s: %w", person, err)
		}
		switch n, err := res.RowsAffected(); {
		case err != nil:
			return err
		case n == 0:
			return errEmailLink()
		}
		return changeEmail(ctx, tx, person, wanted, then)
	})
}

// ConfirmEmail changes the person's email to the one that they want. The steps run last in the same transaction. Validation if there is
// none, or if it belongs to another account.
func (p *People) ConfirmEmail(ctx context.Context, person id.Person, then ...db.Step[Moved]) error {
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		wanted, err := wantedEmail(ctx, tx, person)
		if err != nil {
			return err
		}
		if wanted == "" {
			return fault.Invalid(fault.FieldError{Message: "Nobody asks to change this email address any more."})
		}
		return changeEmail(ctx, tx, person, wanted, then)
	})
}

func changeEmail(ctx context.Context, tx *db.Tx, person id.Person, email string, then []db.Step[Moved]) error {
	moved := Moved{Person: person}
	var taken bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM person WHERE email = $1)`, email).Scan(&taken)
	if err == nil && taken {
		return fault.Invalid(fault.FieldError{Message: email + " belongs to another account."})
	}
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT email FROM person WHERE id = $1`, person).Scan(&moved.From)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE person SET email = wanted_email, wanted_email = NULL WHERE id = $1`, person)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM email_change WHERE person_id = $1`, person)
	}
	if err != nil {
		return fmt.Errorf("change email of person %s: %w", person, err)
	}
	if err := recordPerson(ctx, tx, auditlog.PersonChanged, person, map[string]any{"email": email}); err != nil {
		return err
	}
	return db.Then(ctx, tx, moved, then)
}

// DeclineEmail forgets the email that the person wants.
func (p *People) DeclineEmail(ctx context.Context, person id.Person) error {
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE person SET wanted_email = NULL WHERE id = $1`, person)
		if err != nil {
			return fmt.Errorf("decline email of person %s: %w", person, err)
		}
		return recordPerson(ctx, tx, auditlog.PersonChanged, person, map[string]any{"wanted_email": "declined"})
	})
}

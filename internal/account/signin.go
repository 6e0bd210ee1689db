package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// SignIn returns the person with the email and password. Every mistake is the same Validation fault and takes the same
// time, so that nobody can find out which emails have an account. ServiceUnavailable while too many passwords are being checked.
func (p *People) SignIn(ctx context.Context, email, password string) (Person, error) {
	var person id.Person
	var hash string
	err := p.db.Read().QueryRowContext(ctx, `SELECT id, password FROM person WHERE email = $1`, foldEmail(email)).
		Scan(&person, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Person{}, fmt.Errorf("sign in: %w", err)
	}
	if len(password) > passwordSizeBytesMax {
		password = ""
	}
	ok, err := p.hasher.matches(ctx, password, hash)
	if err != nil {
		return Person{}, fmt.Errorf("sign in: %w", err)
	}
	if !ok {
		return Person{}, fault.Invalid(fault.FieldError{Message: "Wrong email or password."})
	}
	return p.Get(ctx, person)
}

// checkPassword returns a Validation fault unless the password is the person's.
func (p *People) checkPassword(ctx context.Context, person id.Person, password string) error {
	var hash string
	if err := p.db.Read().QueryRowContext(ctx, `SELECT password FROM person WHERE id = $1`, person).Scan(&hash); err != nil {
		return fmt.Errorf("check password of person %s: %w", person, err)
	}
	ok, err := p.hasher.matches(ctx, password, hash)
	if err != nil {
		return fmt.Errorf("check password of person %s: %w", person, err)
	}
	if !ok {
		return fault.Invalid(fault.FieldError{Field: "current", Message: "is not your password"})
	}
	return nil
}

// PasswordHash is a password as it is stored.
type PasswordHash string

// HashPassword checks and hashes a new password of the person. Call it outside of transactions, as hashing is slow. Faults:
// Validation, and ServiceUnavailable while too many passwords are being hashed.
func (p *People) HashPassword(ctx context.Context, of Person, password string) (PasswordHash, error) {
	if err := fault.Invalid(passwordFaults("password", password, of.Name, of.Email)...); err != nil {
		return "", err
	}
	hash, err := p.hasher.hash(ctx, password)
	return PasswordHash(hash), err
}

// SetPassword sets the person's password, and ends the links that could set another one and their sessions except keep, which may
// be zero.
func (p *People) SetPassword(ctx context.Context, tx *db.Tx, person id.Person, hash PasswordHash, keep id.Session) error {
	if _, err := tx.ExecContext(ctx, `UPDATE person SET password = $1 WHERE id = $2`, string(hash), person); err != nil {
		return fmt.Errorf("set password of person %s: %w", person, err)
	}
	if err := withdrawEarlier(ctx, tx, InvitePassword, person); err != nil {
		return fmt.Errorf("withdraw password links of person %s: %w", person, err)
	}
	if err := recordPerson(ctx, tx, auditlog.PasswordSet, person, nil); err != nil {
		return err
	}
	return endOthers(ctx, tx, person, keep)
}

// ChangePassword replaces the person's password if current is right, and ends their other sessions. A person without a
// password, who signs in through an OpenID provider, needs no current one. Faults: Validation.
func (p *People) ChangePassword(ctx context.Context, person Person, current, password string, keep id.Session) error {
	if person.HasPassword {
		if err := p.checkPassword(ctx, person.ID, current); err != nil {
			return err
		}
	}
	hash, err := p.HashPassword(ctx, person, password)
	if err != nil {
		return err
	}
	return p.db.Tx(ctx, func(tx *db.Tx) error { return p.SetPassword(ctx, tx, person.ID, hash, keep) })
}

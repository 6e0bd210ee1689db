// Package account keeps the people who sign in to the console: their passwords, identities at OpenID providers, invitations
// and sessions. Package workspace keeps which workspaces they belong to.
package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"runtime"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const (
	emailLengthMax = 254 // RFC 5321
	nameLengthMax  = 200
)

// Person is a user of the console.
type Person struct {
	ID          id.Person
	Email       string // in lower case
	Name        string
	Operator    bool // manages the whole installation
	HasPassword bool // may sign in with a password
	TwoFactor   bool // must enter a code or use a passkey after the password
	Passkeys    int
	Theme       Theme
	CreatedAt   time.Time
	SignedInAt  *time.Time // last; nil for never
	WantedEmail string     // to which they want to change their email; empty for none
}

// Theme is how the console looks to a person.
type Theme string

// The themes.
const (
	ThemeSystem Theme = "" // as the person's system
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// NewPerson is a person to create. Without a password, the person can sign in through an OpenID provider only.
type NewPerson struct {
	Email, Name, Password string
	Operator              bool
}

// People reads and writes the tables person, identity and invitation. Safe for concurrent use.
type People struct {
	db     *db.DB
	hasher *hasher
}

// NewPeople returns a store on d. It hashes at most one password per core at once.
func NewPeople(d *db.DB) *People {
	return &People{db: d, hasher: newHasher(runtime.GOMAXPROCS(0))}
}

// Checked is a person to create who has passed the checks, with the password hashed.
type Checked struct {
	person   Person
	password string // its hash
}

// Check checks a person to create and hashes the password. Call it outside of transactions, as hashing is slow. Faults:
// Validation.
func (p *People) Check(ctx context.Context, n NewPerson) (Checked, error) {
	email, faults := emailOf(n.Email)
	name, complaint := text.Name(n.Name, nameLengthMax)
	if complaint != "" {
		faults = append(faults, fault.FieldError{Field: "name", Message: complaint})
	}
	if n.Password != "" {
		faults = append(faults, passwordFaults("password", n.Password, n.Name, n.Email)...)
	}
	if err := fault.Invalid(faults...); err != nil {
		return Checked{}, err
	}
	c := Checked{person: Person{Email: email, Name: name, Operator: n.Operator, HasPassword: n.Password != ""}}
	if n.Password != "" {
		var err error
		if c.password, err = p.hasher.hash(ctx, n.Password); err != nil {
			return Checked{}, err
		}
	}
	return c, nil
}

// Create adds the person. Validation if the email is taken.
func (p *People) Create(ctx context.Context, tx *db.Tx, c Checked) (Person, error) {
	made := c.person
	made.ID, made.CreatedAt = id.New[id.Person](), db.FromTime(db.Time(time.Now()))
	res, err := tx.ExecContext(ctx, `
		INSERT INTO person (id, email, name, password, operator, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (email) DO NOTHING`,
		made.ID, made.Email, made.Name, c.password, flag(made.Operator), db.Time(made.CreatedAt))
	if err != nil {
		return Person{}, fmt.Errorf("create person: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return Person{}, fault.Invalid(fault.FieldError{Field: "email", Message: "cannot be used for a new account. If it is yours, sign in first and open the link again"})
	}
	if err != nil {
		return Person{}, err
	}
	return made, recordPerson(auditlog.As(ctx, made.ID), tx, auditlog.PersonCreated, made.ID, map[string]any{"email": made.Email, "operator": made.Operator})
}

// SetOperator lets the person manage the whole installation, or no longer. Validation for the last operator, who must stay one.
func (p *People) SetOperator(ctx context.Context, tx *db.Tx, person id.Person, operator bool) error {
	if !operator {
		if err := keepOperator(ctx, tx, person); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE person SET operator = $1 WHERE id = $2`, flag(operator), person); err != nil {
		return fmt.Errorf("set operator %s: %w", person, err)
	}
	action := auditlog.OperatorGranted
	if !operator {
		action = auditlog.OperatorRevoked
	}
	return recordPerson(ctx, tx, action, person, nil)
}

// recordPerson adds a change of a person to the audit log.
func recordPerson(ctx context.Context, tx *db.Tx, action auditlog.Action, person id.Person, details map[string]any) error {
	return auditlog.Record(ctx, tx, auditlog.Event{Action: action, Subject: "person:" + person.String(), Details: details})
}

// keepOperator returns a Validation fault if the person is the only operator.
func keepOperator(ctx context.Context, tx *db.Tx, person id.Person) error {
	// Two operators who remove each other at once must run one after the other.
	operators, err := db.Collect(ctx, tx, db.Value[id.Person], `SELECT id FROM person WHERE operator = 1 ORDER BY id`+tx.ForUpdate())
	if err != nil {
		return fmt.Errorf("list operators: %w", err)
	}
	if len(operators) == 1 && operators[0] == person {
		return fault.Invalid(fault.FieldError{Message: "The installation needs an operator: make another person an operator first."})
	}
	return nil
}

// Remove ends the person's account: their sessions, sign-ins and links end, and their email address is deleted, so that it can be
// invited again as a new person. The name stays, because the ledger and exports show who did what. Validation for the last
// operator.
func (p *People) Remove(ctx context.Context, tx *db.Tx, person id.Person) error {
	if err := keepOperator(ctx, tx, person); err != nil {
		return err
	}
	if err := endOthers(ctx, tx, person, id.Session{}); err != nil {
		return err
	}
	if _, err := forget(ctx, tx, person); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM passkey WHERE person_id = $1`,
		`DELETE FROM passkey_challenge WHERE person_id = $1`,
		`DELETE FROM email_change WHERE person_id = $1`,
		`DELETE FROM identity WHERE person_id = $1`,
		`DELETE FROM invitation WHERE used_at IS NULL AND (person_id = $1 OR invited_by = $1
			OR email = (SELECT email FROM person WHERE id = $1))`,
	} {
		if _, err := tx.ExecContext(ctx, statement, person); err != nil {
			return fmt.Errorf("remove person %s: %w", person, err)
		}
	}
	// Not an email address, so nobody can sign in with it.
	_, err := tx.ExecContext(ctx, `UPDATE person SET removed_at = $1, email = $2, password = '', operator = 0, wanted_email = NULL WHERE id = $3`,
		db.Time(time.Now()), "removed "+person.String(), person)
	if err != nil {
		return fmt.Errorf("remove person %s: %w", person, err)
	}
	return recordPerson(ctx, tx, auditlog.PersonRemoved, person, nil)
}

const personColumns = `id, email, name, operator, password <> '', theme, created_at, signed_in_at, COALESCE(wanted_email, ''),
	EXISTS (SELECT 1 FROM two_factor f WHERE f.person_id = person.id AND f.enabled_at IS NOT NULL),
	(SELECT count(*) FROM passkey k WHERE k.person_id = person.id)`

// Get returns a person. NotFound without one.
func (p *People) Get(ctx context.Context, person id.Person) (Person, error) {
	return p.one(ctx, `SELECT `+personColumns+` FROM person WHERE id = $1`, person)
}

// ByEmail returns the person with the email, in any letter case. NotFound without one.
func (p *People) ByEmail(ctx context.Context, email string) (Person, error) {
	return p.one(ctx, `SELECT `+personColumns+` FROM person WHERE email = $1`, foldEmail(email))
}

func (p *People) one(ctx context.Context, query string, args ...any) (Person, error) {
	found, err := scanPerson(p.db.Read().QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, fault.New(fault.NotFound, "There is no such person.")
	}
	if err != nil {
		return Person{}, fmt.Errorf("get person: %w", err)
	}
	return found, nil
}

// Operators returns the people who manage the whole installation, earliest first.
func (p *People) Operators(ctx context.Context) ([]Person, error) {
	all, err := db.Collect(ctx, p.db.Read(), scanPerson,
		`SELECT `+personColumns+` FROM person WHERE operator = 1 AND removed_at IS NULL ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	return all, nil
}

// Change replaces name and theme of the person. Another email is only recorded, to be confirmed: so an address has the same answer
// whether or not it belongs to another account. It takes the person's password, because an email signs in; an empty email stays as it is.
// If another email is wanted, the steps run last in the same transaction, with the person as changed. Faults: Validation.
func (p *People) Change(ctx context.Context, person Person, to Person, password string, then ...db.Step[Person]) error {
	name, complaint := text.Name(to.Name, nameLengthMax)
	var faults []fault.FieldError
	if complaint != "" {
		faults = append(faults, fault.FieldError{Field: "name", Message: complaint})
	}
	if to.Theme != ThemeSystem && to.Theme != ThemeLight && to.Theme != ThemeDark {
		faults = append(faults, fault.FieldError{Field: "theme", Message: "must be light, dark or the system's"})
	}
	email := person.Email
	if given := foldEmail(to.Email); given != "" && given != email {
		var wrong []fault.FieldError
		email, wrong = emailOf(given)
		faults = append(faults, wrong...)
		if len(wrong) == 0 {
			err := p.checkPassword(ctx, person.ID, password)
			if err != nil && fault.CodeOf(err) != fault.Validation {
				return err
			}
			if err != nil {
				faults = append(faults, fault.FieldError{Field: "confirm", Message: "is not your password, which changing the email needs"})
			}
		}
	}
	if err := fault.Invalid(faults...); err != nil {
		return err
	}
	wanted := sql.NullString{String: email, Valid: email != person.Email}
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE person SET name = $2, theme = $3, wanted_email = COALESCE($4, wanted_email) WHERE id = $1`,
			person.ID, name, string(to.Theme), wanted)
		if err != nil {
			return fmt.Errorf("change person %s: %w", person.ID, err)
		}
		if name == person.Name && !wanted.Valid {
			return nil
		}
		if err := recordPerson(ctx, tx, auditlog.PersonChanged, person.ID, map[string]any{"name": name, "wanted_email": wanted.String}); err != nil {
			return err
		}
		if !wanted.Valid {
			return nil
		}
		person.Name, person.WantedEmail = name, email
		return db.Then(ctx, tx, person, then)
	})
}

// List returns all people, ordered by email.
func (p *People) List(ctx context.Context) ([]Person, error) {
	all, err := db.Collect(ctx, p.db.Read(), scanPerson, `SELECT `+personColumns+` FROM person WHERE removed_at IS NULL ORDER BY email`)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return all, nil
}

func scanPerson(row db.Row) (Person, error) {
	var one Person
	var operator, created int64
	var signedIn sql.NullInt64
	err := row.Scan(&one.ID, &one.Email, &one.Name, &operator, &one.HasPassword, &one.Theme, &created, &signedIn, &one.WantedEmail,
		&one.TwoFactor, &one.Passkeys)
	one.Operator, one.CreatedAt = operator != 0, db.FromTime(created)
	if signedIn.Valid {
		one.SignedInAt = new(db.FromTime(signedIn.Int64))
	}
	return one, err
}

// emailOf checks an email address and returns it in the form in which it is stored.
func emailOf(given string) (string, []fault.FieldError) {
	email := foldEmail(given)
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > emailLengthMax {
		return "", []fault.FieldError{{Field: "email", Message: "is not an email address, such as ann@example.com"}}
	}
	return email, nil
}

func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

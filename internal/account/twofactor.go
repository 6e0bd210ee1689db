package account

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/seal"
)

const (
	codePeriod   = 30 * time.Second
	codeDigits   = otp.DigitsSix
	codeSkew     = 1 // periods by which the clock of the app may be wrong
	setupTimeMax = time.Hour

	secretBytes   = 20 // RFC 4226 recommends 160 bits
	recoveryCodes = 10
	recoveryChars = 16 // of base32, so 80 bits: a plain hash is enough, and nobody can guess one
)

// TwoFactor reads and writes the tables two_factor and recovery_code: what people give after their password. Safe for
// concurrent use.
type TwoFactor struct {
	people *People
	db     *db.DB
	sealer cipher.AEAD // nil without a key
	now    func() time.Time
}

// TwoFactorOptions are the settings of TwoFactor.
type TwoFactorOptions struct {
	// Key encrypts the secrets in the database. Without one, nobody can switch two-factor sign-in on.
	Key []byte
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// NewTwoFactor returns a store on the database of the people.
func NewTwoFactor(p *People, o TwoFactorOptions) *TwoFactor {
	f := &TwoFactor{people: p, db: p.db, now: o.Now}
	if f.now == nil {
		f.now = time.Now
	}
	f.sealer = seal.New(o.Key, "two-factor secrets")
	return f
}

// TwoFactorState is what a person has set up.
type TwoFactorState struct {
	EnabledAt *time.Time // nil if the password alone signs in
	App       bool       // an app computes codes; without one, passkeys and recovery codes are accepted
	CodesLeft int        // unused recovery codes
}

// State returns what the person has set up.
func (f *TwoFactor) State(ctx context.Context, person id.Person) (s TwoFactorState, err error) {
	var enabled sql.NullInt64
	err = f.db.Read().QueryRowContext(ctx, `
		SELECT (SELECT enabled_at FROM two_factor WHERE person_id = $1),
			EXISTS (SELECT 1 FROM two_factor WHERE person_id = $1 AND length(secret) > 0),
			(SELECT count(*) FROM recovery_code WHERE person_id = $1 AND used_at IS NULL)`, person).Scan(&enabled, &s.App, &s.CodesLeft)
	if err != nil {
		return s, fmt.Errorf("read two-factor sign-in of person %s: %w", person, err)
	}
	if enabled.Valid {
		s.EnabledAt = new(db.FromTime(enabled.Int64))
	}
	return s, nil
}

// Begin creates a secret for the person's app, which replaces one that was not confirmed. Faults: Validation for a wrong password,
// and if two-factor sign-in is on already.
func (f *TwoFactor) Begin(ctx context.Context, person Person, password string) error {
	if f.sealer == nil {
		return fault.New(fault.Forbidden, "This server has no key to encrypt the secret with, so two-factor sign-in cannot be switched on.")
	}
	if !person.HasPassword {
		return fault.Invalid(fault.FieldError{Field: "current", Message: "is not set: set a password first, because the code is asked for after it"})
	}
	if err := f.people.checkPassword(ctx, person.ID, password); err != nil {
		return err
	}
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // it never fails
	sealed := f.sealer.Seal(nil, nil, secret, []byte(person.ID.String()))
	return f.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `
			INSERT INTO two_factor (person_id, secret, period, created_at) VALUES ($1, $2, 0, $3)
			ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
			WHERE two_factor.enabled_at IS NULL`, person.ID, sealed, db.Time(f.now()))
		if err != nil {
			return fmt.Errorf("set up two-factor sign-in of person %s: %w", person.ID, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.Invalid(fault.FieldError{Message: "Two-factor sign-in is already on."}))
		}
		return nil
	})
}

// Cancel forgets a secret that was not confirmed.
func (f *TwoFactor) Cancel(ctx context.Context, person id.Person) error {
	return f.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM two_factor WHERE person_id = $1 AND enabled_at IS NULL`, person); err != nil {
			return fmt.Errorf("cancel two-factor sign-in of person %s: %w", person, err)
		}
		return nil
	})
}

// Setup returns the key to enter in an app, under the name of the issuer, while it is not confirmed. It is nil if the person has
// not begun, or did so more than an hour ago.
func (f *TwoFactor) Setup(ctx context.Context, person Person, issuer string) (*otp.Key, error) {
	secret, err := f.unconfirmed(ctx, f.db.Read(), person.ID)
	if err != nil || secret == nil {
		return nil, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: person.Email, Secret: secret})
	if err != nil {
		return nil, fmt.Errorf("set up two-factor sign-in of person %s: %w", person.ID, err)
	}
	return key, nil
}

func (f *TwoFactor) unconfirmed(ctx context.Context, q db.Querier, person id.Person) ([]byte, error) {
	var sealed []byte
	err := q.QueryRowContext(ctx, `SELECT secret FROM two_factor WHERE person_id = $1 AND enabled_at IS NULL AND created_at > $2`,
		person, db.Time(f.now().Add(-setupTimeMax))).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read two-factor secret of person %s: %w", person, err)
	}
	return f.open(person, sealed)
}

// open decrypts a secret. ServiceUnavailable if it was encrypted with another key.
func (f *TwoFactor) open(person id.Person, sealed []byte) ([]byte, error) {
	err := errors.New("the server has no key")
	var secret []byte
	if f.sealer != nil {
		secret, err = f.sealer.Open(nil, nil, sealed, []byte(person.String()))
	}
	if err != nil {
		return nil, fault.New(fault.ServiceUnavailable, "The server can no longer read the secret of your app, because its key has changed. "+
			"Use a recovery code, or ask an operator to switch off your two-factor sign-in.").
			Because(fmt.Errorf("decrypt two-factor secret of person %s: %w", person, err))
	}
	return secret, nil
}

// Enable switches two-factor sign-in on if the code shows that the person's app has the secret. It returns the recovery codes, which
// cannot be read again. Validation for another code, and if the person has not begun.
func (f *TwoFactor) Enable(ctx context.Context, person id.Person, code string) (codes []string, err error) {
	err = f.db.Tx(ctx, func(tx *db.Tx) error {
		secret, err := f.unconfirmed(ctx, tx, person)
		if err != nil {
			return err
		}
		if secret == nil {
			return fault.Invalid(fault.FieldError{Message: "The setup took too long or was cancelled. Start again."})
		}
		period, ok, err := f.match(secret, clean(code))
		if err != nil {
			return err
		}
		if !ok {
			return fault.Invalid(fault.FieldError{
				Field: "code", Message: "is not the code that the app shows for this secret now; check that your device's clock is right",
			})
		}
		_, err = tx.ExecContext(ctx, `UPDATE two_factor SET enabled_at = $2, period = $3 WHERE person_id = $1`,
			person, db.Time(f.now()), period)
		if err != nil {
			return fmt.Errorf("enable two-factor sign-in of person %s: %w", person, err)
		}
		if codes, err = f.replaceCodes(ctx, tx, person); err != nil {
			return err
		}
		return recordPerson(ctx, tx, auditlog.TwoFactorEnabled, person, nil)
	})
	return codes, err
}

// EnablePasskeys switches two-factor sign-in on without an app: after the password, one of the person's passkeys is asked for. It
// returns the recovery codes, which cannot be read again. Faults: Validation for a wrong password, without a passkey, and if
// two-factor sign-in is on already.
func (f *TwoFactor) EnablePasskeys(ctx context.Context, person id.Person, password string) (codes []string, err error) {
	if err := f.people.checkPassword(ctx, person, password); err != nil {
		return nil, err
	}
	err = f.db.Tx(ctx, func(tx *db.Tx) error {
		account, err := lockSignIns(ctx, tx, person)
		if err != nil {
			return err
		}
		if account.passkeys == 0 {
			return fault.Invalid(fault.FieldError{Message: "You have no passkey. Add one first."})
		}
		res, err := tx.ExecContext(ctx, `
			INSERT INTO two_factor (person_id, secret, period, created_at, enabled_at) VALUES ($1, $2, 0, $3, $3)
			ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, enabled_at = excluded.enabled_at
			WHERE two_factor.enabled_at IS NULL`, person, []byte{}, db.Time(f.now()))
		if err != nil {
			return fmt.Errorf("switch on two-factor sign-in of person %s: %w", person, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.Invalid(fault.FieldError{Message: "Two-factor sign-in is already on."}))
		}
		if codes, err = f.replaceCodes(ctx, tx, person); err != nil {
			return err
		}
		return recordPerson(ctx, tx, auditlog.TwoFactorEnabled, person, map[string]any{"with": "passkeys"})
	})
	return codes, err
}

// replaceCodes stores new recovery codes in place of the earlier ones, and returns them.
func (f *TwoFactor) replaceCodes(ctx context.Context, tx *db.Tx, person id.Person) ([]string, error) {
	if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE person_id = $1`, person); err != nil {
		return nil, fmt.Errorf("replace recovery codes of person %s: %w", person, err)
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		code := strings.ToLower(rand.Text()[:recoveryChars])
		codes[i] = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
		_, err := tx.ExecContext(ctx, `INSERT INTO recovery_code (person_id, hash) VALUES ($1, $2)`, person, hashOf(code))
		if err != nil {
			return nil, fmt.Errorf("replace recovery codes of person %s: %w", person, err)
		}
	}
	return codes, nil
}

// Proof is what a person gives besides their password.
type Proof struct {
	// use reports whether the proof is valid, and uses it up.
	use     func(ctx context.Context, f *TwoFactor, tx *db.Tx, person id.Person) (bool, error)
	refusal fault.FieldError // if it is not valid
}

// Code returns the proof of a code of the person's app, or of a recovery code.
func Code(code string) Proof {
	return Proof{
		use: func(ctx context.Context, f *TwoFactor, tx *db.Tx, person id.Person) (bool, error) {
			return f.use(ctx, tx, person, clean(code))
		},
		refusal: fault.FieldError{Field: "code", Message: "is not valid: each code works once, and only for a short time; " +
			"wait for the next one, or use a recovery code"},
	}
}

// Check uses up the proof. Validation, always the same, for one that is wrong, was used, is too old or is another person's; the audit
// log records it.
func (f *TwoFactor) Check(ctx context.Context, person id.Person, given Proof) error {
	return f.withProof(ctx, person, given, func(*db.Tx) error { return nil })
}

// ReplaceCodes returns new recovery codes, in place of the earlier ones. Faults: Validation for a wrong password or proof.
func (f *TwoFactor) ReplaceCodes(ctx context.Context, person id.Person, password string, given Proof) (codes []string, err error) {
	if err := f.people.checkPassword(ctx, person, password); err != nil {
		return nil, err
	}
	err = f.withProof(ctx, person, given, func(tx *db.Tx) error {
		if codes, err = f.replaceCodes(ctx, tx, person); err != nil {
			return err
		}
		return recordPerson(ctx, tx, auditlog.RecoveryCodesReplaced, person, nil)
	})
	return codes, err
}

// Disable switches two-factor sign-in off. Faults: Validation for a wrong password or proof.
func (f *TwoFactor) Disable(ctx context.Context, person id.Person, password string, given Proof) error {
	if err := f.people.checkPassword(ctx, person, password); err != nil {
		return err
	}
	return f.withProof(ctx, person, given, func(tx *db.Tx) error { return disable(ctx, tx, person) })
}

// Reset switches two-factor sign-in off for a person who has lost their app and recovery codes. Validation if it is off.
func (f *TwoFactor) Reset(ctx context.Context, person id.Person) error {
	return f.db.Tx(ctx, func(tx *db.Tx) error { return disable(ctx, tx, person) })
}

func disable(ctx context.Context, tx *db.Tx, person id.Person) error {
	was, err := forget(ctx, tx, person)
	if err != nil {
		return err
	}
	if !was {
		return fault.Invalid(fault.FieldError{Message: "Two-factor sign-in is already off."})
	}
	return recordPerson(ctx, tx, auditlog.TwoFactorDisabled, person, nil)
}

// forget deletes the person's secret and recovery codes, and reports whether two-factor sign-in was on.
func forget(ctx context.Context, tx *db.Tx, person id.Person) (was bool, err error) {
	var enabled sql.NullInt64
	err = tx.QueryRowContext(ctx, `DELETE FROM two_factor WHERE person_id = $1 RETURNING enabled_at`, person).Scan(&enabled)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE person_id = $1`, person)
	}
	if err != nil {
		return false, fmt.Errorf("switch off two-factor sign-in of person %s: %w", person, err)
	}
	return enabled.Valid, nil
}

// withProof runs fn in the transaction that uses up the proof.
func (f *TwoFactor) withProof(ctx context.Context, person id.Person, given Proof, fn func(tx *db.Tx) error) error {
	var used bool
	err := f.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if used, err = given.use(ctx, f, tx, person); err != nil {
			return err
		}
		if !used {
			return recordPerson(auditlog.As(ctx, person), tx, auditlog.CodeRefused, person, nil)
		}
		return fn(tx)
	})
	if err == nil && !used {
		return fault.Invalid(given.refusal)
	}
	return err
}

// use reports whether the code was valid, and uses it up.
func (f *TwoFactor) use(ctx context.Context, tx *db.Tx, person id.Person, code string) (bool, error) {
	if len(code) == recoveryChars {
		return f.useRecovery(ctx, tx, person, code)
	}
	var sealed []byte
	err := tx.QueryRowContext(ctx, `SELECT secret FROM two_factor WHERE person_id = $1 AND enabled_at IS NOT NULL AND length(secret) > 0`,
		person).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read two-factor secret of person %s: %w", person, err)
	}
	secret, err := f.open(person, sealed)
	if err != nil {
		return false, err
	}
	period, ok, err := f.match(secret, code)
	if err != nil || !ok {
		return false, err
	}
	// Of two requests with the same code, only one finds an earlier period.
	res, err := tx.ExecContext(ctx, `UPDATE two_factor SET period = $2 WHERE person_id = $1 AND period < $2`, person, period)
	if err != nil {
		return false, fmt.Errorf("use code of person %s: %w", person, err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func (f *TwoFactor) useRecovery(ctx context.Context, tx *db.Tx, person id.Person, code string) (bool, error) {
	res, err := tx.ExecContext(ctx, `UPDATE recovery_code SET used_at = $3 WHERE person_id = $1 AND hash = $2 AND used_at IS NULL`,
		person, hashOf(code), db.Time(f.now()))
	if err != nil {
		return false, fmt.Errorf("use recovery code of person %s: %w", person, err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	var left int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM recovery_code WHERE person_id = $1 AND used_at IS NULL`, person).Scan(&left)
	if err != nil {
		return false, fmt.Errorf("use recovery code of person %s: %w", person, err)
	}
	return true, recordPerson(auditlog.As(ctx, person), tx, auditlog.RecoveryCodeUsed, person, map[string]any{"left": left})
}

// match returns the newest period near the present one whose code this is; false for any other code.
func (f *TwoFactor) match(secret []byte, code string) (period int64, ok bool, err error) {
	if len(code) != codeDigits.Length() {
		return 0, false, nil
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "-", AccountName: "-", Secret: secret})
	if err != nil {
		return 0, false, fmt.Errorf("compute code: %w", err)
	}
	present := f.now().Unix() / int64(codePeriod/time.Second)
	for p := present - codeSkew; p <= present+codeSkew; p++ {
		same, err := hotp.ValidateCustom(code, uint64(p), key.Secret(), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("compute code: %w", err)
		}
		if same {
			period, ok = p, true
		}
	}
	return period, ok, nil
}

// IsRecoveryCode reports whether the text has the form of a recovery code. Nobody can guess one, so that attempts with them need
// no limit on the account.
func IsRecoveryCode(code string) bool { return len(clean(code)) == recoveryChars }

// clean returns the code without what people type between its groups, in lower case.
func clean(code string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(code, func(r rune) bool { return r == ' ' || r == '-' || r == '\t' || r == '\u00a0' }), ""))
}

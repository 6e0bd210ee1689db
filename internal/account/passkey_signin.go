package account

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// The purposes of challenges.
const (
	toAdd    = "add"
	toSignIn = "sign_in"
	toProve  = "prove"
)

// store stores a challenge and returns its secret. The person is zero for a sign-in.
func (k *Passkeys) store(ctx context.Context, tx *db.Tx, purpose string, person id.Person, asked *webauthn.SessionData) (string, error) {
	data, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}
	secret := rand.Text()
	_, err = tx.ExecContext(ctx, `INSERT INTO passkey_challenge (hash, purpose, person_id, data, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		hashOf(secret), purpose, nullPerson(person), data, db.Time(k.factors.now().Add(challengeTimeMax)))
	if err != nil {
		return "", fmt.Errorf("store challenge: %w", err)
	}
	return secret, nil
}

// take uses up the challenge and returns what was asked for. It returns nil if it was used already, is too old, or is for another
// purpose or person.
func (k *Passkeys) take(ctx context.Context, tx *db.Tx, secret, purpose string, person id.Person) (*webauthn.SessionData, error) {
	var purposeOf string
	var whose id.Person
	var data []byte
	var expires int64
	err := tx.QueryRowContext(ctx, `DELETE FROM passkey_challenge WHERE hash = $1 RETURNING purpose, person_id, data, expires_at`,
		hashOf(secret)).Scan(&purposeOf, &whose, &data, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("use challenge: %w", err)
	}
	if purposeOf != purpose || whose != person || !k.factors.now().Before(db.FromTime(expires)) {
		return nil, nil
	}
	asked := &webauthn.SessionData{}
	return asked, json.Unmarshal(data, asked)
}

// refusal is the one answer to every passkey and challenge that is wrong, was used, is too old or is another person's.
var refusal = fault.FieldError{Message: "The passkey was not accepted. Each request for one works once, and only for a few minutes: try again. " +
	"If it was removed from this account, sign in another way."}

// BeginSignIn returns what a browser needs to let somebody choose one of their passkeys for this site, as JSON, and the secret of the
// challenge.
func (k *Passkeys) BeginSignIn(ctx context.Context) (options []byte, secret string, err error) {
	if k.missing != nil {
		return nil, "", k.missing
	}
	assertion, asked, err := k.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("begin sign-in with a passkey: %w", err)
	}
	if options, err = json.Marshal(assertion); err != nil {
		return nil, "", err
	}
	err = k.db.Tx(ctx, func(tx *db.Tx) error {
		secret, err = k.store(ctx, tx, toSignIn, id.Person{}, asked)
		return err
	})
	return options, secret, err
}

// SignIn returns the person whose passkey answered the challenge. Every mistake is the same Validation fault.
func (k *Passkeys) SignIn(ctx context.Context, secret string, answer []byte) (Person, error) {
	if k.missing != nil {
		return Person{}, k.missing
	}
	var who id.Person
	err := k.db.Tx(ctx, func(tx *db.Tx) error {
		who = id.Person{}
		asked, err := k.take(ctx, tx, secret, toSignIn, id.Person{})
		if err != nil || asked == nil {
			return err
		}
		who, err = k.use(ctx, tx, asked, answer)
		return err
	})
	if err != nil {
		return Person{}, err
	}
	if who.IsZero() {
		return Person{}, fault.Invalid(refusal)
	}
	return k.people.Get(ctx, who)
}

// BeginProof returns what a browser needs to ask for one of the person's passkeys, as JSON, and the secret of the challenge. Validation
// if they have none.
func (k *Passkeys) BeginProof(ctx context.Context, person id.Person) (options []byte, secret string, err error) {
	if k.missing != nil {
		return nil, "", k.missing
	}
	err = k.db.Tx(ctx, func(tx *db.Tx) error {
		h := holder{Person: Person{ID: person}}
		if h.passkeys, err = passkeysOf(ctx, tx, person); err != nil {
			return err
		}
		if len(h.passkeys) == 0 {
			return fault.Invalid(fault.FieldError{Message: "You have no passkey. Use a code instead."})
		}
		assertion, asked, err := k.web.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return fmt.Errorf("ask for a passkey of person %s: %w", person, err)
		}
		if secret, err = k.store(ctx, tx, toProve, person, asked); err != nil {
			return err
		}
		options, err = json.Marshal(assertion)
		return err
	})
	return options, secret, err
}

// Proof returns the proof that a passkey answered the challenge.
func (k *Passkeys) Proof(secret string, answer []byte) Proof {
	return Proof{refusal: refusal, use: func(ctx context.Context, _ *TwoFactor, tx *db.Tx, person id.Person) (bool, error) {
		if k.missing != nil {
			return false, k.missing
		}
		asked, err := k.take(ctx, tx, secret, toProve, person)
		if err != nil || asked == nil {
			return false, err
		}
		who, err := k.use(ctx, tx, asked, answer)
		return who == person && !who.IsZero(), err
	}}
}

// use returns the person whose passkey gave the answer to what was asked, and records its use. It returns zero for any other answer.
func (k *Passkeys) use(ctx context.Context, tx *db.Tx, asked *webauthn.SessionData, answer []byte) (id.Person, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return id.Person{}, nil //nolint:nilerr // a refusal
	}
	var person id.Person
	// The lock makes two answers of one passkey run one after the other, so that each is compared with the other's counter.
	err = tx.QueryRowContext(ctx, `SELECT person_id FROM passkey WHERE credential_id = $1`+tx.ForUpdate(), parsed.RawID).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return id.Person{}, nil
	}
	if err != nil {
		return id.Person{}, fmt.Errorf("find passkey: %w", err)
	}
	h := holder{Person: Person{ID: person}}
	if h.passkeys, err = passkeysOf(ctx, tx, person); err != nil {
		return id.Person{}, err
	}
	var used *webauthn.Credential
	if len(asked.UserID) == 0 {
		used, err = k.web.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return h, nil }, *asked, parsed)
	} else {
		used, err = k.web.ValidateLogin(h, *asked, parsed)
	}
	if err != nil {
		return id.Person{}, nil //nolint:nilerr // a refusal
	}
	var passkey id.Passkey
	var name string
	if used.Authenticator.CloneWarning {
		err = tx.QueryRowContext(ctx, `SELECT id, name FROM passkey WHERE credential_id = $1`, used.ID).Scan(&passkey, &name)
		if err != nil {
			return id.Person{}, fmt.Errorf("find passkey: %w", err)
		}
		return id.Person{}, recordPasskey(auditlog.As(ctx, person), tx, auditlog.PasskeyCopied, person, passkey, name)
	}
	credential, err := json.Marshal(used)
	if err != nil {
		return id.Person{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE passkey SET credential = $2, used_at = $3 WHERE credential_id = $1`,
		used.ID, credential, db.Time(k.factors.now()))
	if err != nil {
		return id.Person{}, fmt.Errorf("record use of a passkey of person %s: %w", person, err)
	}
	return person, nil
}

package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const (
	challengeTimeMax     = 5 * time.Minute
	passkeysMax          = 20 // of a person
	passkeyNameLengthMax = 100
)

// Passkeys reads and writes the tables passkey and passkey_challenge. Every challenge works once, for a few minutes, and only with the
// secret that its Begin method returned, which belongs into the session of the browser that asked for it. Safe for concurrent use.
type Passkeys struct {
	factors *TwoFactor
	people  *People
	db      *db.DB
	web     *webauthn.WebAuthn // nil if the address of the site allows no passkeys
	missing error              // why, if it does not
	issuer  string
}

// PasskeyOptions are the settings of Passkeys.
type PasskeyOptions struct {
	// PublicURL is the address of the site, such as https://capi.example.com. Passkeys belong to its host name and work at no other.
	PublicURL string
	// Issuer is the OpenID provider with which people can also sign in. Defaults to none.
	Issuer string
}

// NewPasskeys returns a store on the database of f.
func NewPasskeys(f *TwoFactor, o PasskeyOptions) *Passkeys {
	k := &Passkeys{factors: f, people: f.people, db: f.db, issuer: o.Issuer}
	k.web, k.missing = relyingParty(o.PublicURL)
	return k
}

// relyingParty returns what verifies the answers of passkeys for the site. The error is a Forbidden fault for people to read.
func relyingParty(site string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(site)
	if err != nil || u.Hostname() == "" {
		return nil, fault.New(fault.Forbidden, "Passkeys belong to the address of the server, which has none: start it with --public-url.")
	}
	host := strings.ToLower(u.Hostname())
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, fault.New(fault.Forbidden, "Passkeys belong to a host name, and this server's address, %s, has none: start it with --public-url and a "+
			"name. On your own computer, http://localhost:%s will do.", site, portOf(u))
	}
	if u.Scheme != "https" && !local {
		return nil, fault.New(fault.Forbidden, "Browsers allow passkeys over HTTPS only, and this server's address is %s: give it a certificate, "+
			"or a proxy with one, and start it with --public-url https://…", site)
	}
	discoverable := true
	web, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "CAPI", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &discoverable, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login: webauthn.TimeoutConfig{Timeout: challengeTimeMax}, Registration: webauthn.TimeoutConfig{Timeout: challengeTimeMax},
		},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // some password managers send them
	})
	if err != nil {
		return nil, fault.New(fault.Forbidden, "This server's address, %s, allows no passkeys: start it with another --public-url.", site).Because(err)
	}
	return web, nil
}

// portOf returns the port of an address, or that of its scheme.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// Available returns nil if passkeys can be used, or else a Forbidden fault that says why not.
func (k *Passkeys) Available() error { return k.missing }

// Origin returns the scheme, host and port at which passkeys work; it is empty if they are not available.
func (k *Passkeys) Origin() string {
	if k.web == nil {
		return ""
	}
	return k.web.Config.RPOrigins[0]
}

// Passkey is a passkey of a person.
type Passkey struct {
	ID        id.Passkey
	Name      string
	Synced    bool // the device or its maker copies it to the other devices of its owner
	CreatedAt time.Time
	UsedAt    *time.Time // last; nil for never

	credential webauthn.Credential
}

const passkeyColumns = `id, name, credential, created_at, used_at`

func scanPasskey(row db.Row) (Passkey, error) {
	var one Passkey
	var credential []byte
	var created int64
	var used sql.NullInt64
	if err := row.Scan(&one.ID, &one.Name, &credential, &created, &used); err != nil {
		return one, err
	}
	one.CreatedAt = db.FromTime(created)
	if used.Valid {
		one.UsedAt = new(db.FromTime(used.Int64))
	}
	err := json.Unmarshal(credential, &one.credential)
	one.Synced = one.credential.Flags.BackupState
	return one, err
}

// List returns the person's passkeys, oldest first.
func (k *Passkeys) List(ctx context.Context, person id.Person) ([]Passkey, error) {
	return passkeysOf(ctx, k.db.Read(), person)
}

func passkeysOf(ctx context.Context, q db.Querier, person id.Person) ([]Passkey, error) {
	all, err := db.Collect(ctx, q, scanPasskey, `SELECT `+passkeyColumns+` FROM passkey WHERE person_id = $1 ORDER BY created_at, id`, person)
	if err != nil {
		return nil, fmt.Errorf("list passkeys of person %s: %w", person, err)
	}
	return all, nil
}

// holder is a person as the library sees them.
type holder struct {
	Person
	passkeys []Passkey
}

// WebAuthnID is kept by the person's devices.
func (h holder) WebAuthnID() []byte { return h.ID.UUID[:] }

// WebAuthnName is what their devices show.
func (h holder) WebAuthnName() string { return h.Email }

// WebAuthnDisplayName is what their devices show.
func (h holder) WebAuthnDisplayName() string { return h.Name }

// WebAuthnCredentials are the person's passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(h.passkeys))
	for i, p := range h.passkeys {
		all[i] = p.credential
	}
	return all
}

// BeginAdd returns what a browser needs to create a passkey for the person, as JSON, and the secret of the challenge. It takes the
// password, if the person has one, and a proof if they use two-factor sign-in. Faults: Validation.
func (k *Passkeys) BeginAdd(ctx context.Context, person Person, password string, given Proof) (options []byte, secret string, err error) {
	if k.missing != nil {
		return nil, "", k.missing
	}
	if person.HasPassword {
		if err := k.people.checkPassword(ctx, person.ID, password); err != nil {
			return nil, "", err
		}
	}
	begin := func(tx *db.Tx) error {
		h := holder{Person: person}
		if h.passkeys, err = passkeysOf(ctx, tx, person.ID); err != nil {
			return err
		}
		if len(h.passkeys) >= passkeysMax {
			return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("You have %d passkeys, which is the most. Remove one that you do not use.", passkeysMax)})
		}
		known := webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()
		creation, asked, err := k.web.BeginRegistration(h, webauthn.WithExclusions(known))
		if err != nil {
			return fmt.Errorf("begin to add a passkey: %w", err)
		}
		if secret, err = k.store(ctx, tx, toAdd, person.ID, asked); err != nil {
			return err
		}
		options, err = json.Marshal(creation)
		return err
	}
	if person.TwoFactor {
		err = k.factors.withProof(ctx, person.ID, given, begin)
	} else {
		err = k.db.Tx(ctx, begin)
	}
	return options, secret, err
}

// Add stores the passkey that the person's browser created for the challenge. Validation, always the same, for an answer that does not
// belong to it; also for a name that is empty or too long, and then the challenge can still be used.
func (k *Passkeys) Add(ctx context.Context, person Person, secret string, answer []byte, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	if k.missing != nil {
		return k.missing
	}
	var added bool
	err = k.db.Tx(ctx, func(tx *db.Tx) error {
		added = false
		asked, err := k.take(ctx, tx, secret, toAdd, person.ID)
		if err != nil || asked == nil {
			return err
		}
		parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
		if err != nil {
			return nil //nolint:nilerr // a refusal, after which the challenge stays used
		}
		made, err := k.web.CreateCredential(holder{Person: person}, *asked, parsed)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		credential, err := json.Marshal(made)
		if err != nil {
			return err
		}
		passkey := id.New[id.Passkey]()
		res, err := tx.ExecContext(ctx, `INSERT INTO passkey (id, person_id, credential_id, credential, name, created_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (credential_id) DO NOTHING`,
			passkey, person.ID, made.ID, credential, name, db.Time(k.factors.now()))
		if err != nil {
			return fmt.Errorf("add passkey of person %s: %w", person.ID, err)
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		added = true
		return recordPasskey(ctx, tx, auditlog.PasskeyAdded, person.ID, passkey, name)
	})
	if err == nil && !added {
		return fault.Invalid(refusal)
	}
	return err
}

func passkeyName(given string) (string, error) {
	name, complaint := text.Name(given, passkeyNameLengthMax)
	if complaint != "" {
		return "", fault.Invalid(fault.FieldError{Field: "name", Message: complaint})
	}
	return name, nil
}

func recordPasskey(ctx context.Context, tx *db.Tx, action auditlog.Action, person id.Person, passkey id.Passkey, name string) error {
	return recordPerson(ctx, tx, action, person, map[string]any{"passkey": passkey.String(), "name": name})
}

// Rename changes the name of a passkey of the person. NotFound without one; Validation for a name that is empty or too long.
func (k *Passkeys) Rename(ctx context.Context, person id.Person, passkey id.Passkey, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return k.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE passkey SET name = $3 WHERE id = $1 AND person_id = $2`, passkey, person, name)
		if err != nil {
			return fmt.Errorf("rename passkey %s: %w", passkey, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.New(fault.NotFound, "You have no such passkey; it may have been removed."))
		}
		return recordPasskey(ctx, tx, auditlog.PasskeyRenamed, person, passkey, name)
	})
}

// Remove deletes a passkey of the person. NotFound without one; Validation for the last way to sign in.
func (k *Passkeys) Remove(ctx context.Context, person id.Person, passkey id.Passkey) error {
	return k.db.Tx(ctx, func(tx *db.Tx) error {
		before, err := lockSignIns(ctx, tx, person)
		if err != nil {
			return err
		}
		var name string
		err = tx.QueryRowContext(ctx, `DELETE FROM passkey WHERE id = $1 AND person_id = $2 RETURNING name`, passkey, person).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "You have no such passkey; it may have been removed.")
		}
		if err != nil {
			return fmt.Errorf("remove passkey %s: %w", passkey, err)
		}
		if before.passkeys == 1 && before.passkeyAfterPassword {
			return fault.Invalid(fault.FieldError{Message: "Your passkey is asked for after your password. Switch off two-factor sign-in first, or add another passkey."})
		}
		if before.passkeys == 1 && !before.password {
			var provider bool
			err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM identity WHERE person_id = $1 AND issuer = $2)`, person, k.issuer).Scan(&provider)
			if err != nil {
				return fmt.Errorf("remove passkey %s: %w", passkey, err)
			}
			if !provider {
				return fault.Invalid(fault.FieldError{Message: "This passkey is your only way to sign in. Set a password first, or add another passkey."})
			}
		}
		return recordPasskey(ctx, tx, auditlog.PasskeyRemoved, person, passkey, name)
	})
}

// signIns are the ways in which a person can sign in, other than an OpenID provider.
type signIns struct {
	password             bool
	passkeys             int
	passkeyAfterPassword bool // and no app could take its place
}

// lockSignIns returns the person's ways to sign in, and locks them to the end of the transaction.
func lockSignIns(ctx context.Context, tx *db.Tx, person id.Person) (s signIns, err error) {
	var password string
	err = tx.QueryRowContext(ctx, `SELECT password FROM person WHERE id = $1`+tx.ForUpdate(), person).Scan(&password)
	s.password = password != ""
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM passkey WHERE person_id = $1),
			EXISTS (SELECT 1 FROM two_factor WHERE person_id = $1 AND enabled_at IS NOT NULL AND length(secret) = 0)`, person).
			Scan(&s.passkeys, &s.passkeyAfterPassword)
	}
	if err != nil {
		return s, fmt.Errorf("read the ways in which person %s signs in: %w", person, err)
	}
	return s, nil
}

// Reset removes all passkeys of a person who has lost them, and switches two-factor sign-in off if it needs them. Validation without
// passkeys.
func (k *Passkeys) Reset(ctx context.Context, person id.Person) error {
	return k.db.Tx(ctx, func(tx *db.Tx) error {
		before, err := lockSignIns(ctx, tx, person)
		if err != nil {
			return err
		}
		if before.passkeys == 0 {
			return fault.Invalid(fault.FieldError{Message: "There are no passkeys to remove."})
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM passkey WHERE person_id = $1`, person); err != nil {
			return fmt.Errorf("remove passkeys of person %s: %w", person, err)
		}
		if before.passkeyAfterPassword {
			if err := disable(ctx, tx, person); err != nil {
				return err
			}
		}
		return recordPerson(ctx, tx, auditlog.PasskeyRemoved, person, map[string]any{"passkeys": before.passkeys})
	})
}

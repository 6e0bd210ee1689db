// Package signing signs documents with keys of the installation, so that anyone can verify where they come from. A signature is a
// detached JWS (RFC 7515, appendix F) of the algorithm EdDSA over the exact bytes of a document. It does not know what the documents say.
//
// All servers of a database have the same keys. The first key is made when it is needed. A key is published before it signs, and stays
// published afterwards, so that everything that it has signed can be verified.
package signing

import (
	"context"
	"crypto"
	"crypto/cipher"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/seal"
	"github.com/opencapi/capi/internal/text"
)

const (
	// CacheTime is how long readers may keep the published keys.
	CacheTime = time.Hour

	// OverlapMax is the longest time that a new key may be published before it signs.
	OverlapMax = 30 * 24 * time.Hour
)

// Store is the table signing_key. Safe for concurrent use, also by several processes on one database.
type Store struct {
	db     *db.DB
	sealer cipher.AEAD
}

// New returns the keys of a database. The installation's key encrypts the private ones; without it, nothing can be signed.
func New(d *db.DB, key []byte) *Store { return &Store{d, seal.New(key, "signing keys")} }

// State says what a key is used for.
type State string

// The states.
const (
	Signs    State = "signs"
	Waits    State = "waits"    // published, and signs later
	Verifies State = "verifies" // published, for what it has signed
	Revoked  State = "revoked"  // not published
)

// Key is a pair of keys.
type Key struct {
	ID        string // the SHA-256 thumbprint of the public key (RFC 7638), which signatures name as kid
	State     State
	CreatedAt time.Time
	SignsFrom time.Time
	RevokedAt *time.Time

	number  int64
	public  ed25519.PublicKey
	private []byte // encrypted; nil if it was deleted
}

// Enabled reports whether documents can be signed.
func (s *Store) Enabled() bool { return s != nil && s.sealer != nil }

// List returns all keys, newest first. There is always one that signs.
func (s *Store) List(ctx context.Context) ([]Key, error) {
	if _, _, err := s.signer(ctx); err != nil {
		return nil, err
	}
	return s.read(ctx, s.db.Read())
}

// Sign returns the signature of a document.
func (s *Store) Sign(ctx context.Context, document []byte) (string, error) {
	key, private, err := s.signer(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: key.ID}}, nil)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signed, err := signer.Sign(document)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.DetachedCompactSerialize()
}

// Published returns the public keys that are not revoked, newest first.
func (s *Store) Published(ctx context.Context) (Keys, error) {
	all, err := s.List(ctx)
	if err != nil {
		return Keys{}, err
	}
	var published Keys
	for _, k := range all {
		if k.State != Revoked {
			published.Keys = append(published.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.ID, Algorithm: string(jose.EdDSA), Use: "sig"})
		}
	}
	return published, nil
}

// Rotate makes a new key that is published at once and signs after the overlap. Until then the present key signs. Faults: Validation
// for an overlap above OverlapMax, or shorter than readers may keep the published keys, except 0.
func (s *Store) Rotate(ctx context.Context, overlap time.Duration) (made Key, err error) {
	if overlap != 0 && (overlap < CacheTime || overlap > OverlapMax) {
		return Key{}, fault.Invalid(fault.FieldError{Field: "overlap", Message: fmt.Sprintf(
			"must be between %s and %s, or 0 to sign with the new key at once; readers may keep the published keys for %[1]s", hours(CacheTime), hours(OverlapMax))})
	}
	signs, _, err := s.signer(ctx)
	if err != nil {
		return Key{}, err
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT MAX(number) FROM signing_key`).Scan(&last); err != nil {
			return err
		}
		if made, err = s.insert(ctx, tx, last+1, overlap); err != nil {
			return err
		}
		if made.ID == "" {
			return errors.New("another key was made at this moment; see capi keys list")
		}
		// Nobody needs the private keys of before any more.
		if _, err := tx.ExecContext(ctx, `UPDATE signing_key SET private = NULL WHERE number < $1`, signs.number); err != nil {
			return err
		}
		return auditlog.Record(ctx, tx, auditlog.Event{
			Action: auditlog.SigningKeyRotated, Subject: "signing_key:" + made.ID, Details: map[string]any{"signs_from": made.SignsFrom.Format(time.RFC3339)},
		})
	})
	if err != nil {
		return Key{}, fmt.Errorf("rotate signing key: %w", err)
	}
	return made, nil
}

// Revoke withdraws a key: what it has signed cannot be verified any more. If it signs, another key signs from now on. Faults: NotFound.
func (s *Store) Revoke(ctx context.Context, key string) error {
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		const q = `UPDATE signing_key SET revoked_at = $2, private = NULL WHERE kid = $1 AND revoked_at IS NULL`
		res, err := tx.ExecContext(ctx, q, key, db.Time(time.Now()))
		if err != nil {
			return fmt.Errorf("revoke signing key: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.New(fault.NotFound, "There is no signing key %q that could be revoked; capi keys list shows all.", text.Short(key)))
		}
		return auditlog.Record(ctx, tx, auditlog.Event{Action: auditlog.SigningKeyRevoked, Subject: "signing_key:" + key})
	})
	if err != nil {
		return err
	}
	_, _, err = s.signer(ctx)
	return err
}

// signer returns the key that signs, and makes it if there is none: at the first start, after a revocation, and if the installation has
// got another key, which cannot decrypt the earlier ones.
func (s *Store) signer(ctx context.Context) (Key, ed25519.PrivateKey, error) {
	if !s.Enabled() {
		return Key{}, nil, errors.New("sign: this server has no key to encrypt signing keys with")
	}
	for range 3 { // another server may make a key at the same moment
		all, err := s.read(ctx, s.db.Read())
		if err != nil {
			return Key{}, nil, err
		}
		if i := slices.IndexFunc(all, func(k Key) bool { return k.State == Signs }); i >= 0 {
			seed, err := s.sealer.Open(nil, nil, all[i].private, []byte(all[i].ID))
			if err == nil {
				return all[i], ed25519.NewKeyFromSeed(seed), nil
			}
		}
		last := int64(0)
		if len(all) > 0 {
			last = all[0].number
		}
		err = s.db.Tx(ctx, func(tx *db.Tx) error {
			_, err := s.insert(ctx, tx, last+1, 0)
			return err
		})
		if err != nil {
			return Key{}, nil, fmt.Errorf("make signing key: %w", err)
		}
	}
	return Key{}, nil, errors.New("make signing key: other servers make keys at the same time")
}

// insert makes a key with the number. It returns the zero Key if there is one with that number already.
func (s *Store) insert(ctx context.Context, tx *db.Tx, number int64, overlap time.Duration) (Key, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return Key{}, err
	}
	thumbprint, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, err
	}
	now := time.Now()
	k := Key{
		ID: base64.RawURLEncoding.EncodeToString(thumbprint), CreatedAt: db.FromTime(db.Time(now)), SignsFrom: db.FromTime(db.Time(now.Add(overlap))),
		State: Waits, number: number, public: public,
	}
	if overlap == 0 {
		k.State = Signs
	}
	k.private = s.sealer.Seal(nil, nil, private.Seed(), []byte(k.ID))
	res, err := tx.ExecContext(ctx, `INSERT INTO signing_key (number, kid, public, private, created_at, signs_from)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (number) DO NOTHING`,
		number, k.ID, []byte(public), k.private, db.Time(k.CreatedAt), db.Time(k.SignsFrom))
	if err != nil {
		return Key{}, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return Key{}, err
	}
	return k, nil
}

// read returns all keys with their states, newest first.
func (s *Store) read(ctx context.Context, q db.Querier) ([]Key, error) {
	all, err := db.Collect(ctx, q, scan, `SELECT number, kid, public, private, created_at, signs_from, revoked_at FROM signing_key ORDER BY number DESC`)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	// The newest key whose time has come signs; if every such key was revoked, the next one does so early.
	signs := -1
	for i, k := range all {
		usable := k.RevokedAt == nil && k.private != nil
		if usable && (signs < 0 || all[signs].SignsFrom.After(time.Now())) {
			signs = i
		}
	}
	for i := range all {
		switch {
		case all[i].RevokedAt != nil:
			all[i].State = Revoked
		case i == signs:
			all[i].State = Signs
		case i < signs:
			all[i].State = Waits
		default:
			all[i].State = Verifies
		}
	}
	return all, nil
}

func scan(row db.Row) (k Key, err error) {
	var public []byte
	var created, from int64
	var revoked sql.NullInt64
	err = row.Scan(&k.number, &k.ID, &public, &k.private, &created, &from, &revoked)
	k.public, k.CreatedAt, k.SignsFrom, k.RevokedAt = public, db.FromTime(created), db.FromTime(from), db.FromNullTime(revoked)
	return k, err
}

func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }

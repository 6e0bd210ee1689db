// Package installation knows what all servers of one database must have in common: the key that signs links and encrypts secrets. The
// database holds its SHA-256, never the key.
package installation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
)

// ErrOtherKey is the error for a key that is not the one that the database was used with.
var ErrOtherKey = errors.New("the key is not the one that this database was used with")

// Keys is the table server_key. Safe for concurrent use.
type Keys struct{ db *db.DB }

// NewKeys returns the keys of a database.
func NewKeys(d *db.DB) *Keys { return &Keys{db: d} }

// Check remembers the key if it is the first one, and returns ErrOtherKey if it is another one than before.
func (k *Keys) Check(ctx context.Context, key []byte) error {
	var known []byte
	read := func() error {
		err := k.db.Read().QueryRowContext(ctx, `SELECT fingerprint FROM server_key`).Scan(&known)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}
	if err := read(); err != nil {
		return fmt.Errorf("check key: %w", err)
	}
	if len(known) == 0 {
		// Another server may do the same at this moment.
		err := k.db.Tx(ctx, func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO server_key (id, fingerprint, accepted_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`,
				fingerprint(key), db.Time(time.Now()))
			return err
		})
		if err = errors.Join(err, read()); err != nil {
			return fmt.Errorf("remember key: %w", err)
		}
	}
	if !bytes.Equal(known, fingerprint(key)) {
		return ErrOtherKey
	}
	return nil
}

// Accept makes the key the one that all servers must have from now on. It reports whether it was another one before.
func (k *Keys) Accept(ctx context.Context, key []byte) (changed bool, err error) {
	err = k.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO server_key AS k (id, fingerprint, accepted_at) VALUES (1, $1, $2)
			ON CONFLICT (id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, accepted_at = EXCLUDED.accepted_at
			WHERE k.fingerprint <> EXCLUDED.fingerprint`, fingerprint(key), db.Time(time.Now()))
		if err != nil {
			return fmt.Errorf("accept key: %w", err)
		}
		n, err := res.RowsAffected()
		if changed = n == 1; err != nil || !changed {
			return err
		}
		return auditlog.Record(ctx, tx, auditlog.Event{Action: auditlog.KeyAccepted, Subject: "key"})
	})
	return changed, err
}

func fingerprint(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("capi server key\x00"), key...))
	return sum[:]
}

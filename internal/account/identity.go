package account

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Identity identifies a person at an OpenID provider.
type Identity struct{ Issuer, Subject string }

// ByIdentity returns the person with the identity. NotFound without one.
func (p *People) ByIdentity(ctx context.Context, i Identity) (Person, error) {
	return p.one(ctx, `SELECT `+personColumns+` FROM person
		WHERE id = (SELECT person_id FROM identity WHERE issuer = $1 AND subject = $2)`, i.Issuer, i.Subject)
}

// Link adds the identity to the person. It does nothing if the identity already belongs to a person.
func (p *People) Link(ctx context.Context, tx *db.Tx, i Identity, person id.Person) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO identity (issuer, subject, person_id, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (issuer, subject) DO NOTHING`, i.Issuer, i.Subject, person, db.Time(time.Now()))
	if err != nil {
		return fmt.Errorf("link person %s to %s: %w", person, i.Issuer, err)
	}
	return nil
}

package membership

import (
	"context"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
)

// Claims are what an OpenID provider says about the person who signed in.
type Claims struct {
	account.Identity
	Email         string
	EmailVerified bool
	Name          string
}

// Identify returns the person who signed in at the provider: the one with the identity, otherwise the one with the email
// address, otherwise a new person if the email address has one of the domains. Faults: Forbidden.
func (m *Memberships) Identify(ctx context.Context, c Claims, domains []string) (account.Person, error) {
	p, err := m.people.ByIdentity(ctx, c.Identity)
	if fault.CodeOf(err) != fault.NotFound {
		return p, err
	}
	if c.Email == "" || !c.EmailVerified {
		return account.Person{}, fault.New(fault.Forbidden, "The sign-in provider has not verified your email address, so you cannot sign in with it.")
	}
	p, err = m.people.ByEmail(ctx, c.Email)
	switch {
	case err == nil:
		return p, m.db.Tx(ctx, func(tx *db.Tx) error { return m.people.Link(ctx, tx, c.Identity, p.ID) })
	case fault.CodeOf(err) != fault.NotFound:
		return account.Person{}, err
	}
	return m.welcome(ctx, c, domains)
}

// welcome creates a person who was not invited. The first owner must be invited.
func (m *Memberships) welcome(ctx context.Context, c Claims, domains []string) (account.Person, error) {
	nobody, err := m.people.Nobody(ctx)
	if err != nil {
		return account.Person{}, err
	}
	_, domain, _ := strings.Cut(strings.ToLower(c.Email), "@")
	if nobody || !slices.Contains(domains, domain) {
		return account.Person{}, fault.New(fault.Forbidden, "%s has no account here. Ask an owner of a workspace for an invitation.", c.Email)
	}
	if c.Name == "" {
		c.Name = c.Email
	}
	checked, err := m.people.Check(ctx, account.NewPerson{Email: c.Email, Name: c.Name})
	if err != nil {
		return account.Person{}, err
	}
	var made account.Person
	err = m.db.Tx(ctx, func(tx *db.Tx) error {
		if made, err = m.people.Create(ctx, tx, checked); err != nil {
			return err
		}
		return m.people.Link(ctx, tx, c.Identity, made.ID)
	})
	return made, err
}

package account

import (
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
)

// A sign-in that skipped the hash for an unknown email would be faster, which would show who has an account.
func TestASignInHashesOnceWhoeverItIs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := NewPeople(d)
		for _, n := range []NewPerson{
			{Email: "ann@example.com", Name: "Ann", Password: "correct horse battery"},
			{Email: "oidc@example.com", Name: "Without a password"},
		} {
			checked, err := p.Check(t.Context(), n)
			require.NoError(t, err)
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := p.Create(t.Context(), tx, checked)
				return err
			}))
		}
		attempts := map[string]string{
			"known": "ann@example.com", "unknown": "nobody@example.com", "without a password": "oidc@example.com", "malformed": "ann",
		}
		for name, email := range attempts {
			// As many places to wait as there are left after the given number of hashes: the next one is refused.
			for hashes := range 2 {
				p.hasher = &hasher{slots: make(chan struct{}, 1), waiting: make(chan struct{}, 1)}
				if hashes == 0 {
					p.hasher.waiting <- struct{}{}
				}
				_, err := p.SignIn(t.Context(), email, "wrong password")
				want := fault.Validation
				if hashes == 0 {
					want = fault.ServiceUnavailable
				}
				require.Equal(t, want, fault.CodeOf(err), "%s with room for %d", name, hashes)
			}
		}
		like, err := dummy()
		require.NoError(t, err)
		params, _, _, err := argon2id.DecodeHash(like)
		require.NoError(t, err)
		require.Equal(t, *hashParams, *params, "the hash that nobody has takes the same work")
	})
}

package catalog_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestCompaniesAreFoundByTheirPageOnceItsKeyIsComputed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "One", LinkedInURL: "https://www.linkedin.com/company/One/about"}, company.Company{Name: "Two"})
		found := func() int {
			c, err := b.Candidates(t.Context(), catalog.Identifiers{Pages: []string{"one", "two"}})
			require.NoError(t, err)
			require.Empty(t, c.ByPage["two"])
			return len(c.ByPage["one"])
		}
		require.Equal(t, 1, found())
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { // as an older version left it
			_, err := tx.ExecContext(t.Context(), `UPDATE company SET page_key = NULL`)
			if err == nil {
				_, err = tx.ExecContext(t.Context(), `UPDATE catalog_state SET match_version = 1`)
			}
			return err
		}))
		require.Zero(t, found())
		_, err := b.UpgradeKeys(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, found())
		put(t, b, company.Company{Name: "One", LinkedInURL: "https://linkedin.com/company/one"})
		require.Equal(t, 1, found(), "an import that changes the company keeps the key right")
	})
}

func TestTheCompaniesOfOneNameAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		var many []company.Company
		for i := range catalog.NamesakesMax + 50 {
			many = append(many, company.Company{Name: "Acme", Domain: fmt.Sprintf("acme%d.example", i)})
		}
		put(t, b, append(many, company.Company{Name: "Rare"})...)
		c, err := b.Candidates(t.Context(), catalog.Identifiers{Names: []string{"acme", "rare", "nobody"}, Domains: []string{"acme240.example"}})
		require.NoError(t, err)
		require.Len(t, c.ByName["acme"], catalog.NamesakesMax+1, "the first ones, and the one that is found otherwise")
		require.Len(t, c.ByName["rare"], 1)
		require.Empty(t, c.ByName["nobody"])
		require.Len(t, c.ByDomain["acme240.example"], 1)
	})
}

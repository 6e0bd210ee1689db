package catalog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// requireKeys checks that the keys of all companies are stored, and no others.
func requireKeys(t *testing.T, d *db.DB) {
	t.Helper()
	if d.Name() != "sqlite" {
		return
	}
	keys := func(query string) []string {
		all, err := db.Collect(t.Context(), d.Read(), func(row db.Row) (string, error) {
			var key, place, number int64
			err := row.Scan(&key, &place, &number)
			return fmt.Sprint(key, place, number), err
		}, query)
		require.NoError(t, err)
		return all
	}
	require.Equal(t, keys(`
		SELECT name_key, place_key, number FROM company
		UNION SELECT domain_key, 0, number FROM company WHERE domain_key IS NOT NULL
		UNION SELECT CAST(('0x' || substr(id, 29)) ->> '$' AS BIGINT), 1, number FROM company ORDER BY 1, 2, 3`),
		keys(`SELECT DISTINCT key, place, number FROM company_key ORDER BY 1, 2, 3`))
	require.Empty(t, keys(`SELECT after, 0, 0 FROM company_key_later WHERE after < 9223372036854775807`))
}

// someCompanies returns companies of which some have a name, a domain or an id in common.
func someCompanies(r *rand.Rand, n int) []company.Company {
	out := make([]company.Company, n)
	for i := range out {
		c := &out[i]
		c.Name, c.Country = fmt.Sprintf("Company %d", r.IntN(150)), "Peru"
		if r.IntN(4) == 0 {
			c.City = fmt.Sprintf("City %d", r.IntN(3))
		}
		if r.IntN(2) == 0 {
			c.Domain = fmt.Sprintf("c%d.example", r.IntN(150))
		}
		if r.IntN(4) == 0 {
			c.ID = catalog.CompanyID(strconv.Itoa(r.IntN(150)))
		}
	}
	return out
}

// summary returns what the catalog has, apart from times and ids.
func summary(t *testing.T, b *catalog.Store) (out []string) {
	t.Helper()
	for _, c := range all(t, b) {
		out = append(out, fmt.Sprint(c.Number, c.Name, c.Domain, c.City))
	}
	return out
}

func TestALoaderDoesWhatPutDoesWhateverHappensMeanwhile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seeds := uint64(12)
		if d.Name() != "sqlite" {
			seeds = 4 // no keys wait
		}
		for seed := range seeds {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				want, got := catalog.New(dbtest.Open(t, newDatabase(t, d))), catalog.New(d)
				if seed > 0 {
					d = dbtest.Open(t, newDatabase(t, d))
					got = catalog.New(d)
				}
				loader, other := got.NewLoader(), catalog.New(d)
				loader.WaitForMost([]int{5, 100, 10_000}[seed%3])
				wantSource, gotSource := catalog.NewSource(), catalog.NewSource()
				if seed%4 == 3 { // the catalog is not empty
					first := someCompanies(r, 20)
					put(t, want, first...)
					put(t, other, first...)
				}
				for range 30 {
					batch := someCompanies(r, 1+r.IntN(40))
					wanted := putFrom(t, want, wantSource, batch...)
					alone := seed%2 == 0 || r.IntN(8) > 0
					report, err := loader.Put(t.Context(), gotSource, incoming(batch), alone)
					require.NoError(t, err)
					require.Empty(t, gocmp.Diff(wanted, report))
					if !alone {
						requireKeys(t, d)
					}
					switch r.IntN(12) {
					case 0: // another import
						batch := someCompanies(r, 5)
						put(t, want, batch...)
						put(t, other, batch...)
					case 1: // a killed import is tidied up
						_, err := other.StoreKeys(t.Context(), true)
						require.NoError(t, err)
					case 2:
						gotSource, wantSource = catalog.NewSource(), catalog.NewSource()
					}
					domain := fmt.Sprintf("c%d.example", r.IntN(150))
					wantNumbers, err := want.ByDomains(t.Context(), []string{domain})
					require.NoError(t, err)
					gotNumbers, err := got.ByDomains(t.Context(), []string{domain})
					require.NoError(t, err)
					require.Equal(t, wantNumbers, gotNumbers)
				}
				require.NoError(t, loader.Settle(t.Context(), true))
				requireKeys(t, d)
				require.Equal(t, summary(t, want), summary(t, got))
			})
		}
	})
}

// newDatabase returns a new database of the same kind.
func newDatabase(t *testing.T, d *db.DB) string {
	t.Helper()
	if d.Name() == "sqlite" {
		return dbtest.SQLiteFile(t)
	}
	return dbtest.PostgresURL(t)
}

func TestAnImportIntoAnEmptyCatalogLooksForKeysThatItHasAdded(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := catalog.New(d)
	loader, source := b.NewLoader(), catalog.NewSource()
	for i := range 3 {
		var batch []company.Company
		for j := range 100 {
			batch = append(batch, company.Company{Name: fmt.Sprintf("Company %d %d", i, j), Domain: fmt.Sprintf("c%d-%d.example", i, j)})
		}
		report, err := loader.Put(t.Context(), source, incoming(batch), true)
		require.NoError(t, err)
		require.Equal(t, 100, report.Count(catalog.Added))
	}
	report, err := loader.Put(t.Context(), catalog.NewSource(), incoming([]company.Company{
		{Name: "Company 0 7"}, {Name: "Other", Domain: "c1-8.example"}, {Name: "New"},
	}), true)
	require.NoError(t, err)
	require.Equal(t, []company.Number{8, 109, 301}, report.Numbers)
	var stored int
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM company_key_stored WHERE number NOT IN (109)`).Scan(&stored))
	require.Zero(t, stored, "the keys wait")
	c, err := b.ByDomains(t.Context(), []string{"c2-99.example"})
	require.NoError(t, err)
	require.Equal(t, map[string][]company.Number{"c2-99.example": {300}}, c, "everybody finds the companies")
	require.NoError(t, loader.Settle(t.Context(), true))
	requireKeys(t, d)
}

var errCrash = errors.New("crash")

// The process ends before or after each statement and commit of an import in turn. Whatever was committed is found, and the same
// import can be repeated.
func TestACrashOfAnImportLosesNoKeys(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			crashes := 0
			for ended := false; !ended; crashes++ {
				d := dbtest.Open(t, dbtest.SQLiteFile(t))
				ended = crashAt(t, d, seed, crashes*3) // every third step, to save time
				b := catalog.New(d)
				before := summary(t, b)
				requireFound(t, b)
				_, err := b.StoreKeys(t.Context(), true)
				require.NoError(t, err)
				requireKeys(t, d)
				requireFound(t, b)
				require.True(t, crashAt(t, d, seed, 1_000_000), "the same import")
				requireKeys(t, d)
				require.True(t, slices.Equal(before, summary(t, b)[:len(before)]) || seed == 1, "rows that were loaded are known")
				require.NoError(t, d.Close())
			}
			require.Greater(t, crashes, 20)
		})
	}
}

// crashAt loads some batches, and reports whether all were loaded before the step.
func crashAt(t *testing.T, d *db.DB, seed uint64, step int) bool {
	t.Helper()
	crashed := false
	loader := catalog.New(d.Guarded(func(db.GuardPoint) error {
		if step--; step < 0 || crashed {
			crashed = true
			return errCrash
		}
		return nil
	})).NewLoader()
	loader.WaitForMost(150)
	r, source := rand.New(rand.NewPCG(seed, 2)), catalog.NewSource()
	for range 6 {
		batch := make([]company.Company, 25)
		for i := range batch {
			n := r.IntN(1_000)
			batch[i] = company.Company{Name: fmt.Sprintf("Company %d", n), Country: "Peru", Domain: fmt.Sprintf("c%d.example", n)}
			if seed == 1 { // rows update companies of earlier rows
				batch[i].Name, batch[i].ID = fmt.Sprintf("Company %d", n%40), catalog.CompanyID(strconv.Itoa(n%40))
			}
		}
		if _, err := loader.Put(t.Context(), source, incoming(batch), true); err != nil {
			require.True(t, crashed, err)
			return false
		}
	}
	err := loader.Settle(t.Context(), true)
	require.Equal(t, crashed, err != nil)
	return !crashed
}

// requireFound checks that each company is found by its id and its domain.
func requireFound(t *testing.T, b *catalog.Store) {
	t.Helper()
	companies := all(t, b)
	var domains []string
	for _, c := range companies {
		got, err := b.ByID(t.Context(), c.ID)
		require.NoError(t, err)
		require.Equal(t, c.Number, got.Number)
		domains = append(domains, c.Domain)
	}
	found, err := b.ByDomains(t.Context(), domains)
	require.NoError(t, err)
	for _, c := range companies {
		require.Contains(t, found[c.Domain], c.Number)
	}
}

// A company is found among ten million by its key.
func TestNoLookUpReadsAllKeys(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	for _, query := range []string{
		`SELECT number FROM company WHERE number IN (SELECT number FROM company_key WHERE key IN (SELECT value FROM json_each($1))) ORDER BY number LIMIT 5`,
		`SELECT number FROM company WHERE number IN (SELECT number FROM company_key_stored WHERE key IN (SELECT value FROM json_each($1))
			UNION ALL SELECT value FROM json_each($1)) ORDER BY number LIMIT 5`,
		`SELECT each.value FROM json_each($1) AS each WHERE (SELECT number FROM company_key WHERE key = each.value LIMIT 1 OFFSET 5) IS NULL`,
	} {
		steps, err := db.Collect(t.Context(), d.Read(), func(row db.Row) (step string, err error) {
			var a, b, c int
			return step, row.Scan(&a, &b, &c, &step)
		}, `EXPLAIN QUERY PLAN `+query, `[1]`)
		require.NoError(t, err)
		require.Contains(t, strings.Join(steps, "\n"), "SEARCH company_key_old USING PRIMARY KEY (key=?)")
		for _, step := range steps {
			require.False(t, strings.HasPrefix(step, "SCAN company") && step != "SCAN company_key_later", "%s: %s", query, step)
		}
	}
}

// PostgreSQL plans without knowing how many companies there are, because an import adds them faster than it counts them.
func TestNoLookUpReadsAllCompaniesOnPostgreSQL(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Name() != "postgres" {
			return
		}
		b := catalog.New(d)
		for part := range 5 {
			var batch []catalog.Incoming
			for i := range 1_000 {
				batch = append(batch, catalog.Prepare(&company.Company{Name: fmt.Sprintf("Acme %d", 1_000*part+i)}))
			}
			_, err := b.Put(t.Context(), nil, batch)
			require.NoError(t, err)
		}
		numbers := `SELECT number FROM company_key WHERE key ` + d.InNumbers("$1")
		steps, err := db.Collect(t.Context(), d.Read(), db.Value[string],
			`EXPLAIN SELECT record FROM company WHERE number `+d.InSelect(numbers)+` ORDER BY number LIMIT $2`, `[1,2,3]`, 40_000)
		require.NoError(t, err)
		plan := strings.Join(steps, "\n")
		require.NotContains(t, plan, "Seq Scan on company", plan)
		require.Contains(t, plan, "Index Cond: (number = ANY (", plan)
	})
}

func TestAFilterOfKeysHasAllAndHardlyAnyOther(t *testing.T) {
	t.Parallel()
	const n = 3_000_000 // keys of a million companies
	var filter catalog.KeyFilter
	random := func(seed uint64) func() int64 {
		r := rand.New(rand.NewPCG(seed, 0))
		return func() int64 { return int64(int32(r.Uint32())) }
	}
	next := random(1)
	for range n {
		filter.Add(next())
	}
	next = random(1)
	for range n {
		require.True(t, filter.Has(next()))
	}
	next, others := random(2), 0
	for range n {
		if filter.Has(next()) {
			others++
		}
	}
	require.Less(t, others, n/500, "most of them are keys of the set")
}

package catalog_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// The known companies have the numbers 1, 2, …; want is the number that each row of the file is stored under.
var matchCases = []struct {
	name  string
	known []company.Company
	file  []company.Company
	want  []company.Number
}{
	{
		"the id goes before all",
		[]company.Company{{ID: catalog.CompanyID("a1"), Name: "Acme", Domain: "acme.example"}, {Name: "Bolt", Domain: "bolt.example"}},
		[]company.Company{{ID: catalog.CompanyID("a1"), Name: "Bolt", Domain: "bolt.example"}},
		[]company.Number{1},
	},
	{
		"an unknown id leaves it to the domain",
		[]company.Company{{Name: "Acme", Domain: "acme.example"}},
		[]company.Company{{ID: catalog.CompanyID("x"), Name: "Acme Inc", Domain: "acme.example"}},
		[]company.Number{1},
	},
	{
		"the domain's only company may be renamed and move",
		[]company.Company{{Name: "Acme", Domain: "acme.example", Country: "Germany"}},
		[]company.Company{{Name: "Apex", Domain: "acme.example", Country: "France"}},
		[]company.Number{1},
	},
	{
		"of a shared domain the one of the name",
		[]company.Company{{Name: "North", Domain: "brand.example"}, {Name: "South", Domain: "brand.example"}},
		[]company.Company{{Name: "SOUTH", Domain: "brand.example"}, {Name: "West", Domain: "brand.example"}},
		[]company.Number{2, 3},
	},
	{
		"name and country, accents and case aside",
		[]company.Company{{Name: "Zürich Foods", Country: "Switzerland"}},
		[]company.Company{{Name: "ZURICH FOODS", Country: "switzerland", City: "Zug"}},
		[]company.Number{1},
	},
	{
		"another or no country is another company",
		[]company.Company{{Name: "Acme", Country: "Germany"}},
		[]company.Company{{Name: "Acme", Country: "France"}, {Name: "Acme"}},
		[]company.Number{2, 3},
	},
	{
		"a city that differs is another company",
		[]company.Company{{Name: "Acme", Country: "Germany", City: "Bonn"}},
		[]company.Company{{Name: "Acme", Country: "Germany", City: "Mainz"}},
		[]company.Number{2},
	},
	{
		"different domains are never one company",
		[]company.Company{{Name: "Acme", Domain: "acme.example", Country: "Germany"}},
		[]company.Company{{Name: "Acme", Domain: "acme.test", Country: "Germany"}},
		[]company.Number{2},
	},
	{
		"a new domain may fill a gap",
		[]company.Company{{Name: "Acme", Country: "Germany"}},
		[]company.Company{{Name: "Acme", Domain: "acme.example", Country: "Germany"}},
		[]company.Number{1},
	},
	{
		"the best agreement wins",
		[]company.Company{
			{Name: "Acme", Country: "Germany"},
			{Name: "Acme", Country: "Germany", State: "Hesse"},
			{Name: "Acme", Country: "Germany", State: "Hesse", City: "Kassel"},
		},
		[]company.Company{{Name: "Acme", Country: "Germany", State: "Hesse", City: "Kassel"}},
		[]company.Number{3},
	},
	{
		"an ambiguous one is added",
		[]company.Company{{Name: "Acme", Country: "Germany", City: "Bonn"}, {Name: "Acme", Country: "Germany", City: "Mainz"}},
		[]company.Company{{Name: "Acme", Country: "Germany", State: "Hesse"}},
		[]company.Number{3},
	},
	{
		"rows of one file are several companies",
		nil,
		[]company.Company{
			{Name: "Acme", Country: "Germany"},
			{Name: "Acme", Country: "Germany", City: "Bonn"},
			{Name: "One", Domain: "shared.example"},
			{Name: "Two", Domain: "shared.example"},
		},
		[]company.Number{1, 2, 3, 4},
	},
	{
		"unless all of name, domain and place agree",
		nil,
		[]company.Company{{Name: "Acme", Country: "Germany"}, {Name: "ACME", Country: "Germany", Industries: []string{"Anvils"}}},
		[]company.Number{1, 1},
	},
	{
		"or the ids do",
		nil,
		[]company.Company{{ID: catalog.CompanyID("1"), Name: "Acme"}, {ID: catalog.CompanyID("1"), Name: "Bolt"}},
		[]company.Number{1, 1},
	},
	{
		"and not if the ids differ",
		nil,
		[]company.Company{{ID: catalog.CompanyID("1"), Name: "Acme"}, {ID: catalog.CompanyID("2"), Name: "Acme"}},
		[]company.Number{1, 2},
	},
}

func TestCompaniesAreMatchedByIDThenDomainThenName(t *testing.T) {
	t.Parallel()
	for _, c := range matchCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				b := catalog.New(d)
				put(t, b, c.known...)
				require.Len(t, all(t, b), len(c.known))
				// One batch and batches of one company have the same result.
				require.Equal(t, c.want, put(t, b, c.file...).Numbers)
			})
			t.Run("row by row", func(t *testing.T) {
				t.Parallel()
				b := catalog.New(dbtest.SQLite(t))
				put(t, b, c.known...)
				s := catalog.NewSource()
				var got []company.Number
				for _, row := range c.file {
					got = append(got, putFrom(t, b, s, row).Numbers...)
				}
				require.Equal(t, c.want, got)
			})
		})
	}
}

func TestLoadingAFileAgainChangesNothing(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := catalog.New(d)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		file := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) company.Company {
			pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(r, label) }
			// Unique names keep the rounds apart in one database.
			c := company.Company{
				Name:    fmt.Sprintf("%s %d", pick("name", "Acme", "Bolt"), round),
				Country: pick("country", "", "Germany", "France"),
				State:   pick("state", "", "Hesse"),
				City:    pick("city", "", "Bonn", "Kassel"),
			}
			if domain := pick("domain", "", "", "a", "b"); domain != "" {
				c.Domain = fmt.Sprintf("%s%d.example", domain, round)
			}
			return c
		}), 1, 12).Draw(r, "file")
		for i := range file {
			// No repeated ids: of rows with one id and different values the last one counts, and matching uses its values.
			if rapid.IntRange(0, 3).Draw(r, "id") == 0 {
				file[i].ID = catalog.CompanyID(fmt.Sprintf("%d-%d", i, round))
			}
		}
		load := func() (catalog.Report, int) {
			s := catalog.NewSource()
			var whole catalog.Report
			for rest := file; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(r, "batch")
				part := putFrom(t, b, s, rest[:n]...)
				whole.Outcomes = append(whole.Outcomes, part.Outcomes...)
				whole.Numbers = append(whole.Numbers, part.Numbers...)
				rest = rest[n:]
			}
			n, err := b.Len(t.Context())
			require.NoError(r, err)
			return whole, n
		}
		_, companies := load()
		again, after := load()
		require.Equal(r, companies, after, "a second load added companies: %v", again.Outcomes)
	})
}

// A name of very many companies costs no more than others, and still finds a company in the same place.
func TestManyNamesakesAreDistinguishedByPlace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		const n = 14_000
		shops := make([]company.Company, n)
		for i := range shops {
			shops[i] = company.Company{Name: "Corner Shop", Country: "Germany", City: fmt.Sprintf("City %d", i)}
		}
		load := func(want catalog.Outcome) {
			s := catalog.NewSource()
			for part := range slices.Chunk(shops, 1_000) {
				require.Equal(t, len(part), putFrom(t, b, s, part...).Count(want))
			}
		}
		load(catalog.Added)
		load(catalog.Unchanged)
	})
}

func TestPunctuationAndSpacesMakeNoOtherCompany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme, Inc.", Country: "France"}, company.Company{Name: "C++ Works"})
		for _, name := range []string{"Acme Inc", "ACME INC.", "Acme  Inc", "acme,inc"} {
			put(t, b, company.Company{Name: name, Country: "France"})
		}
		for _, other := range []string{"Acme", "Acme Incorporated", "C Works", "C# Works", "Works 1.2", "Works 12"} {
			put(t, b, company.Company{Name: other, Country: "France"})
		}
		require.Len(t, all(t, b), 8)
		require.Equal(t, "acme,inc", all(t, b)[0].Name)

		put(t, b, company.Company{Name: "Bolt & Sons"})
		put(t, b, company.Company{Name: "Bolt and Sons"})
		require.Len(t, all(t, b), 9)
	})
}

func TestCompaniesAreFoundByTheirKeysWhereverThoseAre(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		company1 := func(i int) company.Company {
			return company.Company{ID: catalog.CompanyID(strconv.Itoa(i)), Name: fmt.Sprintf("Company %d", i), Domain: fmt.Sprintf("c%d.example", i), Country: "Peru"}
		}
		var first, second []company.Company
		for i := range 200 {
			first, second = append(first, company1(i)), append(second, company1(200+i))
		}
		put(t, b, first...)
		require.NoError(t, b.SettleAll(t.Context()))
		put(t, b, second...)

		renamed := first[7]
		renamed.Name, renamed.Domain = "Renamed", "renamed.example"
		require.Equal(t, []catalog.Outcome{catalog.Updated}, put(t, b, renamed).Outcomes)
		for range 2 {
			for i, c := range slices.Concat(first, second) {
				got, err := b.ByID(t.Context(), c.ID)
				require.NoError(t, err)
				require.Equal(t, company.Number(i+1), got.Number)
			}
			found, err := b.ByDomains(t.Context(), []string{"c7.example", "c8.example", "c208.example", "renamed.example"})
			require.NoError(t, err)
			require.Equal(t, map[string][]company.Number{"c8.example": {9}, "c208.example": {209}, "renamed.example": {8}}, found)
			require.Equal(t, []company.Number{10, 210, 8}, put(t, b, company.Company{Name: "Company 9", Country: "Peru"},
				company.Company{Name: "Company 209", Country: "Peru"}, company.Company{Name: "renamed", Country: "Peru"}).Numbers)
			require.NoError(t, b.SettleAll(t.Context()))
		}
	})
}

// storeOldKeys stores the keys as versions did that compared names with their punctuation and spaces.
func storeOldKeys(t *testing.T, d *db.DB, names map[int]string) {
	t.Helper()
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		for number, name := range names {
			if _, err := tx.ExecContext(t.Context(), `UPDATE company SET name_key = $1 WHERE number = $2`, catalog.NameKey(name), number); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(t.Context(), `UPDATE catalog_state SET match_version = 0`)
		return err
	}))
}

func TestMatchKeysOfOlderVersionsAreComputedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		var many []company.Company
		old := map[int]string{}
		for i := range 1_100 { // more than one transaction
			many = append(many, company.Company{Name: fmt.Sprintf("Acme %d, Inc.", i)})
			old[i+1] = fmt.Sprintf("acme %d, inc.", i)
		}
		put(t, b, many...)
		storeOldKeys(t, d, old)
		before, err := b.Seq(t.Context())
		require.NoError(t, err)
		changed, err := b.UpgradeKeys(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1_100, changed)
		after, err := b.Seq(t.Context())
		require.NoError(t, err)
		require.Equal(t, before, after, "no index has to follow")
		put(t, b, company.Company{Name: "Acme 1,099 Inc", City: "Bonn"}, company.Company{Name: "acme 1099 inc", City: "Bonn"})
		require.Equal(t, "Bonn", all(t, b)[1_099].City)
		changed, err = b.UpgradeKeys(t.Context())
		require.NoError(t, err)
		require.Zero(t, changed)
	})
}

func TestPunctuationMakesNoSecondCompanyInAFile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		var rows []company.Company
		for _, name := range []string{
			"Acme-Inc", "Acme Inc", "ACME, INC.", "McDonald's", "McDonalds", "L’Oréal", "L'OREAL", "Rock & Roll", "Rock&Roll", "Rock and Roll",
			"TEK LABS", "TEKLABS", "C++", "C", "C#",
		} {
			rows = append(rows, company.Company{Name: name, City: "Bonn"})
		}
		rows = append(rows, company.Company{Name: "Acme Inc", City: "Bonn", EmployeeCount: new(int64(5))}, company.Company{Name: "Acme Inc.", City: "Bonn", EmployeeCount: new(int64(7))})
		putFrom(t, b, catalog.NewSource(), rows...)
		var got []string
		for _, c := range all(t, b) {
			got = append(got, c.Name)
		}
		require.Equal(t, []string{"Acme Inc", "McDonalds", "L'OREAL", "Rock and Roll", "TEK LABS", "TEKLABS", "C++", "C", "C#", "Acme Inc."}, got)
	})
}

func TestLikelyDuplicatesAreListedAndNotMerged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		s := catalog.NewSource() // rows of one file that are spelled differently are different companies
		putFrom(t, b, s, company.Company{Name: "TEK LABS", Country: "France"}, company.Company{Name: "TekLabs", Country: "France"},
			company.Company{Name: "Tek-Labs", Country: "Norway"}, company.Company{Name: "Tek Labs Ltd", Country: "France"})
		_, err := b.UpgradeKeys(t.Context())
		require.NoError(t, err)
		var got []string
		require.NoError(t, b.Duplicates(t.Context(), func(d catalog.Duplicate) error {
			got = append(got, d.Companies[0].Name+" = "+d.Companies[1].Name)
			return nil
		}))
		require.Equal(t, []string{"TEK LABS = TekLabs"}, got)
		require.Len(t, all(t, b), 4)
	})
}

func TestConnectionsFindTheirCompaniesInAnyPunctuation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme, Inc."}, company.Company{Name: "Bolt"})
		_, err := b.Connect(t.Context(), []catalog.Connection{
			{Source: catalog.End{Name: "ACME INC"}, Target: catalog.End{Name: "B.O.L.T."}, Category: "customer"},
		})
		require.NoError(t, err)
		require.Equal(t, company.Number(2), all(t, b)[0].Connections[0].Number)
	})
}

func TestAPreviewSaysWhenItIsNotExact(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		v := b.NewPreviewer(t.TempDir())
		v.KeepMost(2)
		preview := func(names ...string) (outcomes []catalog.Outcome) {
			var rows []company.Company
			for _, name := range names {
				rows = append(rows, company.Company{Name: name, Country: "Germany"})
			}
			report, err := v.Preview(t.Context(), nil, incoming(rows))
			require.NoError(t, err)
			return report.Outcomes
		}
		require.Equal(t, []catalog.Outcome{catalog.Added}, preview("Acme"))
		require.Equal(t, []catalog.Outcome{catalog.Unchanged}, preview("Acme"))
		require.True(t, v.Exact())
		require.Equal(t, []catalog.Outcome{catalog.Added, catalog.Added}, preview("Bolt", "Cog"))
		require.False(t, v.Exact())
		require.Equal(t, []catalog.Outcome{catalog.Unchanged, catalog.Added}, preview("Bolt", "Cog"))
		require.NoError(t, v.Close())
		require.Empty(t, all(t, b))
	})
}

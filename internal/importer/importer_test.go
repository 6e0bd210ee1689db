package importer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/testkit/effort"
	"github.com/opencapi/capi/internal/testkit/required"
)

// write creates a file in a temporary folder.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func load(t testing.TB, b *catalog.Store, files ...string) importer.Summary {
	t.Helper()
	s, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: files})
	require.NoError(t, err)
	return s
}

func all(t testing.TB, b *catalog.Store) []*company.Company {
	t.Helper()
	var out []*company.Company
	_, err := b.Scan(t.Context(), func(c *company.Company) error {
		out = append(out, c)
		return nil
	})
	require.NoError(t, err)
	return out
}

func names(t testing.TB, b *catalog.Store) []string {
	t.Helper()
	var out []string
	for _, c := range all(t, b) {
		out = append(out, c.Name)
	}
	return out
}

func TestEveryFieldIsRead(t *testing.T) {
	t.Parallel()
	employees, year := int64(250), int64(1999)
	want := []*company.Company{{
		Number: 1, ID: catalog.CompanyID("crm-1"), Name: "Acme", Domain: "acme.example", Website: "https://www.acme.example/de",
		LinkedInURL: "https://linkedin.com/company/acme", Description: "Anvils; and rockets.", Country: "United States", CountryCode: "US",
		State: "Texas", City: "Austin", Industries: []string{"Anvils", "Rockets"}, NAICSCodes: []string{"522320", "51"},
		Technologies: []string{"Go"}, TechnologyCategories: []string{"Languages"}, EmployeeCount: &employees, FoundedYear: &year,
		Attributes: map[string]any{"source": "fair"},
		Connections: []company.Connection{
			{Category: "investor", Name: "Zeta"},
			{Category: "vendor", Name: "Bolt (North)", Domain: "bolt.example"},
		},
	}}
	for name, content := range map[string]string{
		"a.ndjson": `{"company_id":"crm-1","name":"Acme","website":"https://www.acme.example/de","linkedin_url":"https://linkedin.com/company/acme",` +
			`"description":"Anvils; and\nrockets.","country":"US","state":"Texas","city":" Austin ","industries":["Anvils","Rockets","anvils"],` +
			`"naics_codes":["522320",51],"technologies":["Go"],"technology_categories":["Languages"],"employee_count":250,"founded_year":1999.0,` +
			`"connections":[{"category":"vendor","company":{"id":null,"name":"Bolt (North)","domain":"bolt.example"}},{"category":"investor","connected_name":"Zeta"}],` +
			`"source":"fair","unlocked":true,"created_at":"2020-01-01T00:00:00Z"}` + "\n",
		"a.csv": "\xef\xbb\xbfID,Name,Website,LinkedIn URL,Description,Country,State,City,Industries,NAICS Codes,Technologies,Technology Categories,Employees,Founded Year,Connections,Attributes\r\n" +
			`crm-1,Acme,https://www.acme.example/de,https://linkedin.com/company/acme,"Anvils; and` + "\r\n" + `rockets.",USA,Texas,Austin,Anvils; Rockets,"[""522320"",51]",Go,Languages,"250",1999,` +
			`"vendor: Bolt (North) (bolt.example); investor: Zeta","{""source"":""fair""}"` + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				b := catalog.New(d)
				file := write(t, name, content)
				s := load(t, b, file)
				require.Empty(t, s.Reasons)
				require.Empty(t, cmp.Diff(want, all(t, b), cmpopts.IgnoreFields(company.Company{}, "CreatedAt", "UpdatedAt")))
				s = load(t, b, file)
				require.Equal(t, 1, s.Unchanged)
				require.Equal(t, 2, s.Connections.Unchanged)
			})
		})
	}
}

func TestBrokenRecordsAreRejectedAndTheRestIsLoaded(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	s := load(t, b, write(t, "a.ndjson", strings.Join([]string{
		`{"name":"One"}`,
		`{"name":"Two"`,
		``,
		`{"name":"Three","employee_count":"many"}`,
		`{"name":"Four","description":"` + strings.Repeat("x", 60_000) + `"}`,
		`["Five"]`,
		"{\"name\":\"Six \xff\"}",
		`{"name":"` + strings.Repeat("x", 1<<20) + `"}`,
		`{"city":"Seven"}`,
		`{"id":"eight"}`,
		`{"company_name":"One","connected_name":"Nine"}`,
		`{"name":"Ten","connections":[{"category":"vendor"},7,{"category":"vendor","name":"One"}]}`,
		`{"name":"` + strings.Repeat("x", 10_000) + `"}`,
		`{"name":"Last","description":"\u0000\ud800 ok"}`,
	}, "\n")))
	require.Equal(t, []string{"One", "Three", "Ten", "Last"}, names(t, b))
	require.Equal(t, "ok", all(t, b)[3].Description)
	got := map[importer.Reason][]int{}
	for _, r := range s.Reasons {
		require.Len(t, r.Samples, r.Count)
		for _, sample := range r.Samples {
			got[r.Reason] = append(got[r.Reason], sample.Line)
		}
	}
	require.Equal(t, map[importer.Reason][]int{
		source.ReasonBrokenJSON: {2, 6}, importer.ReasonInvalid: {5, 13}, importer.ReasonEmpty: {9}, source.ReasonNotUTF8: {7},
		source.ReasonTooLong: {8}, importer.ReasonNameless: {10}, importer.ReasonConnection: {11, 12, 12},
	}, got)
	require.Equal(t, 12, s.Read)
	require.Equal(t, 8, s.Rejected)
	require.Equal(t, []importer.Unparsed{{Column: "employee_count", Count: 1, Samples: []importer.Sample{{File: s.Sources[0].File, Line: 4, Detail: "many"}}}}, s.Unparsed)
	require.Equal(t, s.Read, s.Added+s.Updated+s.Unchanged+s.Rejected)
	require.Equal(t, importer.Connections{Read: 4, Added: 1, Rejected: 3}, s.Connections)
}

var csvCases = []struct {
	name, content string
	want          []string
	rejected      map[importer.Reason]int // to the line of the first
}{
	{"a byte order mark and CR LF", "\xef\xbb\xbfname,city\r\nAcme,Bonn\r\nBolt,Mainz\r\n", []string{"Acme", "Bolt"}, nil},
	{"CR alone", "name,city\rAcme,Bonn\rBolt,Mainz", []string{"Acme", "Bolt"}, nil},
	{"line ends in quotes", "name,description\n\"Acme\nInc\",\"a\r\nb\"\nBolt,c\n", []string{"Acme Inc", "Bolt"}, nil},
	{"quotes in quotes", "name\n\"the \"\"Acme\"\"\"\n", []string{`the "Acme"`}, nil},
	{"a quote in an open cell", "name\nthe 5\" pipe\n", []string{`the 5" pipe`}, nil},
	{"semicolons", "name;city\nAcme, Inc;Bonn\n", []string{"Acme, Inc"}, nil},
	{"tabs", "name\tcity\nAcme\tBonn\n", []string{"Acme"}, nil},
	{"blank lines", "\n\nname,city\n\n\nAcme,Bonn\n\n", []string{"Acme"}, nil},
	{"an apostrophe before a formula", "name\n'=Acme\n'Bolt\n", []string{"=Acme", "'Bolt"}, nil},
	{"several apostrophes before a formula", "name\n''=Acme\n'＝Bolt\n''Cog\n", []string{"'=Acme", "＝Bolt", "''Cog"}, nil},
	{
		"a quote that never ends", "name,city\nAcme,Bonn\n\"Bolt,Mainz\nCog,Kassel\nDyno,Ulm\n",
		[]string{"Acme", "Cog", "Dyno"},
		map[importer.Reason]int{source.ReasonQuotes: 3},
	},
	{
		"a quote that ends in a later row", "name,city\n\"Acme,Bonn\n\"Bolt\",Mainz\n",
		[]string{"Bolt"},
		map[importer.Reason]int{source.ReasonQuotes: 2},
	},
	{
		"too many and too few cells", "name,city\nAcme,Bonn,x\nBolt\nCog,Ulm,,\n",
		[]string{"Cog"},
		map[importer.Reason]int{source.ReasonColumns: 2},
	},
	{"another encoding", "name,city\nK\xf6ln Chemie,K\xf6ln\nBolt,Ulm\n", []string{"Köln Chemie", "Bolt"}, nil},
	{"nothing", "", nil, nil},
	{"only a header", "name,city\n", nil, nil},
}

func TestEveryKindOfCSVIsLoaded(t *testing.T) {
	t.Parallel()
	for _, c := range csvCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := catalog.New(dbtest.SQLite(t))
			s := load(t, b, write(t, "a.csv", c.content))
			require.Equal(t, c.want, names(t, b))
			require.Len(t, s.Reasons, len(c.rejected))
			for _, r := range s.Reasons {
				require.Equal(t, c.rejected[r.Reason], r.Samples[0].Line, r.Reason)
			}
		})
	}
}

func TestFilesAreRecognised(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(`{"name":"Acme"}`))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, content := range map[string]string{
		"a.ndjson": `{"name":"Acme"}`, "a.jsonl": `{"name":"Acme"}`, "a.json": `{"name":"Acme"}`, "a": `{"name":"Acme"}`, "a.txt": "name\nAcme",
		"a.ndjson.gz": packed.String(), "packed": packed.String(), "-": packed.String(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := catalog.New(dbtest.SQLite(t))
			o := importer.Options{Catalog: b, Files: []string{"-"}, Stdin: strings.NewReader(content)}
			if name != "-" {
				o.Files = []string{write(t, name, content)}
			}
			s, err := importer.Import(t.Context(), o)
			require.NoError(t, err)
			require.Equal(t, 1, s.Added)
		})
	}
}

func TestErrorsOfUnreadableFilesSayWhy(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 50_000 {
		_, err := z.Write([]byte("{\"name\":\"Acme\"}\n"))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	for name, c := range map[string]struct{ content, want string }{
		"a.csv":     {"colour,shape\nred,round\n", "no column identifies the company"},
		"a.parquet": {"PAR1\x00\x00", "Parquet"},
		"cut.gz":    {packed.String()[:packed.Len()/2], "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := catalog.New(dbtest.SQLite(t))
			files := []string{write(t, name, c.content), write(t, "good.ndjson", `{"name":"Good","city":"Bonn"}`)}
			_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: files})
			require.ErrorContains(t, err, c.want)
			require.Contains(t, names(t, b), "Good", "the other file is loaded")
		})
	}
	_, err := importer.Import(t.Context(), importer.Options{Files: []string{filepath.Join(t.TempDir(), "none.csv")}})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestACancelledImportCanBeRunAgain(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	var content strings.Builder
	for i := range 12_000 {
		require.NoError(t, json.NewEncoder(&content).Encode(map[string]any{
			"id": i, "name": fmt.Sprintf("Company %d", i), "connections": []map[string]string{{"category": "vendor", "name": "Bolt"}},
		}))
	}
	file := write(t, "a.ndjson", content.String())
	ctx, cancel := context.WithCancel(t.Context())
	s, err := importer.Import(ctx, importer.Options{
		Catalog: b, Files: []string{file},
		Progress: func(p importer.Progress) {
			require.Equal(t, file, p.File)
			require.Equal(t, int64(content.Len()), p.SizeBytes)
			if p.Summary.Added > 0 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, context.Canceled)
	n, err := b.Len(t.Context())
	require.NoError(t, err)
	require.Equal(t, n, s.Added)
	require.Less(t, n, 12_000)
	require.Equal(t, s.Read, s.Added+s.Updated+s.Unchanged+s.Rejected, "every record that is counted as read has an outcome")
	require.Equal(t, s.Connections.Read, s.Connections.Added+s.Connections.Unchanged+s.Connections.Rejected)
	s = load(t, b, file)
	require.Equal(t, 12_000, s.Added+s.Unchanged)
	require.Equal(t, n, s.Unchanged)
}

func TestAnImportThatIsCancelledDoesNotWriteAllConnectionsFirst(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	const connections, sources = 30_000, 300
	var names strings.Builder
	names.WriteString("name,domain\n")
	for i := range sources {
		fmt.Fprintf(&names, "Source %d,s%d.example\n", i, i)
	}
	var content strings.Builder
	content.WriteString("company_domain,category,connected_domain\n")
	for i := range connections {
		fmt.Fprintf(&content, "s%d.example,partner,p%d.example\n", i*sources/connections, i)
	}
	companies, file := write(t, "companies.csv", names.String()), write(t, "connections.csv", content.String())
	ctx, cancel := context.WithCancel(t.Context())
	o := importer.Options{Catalog: b, Files: []string{companies, file}, LockTime: 10 * time.Millisecond}
	o.Progress = func(p importer.Progress) {
		if p.Summary.Connections.Added > 0 {
			cancel()
		}
	}
	s, err := importer.Import(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Positive(t, s.Connections.Added)
	require.Less(t, s.Connections.Added, connections/2)
	require.Equal(t, connections, s.Connections.Read+s.Connections.Left)
	s = load(t, b, companies, file)
	require.Equal(t, connections, s.Connections.Added+s.Connections.Unchanged)
	require.Zero(t, s.Connections.Left)
	stored := 0
	for _, c := range all(t, b) {
		stored += len(c.Connections)
	}
	require.Equal(t, connections, stored)
}

// While no server runs, the keys of companies are stored after the companies. A server may start at any moment, and an import may end at any.
func TestAnImportWithoutAServerLoadsTheSame(t *testing.T) {
	t.Parallel()
	var content strings.Builder
	for i := range 4_000 {
		n := i % 3_000 // the others repeat a company and fill in its city
		fmt.Fprintf(&content, `{"id":"key-%d","name":"Company %d","domain":"c%d.example","city":%q,"connections":[{"category":"vendor","domain":"c%d.example"}]}`+"\n",
			n, n, n, []string{"", "Bonn"}[i/3_000], (n+1)%3_000)
	}
	file := write(t, "companies.ndjson", content.String())
	want := catalog.New(dbtest.SQLite(t))
	expected := load(t, want, file)
	require.Equal(t, 3_000, expected.Added)
	for name, alone := range map[string]func(batch int) bool{
		"no server":                 func(int) bool { return true },
		"a server starts":           func(batch int) bool { return batch < 3 },
		"a server starts and stops": func(batch int) bool { return batch%4 != 2 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			b := catalog.New(d)
			batches := 0
			o := importer.Options{Catalog: b, Files: []string{file}, Alone: func() bool { batches++; return alone(batches) }}
			s, err := importer.Import(t.Context(), o)
			require.NoError(t, err)
			requireKeysStored(t, d)
			ignore := cmpopts.IgnoreFields(importer.Summary{}, "Took", "Import")
			require.Empty(t, cmp.Diff(expected, s, ignore))
			unlike := cmpopts.IgnoreFields(company.Company{}, "ID", "CreatedAt", "UpdatedAt")
			require.Empty(t, cmp.Diff(all(t, want), all(t, b), unlike, cmpopts.IgnoreFields(company.Connection{}, "ID")))
			s = load(t, b, file)
			require.Equal(t, 4_000, s.Unchanged)
		})
	}
	t.Run("it is cancelled", func(t *testing.T) {
		t.Parallel()
		d := dbtest.SQLite(t)
		b := catalog.New(d)
		ctx, cancel := context.WithCancel(t.Context())
		s, err := importer.Import(ctx, importer.Options{
			Catalog: b, Files: []string{file}, Alone: func() bool { return true },
			Progress: func(p importer.Progress) {
				if p.Summary.Added > 0 {
					cancel()
				}
			},
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, s.Added, 3_000)
		requireKeysStored(t, d)
		require.Equal(t, 3_000-s.Added, load(t, b, file).Added)
	})
}

// requireKeysStored checks that no key of a company is left to be stored.
func requireKeysStored(t *testing.T, d *db.DB) {
	t.Helper()
	var stored, missing int
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT
		(SELECT COUNT(DISTINCT number) FROM company_key_stored) - (SELECT COUNT(*) FROM company),
		(SELECT COUNT(*) FROM company_key_later WHERE after < 9223372036854775807)`).Scan(&stored, &missing))
	require.Zero(t, stored)
	require.Zero(t, missing)
}

func TestALongerLockTimeMeansFewerWrites(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&lines, "{\"name\":\"Company %d\"}\n", i)
	}
	file := write(t, "many.ndjson", lines.String())
	writes := func(hold time.Duration) uint64 {
		b := catalog.New(dbtest.SQLite(t))
		_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{file}, LockTime: hold})
		require.NoError(t, err)
		require.Len(t, all(t, b), 2000)
		seq, err := b.Seq(t.Context())
		require.NoError(t, err)
		return seq
	}
	require.Less(t, 3*writes(time.Hour), writes(time.Nanosecond), "each write has its own number")
}

func TestFilesWithoutRecordsAreNoted(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	header := write(t, "header.csv", "name,domain\r\n\r\n")
	nothing := write(t, "nothing.ndjson", "\n")
	loose := write(t, "loose.csv.gz", "name\nAcme\n")
	s := load(t, b, header, nothing, loose)
	require.Equal(t, []importer.Note{
		{File: header, Text: "has only a header"},
		{File: nothing, Text: "is empty"},
		{File: loose, Text: "is not compressed with gzip, although its name says so; it was read as it is"},
	}, s.Notes)
	require.Equal(t, 1, s.Added)
}

func TestAFileWithoutRecordsSaysThatItIsEmpty(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		`[]`:                                "is empty",
		`{}`:                                "is empty",
		`{"data": []}`:                      "is empty: it has no records in data",
		`{"data": null, "error": null}`:     "is empty: it has no records in data",
		`{"results": [], "total": 0}`:       "is empty: it has no records in results",
		`{"companies": []}`:                 "is empty: it has no records in companies",
		`{"name": [], "domain": []}`:        "is empty: it has no records in name",
		`{"columns": ["name"], "data": []}`: "is empty: it has no records in data",
		`{"response": {"status": "ok", "items": []}}`:   "is empty: it has no records in response.items",
		`{"took": 1, "hits": {"total": 0, "hits": []}}`: "is empty: it has no records in hits.hits",
	} {
		b := catalog.New(dbtest.SQLite(t))
		for _, name := range []string{"a.json", "a.ndjson", "a.csv"} {
			if name == "a.csv" && content[0] == '[' {
				continue
			}
			s := load(t, b, write(t, name, content))
			require.Len(t, s.Notes, 1, content)
			require.Equal(t, want, s.Notes[0].Text, content)
			require.Zero(t, s.Read+s.Added, content)
		}
	}
	_, err := importer.Import(t.Context(), importer.Options{Catalog: catalog.New(dbtest.SQLite(t)), Files: []string{write(t, "a.json", `{"user": {"email": "ada@acme.example"}, "tags": []}`)}})
	require.ErrorContains(t, err, "no record could be used", "it is no list")
	_, err = importer.Import(t.Context(), importer.Options{Catalog: catalog.New(dbtest.SQLite(t)), Files: []string{write(t, "a.json", `{"errors": [{"message": "Cannot query field x"}], "data": null}`)}})
	require.ErrorContains(t, err, "the message of an error, not data: Cannot query field x")
}

func TestConnectionFilesMayComeFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		s := load(t, b, write(t, "connections.csv",
			"company_name,category,connected_name,connected_domain\nAcme,vendor,,bolt.example\nNobody,owner,Acme,\n"))
		require.Equal(t, importer.Connections{Read: 2, Added: 2, Pending: 2}, s.Connections)
		load(t, b, write(t, "companies.csv", "name,domain\nAcme,acme.example\nBolt,bolt.example\n"))
		c := all(t, b)[0]
		require.Len(t, c.Connections, 1)
		require.Equal(t, company.Number(2), c.Connections[0].Number)
	})
}

// realData returns the folder of the real data, or skips the test.
func realData(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("CAPI_TEST_DATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", "data")
		if _, err := os.Stat(filepath.Join(found, "companies.ndjson.gz")); err == nil {
			return found
		}
	}
	required.Missing(t, "realdata", "there is no shared/data above this folder, and CAPI_TEST_DATA names none")
	return ""
}

func TestRealDataLoadsCompletelyAndOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: the real data was not loaded")
	}
	effort.WithoutRaceDetector(t)
	dir := realData(t)
	b := catalog.New(dbtest.SQLite(t))
	const companies, connections = 112_699, 56_076
	s := load(t, b, filepath.Join(dir, "companies.ndjson.gz"))
	require.Empty(t, s.Reasons)
	require.Equal(t, companies, s.Added)
	t.Logf("%d companies in %v, %.0f a second", companies, s.Took, float64(companies)/s.Took.Seconds())
	s = load(t, b, filepath.Join(dir, "connections.ndjson.gz"))
	require.Empty(t, s.Reasons)
	require.Equal(t, connections, s.Connections.Added+s.Connections.Unchanged)
	t.Logf("%d connections in %v", connections, s.Took)
	require.Equal(t, 6_358, s.Connections.Pending)
	require.Equal(t, 1_234, s.Connections.Ambiguous)

	seq, err := b.Seq(t.Context())
	require.NoError(t, err)
	s = load(t, b, filepath.Join(dir, "companies.ndjson.gz"), filepath.Join(dir, "connections.ndjson.gz"))
	require.Equal(t, companies, s.Unchanged)
	require.Equal(t, connections, s.Connections.Unchanged)
	after, err := b.Seq(t.Context())
	require.NoError(t, err)
	require.Equal(t, seq, after, "the second load wrote nothing")
}

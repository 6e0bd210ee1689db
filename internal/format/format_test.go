package format_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

var update = flag.Bool("update", false, "write the golden files")

func companyID(n byte) id.Company { return id.Company{UUID: uuid.UUID{15: n}} }

func number(n int64) *int64 { return &n }

// samples are a full record, one with every difficult value, and one with only a name.
func samples() []*company.Company {
	day := time.Date(2026, 3, 1, 12, 30, 0, 123456000, time.UTC)
	return []*company.Company{
		{
			ID: companyID(1), Name: "Brass Lantern Payments", Domain: "brasslantern.example", Website: "https://brasslantern.example",
			LinkedInURL: "https://linkedin.example/brass", Description: "Card payments, for shops.", Country: "Germany", CountryCode: "DE",
			State: "Bavaria", City: "München", Industries: []string{"Fintech", "Payments"}, NAICSCodes: []string{"522320", "52"},
			Technologies: []string{"Go", "PostgreSQL"}, TechnologyCategories: []string{"Databases"},
			EmployeeCount: number(120), FoundedYear: number(2009),
			Attributes: map[string]any{"source": "a;b", "rank": 7.0, "<tag>": []any{"x", nil}},
			CreatedAt:  day, UpdatedAt: day.Add(time.Hour),
			Connections: []company.Connection{
				{Category: "customer", ID: companyID(2), Number: 2, Name: "Kettle & Sons", Domain: "kettle.example"},
				{Category: "vendor", Name: "Nobody Knows"},
			},
		},
		{
			ID: companyID(2), Name: "=HYPERLINK(\"http://evil.example\",\"a\")", Domain: "kettle.example",
			Description: "two\nlines, \"quoted\"\r\nand more", City: "+1 Avenue", State: "-x", Country: "@home",
			Industries: []string{"Oil; Gas", "Mining"}, Technologies: []string{"-flag"}, TechnologyCategories: []string{"[brackets]"},
			EmployeeCount: number(-5), FoundedYear: number(0), CreatedAt: day, UpdatedAt: day,
			Connections: []company.Connection{{Category: "vendor", Name: "Semi; Colon", Domain: "semi.example"}},
		},
		{ID: companyID(3), Name: "日本物流", CreatedAt: day, UpdatedAt: day},
	}
}

func render(t testing.TB, f format.Format, o format.Options, companies []*company.Company) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := format.New(f, &buf, o)
	require.NoError(t, err)
	for _, c := range companies {
		require.NoError(t, w.Write(c))
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

func TestFilesStayAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format  format.Format
		options format.Options
		rows    []*company.Company
	}{
		"plain.csv":  {format.CSV, format.Options{}, samples()},
		"raw.csv":    {format.CSV, format.Options{RawFormulas: true, BOM: true}, samples()},
		"empty.csv":  {format.CSV, format.Options{}, nil},
		"label.csv":  {format.CSV, format.Options{Headers: format.HeadersLabel, Columns: []string{"name", "employee_count"}}, samples()},
		"plain.json": {format.JSON, format.Options{}, samples()},
		"empty.json": {format.JSON, format.Options{}, nil},

		"plain.ndjson": {format.NDJSON, format.Options{}, samples()},
		"empty.ndjson": {format.NDJSON, format.Options{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, test.format, test.options, test.rows)
			golden := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(golden, got, 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(string(want), string(got)))
		})
	}
}

func readCSV(t require.TestingT, file []byte) []map[string]string {
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err)
	rows := make([]map[string]string, len(records)-1)
	for i, record := range records[1:] {
		rows[i] = map[string]string{}
		for c, column := range records[0] {
			rows[i][column] = record[c]
		}
	}
	return rows
}

func TestCSVHoldsEveryColumnOfTheContract(t *testing.T) {
	t.Parallel()
	file := render(t, format.CSV, format.Options{}, nil)
	require.Equal(t, "id,name,domain,website,linkedin_url,description,country,country_code,state,city,industries,"+
		"naics_codes,technologies,technology_categories,employee_count,founded_year,connections,attributes,"+
		"created_at,updated_at\r\n", string(file))
}

func TestCSVColumnsAreTheFieldsOfACompany(t *testing.T) {
	t.Parallel()
	header, err := csv.NewReader(bytes.NewReader(render(t, format.CSV, format.Options{}, nil))).Read()
	require.NoError(t, err)
	var keys []string
	var rows []map[string]any
	require.NoError(t, json.Unmarshal(render(t, format.JSON, format.Options{}, samples()[:1]), &rows))
	for key := range rows[0] {
		keys = append(keys, key)
	}
	require.ElementsMatch(t, header, keys)
}

func TestTextCellsNeverRunAsFormulas(t *testing.T) {
	t.Parallel()
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "\x01", "\x7f", "\u0085", " =", "  +", "＝", "＋", "－", "＠", " ＝"} {
		c := &company.Company{Name: start + "1+1", Industries: []string{start + "x"}, Attributes: map[string]any{"a": start}}
		row := readCSV(t, render(t, format.CSV, format.Options{}, []*company.Company{c}))[0]
		require.Equal(t, "'"+strings.ReplaceAll(c.Name, "\r\n", "\n"), row["name"], "%q", start)
		require.Regexp(t, `^['\["]`, row["industries"], "%q", start)
		require.Regexp(t, `^{`, row["attributes"])
		row = readCSV(t, render(t, format.CSV, format.Options{RawFormulas: true}, []*company.Company{c}))[0]
		require.Equal(t, c.Name, row["name"], "%q", start)
	}
}

func TestNumbersAreNeverLedByAnApostrophe(t *testing.T) {
	t.Parallel()
	c := &company.Company{Name: "x", EmployeeCount: number(-1), FoundedYear: number(-44)}
	row := readCSV(t, render(t, format.CSV, format.Options{}, []*company.Company{c}))[0]
	require.Equal(t, "-1", row["employee_count"])
	require.Equal(t, "-44", row["founded_year"])
}

// awkward draws texts with the characters that CSV and JSON must escape.
func awkward() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.OneOf(
		rapid.SampledFrom([]rune(`;,"'[]{}()=+-@: `+"\n\t")), rapid.RuneFrom([]rune("abcß日é")), rapid.RuneFrom(nil, unicode.Letter),
	), 0, 12, -1)
}

func drawCompany(t *rapid.T) *company.Company {
	list := func(name string) []string { return rapid.SliceOfN(awkward(), 0, 4).Draw(t, name) }
	c := &company.Company{
		Name: awkward().Draw(t, "name"), Description: awkward().Draw(t, "description"), City: awkward().Draw(t, "city"),
		Industries: list("industries"), NAICSCodes: list("naics"), Technologies: list("technologies"),
		EmployeeCount: rapid.Ptr(rapid.Int64(), true).Draw(t, "employees"),
		CreatedAt:     time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "created")).UTC(),
	}
	if rapid.Bool().Draw(t, "connected") {
		c.Connections = []company.Connection{{Category: "vendor", Name: awkward().Draw(t, "vendor"), Domain: "v.example"}}
	}
	return c
}

// joined parses a list cell by the rules that a client would follow.
func joined(t require.TestingT, cell string) []string {
	if cell == "" {
		return nil
	}
	var values []string
	if strings.HasPrefix(cell, "[") {
		require.NoError(t, json.Unmarshal([]byte(cell), &values))
		return values
	}
	return strings.Split(cell, "; ")
}

func TestCSVReadsBackToTheSameValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		companies := rapid.SliceOfN(rapid.Custom(drawCompany), 0, 5).Draw(t, "companies")
		var buf bytes.Buffer
		w, err := format.New(format.CSV, &buf, format.Options{RawFormulas: true})
		require.NoError(t, err)
		for _, c := range companies {
			require.NoError(t, w.Write(c))
		}
		require.NoError(t, w.Close())
		rows := readCSV(t, buf.Bytes())
		require.Len(t, rows, len(companies))
		for i, c := range companies {
			require.Equal(t, c.Name, rows[i]["name"])
			require.Equal(t, c.Description, rows[i]["description"])
			require.Equal(t, c.City, rows[i]["city"])
			for column, want := range map[string][]string{
				"industries": c.Industries, "naics_codes": c.NAICSCodes, "technologies": c.Technologies,
			} {
				got := joined(t, rows[i][column])
				require.True(t, slices.Equal(want, got), "%s: %q is not %q", column, got, want)
			}
			created, err := time.Parse(time.RFC3339Nano, rows[i]["created_at"])
			require.NoError(t, err)
			require.True(t, created.Equal(c.CreatedAt))
			if c.EmployeeCount != nil {
				require.Equal(t, strconv.FormatInt(*c.EmployeeCount, 10), rows[i]["employee_count"])
			}
		}
		shape, err := format.Inspect(format.CSV, format.Options{}, &buf)
		require.NoError(t, err)
		require.Equal(t, format.Shape{Rows: len(companies), Columns: format.Columns(format.CSV, format.Options{})}, shape)
	})
}

func TestEveryLineEndsInCRLFAndCellsKeepTheirOwnBreaks(t *testing.T) {
	t.Parallel()
	c := &company.Company{Name: "x", Description: "a\nb\r\nc\rd"}
	file := string(render(t, format.CSV, format.Options{}, []*company.Company{c}))
	require.Contains(t, file, "\"a\nb\r\nc\rd\"")
	require.True(t, strings.HasSuffix(file, "\r\n"))
}

func TestJSONHasOneCompanyALineAndNoMissingKeys(t *testing.T) {
	t.Parallel()
	file := render(t, format.JSON, format.Options{}, samples())
	lines := strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
	require.Len(t, lines, len(samples())+2)
	require.Equal(t, "[", lines[0])
	require.Equal(t, "]", lines[len(lines)-1])
	var last map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[3]), &last))
	require.Len(t, last, 20)
	require.Nil(t, last["domain"])
	require.Equal(t, []any{}, last["industries"])
	require.Equal(t, []any{}, last["connections"])
	require.Equal(t, map[string]any{}, last["attributes"])
}

func TestUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	_, err := format.New("xls", io.Discard, format.Options{})
	require.ErrorContains(t, err, "xls")
	require.False(t, format.Format("xls").Known())
	require.Equal(t, "csv, json, ndjson, parquet or xlsx", format.Names())
}

type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriteErrorsAreTold(t *testing.T) {
	t.Parallel()
	for _, f := range format.All() {
		w, err := format.New(f, &fullDisk{left: 20_000}, format.Options{})
		require.NoError(t, err)
		for i := range 5_000 {
			c := *samples()[0]
			c.Description = fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)})) // which does not compress away
			if err = w.Write(&c); err != nil {
				break
			}
		}
		if err == nil {
			err = w.Close()
		}
		require.ErrorContains(t, err, "disk full", f)
		w, err = format.New(f, &fullDisk{left: 0}, format.Options{})
		require.NoError(t, err)
		require.NoError(t, w.Write(samples()[0]))
		require.ErrorContains(t, w.Close(), "disk full", f)
	}
}

package importer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/opencapi/capi/internal/importer/source"
)

// readAll reads a stream as import does, to its end or first error, and gives the names of the companies.
func readAll(tb testing.TB, name string, in io.Reader) (names []string, rejected int, err error) {
	tb.Helper()
	s := source.New(name, in, schema{}, source.Options{})
	defer s.Close()
	t, err := s.Next()
	if err != nil {
		return nil, 0, err
	}
	first, err := takeSample(t)
	if err != nil {
		return nil, 0, err
	}
	p, err := makePlan(Mapping{}, first)
	if err != nil {
		return nil, 0, err
	}
	m := newMapper(p)
	for {
		chunk, err := t.Next()
		if errors.Is(err, io.EOF) {
			return names, rejected, nil
		}
		if err != nil {
			return names, rejected, err
		}
		chunk.Records(func(rec *source.Record) {
			for _, it := range m.items(nil, rec) {
				require.True(tb, it.reason != "" || it.company != nil || len(it.connections) == 1)
				if it.reason != "" {
					rejected++
				} else if it.company != nil {
					names = append(names, it.company.End().Name)
				}
			}
		})
	}
}

const twoCompanies = "name,city\nKöln Chemie,Köln\nÉclair Société,Genève\n"

func encoded(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	require.NoError(t, err)
	return out
}

func gzipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func zstded(t testing.TB, s string) string {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return string(z.EncodeAll([]byte(s), nil))
}

func workbook(t testing.TB, rows ...[]any) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	_, err := f.NewSheet("Companies")
	require.NoError(t, err)
	require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]any{"Read me"}))
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		require.NoError(t, err)
		require.NoError(t, f.SetSheetRow("Companies", cell, &row))
	}
	b, err := f.WriteToBuffer()
	require.NoError(t, err)
	return b.String()
}

type parquetRow struct {
	Name  string   `parquet:"company_name"`
	Size  *int64   `parquet:"team_size,optional"`
	Tags  []string `parquet:"tags,list"`
	Score float64  `parquet:"score"`
}

func parquetFile(t testing.TB, rows ...parquetRow) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b)
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func formats(t testing.TB) map[string]string {
	size := int64(5)
	json := `{"name":"Köln Chemie","city":"Köln"},{"name":"Éclair Société"}`
	return map[string]string{
		"utf-8":             twoCompanies,
		"utf-8 with a mark": "\xef\xbb\xbf" + twoCompanies,
		"utf-16le":          encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), twoCompanies),
		"utf-16be":          encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), twoCompanies),
		"utf-16, no mark":   encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), twoCompanies),
		"windows-1252":      encoded(t, charmap.Windows1252, twoCompanies),
		"mac roman":         encoded(t, charmap.Macintosh, twoCompanies),
		"mac roman, CR":     strings.ReplaceAll(encoded(t, charmap.Macintosh, twoCompanies), "\n", "\r"),
		"CR LF":             strings.ReplaceAll(twoCompanies, "\n", "\r\n"),
		"semicolons":        strings.ReplaceAll(twoCompanies, ",", ";"),
		"tabs":              strings.ReplaceAll(twoCompanies, ",", "\t"),
		"bars":              strings.ReplaceAll(twoCompanies, ",", "|"),
		"single quotes":     "'name','city'\n'Köln Chemie','a, b'\n'Éclair Société','x'\n",
		"escaped quotes":    "name,about\nKöln Chemie,\"the \\\"best\\\", they say\"\nÉclair Société,\"a\"\n",
		"loose quotes":      "name,about\nKöln Chemie,\"the \"best\" one\"\nÉclair Société,\"best\" of all\n",
		"Excel's line":      "sep=;\nname;city\nKöln Chemie;a,b\nÉclair Société;c\n",
		"a title above":     "Companies of 2024,\n,\nCompany Name,City\nKöln Chemie,Köln\nÉclair Société,Genève\n",
		"gzip":              gzipped(t, twoCompanies),
		"zstd":              zstded(t, twoCompanies),
		"gzip in zstd":      zstded(t, gzipped(t, twoCompanies)),
		"NDJSON":            strings.ReplaceAll(json, "},{", "}\n{"),
		"JSON array":        "[" + json + "]",
		"JSON, indented":    "[\n  " + strings.ReplaceAll(strings.ReplaceAll(json, ",", ",\n    "), "{", "{\n") + "\n]\n",
		"JSON in an object": `{"meta":{"count":2,"tags":["a"]},"response":{"data":[` + json + `]},"next":null}`,
		"JSON under a name": `{"name":"an export","companies":[` + json + `]}`,
		"objects in a row":  strings.ReplaceAll(json, "},{", "}{"),
		"objects, indented": strings.ReplaceAll(strings.ReplaceAll(json, "},{", "}\n{"), ",", ",\n"),
		"XLSX":              workbook(t, []any{"A list"}, []any{}, []any{"Company Name", "City", "Employees"}, []any{"Köln Chemie", "Köln", 12}, []any{"Éclair Société"}),
		"XLSX in gzip":      gzipped(t, workbook(t, []any{"Name"}, []any{"Köln Chemie"}, []any{"Éclair Société"})),
		"Parquet":           parquetFile(t, parquetRow{Name: "Köln Chemie", Size: &size, Tags: []string{"a", "b"}}, parquetRow{Name: "Éclair Société"}),
		"Parquet in zstd":   zstded(t, parquetFile(t, parquetRow{Name: "Köln Chemie"}, parquetRow{Name: "Éclair Société"})),
		"no header":         "Köln Chemie,koeln.example,Germany\nÉclair Société,eclair.example,France\n",
		"a file of rejects": "name,city\n#> line 3: unbalanced quotes\nKöln Chemie,Köln\n#> line 9: x\nÉclair Société,Genève\n",
	}
}

func TestEveryFormatIsRecognisedByItsContent(t *testing.T) {
	t.Parallel()
	for what, content := range formats(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			names, rejected, err := readAll(t, "-", strings.NewReader(content))
			require.NoError(t, err)
			require.Equal(t, []string{"Köln Chemie", "Éclair Société"}, names)
			require.Zero(t, rejected)
		})
	}
}

// endless repeats a text for ever, after a beginning, and counts what was read.
type endless struct {
	begin, text string
	read        int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if e.begin != "" {
			m := copy(p[n:], e.begin)
			e.begin, n = e.begin[m:], n+m
			continue
		}
		m := copy(p[n:], e.text)
		if m < len(e.text) {
			e.text = e.text[m:] + e.text[:m]
		}
		n += m
	}
	e.read += int64(n)
	return n, nil
}

// An endless stream that ends with an error after some megabytes takes no more memory than these.
func TestHostileStreamsEndWithAClearError(t *testing.T) {
	t.Parallel()
	a := strings.Repeat("a", 4096)
	for what, c := range map[string]struct{ begin, text, want string }{
		"a quote never closed":           {"name,city\n\"", a, "quote"},
		"a quote never closed over rows": {"name,city\n\"Acme,x\n", "Bolt,y\n", "quote"},
		"a quote never closed later":     {"name,city\nAcme,x\n\"", a, "quote"},
		"a header without end":           {"", a, "does not end"},
		"one line without end":           {"name\n", a, "does not end"},
		"one cell after another":         {"name\n", "a,", "does not end"},
		"a million columns":              {"", "a,", "does not end"},
		"NDJSON without line end":        {`{"name":"`, a, "does not end"},
		"a JSON text without end":        {`[{"name":"`, a, "does not end"},
		"nested for ever":                {"", "[", "does not end"},
		"objects nested for ever":        {"", `{"a":`, "does not end"},
		"zeros":                          {"", "\x00\x00\x00\x00", "neither text"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			in := &endless{begin: c.begin, text: c.text}
			names, _, err := readAll(t, "-", in)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, names)
			require.Less(t, in.read, int64(3*64<<20))
		})
	}
}

func TestBombsEndWithAClearError(t *testing.T) {
	t.Parallel()
	row := strings.Repeat("Acme,"+strings.Repeat("a", 50_000)+"\n", 10)
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	z, err := zstd.NewWriter(&zs)
	require.NoError(t, err)
	for _, w := range []io.WriteCloser{g, z} {
		_, err := w.Write([]byte("name,city\n"))
		require.NoError(t, err)
		for range 200 {
			_, err := w.Write([]byte(row))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
	}
	for what, b := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zs.Bytes()} {
		_, _, err := readAll(t, "-", bytes.NewReader(b))
		require.ErrorContains(t, err, "unpacks to more than", what)
	}
	wide := "name" + strings.Repeat(",a", 6_000) + "\n"
	_, _, err = readAll(t, "-", strings.NewReader(wide))
	require.ErrorContains(t, err, "5,000 columns")
}

func fuzzReader(f *testing.F, name string, pick func(what string) bool) {
	for what, content := range formats(f) {
		if pick(what) {
			f.Add([]byte(content))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		readAll(t, name, bytes.NewReader(p)) //nolint:errcheck // whatever it says, it must not panic
	})
}

func contains(parts ...string) func(string) bool {
	return func(what string) bool {
		for _, p := range parts {
			if strings.Contains(what, p) {
				return true
			}
		}
		return false
	}
}

func FuzzAnyBytesAreReadOrRefused(f *testing.F) {
	fuzzReader(f, "-", func(string) bool { return true })
}

func FuzzCSVIsReadOrRefused(f *testing.F) {
	fuzzReader(f, "a.csv", contains("utf", "quotes", "CR", "tabs", "header"))
}
func FuzzNDJSONIsReadOrRefused(f *testing.F)  { fuzzReader(f, "a.ndjson", contains("NDJSON")) }
func FuzzJSONIsReadOrRefused(f *testing.F)    { fuzzReader(f, "a.json", contains("JSON", "objects")) }
func FuzzXLSXIsReadOrRefused(f *testing.F)    { fuzzReader(f, "a.xlsx", contains("XLSX")) }
func FuzzParquetIsReadOrRefused(f *testing.F) { fuzzReader(f, "a.parquet", contains("Parquet")) }
func FuzzPackedIsReadOrRefused(f *testing.F)  { fuzzReader(f, "a.gz", contains("gzip", "zstd")) }

func FuzzValuesNeverPanic(f *testing.F) {
	for _, s := range []string{"51-200", "2013 (1888)", "San Francisco, CA, USA", "['a']", "MÃ¼nchen", ",", "[", "{", "1.2.3,4"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		headcount(s)
		year(s)
		parseLocation(s, true)
		repair(s)
		splitTexts(s, true)
		splitNames(&source.Value{Kind: source.Cell, Text: s})
		aliasOf(s)
	})
}

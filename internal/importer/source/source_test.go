package source

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/importer/source/sourcetest"
)

// What is endless takes long to read up to the real limit.
func TestMain(m *testing.M) {
	lineBytesMax = 8 << 20
	os.Exit(m.Run())
}

// testSchema knows a few columns.
type testSchema struct{}

var nameSpellings = []string{"name", "company name", "company_name"}

func (testSchema) Column(name string) Column {
	name = strings.ToLower(name)
	key := slices.Contains(nameSpellings, name)
	return Column{Known: key || slices.Contains([]string{"city", "about", "employees"}, name), Key: key}
}

func (testSchema) IsValue(cell string) bool { return strings.HasSuffix(cell, ".example") }

// readAll reads a stream to its end or first error, after a sample as the importer takes it, and returns the names.
func readAll(tb testing.TB, name string, in io.Reader) (names []string, rejected int, err error) {
	tb.Helper()
	s := New(name, in, testSchema{}, Options{})
	defer s.Close()
	t, err := s.Next()
	if err != nil {
		return nil, 0, err
	}
	sampled := 0
	if err := t.Sample(func(*Record) { sampled++ }, func() bool { return sampled >= 2_000 }); err != nil {
		return nil, 0, err
	}
	for {
		chunk, err := t.Next()
		if errors.Is(err, io.EOF) {
			return names, rejected, nil
		}
		if err != nil {
			return names, rejected, err
		}
		chunk.Records(func(r *Record) {
			if r.Reason != "" {
				rejected++
			}
			for i := range r.Fields {
				f := &r.Fields[i]
				if slices.Contains(nameSpellings, strings.ToLower(f.Name)) || f.Name == "column_1" {
					names = append(names, strings.Clone(f.Value.Text))
				}
			}
		})
	}
}

func TestEveryFormatIsRecognisedByItsContent(t *testing.T) {
	t.Parallel()
	for what, content := range sourcetest.Formats(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			names, rejected, err := readAll(t, "-", strings.NewReader(content))
			require.NoError(t, err)
			require.Equal(t, sourcetest.Names, names)
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
			require.Less(t, in.read, int64(3*lineBytesMax))
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
		for range 40 { // 20 MB
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
	for what, content := range sourcetest.Formats(f) {
		if pick(what) {
			f.Add([]byte(content))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		readAll(t, name, bytes.NewReader(p)) //nolint:errcheck // any error is fine; it must not panic
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

func TestASampleIsReadAgain(t *testing.T) {
	t.Parallel()
	rows := strings.Repeat("Acme,Bonn\n", 1_000)
	for name, in := range map[string]io.Reader{
		"a whole table":        strings.NewReader("name,city\n" + rows),
		"a table cut off":      io.MultiReader(strings.NewReader("name,city\n"+strings.Repeat(rows, 300)), cutOff{}),
		"more than the sample": strings.NewReader("name,city\n" + strings.Repeat(rows, 5)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names, rejected, err := readAll(t, "a.csv", in)
			require.Zero(t, rejected)
			require.Zero(t, len(names)%1_000)
			require.NotEmpty(t, names)
			if name == "a table cut off" {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// cutOff is the end of a stream whose rest is missing.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAFolderIsItsTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, err := Expand([]string{dir})
	require.ErrorContains(t, err, "is a folder without files")
	put := func(name string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("name\nAcme\n"), 0o600))
		return path
	}
	put("photo.png")
	_, _, err = Expand([]string{dir})
	require.ErrorContains(t, err, "no file in it has a name that import can read, such as companies.csv; its files are: photo.png")
	want := []string{put("b.csv"), put("country=DE/part-00000"), put("country=FR/part-0.parquet")}
	for _, name := range []string{"README.txt", ".hidden.csv", "_SUCCESS", "_temporary/0/part-1.csv", ".a.csv.crc", "country=FR/.part-0.parquet.crc"} {
		put(name)
	}
	files, skipped, err := Expand([]string{dir, "other.csv"})
	require.NoError(t, err)
	require.Equal(t, append(want, "other.csv"), files)
	require.Equal(t, map[string]string{dir: "README.txt, photo.png"}, skipped)
}

func TestTheNamesOfFoldersAreFieldsOfTheRecordsInThem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "country=C%C3%B4te d'Ivoire", "year=2024", "city=__HIVE_DEFAULT_PARTITION__")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	path := filepath.Join(dir, "part-0.csv")
	require.NoError(t, os.WriteFile(path, []byte("name,Year\nAcme,1988\nBolt,1999,too many\n"), 0o600))
	s, err := Open(path, testSchema{}, Options{})
	require.NoError(t, err)
	defer s.Close()
	table, err := s.Next()
	require.NoError(t, err)
	require.Equal(t, "name,Year\n", table.RawHeader())
	chunk, err := table.Next()
	require.NoError(t, err)
	var got []string
	chunk.Records(func(r *Record) {
		for _, f := range r.Fields {
			got = append(got, f.Name+"="+f.Value.Text)
		}
		got = append(got, string(r.Reason))
	})
	require.Equal(t, []string{"name=Acme", "Year=1988", "country=Côte d'Ivoire", "", string(ReasonColumns)}, got)
}

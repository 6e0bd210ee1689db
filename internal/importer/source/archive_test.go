package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
)

// zipped makes a zip archive of names and contents by turns.
func zipped(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		require.NoError(tb, err)
		_, err = w.Write([]byte(files[i+1]))
		require.NoError(tb, err)
	}
	require.NoError(tb, z.Close())
	return b.String()
}

// tarred makes a tar archive of names and contents by turns.
func tarred(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		require.NoError(tb, w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o600, Typeflag: tar.TypeReg}))
		_, err := w.Write([]byte(files[i+1]))
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	return b.String()
}

func gzippedText(tb testing.TB, s string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	require.NoError(tb, err)
	require.NoError(tb, z.Close())
	return b.String()
}

func TestTheTablesOfAnArchiveAreRead(t *testing.T) {
	t.Parallel()
	acme, bolt := "name,city\nAcme,Bonn\n", `[{"name":"Bolt","city":"Ulm"}]`
	both := []string{`name="Acme" city="Bonn"`, `name="Bolt" city="Ulm"`}
	for what, c := range map[string]struct {
		content string
		want    []string
		notices int
	}{
		"one file":              {zipped(t, "a.csv", acme), both[:1], 0},
		"one without extension": {zipped(t, "data", acme), both[:1], 0},
		"two, of two formats":   {zipped(t, "x/a.csv", acme, "x/b.json", bolt), both, 0},
		"others beside them":    {zipped(t, "a.csv", acme, "README.md", "# Hi", "__MACOSX/a.csv", "\x00\x05", "notes.txt", "Dear all,", "b.json", bolt, "logo.png", "\x89PNG"), both, 1},
		"packed again":          {zipped(t, "a.csv.gz", gzippedText(t, acme)), both[:1], 0},
		"tar":                   {tarred(t, "a.csv", acme, "b.json", bolt), both, 0},
		"tar.gz":                {gzippedText(t, tarred(t, "._a.csv", "\x00", "LICENSE", "MIT", "a.csv", acme, "b.json", bolt)), both, 1},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got, notices, err := records(t, "-", c.content, Options{})
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Len(t, notices, c.notices)

			path := filepath.Join(t.TempDir(), "a.zip")
			require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
			s, err := Open(path, anySchema{}, Options{})
			require.NoError(t, err)
			defer s.Close()
			table, err := s.Next()
			require.NoError(t, err)
			require.NotEmpty(t, table.Name)
			require.Contains(t, table.Description, "archive")
		})
	}
}

func TestArchivesWithoutTablesAreRefused(t *testing.T) {
	t.Parallel()
	acme := "name,city\nAcme,Bonn\n"
	for what, c := range map[string]struct{ content, want string }{
		"nothing to read":        {zipped(t, "a.png", "x", "b.pdf", "y"), "holds no table"},
		"nothing at all":         {zipped(t), "without files"},
		"a page among the files": {zipped(t, "a.csv", acme, "b.csv", "<html><body>Log in</body></html>"), "b.csv: this is an HTML page"},
		"a zip in a zip":         {zipped(t, "a.csv", zipped(t, "b.csv", acme)), "inside an archive"},
		"a tar in a tar":         {tarred(t, "a.csv", tarred(t, "b.csv", acme)), "inside an archive"},
		"a Word document":        {zipped(t, "[Content_Types].xml", "", "word/document.xml", ""), "a Word document"},
		"a binary workbook":      {zipped(t, "[Content_Types].xml", "", "xl/workbook.bin", ""), ".xlsx"},
		"OpenDocument":           {zipped(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", ""), "soffice"},
		"a tar without tables":   {tarred(t, "a.png", "x"), "holds no table"},
		"a tar that is cut off":  {tarred(t, "a.csv", strings.Repeat(acme, 100))[:700], ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got, _, err := records(t, "-", c.content, Options{})
			require.ErrorContains(t, err, c.want)
			if c.want != "" {
				require.Empty(t, got)
			}
		})
	}
}

func TestABombInAnArchiveEndsWithAClearError(t *testing.T) {
	t.Parallel()
	content := zipped(t, "a.csv", "name,city\n"+strings.Repeat("Acme,"+strings.Repeat("a", 50_000)+"\n", 400))
	for _, content := range []string{content, gzippedText(t, tarred(t, "a.csv", "name,city\n"+strings.Repeat("Acme,"+strings.Repeat("a", 50_000)+"\n", 400)))} {
		_, _, err := records(t, "-", content, Options{})
		require.ErrorContains(t, err, "unpacks to more than")
	}
}

func FuzzArchivesAreReadOrRefused(f *testing.F) {
	f.Add([]byte(zipped(f, "a.csv", "name,city\nAcme,Bonn\n", "b.json", `[{"name":"Bolt"}]`)))
	f.Add([]byte(tarred(f, "a.csv", "name,city\nAcme,Bonn\n")))
	f.Fuzz(func(t *testing.T, p []byte) {
		records(t, "a.zip", string(p), Options{}) //nolint:errcheck // whatever it says, it must not panic
	})
}

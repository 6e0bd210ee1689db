package format_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/testkit/required"
)

// readable are companies with values that readers guess wrong if a file lets them guess.
func readable() []*company.Company {
	all := samples()
	for _, c := range all {
		c.Attributes = map[string]any{"register": "12345678901234567890", "rate": "1E5"} // one schema, which some readers need
	}
	first := all[0]
	first.Name, first.City, first.State, first.Domain = "007", "1E5", "00123", "TRUE"
	first.NAICSCodes, first.Industries = []string{"00123", "007"}, []string{"X|Y", "2026-01-02", "12345678901234567890"}
	all[1].Description = "two\nlines, \"quoted\" and more" // readers make one line break of CRLF
	all[1].EmployeeCount = number(0)
	all[2].Technologies = []string{"Oil, Gas"}
	all[2].Country, all[2].CountryCode = "Namibia", "NA"
	return all
}

// TestOtherProgramsReadTheSameValues needs the Python packages of scripts/readers.txt, which CAPI_TEST_PYTHON may name another
// interpreter for, and LibreOffice. Without them it is skipped, or fails if CAPI_TEST_REQUIRE names readers or libreoffice.
func TestOtherProgramsReadTheSameValues(t *testing.T) {
	t.Parallel()
	python := cmp.Or(os.Getenv("CAPI_TEST_PYTHON"), "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import duckdb, fastexcel, openpyxl, pandas, polars, pyarrow").Run(); err != nil {
		required.Missing(t, "readers", "%s lacks the packages of scripts/readers.txt: %v", python, err)
	}
	dir := t.TempDir()
	write := func(name string, f format.Format, o format.Options) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), render(t, f, o, readable()), 0o600))
	}
	write("expected.json", format.JSON, format.Options{})
	write("expected.csv", format.CSV, format.Options{RawFormulas: true})
	for _, f := range format.All() {
		for _, c := range []format.Compression{"", format.Gzip, format.Zstd} {
			o := format.Options{Compression: c, RawFormulas: f == format.CSV}
			if len(o.Fitting(f)) == 0 {
				write("companies."+format.Extension(f, o), f, o)
			}
		}
	}
	args := []string{"testdata/readers.py", dir}
	if _, err := exec.LookPath("soffice"); err == nil {
		args = append(args, "--libreoffice")
	} else {
		require.False(t, required.Has("libreoffice"), "libreoffice is required here, and missing")
		t.Log("NOT TESTED WITH LIBREOFFICE: it is missing")
	}
	out, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	for _, reader := range []string{"duckdb", "pandas", "polars", "pyarrow"} {
		for _, f := range []string{"csv", "csv.gz", "csv.zst", "ndjson", "parquet"} {
			require.Contains(t, string(out), reader+" "+f+": 3 rows")
		}
	}
}

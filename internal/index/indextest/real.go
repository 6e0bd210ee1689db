package indextest

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query/querytest"
	"github.com/opencapi/capi/internal/testkit/effort"
	"github.com/opencapi/capi/internal/testkit/required"
)

// testReal uses the file of real companies in the folder CAPI_TEST_DATA, or else in shared/data beside the checkout. Without
// the file it is skipped; it fails if CAPI_TEST_REQUIRE contains realdata.
func testReal(t *testing.T, open Open) {
	effort.WithoutRaceDetector(t)
	file := realFile()
	if file == "" {
		required.Missing(t, "realdata", "there is no companies.ndjson.gz; set CAPI_TEST_DATA to the folder that has it")
	}
	companies, err := readReal(file)
	require.NoError(t, err)
	require.NotEmpty(t, companies)
	ix := open(t)
	defer ix.Close()
	tr := truth{}
	for i := 0; i < len(companies); i += 30_000 {
		changes := changesOf(companies[i:min(i+30_000, len(companies))]...)
		require.NoError(t, ix.Apply(t.Context(), changes, uint64(i+1)))
		tr.apply(changes)
	}
	queries := querytest.Query(companies...)
	for i := range 12 {
		s := searches(queries, numbersOf(companies)).Example(i)
		s.limit = 10_000
		check(t.Context(), t, ix, tr, s)
	}
	testRealRanking(t, ix, companies)
}

func realFile() string {
	if dir := os.Getenv("CAPI_TEST_DATA"); dir != "" {
		return filepath.Join(dir, "companies.ndjson.gz")
	}
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "shared", "data", "companies.ndjson.gz")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

var (
	readOnce      sync.Once // reading takes longer than indexing
	realCompanies []*company.Company
	errReal       error
)

func readReal(file string) ([]*company.Company, error) {
	readOnce.Do(func() { realCompanies, errReal = decodeReal(file) })
	return realCompanies, errReal
}

func decodeReal(file string) ([]*company.Company, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	var companies []*company.Company
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		companies = append(companies, r.company(company.Number(len(companies)+1)))
	}
	return companies, lines.Err()
}

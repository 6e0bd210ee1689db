package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// realData returns the folder of the real companies. Without it the test is skipped, or fails if CAPI_TEST_REQUIRE names
// realdata.
func realData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CAPI_TEST_DATA")
	for up := "."; dir == "" && len(up) < 20; up += "/.." {
		if p := filepath.Join(up, "shared", "data"); exists(p) {
			dir = p
		}
	}
	if dir == "" || !exists(filepath.Join(dir, "companies.ndjson.gz")) {
		required.Missing(t, "realdata", "there are no real companies; name their folder in CAPI_TEST_DATA")
	}
	dir, err := filepath.Abs(dir)
	require.NoError(t, err)
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestRealDataIsLoadedCompletelyAndThePublishedSampleWorksOnIt(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	t.Parallel()
	dir := realData(t)
	s := newFixture(t, 1000)
	var m struct {
		Read, Added, Unchanged, Rejected int
		Connections                      struct{ Read, Rejected int }
	}
	s.json(t, &m, "import", "--json", filepath.Join(dir, "companies.ndjson.gz"), filepath.Join(dir, "connections.ndjson.gz"))
	require.Equal(t, 112_699, m.Added)
	require.Zero(t, m.Rejected)
	require.Equal(t, 56_076, m.Connections.Read)
	s.json(t, &m, "import", "--json", filepath.Join(dir, "companies.ndjson.gz"))
	require.Equal(t, 112_699, m.Unchanged)

	c := s.client(s.serve(t))
	var first, again created
	require.NoError(t, json.Unmarshal(sendPublishedSample(t, c), &first))
	require.Positive(t, first.Requested)
	require.Equal(t, first.Requested, first.Charged)
	c.wait(t, first.Job.ID)
	require.Len(t, rows(t, c.file(t, first.Job.ID)), first.Requested)
	require.NoError(t, json.Unmarshal(sendPublishedSample(t, c), &again))
	require.Equal(t, first.Requested, again.Already)
	require.Zero(t, again.Charged)
	require.Equal(t, 1000-first.Charged, c.credits(t).Balance)
	s.requireHealthy(t)
}

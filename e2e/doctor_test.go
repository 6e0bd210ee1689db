package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoctorFindsADamagedFileAndExitsWithOne(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	s.load(t, companies(0, 20, nil))
	c := s.client(s.serve(t))
	var e created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("all", map[string]any{"countries": []string{"DE"}}), &e)
	c.wait(t, e.Job.ID)
	s.requireHealthy(t)

	files, err := filepath.Glob(filepath.Join(s.data, "files", "exports", "*", e.Job.ID+".csv"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	whole, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], whole[:len(whole)-1], 0o600))

	out, err := s.command("doctor").CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, string(out), "FAIL  files       1 finding:")
	require.Contains(t, string(out), e.Job.ID)
	require.Regexp(t, `(?m)^ok    index `, string(out), "the running server was asked")

	var report struct {
		OK       bool
		Findings []struct{ Area, Subject, Problem string }
		Checks   []struct{ Area, Proves, Skipped string }
	}
	out, err = s.command("doctor", "--json").Output()
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.NoError(t, json.Unmarshal(out, &report), "%s", out)
	require.False(t, report.OK)
	require.Len(t, report.Findings, 1)
	require.Equal(t, "files", report.Findings[0].Area)
	require.Equal(t, "export "+e.Job.ID, report.Findings[0].Subject)
	require.Len(t, report.Checks, 8)
	for _, k := range report.Checks {
		require.Empty(t, k.Skipped)
		require.NotEmpty(t, k.Proves)
	}
}

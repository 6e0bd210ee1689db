package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fetch sends a plain GET without a token, as a browser does.
func fetch(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	content, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, r.StatusCode, "%s", content)
	return content
}

func TestExportIsVerifiedByItsManifestWithoutTheServer(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	s.load(t, companies(0, 20, nil))
	v := s.serve(t)
	c := s.client(v)
	for _, format := range []string{"csv", "json"} {
		order := exportOf("all", map[string]any{"countries": []string{"DE"}})
		order["export_format"] = format
		var e created
		c.must(t, http.StatusCreated, "POST", "/exports", order, &e)
		c.wait(t, e.Job.ID)
		var links struct {
			File     string `json:"download_url"`
			Manifest string `json:"manifest_url"`
		}
		c.must(t, http.StatusOK, "POST", "/exports/"+e.Job.ID+"/download", nil, &links)
		dir := t.TempDir()
		file := filepath.Join(dir, "mine."+format)
		whole := fetch(t, links.File)
		require.NoError(t, os.WriteFile(file, whole, 0o600))
		require.NoError(t, os.WriteFile(file+".manifest.json", fetch(t, links.Manifest), 0o600))

		verify := func(args ...string) (string, int) {
			cmd := exec.Command(binary, append([]string{"verify"}, args...)...)
			cmd.Dir = dir // a folder with neither data nor a server
			out, err := cmd.CombinedOutput()
			if err != nil {
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
			}
			return string(out), cmd.ProcessState.ExitCode()
		}
		out, code := verify(file)
		require.Zero(t, code, out)
		require.Contains(t, out, "is intact: export "+e.Job.ID)
		require.NoDirExists(t, filepath.Join(dir, "capi-data"))

		var report struct {
			OK       bool
			Manifest struct {
				Export string `json:"export_id"`
				Rows   int
			}
			Checks []struct {
				Name, Expected, Found string
				OK                    bool
			}
		}
		out, code = verify(file, "--json")
		require.Zero(t, code, out)
		require.NoError(t, json.Unmarshal([]byte(out), &report), out)
		require.True(t, report.OK)
		require.Equal(t, e.Job.ID, report.Manifest.Export)
		require.Equal(t, e.Requested, report.Manifest.Rows)
		require.Len(t, report.Checks, 4)

		require.NoError(t, os.WriteFile(file, whole[:len(whole)-20], 0o600))
		out, code = verify(file)
		require.Equal(t, 1, code, out)
		require.Regexp(t, `(?m)^FAIL  size `, out)
		require.Regexp(t, `(?m)^FAIL  sha256 `, out)
		require.Contains(t, out, "Download it again")

		require.NoError(t, os.Rename(file+".manifest.json", filepath.Join(dir, "kept.json")))
		out, code = verify(file)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "manifest_url")
		require.NoError(t, os.WriteFile(file, whole, 0o600))
		out, code = verify(file, "--manifest", filepath.Join(dir, "kept.json"))
		require.Zero(t, code, out)
		out, code = verify(file, "--manifest", file)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "not a manifest")
	}
}

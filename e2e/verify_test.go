package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
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

		// Under the names that a delivery has.
		require.NoError(t, os.Rename(file+".manifest.json", filepath.Join(dir, "_mine."+format+".manifest.json")))
		for _, name := range []string{file, "mine." + format} {
			out, code = verify(name)
			require.Zero(t, code, out)
			require.Contains(t, out, "is intact: export "+e.Job.ID)
		}
		require.NoError(t, os.Rename(filepath.Join(dir, "_mine."+format+".manifest.json"), file+".manifest.json"))

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

func TestSignaturesAreVerifiedWithThePublishedKeys(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	s.load(t, companies(0, 20, nil))
	v := s.serve(t)
	c := s.client(v)
	var e created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("all", map[string]any{"countries": []string{"DE"}}), &e)
	c.wait(t, e.Job.ID)
	var links struct {
		File      string `json:"download_url"`
		Manifest  string `json:"manifest_url"`
		Signature string `json:"manifest_signature_url"`
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, content []byte) { require.NoError(t, os.WriteFile(path(name), content, 0o600)) }
	download := func() {
		c.must(t, http.StatusOK, "POST", "/exports/"+e.Job.ID+"/download", nil, &links)
		write("mine.csv", fetch(t, links.File))
		write("mine.csv.manifest.json", fetch(t, links.Manifest))
		write("mine.csv.manifest.json.jws", fetch(t, links.Signature))
	}
	download()
	write("jwks.json", fetch(t, v.url+"/.well-known/jwks.json"))
	verify := func(code int, want string, args ...string) string {
		cmd := exec.Command(binary, append([]string{"verify"}, args...)...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		require.Equal(t, code, cmd.ProcessState.ExitCode(), "%s", out)
		require.Contains(t, string(out), want)
		return string(out)
	}
	verify(0, "signature  not checked; name the server with --server", "mine.csv")
	verify(0, "ok    signature  by the key ", "mine.csv", "--keys", "jwks.json")
	out := verify(0, "ok    signature  by the key ", "mine.csv", "--server", v.url, "--token", s.token)
	for _, suffix := range []string{".manifest.json", ".manifest.json.jws"} {
		require.NoError(t, os.Rename(path("mine.csv"+suffix), path("_mine.csv"+suffix)))
	}
	verify(0, "ok    signature  by the key ", "mine.csv", "--keys", "jwks.json")
	download()
	require.Contains(t, out, fmt.Sprintf("ok    receipt    %d rows, %d credits", e.Requested, e.Charged))
	verify(0, `"signature": "valid"`, "mine.csv", "--keys", "jwks.json", "--json")

	// A receipt, whose signature is a header.
	get := exec.Command("curl", "-sSf", "--dump-header", path("headers.txt"), "-o", path("receipt.csv"), "-H", "Authorization: Bearer "+s.token,
		v.url+"/api/v1/exports/"+e.Job.ID+"/receipt?format=csv")
	require.NoError(t, get.Run())
	verify(0, "receipt.csv is as it was signed", "receipt.csv", "--signature", "headers.txt", "--server", v.url)
	verify(1, "name the server with --server", "receipt.csv", "--signature", "headers.txt")
	receipt, err := os.ReadFile(path("receipt.csv"))
	require.NoError(t, err)
	write("receipt.csv", append(receipt, '\n'))
	verify(1, "receipt.csv cannot be trusted", "receipt.csv", "--signature", "headers.txt", "--server", v.url)

	// Everything that does not fit.
	manifest, err := os.ReadFile(path("mine.csv.manifest.json"))
	require.NoError(t, err)
	signature, err := os.ReadFile(path("mine.csv.manifest.json.jws"))
	require.NoError(t, err)
	write("mine.csv.manifest.json", bytes.Replace(manifest, []byte(`"name": "all"`), []byte(`"name": "All"`), 1))
	verify(1, "FAIL  signature  it does not fit: mine.csv.manifest.json or mine.csv.manifest.json.jws was changed", "mine.csv", "--keys", "jwks.json")
	verify(0, "is intact", "mine.csv") // without keys, nobody can know
	write("mine.csv.manifest.json", manifest)
	write("mine.csv.manifest.json.jws", signature[:len(signature)-7])
	verify(1, "it is empty, cut off or not a detached JWS", "mine.csv", "--keys", "jwks.json")
	require.NoError(t, os.Remove(path("mine.csv.manifest.json.jws")))
	verify(1, "there is no file mine.csv.manifest.json.jws; download it from the manifest_signature_url", "mine.csv", "--keys", "jwks.json")
	write("mine.csv.manifest.json.jws", signature)
	verify(1, "there is no file other.json", "mine.csv", "--keys", "other.json")
	verify(1, "not a set of keys (JWKS)", "mine.csv", "--keys", "mine.csv")
	verify(1, "the keys of http://127.0.0.1:1 could not be fetched", "mine.csv", "--server", "http://127.0.0.1:1")
	verify(1, "receipt    the server does not return export", "mine.csv", "--server", v.url, "--token", "cornect_wrong")
	verify(2, "--manifest and --signature are for one file", "mine.csv", "receipt.csv", "--manifest", "mine.csv.manifest.json")
	write("copy.csv", fetch(t, links.File))
	write("copy.csv.manifest.json", manifest)
	verify(1, "copy.csv.manifest.json.jws", "mine.csv", "copy.csv", "--keys", "jwks.json")

	other := newFixture(t, 1)
	foreign := other.serve(t)
	verify(1, "which the server does not publish", "mine.csv", "--server", foreign.url)

	// Keys are rotated and revoked while the server runs.
	require.Contains(t, s.capi(t, "keys", "rotate", "--overlap", "0"), "signs from now on")
	verify(0, "ok    signature", "mine.csv", "--server", v.url)
	var keys struct {
		Items []struct{ Kid, State string }
	}
	require.NoError(t, json.Unmarshal([]byte(s.capi(t, "keys", "list", "--json")), &keys))
	require.Len(t, keys.Items, 2)
	require.Equal(t, "signs", keys.Items[0].State)
	s.capi(t, "keys", "revoke", keys.Items[1].Kid)
	verify(1, `by the key "`+keys.Items[1].Kid+`", which the server does not publish`, "mine.csv", "--server", v.url)
	download()
	verify(0, "ok    signature  by the key "+keys.Items[0].Kid, "mine.csv", "--server", v.url)
	s.requireHealthy(t)
}

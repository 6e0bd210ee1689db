package signing_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/signing"
	"github.com/opencapi/capi/internal/testkit/required"
)

// PyJWT, jwcrypto, joserfc and jose verify signatures with nothing but the published keys, before and after a rotation, and refuse a
// document with a changed byte and a key that is not published. Node finds its library in e2e/browser/node_modules.
func TestOtherProgramsVerifySignatures(t *testing.T) {
	t.Parallel()
	s := signing.New(dbtest.SQLite(t), secret)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, content string) { require.NoError(t, os.WriteFile(path(name), []byte(content), 0o600)) }
	document := "{\n  \"name\": \"Größe & <Co>\",\n  \"rows\": 3\n}\n"
	write("document", document)
	write("changed", strings.Replace(document, "3", "4", 1))
	write("first", sign(t, s, document))
	_, err := s.Rotate(t.Context(), 0)
	require.NoError(t, err)
	_, err = s.Rotate(t.Context(), time.Hour)
	require.NoError(t, err)
	write("second", sign(t, s, document))
	encoded, err := json.Marshal(published(t, s))
	require.NoError(t, err)
	write("jwks", string(encoded))
	encoded, err = json.Marshal(published(t, signing.New(dbtest.SQLite(t), secret)))
	require.NoError(t, err)
	write("other", string(encoded))

	modules, err := filepath.Abs("../../e2e/browser/node_modules")
	require.NoError(t, err)
	modules = cmp.Or(os.Getenv("CAPI_TEST_NODE_PATH"), modules)
	python := cmp.Or(os.Getenv("CAPI_TEST_PYTHON"), "python3")
	for language, c := range map[string]struct {
		required       string
		probe, command []string
		libraries      []string
	}{
		"python":     {"readers", []string{python, "-c", "import jwt, jwcrypto, joserfc"}, []string{python, "testdata/verify.py"}, []string{"pyjwt", "with_jwcrypto", "joserfc"}},
		"javascript": {"node", []string{"node", "-e", `require.resolve("jose")`}, []string{"node", "testdata/verify.mjs"}, []string{"jose"}},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			run := func(args []string, more ...string) (string, error) {
				command := exec.CommandContext(t.Context(), args[0], append(args[1:], more...)...)
				command.Env = append(os.Environ(), "NODE_PATH="+modules)
				out, err := command.CombinedOutput()
				return string(out), err
			}
			if out, err := run(c.probe); err != nil {
				required.Missing(t, c.required, "%s lacks a JOSE library: %s", c.command[0], out)
			}
			for _, call := range []struct{ keys, document, signature, verdict string }{
				{"jwks", "document", "first", "accepted by "},
				{"jwks", "document", "second", "accepted by "},
				{"jwks", "changed", "second", "refused by "},
				{"other", "document", "second", "refused by "},
			} {
				out, err := run(c.command, path(call.keys), path(call.document), path(call.signature))
				if call.keys == "other" && language == "python" { // the program looks for the key itself
					require.Contains(t, out, "refused by")
					require.NotContains(t, out, "accepted by")
					continue
				}
				require.NoError(t, err, out)
				for _, library := range c.libraries {
					require.Contains(t, out, call.verdict+library, "%v: %s", call, out)
				}
			}
		})
	}
}

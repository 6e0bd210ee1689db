package e2e

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// reconciling starts a server with a few companies, and returns the address that OpenRefine is given.
func reconciling(t *testing.T) string {
	t.Helper()
	s := newFixture(t, 0)
	s.capi(t, "import", s.write(t, "companies.ndjson", `{"name":"Acme Payments","domain":"acmepayments.example","country":"US"}
{"name":"Zürich Ledger","domain":"ledger.example","country":"Switzerland"}
{"name":"Twin","domain":"twin-de.example","country":"Germany","employee_count":5}
{"name":"Twin","domain":"twin-fr.example","country":"France","employee_count":9}
`))
	secret := s.newToken(t, "reconcile")
	return s.serve(t).url + "/reconcile/" + secret
}

// TestAPythonClientReconciles needs the Python packages of scripts/readers.txt, which CAPI_TEST_PYTHON may name another interpreter for.
func TestAPythonClientReconciles(t *testing.T) {
	t.Parallel()
	python := cmp.Or(os.Getenv("CAPI_TEST_PYTHON"), "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import pandas, requests, tqdm; import importlib.util as u; assert u.find_spec('reconciler')").Run(); err != nil {
		required.Missing(t, "readers", "%s lacks the packages of scripts/readers.txt: %v", python, err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/reconcile.py", reconciling(t))
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	require.NoError(t, err)
	type row struct {
		Input string `json:"input_value"`
		ID    string
		Name  string
		Match bool
		Score float64
		Type  string
	}
	var got struct{ Names, Places []row }
	require.NoError(t, json.Unmarshal(out, &got), "%s", out)
	outcome := func(rows []row) (all []string) {
		for _, r := range rows {
			match := "candidate"
			if r.Match {
				match = "match"
			}
			if r.Name != "" {
				require.NotEmpty(t, r.ID)
				require.Equal(t, "Company", r.Type)
			}
			all = append(all, r.Input+" → "+cmp.Or(r.Name+" "+match, "nothing"))
		}
		return all
	}
	require.Equal(t, []string{
		"acme payments → Acme Payments match", "Zürich Ledger → Zürich Ledger match", "Zurich Ledgers → Zürich Ledger candidate",
		"Twin → Twin candidate", "Twin → Twin candidate", "Quite Unlike →  candidate",
	}, outcome(got.Names))
	require.Equal(t, []string{
		"acme payments → Acme Payments match", "Zürich Ledger → Zürich Ledger match", "Zurich Ledgers → Zürich Ledger candidate",
		"Twin → Twin match", "Quite Unlike →  candidate",
	}, outcome(got.Places))
	require.InDelta(t, 95, got.Places[0].Score, 0.01, "the domain was compared")
	require.InDelta(t, 80, got.Places[3].Score, 0.01, "the country was compared")
}

// cocoda asks a service for a name with the client of Cocoda, and prints the addresses of what it may be, and how sure that is.
const cocoda = `
import { cdk, addAllProviders } from "cocoda-sdk";
addAllProviders();
const [api, name] = process.argv.slice(1);
const scheme = { uri: "urn:ours", namespace: "urn:company:" };
const registry = cdk.initializeRegistry({ uri: "urn:registry", provider: "ReconciliationApi", api, schemes: [scheme] });
const found = await registry.getMappings({ from: { uri: "urn:x", prefLabel: { en: name }, inScheme: [{ uri: "urn:theirs" }] }, to: null, mode: "or" });
console.log(JSON.stringify(found.map((m) => ({ to: m.to.memberSet[0].uri, type: m.type[0].split("#")[1] }))));`

func TestAJavaScriptClientReconciles(t *testing.T) {
	node, npm := found("node"), found("npm")
	if node == "" || npm == "" {
		required.Missing(t, "node", "node or npm is missing")
	}
	installModules(t, npm)
	service := reconciling(t)
	ask := func(name string) (types []string) {
		cmd := exec.CommandContext(t.Context(), node, "--input-type=module", "-e", cocoda, service, name)
		cmd.Dir, cmd.Stderr = "browser", t.Output()
		out, err := cmd.Output()
		require.NoError(t, err)
		var all []struct{ To, Type string }
		require.NoError(t, json.Unmarshal(out, &all), "%s", out)
		for _, c := range all {
			require.Regexp(t, `^urn:company:[0-9a-f-]{36}$`, c.To)
			types = append(types, c.Type)
		}
		return types
	}
	require.Equal(t, []string{"exactMatch"}, ask("Acme Payments"))
	require.Equal(t, []string{"mappingRelation", "mappingRelation"}, ask("Twin"))
	require.Empty(t, ask("Quite Unlike"))
}

// TestOpenRefineReconciles runs OpenRefine's own code, without its pages. make test-refine fetches it, and names the file of its class path
// in CAPI_TEST_OPENREFINE.
func TestOpenRefineReconciles(t *testing.T) {
	t.Parallel()
	file := os.Getenv("CAPI_TEST_OPENREFINE")
	if file == "" {
		required.Missing(t, "openrefine", "OpenRefine is missing: make test-refine")
	}
	classPath, err := os.ReadFile(file)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "java", "-cp", strings.TrimSpace(string(classPath)), "testdata/openrefine/Reconcile.java", reconciling(t))
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	require.Equal(t, `acme payments: Matched, 1 candidates, Acme Payments by 80
Zurich Ledgers: None, 1 candidates
Twin: Matched, 1 candidates, Twin by 80
Twin: None, 2 candidates
Quite Unlike: None, 0 candidates
Acme Payments has acmepayments.example and null
Zürich Ledger has ledger.example and null
Twin has twin-fr.example and 9
Twin has twin-de.example and 5
`, string(out))
}

func TestTheLogOfAServerHasNoTokenOfAnAddress(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 0)
	secret := s.newToken(t, "reconcile")
	v := s.serve(t)
	for _, path := range []string{"", "/suggest/entity?prefix=acme", "/nowhere", "/preview"} {
		r, err := http.Get(v.url + "/reconcile/" + secret + path)
		require.NoError(t, err)
		r.Body.Close()
		require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
	}
	require.Contains(t, v.stderr.String(), "/reconcile/{token}/suggest/entity")
	require.NotContains(t, v.stderr.String(), secret[12:30])
}

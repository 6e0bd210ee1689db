package console

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

func TestThePaletteFindsPagesWorkspacesCompaniesAndActions(t *testing.T) {
	t.Parallel()
	h := open(t)
	zurich := &company.Company{ID: id.New[id.Company](), Name: "Zürich <Ledger>", Domain: "ledger.example"}
	h.put(t, zurich)
	second := h.workspace(t, "Second", h.ann.ID)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	ann.get(t, in(h.acme, "/lists"))
	for name, test := range map[string]struct {
		typed string
		has   []string
		not   []string
	}{
		"nothing":            {"", []string{in(h.acme, "/search"), in(h.acme, "/settings"), in(second, ""), "/operator", "/account"}, []string{"/companies/"}},
		"a page":             {"TOK", []string{in(h.acme, "/tokens")}, []string{in(h.acme, "/lists") + `"`}},
		"a list to match":    {"match", []string{in(h.acme, "/match")}, []string{in(h.acme, "/tokens")}},
		"a table":            {"table fields", []string{in(h.acme, "/pivot")}, nil},
		"a comparison":       {"compare", []string{in(h.acme, "/compare")}, nil},
		"sets":               {"sets", []string{in(h.acme, "/search/sets"), in(h.acme, "/compare")}, nil},
		"a workspace":        {"second", []string{in(second, "")}, []string{in(h.acme, "/tokens")}},
		"an action":          {"grant credits", []string{"/operator?grant=" + h.acme.String()}, nil},
		"a company":          {"zurich ledger", []string{in(h.acme, "/companies/"+zurich.ID.String()), "Zürich &lt;Ledger&gt;", "/search?query=zurich+ledger"}, nil},
		"half a word":        {"zuri", []string{in(h.acme, "/companies/"+zurich.ID.String())}, nil},
		"nothing like it":    {"xyzzy", []string{"/search?query=xyzzy"}, []string{in(h.acme, "/tokens")}},
		"hostile characters": {`"><script>`, []string{"Search for"}, []string{"<script>"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := h.as(t, h.ann)
			page.get(t, in(h.acme, "/lists"))
			page.headers.Set(fragmentHeader, "1")
			a := page.get(t, "/palette?q="+strings.NewReplacer(" ", "+", `"`, "%22", "<", "%3C", ">", "%3E").Replace(test.typed))
			require.NotContains(t, a.body, "<html")
			for _, has := range test.has {
				require.Contains(t, a.body, has)
			}
			for _, not := range test.not {
				require.NotContains(t, a.body, not)
			}
		})
	}
	require.NotContains(t, bob.get(t, "/palette").body, "/operator")
	require.Contains(t, bob.get(t, "/palette").body, "<h1>Go to</h1>", "without script it is a page")
}

package docsite_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/testkit/required"
)

// hits returns the addresses that the search page lists, in order.
func hits(t *testing.T, h http.Handler, question string) (addresses []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(read(t, h, "/docs/search?q="+url.QueryEscape(question))))
	require.NoError(t, err)
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && n.Parent.Data == "li" && n.Parent.Parent.Data == "ol" {
			addresses = append(addresses, n.Attr[0].Val)
		}
	}
	return addresses
}

// expected lists what a question must find first.
var expected = map[string]string{
	"not enough credits":    "/docs/errors#error-insufficient_balance",
	"Not enough credits?":   "/docs/errors#error-insufficient_balance",
	"insufficient_balance":  "/docs/errors#error-insufficient_balance",
	"payment required":      "/docs/errors#error-insufficient_balance",
	"402":                   "/docs/errors#error-insufficient_balance",
	"rate limit":            "/docs/errors#error-RATE_LIMITED",
	"429":                   "/docs/errors#error-RATE_LIMITED",
	"too many requests":     "/docs/errors#error-RATE_LIMITED",
	"QUOTE_EXPIRED":         "/docs/errors#error-QUOTE_EXPIRED",
	"employee_count_min":    "/docs/reference/search-companies#request.employee_count_min",
	"exclude countries":     "/docs/reference/search-companies#request.exclude_countries",
	"on_insufficient_bal":   "/docs/reference/create-export#request.on_insufficient_balance",
	"download_url":          "/docs/reference/download-export#response.download_url",
	"create export":         "/docs/reference/create-export",
	"how do I cancel":       "/docs/reference/cancel-export",
	"quickstart":            "/docs/quickstart",
	"idempotency":           "/docs/idempotency",
	"backups":               "/docs/self-hosting#backups",
	"changelog":             "/docs/changelog",
	"postman":               "/docs/clients#postman",
	"behind a reverse prox": "/docs/self-hosting#behind-a-reverse-proxy",
}

func TestSearchFindsFirstWhatIsMeant(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	for question, first := range expected {
		t.Run(question, func(t *testing.T) {
			found := hits(t, h, question)
			require.NotEmpty(t, found)
			require.Equal(t, first, found[0])
		})
	}
	for _, e := range fault.Catalogue() {
		t.Run(string(e.Code), func(t *testing.T) {
			require.Equal(t, "/docs/errors#error-"+string(e.Code), hits(t, h, string(e.Code))[0])
		})
	}
}

func TestSearchWhileTypingHasTheOrderOfTheSearchPage(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		required.Missing(t, "node", "node is missing")
	}
	h := site(t, "")
	questions := []string{"", "?", "the", "é", "Überblick", "naïve", "a“b”c", "export — file", "x_y", "limit 100", "csv", "python", "token"}
	for question := range expected {
		questions = append(questions, question, question[:len(question)/2])
	}
	dir := t.TempDir()
	asked, err := json.Marshal(questions)
	require.NoError(t, err)
	for name, content := range map[string]string{
		"search.mjs": read(t, h, "/docs/assets/search.js"), "search.json": read(t, h, "/docs/assets/search.json"), "asked.json": string(asked),
		"run.mjs": `import { readFileSync } from "node:fs";
import { find, prepare } from "./search.mjs";
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url)));
const entries = prepare(read("search.json"));
console.log(JSON.stringify(read("asked.json").map((question) => find(entries, question).map((e) => e.a))));`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(dir, "run.mjs")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var typed [][]string
	require.NoError(t, json.Unmarshal(out, &typed), "%s", out)
	found := 0
	for i, question := range questions {
		paged := hits(t, h, question)
		found += len(paged)
		require.Equal(t, paged, append([]string(nil), typed[i]...), "%q", question)
	}
	require.Greater(t, found, 100)
}

func TestTheSearchIndexIsSmallAndLeadsToPlacesThatExist(t *testing.T) {
	t.Parallel()
	h := site(t, "https://api.acme.example")
	r := get(t, h, "/docs/assets/search.json")
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	index := read(t, h, "/docs/assets/search.json")
	require.Less(t, len(index), 400<<10)
	var entries []struct {
		Address string `json:"a"`
		Kind    string `json:"k"`
	}
	require.NoError(t, json.Unmarshal([]byte(index), &entries))
	kinds := map[string]int{}
	ids := map[string][]string{}
	for _, e := range entries {
		kinds[e.Kind]++
		path, fragment, has := strings.Cut(e.Address, "#")
		if ids[path] == nil {
			ids[path] = append(parse(t, path, read(t, h, path)).ids, "")
		}
		if has {
			require.Contains(t, ids[path], fragment, e.Address)
		}
	}
	require.Equal(t, len(fault.Catalogue()), kinds["error"])
	require.Equal(t, 56, kinds["operation"])
	require.Greater(t, kinds["field"], 100)
	require.Greater(t, kinds["page"], 20)
}

func TestEveryParameterAndFieldIsOnItsPageWithADescription(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	root, err := html.Parse(strings.NewReader(read(t, h, "/docs/reference/create-export")))
	require.NoError(t, err)
	fields := map[string]string{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "div" || n.Parent.Data != "dl" {
			continue
		}
		var id, description string
		for _, a := range n.Attr {
			if a.Key == "id" {
				id = a.Val
			}
		}
		for d := range n.ChildNodes() {
			if d.Data == "dd" && d.FirstChild != nil {
				description = strings.TrimSpace(d.FirstChild.Data)
			}
		}
		fields[id] = description
	}
	for _, id := range []string{
		"request.Idempotency-Key", "request.name", "request.search_filters", "request.search_filters.countries",
		"request.search_filters.connections.connected_domain", "request.csv_options.bom", "response.export_job", "response.export_job.id",
		"response.warnings.suggestion", "response.credits_charged",
	} {
		require.Contains(t, fields, id)
	}
	for id, description := range fields {
		require.NotEmpty(t, description, id)
	}
}

func TestTheFormHasAControlForEveryFieldOfTheBody(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	for path, want := range map[string]struct{ controls, inside map[string]string }{
		"/docs/reference/create-export": {
			map[string]string{
				"name": "text", "columns": "list", "export_format": "choice", "only_new": "boolean", "max_credits": "number",
				"search_filters": "json", "list_id": "text", "set": "json",
			},
			map[string]string{"search_filters.cities": `[""]`, "csv_options.bom": "true", "set.owned": "true"},
		},
		"/docs/reference/search-companies": {
			map[string]string{
				"query": "text", "countries": "list", "employee_count_min": "number", "sort_by": "choice", "prefix": "boolean",
				"connections": "json", "facet_prefix": "json",
			},
			map[string]string{"facet_prefix.prefix": `"soft"`},
		},
		"/docs/reference/create-list": {map[string]string{"name": "text"}, nil},
	} {
		t.Run(path, func(t *testing.T) {
			root, err := html.Parse(strings.NewReader(read(t, h, path)))
			require.NoError(t, err)
			described, controls, inside := map[string]bool{}, map[string]string{}, map[string]string{}
			for n := range root.Descendants() {
				at := map[string]string{}
				for _, a := range n.Attr {
					at[a.Key] = a.Val
				}
				switch {
				case at["data-kind"] != "":
					controls[strings.TrimPrefix(at["id"], "body-")] = at["data-kind"]
				case at["class"] == "doc":
					described[strings.TrimPrefix(at["id"], "about-")] = n.FirstChild != nil
				case n.Data == "option" && n.Parent.Attr[0].Val == "in-field" && at["value"] != "":
					inside[n.FirstChild.Data] = at["value"]
					require.True(t, json.Valid([]byte(at["value"])), n.FirstChild.Data)
				}
			}
			require.Subset(t, controls, want.controls)
			require.Subset(t, inside, want.inside)
			for name := range controls {
				require.True(t, described[name], "%s is not described", name)
			}
			require.Len(t, controls, len(fieldsOfTheBody(t, root)))
		})
	}
}

// fieldsOfTheBody returns the names of the top-level fields that the page describes below "Body".
func fieldsOfTheBody(t *testing.T, root *html.Node) (names []string) {
	t.Helper()
	body := false
	for n := range root.Descendants() {
		switch {
		case n.Data == "h3" && n.FirstChild != nil && n.FirstChild.Data == "Body":
			body = true
		case n.Data == "h2" && body:
			require.NotEmpty(t, names)
			return names
		case body && n.Data == "div" && len(n.Attr) > 0 && strings.Count(n.Attr[0].Val, ".") == 1:
			names = append(names, n.Attr[0].Val)
		}
	}
	return nil
}

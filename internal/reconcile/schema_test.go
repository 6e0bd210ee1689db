package reconcile_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/reconcile"
)

// published are the schemas of version 0.2 of the specification, by file name.
var published = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	files, err := filepath.Glob("testdata/schemas/*.json")
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	ids := map[string]string{}
	for _, file := range files {
		p, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(p)))
		if err != nil {
			return nil, err
		}
		schema := doc.(map[string]any)
		at, _ := schema["$id"].(string)
		if at == "" {
			at = strings.TrimSuffix(schema["id"].(string), "#")
		}
		if schema["$schema"] == "http://json-schema.org/schema#" {
			delete(schema, "$schema") // stands for the newest draft, which is the default
		}
		ids[strings.TrimSuffix(filepath.Base(file), ".json")] = at
		if err := c.AddResource(at, doc); err != nil {
			return nil, err
		}
	}
	all := map[string]*jsonschema.Schema{}
	for name, at := range ids {
		if all[name], err = c.Compile(at); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// requireSchema requires that the JSON is valid under a published schema.
func requireSchema(t *testing.T, name, body string) {
	t.Helper()
	schemas, err := published()
	require.NoError(t, err)
	require.Contains(t, schemas, name)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	require.NoError(t, err, body)
	require.NoError(t, schemas[name].Validate(doc), body)
}

func TestThePublishedSchemasFindFaults(t *testing.T) {
	t.Parallel()
	schemas, err := published()
	require.NoError(t, err)
	require.Len(t, schemas, 10)
	for name, wrong := range map[string]string{
		"manifest":                    `{"versions": ["0.1"], "name": "x", "identifierSpace": "x", "schemaSpace": "x"}`,
		"reconciliation-query-batch":  `{"q0": {"type": "company"}}`,
		"reconciliation-result-batch": `{"q0": {"error": "x"}}`,
		"suggest-entities-response":   `{"result": [{"id": "x"}]}`,
		"suggest-properties-response": `{"result": [{"id": "x"}]}`,
		"suggest-types-response":      `{"result": [{"id": "x"}]}`,
		"data-extension-query":        `{"ids": [1], "properties": []}`,
		"data-extension-response":     `{"meta": [], "rows": {"x": {"name": [{"str": 1}]}}}`,
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(wrong))
		require.NoError(t, err)
		require.Error(t, schemas[name].Validate(doc), name)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(
		`{"versions": ["0.2"], "name": "x", "identifierSpace": "x", "schemaSpace": "x", "authentication": {"type": "magic"}}`))
	require.NoError(t, err)
	require.Error(t, schemas["manifest"].Validate(doc), "the schema of OpenAPI is applied")
}

func TestEveryAnswerFollowsItsPublishedSchema(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	acme, other := made("Acme Payments", "acme.example", "Germany", "Berlin", 120), made("Acme Payment Systems", "aps.example", "France", "Paris", 3)
	year := int64(1999)
	acme.FoundedYear, acme.Industries, acme.LinkedInURL = &year, []string{"Fintech", "Banking"}, "https://www.linkedin.com/company/acme"
	h.Put(t, acme, other)
	_, err := h.Catalog.Connect(t.Context(), []catalog.Connection{
		{Source: catalog.End{ID: acme.ID}, Category: "vendor", Target: catalog.End{ID: other.ID}},
		{Source: catalog.End{ID: acme.ID}, Category: "vendor", Target: catalog.End{Name: "Nobody Knows It"}},
	})
	require.NoError(t, err)
	h.Follow(t)

	public := h.get(t, reconcile.Path)
	requireSchema(t, "manifest", public.body)
	require.Contains(t, public.body, `"authentication":{"type":"apiKey"`)
	require.NotContains(t, public.body, `"view"`)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, reconcile.Path, nil)
	r.Header.Set("Authorization", "Bearer "+h.reader)
	requireSchema(t, "manifest", h.raw(t, r).body)

	m := into[struct {
		View, Preview struct{ URL string }
		Suggest       map[string]struct {
			URL  string `json:"service_url"`
			Path string `json:"service_path"`
		}
		Extend struct {
			Propose struct {
				URL  string `json:"service_url"`
				Path string `json:"service_path"`
			} `json:"propose_properties"`
		}
		BatchSize int
	}](t, h.get(t, h.url))
	requireSchema(t, "manifest", h.get(t, h.url).body)
	require.Equal(t, h.get(t, h.url).body, h.get(t, h.url+"/").body)
	require.Equal(t, 50, m.BatchSize)
	require.Equal(t, "https://capi.example.com/console/w/"+h.ws.String()+"/companies/{{id}}", m.View.URL)
	at := func(address string) string {
		path, ok := strings.CutPrefix(address, "https://capi.example.com")
		require.True(t, ok, address)
		return path
	}

	batch := M{
		"exact":   M{"query": "Acme Payments", "type": "company", "type_strict": "should", "limit": 3},
		"similar": M{"query": "Acme Paymentz", "type": []string{"company"}},
		"unknown": M{"query": "Nothing at all"},
		"all": M{"query": "x", "properties": []M{
			{"pid": "domain", "v": "https://acme.example/about"},
			{"pid": "country", "v": M{"id": "DE", "name": "Germany"}},
			{"pid": "city", "v": []any{"Berlin"}},
			{"pid": "linkedin", "v": nil},
		}},
		"faulty": M{"query": "x", "properties": []M{{"pid": "colour", "v": 3}}},
	}
	sent, err := json.Marshal(M{"exact": batch["exact"], "similar": batch["similar"], "faulty": batch["faulty"]})
	require.NoError(t, err)
	requireSchema(t, "reconciliation-query-batch", string(sent))
	results := h.ask(t, "queries", batch)
	require.Equal(t, http.StatusOK, results.status, results.body)
	requireSchema(t, "reconciliation-result-batch", results.body)
	byGet := h.get(t, h.url+"?queries="+url.QueryEscape(string(sent)))
	requireSchema(t, "reconciliation-result-batch", byGet.body)
	require.Contains(t, byGet.body, acme.ID.String())
	require.JSONEq(t, `{}`, h.ask(t, "queries", M{}).body)

	for name, schema := range map[string]string{
		"entity": "suggest-entities-response", "property": "suggest-properties-response", "type": "suggest-types-response",
	} {
		for prefix, some := range map[string]bool{"": name != "entity", "zzz": false, map[string]string{"entity": "acme pay", "property": "dom", "type": "Comp"}[name]: true} {
			a := h.get(t, at(m.Suggest[name].URL+m.Suggest[name].Path)+"?prefix="+url.QueryEscape(prefix))
			require.Equal(t, http.StatusOK, a.status, a.body)
			requireSchema(t, schema, a.body)
			require.Equal(t, some, !strings.Contains(a.body, `"result":[]`), "%s %q: %s", name, prefix, a.body)
		}
	}

	proposed := into[struct {
		Type       string
		Properties []struct{ ID, Name string }
	}](t, h.get(t, at(m.Extend.Propose.URL+m.Extend.Propose.Path)+"?type=company"))
	require.Equal(t, "company", proposed.Type)
	var properties []M
	for _, p := range proposed.Properties {
		require.NotEmpty(t, p.Name)
		properties = append(properties, M{"id": p.ID, "settings": M{}})
	}
	require.Len(t, properties, 18, "all fields but the id and the attributes")
	asked := M{"ids": []string{acme.ID.String(), other.ID.String(), "nobody"}, "properties": properties}
	sent, err = json.Marshal(asked)
	require.NoError(t, err)
	requireSchema(t, "data-extension-query", string(sent))
	values := h.ask(t, "extend", asked)
	requireSchema(t, "data-extension-response", values.body)
	got := into[struct {
		Meta    []struct{ ID, Name string }
		Rows    map[string]map[string][]M
		Unknown []string `json:"unknown_ids"`
	}](t, values)
	require.Len(t, got.Meta, 18)
	require.Equal(t, []string{"nobody"}, got.Unknown)
	row := got.Rows[acme.ID.String()]
	require.Equal(t, []M{{"str": "Fintech"}, {"str": "Banking"}}, row["industries"])
	require.Equal(t, []M{{"int": float64(1999)}}, row["founded_year"])
	require.Equal(t, []M{{"id": other.ID.String(), "name": other.Name}, {"str": "Nobody Knows It"}}, row["connections"])
	require.Equal(t, []M{{"str": "acme.example"}}, row["domain"])
	require.Len(t, row["created_at"], 1)
	require.Empty(t, got.Rows["nobody"]["domain"])
	requireSchema(t, "data-extension-response", h.get(t, h.url+"?extend="+url.QueryEscape(string(sent))).body)
	limited := h.get(t, at(m.Extend.Propose.URL+m.Extend.Propose.Path)+"?type=company&limit=2")
	require.Equal(t, 2, strings.Count(limited.body, `"name":`))

	page := h.get(t, at(strings.ReplaceAll(m.Preview.URL, "{{id}}", acme.ID.String())))
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "Acme Payments")
	require.Contains(t, page.body, strings.ReplaceAll(m.View.URL, "{{id}}", acme.ID.String()))
	require.Equal(t, "text/html; charset=utf-8", page.header.Get("Content-Type"))
	require.NotContains(t, page.header.Get("Content-Security-Policy"), "frame-ancestors", "other sites frame it")
}

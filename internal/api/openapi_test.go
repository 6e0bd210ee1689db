package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const committedDocument = "../../docs/openapi.json"

func TestOpenAPIIsTheCommittedDocument(t *testing.T) {
	t.Parallel()
	if *update {
		require.NoError(t, os.WriteFile(committedDocument, api.OpenAPI(), 0o644))
	}
	committed, err := os.ReadFile(committedDocument)
	require.NoError(t, err)
	require.Equal(t, string(committed), string(api.OpenAPI()), "run make generate")
}

func TestOpenAPIIsValidAndItsExamplesFitTheirSchemas(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	require.Equal(t, "3.1.0", doc.OpenAPI)
}

func TestTheDocumentAllowsNullForOptionalRequestFields(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	require.NoError(t, err)
	for name, body := range map[string]M{
		"SearchRequest": {"cursor": nil, "query": nil, "countries": nil, "limit": nil, "sort_by": nil, "connections": nil},
		"ExportRequest": {
			"name": "x", "quote_id": nil, "search_filters": nil, "source_type": nil, "only_new": nil, "max_credits": nil, "csv_options": nil,
		},
		"QuoteRequest": {"name": nil, "list_id": nil},
		"ListMembers":  {"company_ids": nil, "domains": nil, "search_filters": nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := doc.Components.Schemas[name].Value
			require.NoError(t, s.VisitJSON(body), name)
			for field, value := range body {
				if value == nil {
					require.Error(t, s.VisitJSON(M{"name": "x", field: M{"no": "such"}}), field)
				}
			}
		})
	}
	require.Error(t, doc.Components.Schemas["ExportRequest"].Value.VisitJSON(M{"name": nil}), "a required field is never null")
	require.Error(t, doc.Components.Schemas["Filters"].Value.VisitJSON(M{"countries": []any{nil}}))
}

func TestEveryOperationIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	require.NoError(t, err)
	operations := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			operations++
			where := method + " " + path
			require.NotEmpty(t, op.OperationID, where)
			require.NotEmpty(t, op.Summary, where)
			require.NotEmpty(t, op.Description, where)
			require.NotEmpty(t, op.Tags, where)
			require.NotEmpty(t, op.Security, where)
			for _, status := range []string{"401", "422", "429", "500"} {
				require.NotNil(t, op.Responses.Value(status), "%s %s", where, status)
			}
			if op.RequestBody != nil {
				require.NotNil(t, op.RequestBody.Value.Content["application/json"].Example, where)
				require.NotNil(t, op.Responses.Value("413"), where)
				require.NotNil(t, op.Responses.Value("415"), where)
			}
			for status, r := range op.Responses.Map() {
				require.NotEmpty(t, *r.Value.Description, "%s %s", where, status)
				if status < "300" && status != "204" {
					require.NotEmpty(t, r.Value.Content, where)
					for kind, content := range r.Value.Content {
						require.True(t, kind == "text/csv" || content.Example != nil, "%s %s", where, kind)
					}
				}
			}
		}
	}
	require.Equal(t, 56, operations)
}

func TestEveryParameterFieldAndHeaderIsDescribed(t *testing.T) {
	t.Parallel()
	var document any
	require.NoError(t, json.Unmarshal(api.OpenAPI(), &document))
	checked := 0
	described := func(where string, of any) {
		checked++
		text, _ := of.(M)["description"].(string)
		assert.NotEmpty(t, text, "%s has no description", where)
	}
	var walk func(where string, at any)
	walk = func(where string, at any) {
		switch at := at.(type) {
		case []any:
			for i, v := range at {
				walk(fmt.Sprintf("%s[%d]", where, i), v)
			}
		case M:
			for key, v := range at {
				switch key {
				case "example", "examples":
					continue
				case "properties", "headers":
					for name, of := range v.(M) {
						described(where+"."+name, of)
					}
				case "parameters", "tags":
					for _, p := range v.([]any) {
						if p, ok := p.(M); ok { // the tags of an operation are names
							described(fmt.Sprintf("%s.%s", where, p["name"]), p)
						}
					}
				}
				walk(where+"."+key, v)
			}
		}
	}
	walk("", document)
	require.Greater(t, checked, 200)
}

func TestTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	a := h.raw(t, h.request(t, "", http.MethodGet, "/openapi.json", nil))
	require.Equal(t, http.StatusOK, a.status)
	require.JSONEq(t, string(api.OpenAPI()), string(a.body))
	require.True(t, json.Valid(a.body))

	a = h.raw(t, h.request(t, "", http.MethodGet, "/healthz", nil))
	require.Equal(t, http.StatusOK, a.status)
}

package api_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
)

// strictDocument returns the document without additional properties, so that undocumented response fields are found.
var strictDocument = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	for _, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.BoolSchema{Has: new(false)}
		}
	}
	return doc, nil
})

// conform validates a response against the OpenAPI document: the operation must list the status, and the body must match
// its schema. The response to a request that the document does not list, such as an unknown path, must be an error body.
func conform(t testing.TB, r *http.Request, a answer) {
	t.Helper()
	doc, err := strictDocument()
	require.NoError(t, err)
	path, ok := strings.CutPrefix(r.URL.Path, base)
	if !ok {
		return
	}
	require.Regexp(t, `^[\w.:-]+$`, a.header.Get("X-Request-Id"))
	route := operation(doc, r.Method, path)
	if route == nil {
		require.GreaterOrEqual(t, a.status, 400)
		a.failure(t)
		return
	}
	if a.header.Get("Content-Encoding") != "" {
		return
	}
	require.NoError(t, mismatch(route, r, a), "%s %s answered %d: %s", r.Method, r.URL.Path, a.status, a.body)
}

func mismatch(route *routers.Route, r *http.Request, a answer) error {
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route},
		Status:                 a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
}

func TestTheOpenAPIDocumentRejectsWrongResponses(t *testing.T) {
	t.Parallel()
	doc, err := strictDocument()
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), "GET", base+"/credits", nil)
	route := operation(doc, "GET", "/credits")
	valid := `{"workspace_id": "018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f", "balance": 1, "recent_transactions": []}`
	limit := http.Header{"Content-Type": {"application/json"}}
	require.NoError(t, mismatch(route, r, answer{200, limit, []byte(valid)}))
	for name, a := range map[string]answer{
		"undocumented status": {418, limit, []byte(valid)},
		"undocumented field":  {200, limit, []byte(strings.Replace(valid, "{", `{"more": 1, `, 1))},
		"missing field":       {200, limit, []byte(`{"balance": 1, "recent_transactions": []}`)},
		"wrong type":          {200, limit, []byte(strings.Replace(valid, "1,", `"1",`, 1))},
		"list that is null":   {200, limit, []byte(strings.Replace(valid, "[]", "null", 1))},
		"error without code":  {401, limit, []byte(`{"detail": {"message": "x", "details": {}}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, mismatch(route, r, a), name)
		})
	}
}

func operation(doc *openapi3.T, method, path string) *routers.Route {
	paths := doc.Paths.Map()
	if exact, ok := paths[path]; ok {
		paths = map[string]*openapi3.PathItem{path: exact}
	}
	for template, item := range paths {
		if op := item.GetOperation(method); op != nil && fits(template, path) {
			return &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: op}
		}
	}
	return nil
}

func fits(template, path string) bool {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

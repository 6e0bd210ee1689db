package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/reqbody"
)

// document builds the OpenAPI document. Huma derives it and the schemas from the Go types. Huma's request pipeline is not
// used: it reads the body before a middleware can refuse it, rejects a body of exactly the size limit, answers an empty
// one with 400, accepts names in any letter case, and keeps its error type in globals.
type document struct {
	api      huma.OpenAPI
	registry huma.Registry
	errorRef *huma.Schema
}

const schemaPrefix = "#/components/schemas/"

func newDocument() *document {
	d := &document{registry: newRegistry()}
	d.api = huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "CAPI", Version: "1.0.0", Description: introduction(),
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: basePath}},
		Components: &huma.Components{
			Schemas:   d.registry,
			Responses: map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{"token": {
				Type: "http", Scheme: "bearer", BearerFormat: "cornect_…",
				Description: "An API token. It belongs to one workspace, and every request acts in that workspace.",
			}},
		},
		Tags: []*huma.Tag{
			{Name: "Companies", Description: "Search the catalog. Free."},
			{Name: "Sets", Description: "Combine and compare sets of companies. Free."},
			{Name: "Exports", Description: "Buy selections of companies as files."},
			{Name: "Orders", Description: "Standing orders: exports that are made again and again."},
			{Name: "Presets", Description: "Choices of columns under a name, for exports and orders."},
			{Name: "Lists", Description: "Saved lists of companies, which can be exported."},
			{Name: "Credits", Description: "The balance and the ledger."},
			{Name: "Events", Description: "What happened in the workspace, for programs that follow it."},
			{Name: "Webhooks", Description: "Where events are sent."},
			{Name: "Destinations", Description: "Where exports are delivered: buckets and servers of your own."},
			{Name: "Audit", Description: "Who changed what."},
		},
	}
	d.errorRef = d.registry.Schema(reflect.TypeFor[httpx.Error](), true, "")
	return d
}

func newRegistry() huma.Registry {
	r := huma.NewMapRegistry(schemaPrefix, schemaName)
	r.RegisterTypeAlias(reflect.TypeFor[query.Filters](), reflect.TypeFor[Filters]())
	return r
}

// schemaName returns the type's name. No two types in the document share one.
func schemaName(t reflect.Type, hint string) string { return huma.DefaultSchemaNamer(t, hint) }

func introduction() string {
	var b strings.Builder
	b.WriteString("Search companies, see what a selection costs, and export it. Each company costs one credit, once: exporting " +
		"it again is free for the workspace.\n\n" +
		"Every error response has the body `{\"detail\": {\"code\", \"message\", \"details\"}}`.\n\n" +
		"| code | status | when |\n|---|---|---|\n")
	for _, e := range fault.Catalogue() {
		fmt.Fprintf(&b, "| %s | %d | %s |\n", e.Code, httpx.Status(e.Kind), e.When)
	}
	b.WriteString("\nVersion 1 only grows: new operations, new optional parameters and new response fields may be added.")
	return b.String()
}

// add documents the route and returns the binding that reads its requests with the same schemas.
func (d *document) add(rt route) *binding {
	b := newBinding(d.registry, rt.in, rt.operation)
	op := &huma.Operation{
		OperationID: rt.operation, Method: rt.method, Path: rt.path, Summary: rt.summary,
		Description: rt.description + fmt.Sprintf("\n\nRequires a token with the scope `%s`. Rate limit: %d requests a minute for each token (`%s`).",
			rt.scope, rt.perMinute, rt.limit),
		Tags: []string{tagOf(rt.path)}, Security: []map[string][]string{{"token": {}}},
		Parameters: parameters(b), Responses: d.responses(rt, b),
		Extensions: map[string]any{
			"x-scope": string(rt.scope), "x-rate-limit": map[string]any{"name": rt.limit, "per_minute": rt.perMinute},
		},
	}
	if b.body != nil {
		op.RequestBody = &huma.RequestBody{
			Required: len(reqbody.Deref(d.registry, b.body).Required) > 0,
			Content:  map[string]*huma.MediaType{"application/json": {Schema: b.body, Example: rt.request}},
		}
	}
	if rt.once != nil {
		op.Parameters = append(op.Parameters, keyParameter())
	}
	d.api.AddOperation(op)
	return b
}

func tagOf(path string) string {
	word := strings.Split(path, "/")[1]
	return strings.ToUpper(word[:1]) + word[1:]
}

func parameters(b *binding) []*huma.Param {
	var params []*huma.Param
	for _, p := range b.params {
		schema := *p.schema
		schema.Description = ""
		params = append(params, &huma.Param{
			Name: p.name, In: p.in, Required: p.in == "path", Description: p.schema.Description, Schema: &schema,
		})
	}
	return params
}

func (d *document) responses(rt route, b *binding) map[string]*huma.Response {
	success := &huma.Response{Description: http.StatusText(rt.status), Headers: limitHeaders()}
	if slices.Contains(rt.codes, fault.DailyLimitExceeded) {
		maps.Copy(success.Headers, dailyHeaders())
	}
	if rt.status != http.StatusNoContent {
		success.Content = map[string]*huma.MediaType{"application/json": {
			Schema: d.registry.Schema(rt.out, true, ""), Example: rt.response,
		}}
		csvContent(rt.out, success.Content)
		if isStream(rt.out) {
			success.Content = map[string]*huma.MediaType{httpx.EventStreamType: {Schema: &huma.Schema{Type: huma.TypeString}, Example: rt.response}}
		}
	}
	if rt.out.Implements(reflect.TypeFor[signable]()) {
		success.Headers[signatureHeader] = signatureParam()
	}
	if rt.once != nil {
		success.Headers[replayedHeader] = replayedParam()
	}
	if reflect.PointerTo(rt.out).Implements(reflect.TypeFor[timed]()) {
		success.Headers[timingHeader] = timingParam()
	}
	all := map[string]*huma.Response{strconv.Itoa(rt.status): success}
	for status, codes := range byStatus(codesOf(rt, b)) {
		all[strconv.Itoa(status)] = d.failure(status, codes)
	}
	return all
}

func limitHeaders() map[string]*huma.Param {
	return map[string]*huma.Param{
		"RateLimit-Limit":     header("Size of the token's bucket for this operation, in requests."),
		"RateLimit-Remaining": header("Requests left in the bucket."),
		"RateLimit-Reset":     header("Whole seconds until the bucket is full."),
	}
}

// dailyHeaders are sent if the token or its workspace has a daily limit of companies.
func dailyHeaders() map[string]*huma.Param {
	return map[string]*huma.Param{
		"Daily-Companies-Limit":     header("The most companies that the workspace does not own which may be shown in a day. Missing without a limit, like the next two."),
		"Daily-Companies-Remaining": header("How many more may be shown today."),
		"Daily-Companies-Reset":     header("Whole seconds until the day ends, in UTC."),
	}
}

func header(description string) *huma.Param {
	return &huma.Param{Description: description, Schema: &huma.Schema{Type: huma.TypeInteger}}
}

// finish returns a function that returns the document. It is encoded on first use, because that takes longer than the rest
// of a start. Schemas that only responses use allow additional properties: version 1 may add fields to them.
func (d *document) finish() func() []byte {
	closed := d.requestSchemas()
	for name, s := range d.registry.Map() {
		tidy(s)
		if closed[name] {
			allowNull(s)
		}
		if !closed[name] && s.Type == huma.TypeObject {
			s.AdditionalProperties = nil
		}
	}
	return sync.OnceValue(func() []byte {
		p, err := json.MarshalIndent(&d.api, "", "  ")
		if err != nil {
			panic(err) // our own types always encode
		}
		return append(p, '\n')
	})
}

// tidy marks lists as not nullable: responses never contain a null list.
func tidy(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
		tidy(s.Items)
	}
	for _, property := range s.Properties {
		tidy(property)
	}
}

// allowNull makes optional properties of requests nullable: null is the same as leaving them out.
func allowNull(s *huma.Schema) {
	for name, property := range s.Properties {
		switch {
		case slices.Contains(s.Required, name):
		case property.Ref != "":
			s.Properties[name] = &huma.Schema{
				Description: property.Description, AnyOf: []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
			}
		default:
			property.Nullable = true
			if len(property.Enum) > 0 {
				property.Enum = append(property.Enum, nil)
			}
		}
	}
}

// requestSchemas returns the names of all schemas used by request bodies.
func (d *document) requestSchemas() map[string]bool {
	reached := map[string]bool{}
	var reach func(s *huma.Schema)
	reach = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if name, ok := strings.CutPrefix(s.Ref, schemaPrefix); ok && !reached[name] {
			reached[name] = true
			reach(d.registry.SchemaFromRef(s.Ref))
		}
		reach(s.Items)
		for _, property := range s.Properties {
			reach(property)
		}
	}
	for _, item := range d.api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op != nil && op.RequestBody != nil {
				reach(op.RequestBody.Content["application/json"].Schema)
			}
		}
	}
	return reached
}

var openAPI = sync.OnceValue(func() []byte {
	d := newDocument()
	for _, rt := range routes() {
		d.add(rt)
	}
	return d.finish()()
})

// OpenAPI returns the OpenAPI 3.1 document of the API as JSON. Callers must not modify it.
func OpenAPI() []byte { return openAPI() }

func serveDocument(document func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Access-Control-Allow-Origin", "*") // lets reference pages on other sites read it
		_, _ = w.Write(document())
	})
}

package docsite

import (
	"encoding/json"
	"net/http"
	"strings"
)

const (
	postmanPath = Path + "/capi.postman_collection.json"
	openAPIPath = Path + "/openapi.json"
)

// downloads is what the first page and the reference begin with.
const downloads = "Go client: `go get github.com/opencapi/capi/client` ([how to use it](/docs/clients)). For other tools: " +
	"[Postman collection](" + postmanPath + ") · [OpenAPI document](" + openAPIPath + ")."

// The types of a Postman collection, format 2.1.0.
type (
	collection struct {
		Info      collectionInfo  `json:"info"`
		Auth      collectionAuth  `json:"auth"`
		Items     []folder        `json:"item"`
		Variables []collectionVar `json:"variable"`
	}
	collectionInfo struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Schema      string `json:"schema"`
	}
	collectionAuth struct {
		Type   string          `json:"type"`
		Bearer []collectionVar `json:"bearer"`
	}
	// collectionVar is a variable, a parameter or a header.
	collectionVar struct {
		Key         string `json:"key"`
		Value       string `json:"value"`
		Type        string `json:"type,omitempty"`
		Description string `json:"description,omitempty"`
		Disabled    bool   `json:"disabled,omitempty"`
	}
	folder struct {
		Name        string           `json:"name"`
		Description string           `json:"description,omitempty"`
		Items       []collectionItem `json:"item"`
	}
	collectionItem struct {
		Name    string            `json:"name"`
		Request collectionRequest `json:"request"`
	}
	collectionRequest struct {
		Method      string          `json:"method"`
		Description string          `json:"description"`
		Headers     []collectionVar `json:"header"`
		Body        *collectionBody `json:"body,omitempty"`
		URL         collectionURL   `json:"url"`
	}
	collectionBody struct {
		Mode    string `json:"mode"`
		Raw     string `json:"raw"`
		Options any    `json:"options"`
	}
	collectionURL struct {
		Raw       string          `json:"raw"`
		Host      []string        `json:"host"`
		Path      []string        `json:"path"`
		Query     []collectionVar `json:"query,omitempty"`
		Variables []collectionVar `json:"variable,omitempty"`
	}
)

// collection returns every operation as a Postman collection (format 2.1.0) with the variables baseUrl and token.
func (e expander) collection(publicURL string) ([]byte, error) {
	c := collection{
		Info: collectionInfo{
			Name: "CAPI", Schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
			Description: "Set the variable token to your API token. Documentation: " + publicURL + Path,
		},
		Auth:      collectionAuth{Type: "bearer", Bearer: []collectionVar{{Key: "token", Value: "{{token}}", Type: "string"}}},
		Variables: []collectionVar{{Key: "baseUrl", Value: publicURL + e.spec.Servers[0].URL}, {Key: "token", Value: ""}},
	}
	for _, op := range e.spec.operations {
		tag := op.Tags[0]
		if len(c.Items) == 0 || c.Items[len(c.Items)-1].Name != tag {
			c.Items = append(c.Items, folder{Name: tag, Description: e.spec.tagDescription(tag)})
		}
		last := &c.Items[len(c.Items)-1]
		request, err := e.postmanRequest(op)
		if err != nil {
			return nil, err
		}
		last.Items = append(last.Items, collectionItem{Name: op.Summary, Request: request})
	}
	return json.MarshalIndent(c, "", "  ")
}

// postmanRequest returns the operation's example request. Optional parameters are there, switched off.
func (e expander) postmanRequest(op *operation) (collectionRequest, error) {
	path := strings.TrimPrefix(op.Path, e.spec.Servers[0].URL)
	path = strings.NewReplacer("{", ":", "}", "").Replace(path)
	r := collectionRequest{
		Method: op.Method, Description: op.Description, Headers: []collectionVar{},
		URL: collectionURL{
			Raw: "{{baseUrl}}" + path, Host: []string{"{{baseUrl}}"}, Path: strings.Split(strings.TrimPrefix(path, "/"), "/"),
		},
	}
	for _, p := range op.Parameters {
		v := collectionVar{Key: p.Name, Description: strings.TrimSpace(p.Description + bounds(p.Schema)), Disabled: !p.Required}
		switch p.In {
		case "path":
			r.URL.Variables = append(r.URL.Variables, v)
		case "query":
			r.URL.Query = append(r.URL.Query, v)
		case "header":
			r.Headers = append(r.Headers, v)
		}
	}
	if op.Body != nil {
		body, err := pretty(op.Body.Content["application/json"].Example, "")
		if err != nil {
			return r, err
		}
		r.Headers = append(r.Headers, collectionVar{Key: "Content-Type", Value: "application/json"})
		r.Body = &collectionBody{Mode: "raw", Raw: body, Options: map[string]any{"raw": map[string]string{"language": "json"}}}
	}
	return r, nil
}

func (m *Site) servePostman(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Disposition", `attachment; filename="capi.postman_collection.json"`)
	send(w, r, "application/json", http.StatusOK, string(m.postman))
}

// serveOpenAPI serves the OpenAPI document as a file to keep.
func serveOpenAPI(document func() []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="capi.openapi.json"`)
		send(w, r, "application/json", http.StatusOK, string(document()))
	}
}

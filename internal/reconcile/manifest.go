package reconcile

import (
	"net/http"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/httpx"
)

// entityType is the only type of what can be matched.
var entityType = named{ID: "company", Name: "Company"}

// named is a type or a property.
type named struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type manifest struct {
	Versions        []string        `json:"versions"`
	Name            string          `json:"name"`
	IdentifierSpace string          `json:"identifierSpace"`
	SchemaSpace     string          `json:"schemaSpace"`
	Documentation   string          `json:"documentation"`
	DefaultTypes    []named         `json:"defaultTypes"`
	View            *urlTemplate    `json:"view,omitempty"`
	Preview         preview         `json:"preview"`
	Suggest         suggest         `json:"suggest"`
	Extend          extend          `json:"extend"`
	BatchSize       int             `json:"batchSize"`
	Authentication  *securityScheme `json:"authentication,omitempty"`
}

type urlTemplate struct {
	URL string `json:"url"`
}

type preview struct {
	urlTemplate
	Width  int `json:"width"`
	Height int `json:"height"`
}

type suggest struct {
	Entity   service `json:"entity"`
	Property service `json:"property"`
	Type     service `json:"type"`
}

type extend struct {
	ProposeProperties service `json:"propose_properties"`
}

type service struct {
	URL  string `json:"service_url"`
	Path string `json:"service_path"`
}

// securityScheme is that of OpenAPI 2, which has no name for a bearer token.
type securityScheme struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description"`
}

const previewWidth, previewHeight = 420, 260

// manifest describes the service. The caller is zero for somebody who has yet to authenticate.
func (s *server) manifest(w http.ResponseWriter, r *http.Request, caller auth.Caller) {
	root := s.PublicURL
	base := root + Path
	m := manifest{
		Versions: []string{"0.2"}, Name: "CAPI companies", IdentifierSpace: root + "/api/v1/companies/",
		SchemaSpace: "https://schema.org/Organization", Documentation: root + s.DocsPath, DefaultTypes: []named{entityType},
		BatchSize: queriesMax,
	}
	if secret := r.PathValue("token"); secret != "" {
		base += "/" + secret
	} else {
		m.Authentication = &securityScheme{
			Type: "apiKey", Name: "Authorization", In: "header",
			Description: "Bearer, a space, and an API token with the scope read. Without headers, use " + base + "/TOKEN with a token of the scope reconcile.",
		}
	}
	if !caller.Workspace.IsZero() {
		m.View = &urlTemplate{root + s.CompanyPath(caller.Workspace, "{{id}}")}
	}
	m.Preview = preview{urlTemplate{base + "/preview?id={{id}}"}, previewWidth, previewHeight}
	m.Suggest = suggest{service{base, "/suggest/entity"}, service{base, "/suggest/property"}, service{base, "/suggest/type"}}
	m.Extend = extend{service{base, "/extend/properties"}}
	httpx.WriteJSON(w, http.StatusOK, m)
}

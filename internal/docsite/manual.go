// Package docsite is the documentation at /docs: the guide, a reference page for each operation made from the OpenAPI
// document, an interactive reference, a search, and all of it as Markdown for programs that read.
// It knows nothing about the data and answers without a token.
package docsite

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzhttp"

	"github.com/opencapi/capi/internal/fault"
)

// Path is where the documentation begins.
const Path = "/docs"

// Host and Token stand in the pages for the reader's own server and token.
const (
	Host  = "https://capi.example.com"
	Token = "cornect_your_token_here"
)

// Deps is what the pages are made from.
type Deps struct {
	// OpenAPI gives the document of the API, as JSON.
	OpenAPI func() []byte

	// Status is the HTTP status of a kind of failure.
	Status func(fault.Kind) int

	// PublicURL takes the place of Host in the pages. Defaults to what the request was sent to.
	PublicURL string
}

// Manual is every page, rendered. Safe for concurrent use.
type Manual struct {
	publicURL string
	chapters  []chapter
	pages     map[string]*Page // by slug
	index     searchIndex
	assets    map[string]asset
	views     *views
}

// New renders every page. A page that cannot be made is an error.
func New(d Deps) (*Manual, error) {
	m := &Manual{publicURL: strings.TrimSuffix(d.PublicURL, "/"), pages: map[string]*Page{}}
	if err := m.write(d); err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	var err error
	if m.assets, err = readAssets(); err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	if m.views, err = parseViews(m.assets); err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	return m, nil
}

// Mounts are the handlers by their pattern in http.ServeMux. The pages are made when the first one is asked for, because
// that takes longer than the rest of a start.
func Mounts(d Deps) map[string]http.Handler {
	pages := sync.OnceValues(func() (*Manual, error) { return New(d) })
	serve := func(method func(*Manual, http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			m, err := pages()
			if err != nil {
				panic(err) // the texts are our own, and tested
			}
			method(m, w, r)
		}
	}
	return map[string]http.Handler{
		"GET " + Path:                     gzhttp.GzipHandler(serve((*Manual).servePage)),
		"GET " + Path + "/":               gzhttp.GzipHandler(serve((*Manual).servePage)),
		"GET " + Path + "/search":         gzhttp.GzipHandler(serve((*Manual).serveSearch)),
		"GET " + Path + "/assets/{asset}": serve((*Manual).serveAsset), // packed already
		"GET /llms.txt":                   gzhttp.GzipHandler(serve((*Manual).serveSummary)),
		"GET /llms-full.txt":              gzhttp.GzipHandler(serve((*Manual).serveAll)),
	}
}

var hostName = regexp.MustCompile(`^([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?$`)

// origin is the address that the reader's samples speak to.
func (m *Manual) origin(r *http.Request) string {
	if m.publicURL != "" {
		return m.publicURL
	}
	if !hostName.MatchString(r.Host) { // it will stand in commands that people paste
		return Host
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// address is where a page is served, relative to the host.
func address(slug string) string {
	return cmp.Or(strings.TrimSuffix(Path+"/"+(&url.URL{Path: slug}).EscapedPath(), "/"), Path)
}

// Package docsite is the documentation at /docs: the guide, a reference page for each operation made from the OpenAPI
// document with a form that sends it, a search, a Postman collection, and all of it as Markdown for programs.
// It has no access to the data and needs no token.
package docsite

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzhttp"

	"github.com/opencapi/capi/internal/fault"
)

// Path is where the documentation begins.
const Path = "/docs"

// Host and Token are placeholders in the pages for the reader's own server and token.
const (
	Host  = "https://capi.example.com"
	Token = "cornect_your_token_here"
)

// Deps is what the pages are made from.
type Deps struct {
	// OpenAPI returns the OpenAPI document as JSON.
	OpenAPI func() []byte

	// Status returns the HTTP status of a kind of failure.
	Status func(fault.Kind) int

	// PublicURL replaces Host in the pages. Without it, the pages show Host.
	PublicURL string
}

// Site holds all rendered pages. Safe for concurrent use.
type Site struct {
	publicURL string
	chapters  []chapter
	postman   []byte
	pages     map[string]*Page // by slug
	index     searchIndex
	assets    map[string]asset
	views     *views
	html      sync.Map // the pages that were asked for, by slug
}

// New renders all pages. It returns an error if a page cannot be rendered.
func New(d Deps) (*Site, error) {
	m := &Site{publicURL: cmp.Or(strings.TrimSuffix(d.PublicURL, "/"), Host), pages: map[string]*Page{}}
	if err := m.write(d); err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	m.index.sort()
	index, err := m.index.json()
	if err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	if m.assets, err = readAssets(bytes.ReplaceAll(index, []byte(Host), []byte(m.publicURL))); err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	if m.views, err = parseViews(m.assets); err != nil {
		return nil, fmt.Errorf("make documentation: %w", err)
	}
	return m, nil
}

// Mounts returns the handlers by their http.ServeMux pattern. The pages are rendered at the first request, because rendering
// takes longer than the rest of the server's start.
func Mounts(d Deps) map[string]http.Handler {
	pages := sync.OnceValues(func() (*Site, error) { return New(d) })
	serve := func(method func(*Site, http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			m, err := pages()
			if err != nil {
				panic(err) // the texts are embedded and tested
			}
			method(m, w, r)
		}
	}
	return map[string]http.Handler{
		"GET " + Path:                     gzhttp.GzipHandler(serve((*Site).servePage)),
		"GET " + Path + "/":               gzhttp.GzipHandler(serve((*Site).servePage)),
		"GET " + Path + "/search":         gzhttp.GzipHandler(serve((*Site).serveSearch)),
		"GET " + Path + "/assets/{asset}": serve((*Site).serveAsset), // already compressed
		"GET " + postmanPath:              gzhttp.GzipHandler(serve((*Site).servePostman)),
		"GET " + openAPIPath:              gzhttp.GzipHandler(serveOpenAPI(d.OpenAPI)),
		"GET /llms.txt":                   gzhttp.GzipHandler(serve((*Site).serveSummary)),
		"GET /llms-full.txt":              gzhttp.GzipHandler(serve((*Site).serveAll)),
	}
}

// address returns the path of a page.
func address(slug string) string {
	return cmp.Or(strings.TrimSuffix(Path+"/"+(&url.URL{Path: slug}).EscapedPath(), "/"), Path)
}

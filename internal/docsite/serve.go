package docsite

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
)

// policy lets a page load only this server's files: no inline code, no other host, no framing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// servePage serves a page, or its Markdown if the path ends in .md.
func (m *Site) servePage(w http.ResponseWriter, r *http.Request) {
	slug := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, Path), "/")
	if rest, ok := strings.CutSuffix(slug, "/"); ok || r.URL.Path == Path+"/" {
		http.Redirect(w, r, address(rest), http.StatusMovedPermanently)
		return
	}
	bare, wantsMarkdown := strings.CutSuffix(slug, ".md")
	if wantsMarkdown && bare == "index" {
		bare = ""
	}
	p := m.pages[bare]
	switch {
	case p == nil:
		m.write404(w, r)
	case wantsMarkdown:
		send(w, r, "text/markdown; charset=utf-8", http.StatusOK, strings.ReplaceAll(p.Markdown, Host, m.publicURL))
	default:
		m.sendPage(w, r, http.StatusOK, m.rendered(p))
	}
}

func (m *Site) write404(w http.ResponseWriter, r *http.Request) {
	m.show(w, r, http.StatusNotFound, "missing", &view{Here: "404", Title: "No such page"})
}

func (m *Site) serveSearch(w http.ResponseWriter, r *http.Request) {
	question := strings.TrimSpace(r.URL.Query().Get("q"))
	question = strings.ToValidUTF8(question[:min(len(question), questionBytesMax)], "")
	v := &view{Here: "search", Title: "Search", Question: question, Hits: m.index.find(question)}
	m.show(w, r, http.StatusOK, "search", v)
}

// rendered returns the HTML of a page, which is rendered once.
func (m *Site) rendered(p *Page) string {
	if page, ok := m.html.Load(p.Slug); ok {
		return page.(string)
	}
	name := "page"
	if p.Use != nil {
		name = "operation"
	}
	page := m.execute(name, &view{Page: p, Here: p.Slug, Title: p.Title})
	m.html.Store(p.Slug, page)
	return page
}

func (m *Site) show(w http.ResponseWriter, r *http.Request, status int, name string, v *view) {
	m.sendPage(w, r, status, m.execute(name, v))
}

// execute renders a view. The host occurs in texts and attributes, which are escaped in the same way.
func (m *Site) execute(name string, v *view) string {
	v.Chapters = m.chapters
	page, err := m.views.execute(name, v)
	if err != nil {
		panic(err) // the views and their data are our own
	}
	return strings.ReplaceAll(page, Host, html.EscapeString(m.publicURL))
}

func (m *Site) sendPage(w http.ResponseWriter, r *http.Request, status int, page string) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin")
	send(w, r, "text/html; charset=utf-8", status, page)
}

// send answers with a text that the browser may cache and must revalidate.
func send(w http.ResponseWriter, r *http.Request, contentType string, status int, body string) {
	sum := sha256.Sum256([]byte(body))
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if status == http.StatusOK && strings.Contains(r.Header.Get("If-None-Match"), strings.Trim(tag, `"`)) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client may have gone
}

func (m *Site) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := m.assets[r.PathValue("asset")]
	if !ok {
		m.write404(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content := a.packed
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
	} else {
		var err error
		if content, err = a.unpacked(); err != nil {
			panic(err) // we compressed it, or it is an embedded file that is tested
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // the client may have gone
}

// serveSummary serves /llms.txt (llmstxt.org): a list of the pages, as Markdown.
func (m *Site) serveSummary(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	b.WriteString("# CAPI\n\n> A company-data API with metered exports: search companies, see the exact price of any result, " +
		"and export it. Exporting a company again is free.\n\nThe API is described at " + Host +
		"/openapi.json. All pages in one: " + Host + "/llms-full.txt\n")
	for _, c := range m.chapters {
		fmt.Fprintf(&b, "\n## %s\n\n", c.Title)
		for _, p := range c.Pages {
			fmt.Fprintf(&b, "- [%s](%s%s.md): %s\n", p.Title, Host, address(cmp.Or(p.Slug, "index")), p.Summary)
		}
	}
	send(w, r, "text/plain; charset=utf-8", http.StatusOK, strings.ReplaceAll(b.String(), Host, m.publicURL))
}

// serveAll serves all pages as one text.
func (m *Site) serveAll(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	for _, c := range m.chapters {
		for _, p := range c.Pages {
			b.WriteString(strings.TrimSpace(p.Markdown) + "\n\n")
		}
	}
	send(w, r, "text/plain; charset=utf-8", http.StatusOK, strings.ReplaceAll(b.String(), Host, m.publicURL))
}

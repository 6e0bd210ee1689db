package docsite

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/opencapi/capi/docs"
)

// Page is one page: its text as Markdown, with every generated part in it, and the same as HTML.
type Page struct {
	Slug     string // its path below Path; empty for the first page
	Title    string
	Summary  string // one sentence
	Chapter  string
	Markdown string
	HTML     string
	Headings []Heading

	Operation *operation // of a reference page, else nil
	sections  []section
}

// Address is where the page is served.
func (p *Page) Address() string { return address(p.Slug) }

// Heading is one heading below a page's title.
type Heading struct {
	Level    int // from 2
	ID, Text string
}

// chapter is a part of the table of contents.
type chapter struct {
	Title string
	Pages []*Page
}

// contents is every written page, by chapter, in the order of the table of contents. The reference follows the guide.
var contents = []struct {
	title string
	slugs []string
}{
	{"Start", []string{"", "quickstart", "authentication"}},
	{"Guide", []string{
		"credits", "estimating", "exports", "ledger", "formats", "pagination", "errors", "error-handling", "rate-limits",
		"idempotency", "versioning", "changelog",
	}},
	{"Run your own", []string{"self-hosting", "importing", "metrics", "manifest", "guarantees"}},
	{"Decisions", nil}, // docs/adr, as far as there are
}

const referenceTitle = "Reference"

// write makes all pages.
func (m *Manual) write(d Deps) error {
	spec, err := readSpec(d.OpenAPI())
	if err != nil {
		return err
	}
	e := expander{spec: spec, status: d.Status}
	for _, c := range contents {
		slugs := c.slugs
		if slugs == nil {
			if slugs, err = decisions(); err != nil {
				return err
			}
		}
		written := chapter{Title: c.title}
		for _, slug := range slugs {
			text, err := e.page(slug)
			if err != nil {
				return fmt.Errorf("page %q: %w", slug, err)
			}
			written.Pages = append(written.Pages, &Page{Slug: slug, Markdown: text})
		}
		m.chapters = append(m.chapters, written)
		if c.title == "Guide" {
			reference, err := e.reference()
			if err != nil {
				return err
			}
			m.chapters = append(m.chapters, chapter{Title: referenceTitle, Pages: reference})
		}
	}
	return m.render()
}

// render makes HTML of the Markdown and fills the search index.
func (m *Manual) render() error {
	md := newMarkdown()
	for _, c := range m.chapters {
		for _, p := range c.Pages {
			p.Chapter = c.Title
			if err := md.render(p); err != nil {
				return fmt.Errorf("page %q: %w", p.Slug, err)
			}
			if m.pages[p.Slug] != nil {
				return fmt.Errorf("two pages are at %s", p.Address())
			}
			m.pages[p.Slug] = p
			m.index.add(p)
		}
	}
	return nil
}

// page is the Markdown of a written page, with its generated parts and links between pages.
func (e expander) page(slug string) (string, error) {
	file, err := fileOf(slug)
	if err != nil {
		return "", err
	}
	source, err := docs.Files.ReadFile(file)
	if err != nil {
		return "", err
	}
	text, err := e.expand(string(source))
	return linkAbsolutely(file, text), err
}

// fileNames are the pages whose files are called otherwise.
var fileNames = map[string]string{"": "index", "changelog": "CHANGELOG"}

// fileOf is the file of a written page: a reference text at the top of the directory, else one of the guide.
func fileOf(slug string) (string, error) {
	name := slug
	if other, ok := fileNames[slug]; ok {
		name = other
	}
	for _, file := range []string{name + ".md", "guide/" + name + ".md"} {
		if _, err := fs.Stat(docs.Files, file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("no page is called %q", name)
}

// slugOf is the page of a file; false if there is none of that name.
func slugOf(file string) (string, bool) {
	if _, err := fs.Stat(docs.Files, file); err != nil || path.Ext(file) != ".md" {
		return "", false
	}
	name := strings.TrimPrefix(strings.TrimSuffix(file, ".md"), "guide/")
	for slug, other := range fileNames {
		if name == other {
			return slug, true
		}
	}
	return name, true
}

// decisions are the slugs of docs/adr.
func decisions() ([]string, error) {
	files, err := fs.Glob(docs.Files, "adr/*.md")
	for i, file := range files {
		files[i] = strings.TrimSuffix(file, path.Ext(file))
	}
	return files, err
}

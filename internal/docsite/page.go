package docsite

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/opencapi/capi/docs"
)

// Page is one page, as Markdown with the generated parts inserted, and as HTML.
type Page struct {
	Slug     string // its path below Path; empty for the first page
	Title    string
	Summary  string // one sentence
	Chapter  string
	Markdown string
	HTML     string
	Headings []Heading

	Group    string // within the chapter; empty for the pages that belong to no group
	Use      *use   // nil unless it is the page of an operation
	sections []section
}

// Address returns the path of the page.
func (p *Page) Address() string { return address(p.Slug) }

// Heading is one heading below a page's title.
type Heading struct {
	Level    int // from 2
	ID, Text string
}

// HasSamples reports whether the page has code samples, which show the reader's token.
func (p *Page) HasSamples() bool { return strings.Contains(p.HTML, Token) }

// chapter is a part of the table of contents.
type chapter struct {
	Title string
	Pages []*Page
}

// group is a part of a chapter. The first one may have no title.
type group struct {
	Title string
	Pages []*Page
}

// Groups returns the pages by group, in order.
func (c chapter) Groups() (groups []group) {
	for _, p := range c.Pages {
		if len(groups) == 0 || groups[len(groups)-1].Title != p.Group {
			groups = append(groups, group{Title: p.Group})
		}
		last := &groups[len(groups)-1]
		last.Pages = append(last.Pages, p)
	}
	return groups
}

// contents lists the hand-written pages by chapter, in the order of the table of contents. The reference follows the guide, and
// the design decisions in docs/adr are the last pages.
var contents = []struct {
	title string
	slugs []string
}{
	{"Start", []string{"", "quickstart", "authentication", "clients"}},
	{"Guide", []string{
		"searching", "sets", "matching", "openrefine", "the-wall", "credits", "estimating", "exports", "ledger", "formats", "signatures", "orders", "events", "destinations", "pipelines", "pagination", "errors", "error-handling", "rate-limits",
		"idempotency", "versioning", "changelog",
	}},
	{selfHosting, []string{"self-hosting", "one-machine-or-many", "people", "importing", "metrics", "manifest", "guarantees"}},
}

const (
	referenceTitle = "Reference"
	selfHosting    = "Self-hosting"
	decisionsTitle = "Design decisions"
)

// write creates all pages.
func (m *Site) write(d Deps) error {
	spec, err := readSpec(d.OpenAPI())
	if err != nil {
		return err
	}
	e := expander{spec: spec, status: d.Status}
	if m.postman, err = e.collection(m.publicURL); err != nil {
		return err
	}
	decided, err := decisions()
	if err != nil {
		return err
	}
	for _, c := range contents {
		written := chapter{Title: c.title}
		if written.Pages, err = e.pages("", c.slugs); err != nil {
			return err
		}
		if c.title == selfHosting {
			pages, err := e.pages(decisionsTitle, decided)
			if err != nil {
				return err
			}
			written.Pages = append(written.Pages, pages...)
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
	if err := m.render(e); err != nil {
		return err
	}
	m.index.addErrors(e)
	return nil
}

// pages returns the hand-written pages of the slugs.
func (e expander) pages(group string, slugs []string) (pages []*Page, err error) {
	for _, slug := range slugs {
		text, err := e.page(slug)
		if err != nil {
			return nil, fmt.Errorf("page %q: %w", slug, err)
		}
		pages = append(pages, &Page{Slug: slug, Group: group, Markdown: text})
	}
	return pages, nil
}

// render converts the Markdown to HTML and fills the search index.
func (m *Site) render(e expander) error {
	md := newMarkdown()
	for _, c := range m.chapters {
		for _, p := range c.Pages {
			p.Chapter = c.Title
			if err := md.render(p); err != nil {
				return fmt.Errorf("page %q: %w", p.Slug, err)
			}
			if p.Use != nil {
				if err := p.Use.render(e, md); err != nil {
					return fmt.Errorf("page %q: %w", p.Slug, err)
				}
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

// page returns the Markdown of a hand-written page with its generated parts and links between pages.
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

// fileNames maps slugs to file names where they differ.
var fileNames = map[string]string{"": "index", "changelog": "CHANGELOG"}

// fileOf returns the file of a hand-written page: docs/NAME.md, or else docs/guide/NAME.md.
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

// slugOf returns the slug of a file's page; false if the file is not a page.
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

// decisions returns the slugs of the files in docs/adr.
func decisions() ([]string, error) {
	files, err := fs.Glob(docs.Files, "adr/*.md")
	for i, file := range files {
		files[i] = strings.TrimSuffix(file, path.Ext(file))
	}
	return files, err
}

package docsite

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed templates/*.html
var templates embed.FS

// view is what a template shows.
type view struct {
	Title, Here string // Here: the slug, or the name of what is no page
	Chapters    []chapter
	Page        *Page
	Question    string
	Hits        []Hit
}

// Description is what search engines show.
func (v *view) Description() string {
	if v.Page == nil {
		return ""
	}
	return v.Page.Summary
}

// Body is the page's text, which was rendered from our own Markdown without any HTML in it.
func (v *view) Body() template.HTML {
	return template.HTML(v.Page.HTML) //nolint:gosec // see above
}

// Neighbours are the pages before and behind, in the order of the table of contents; nil at the ends.
func (v *view) Neighbours() (n struct{ Before, After *Page }) {
	var last *Page
	found := false
	for _, c := range v.Chapters {
		for _, p := range c.Pages {
			if found {
				n.After = p
				return n
			}
			if p == v.Page {
				n.Before, found = last, true
			}
			last = p
		}
	}
	return n
}

// views are the templates, each within the frame.
type views struct{ byName map[string]*template.Template }

func parseViews(assets map[string]asset) (*views, error) {
	frame := template.New("frame.html").Funcs(template.FuncMap{
		"asset": func(name string) (string, error) {
			a, ok := assets[name]
			if !ok {
				return "", fmt.Errorf("no asset is called %q", name)
			}
			return Path + "/assets/" + name + "?v=" + a.version, nil
		},
		"path": func() string { return Path },
	})
	frame, err := frame.ParseFS(templates, "templates/frame.html")
	if err != nil {
		return nil, err
	}
	v := &views{byName: map[string]*template.Template{}}
	for _, name := range []string{"page", "search", "missing"} {
		clone, err := frame.Clone()
		if err != nil {
			return nil, err
		}
		if v.byName[name], err = clone.ParseFS(templates, "templates/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *views) execute(name string, data *view) (string, error) {
	var b strings.Builder
	err := v.byName[name].Execute(&b, data)
	return b.String(), err
}

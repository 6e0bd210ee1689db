package docsite

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed templates/*.html
var templates embed.FS

// view is the data of a template.
type view struct {
	Title, Here string // Here is the slug, or a name for what is not a page
	Chapters    []chapter
	Page        *Page
	Question    string
	Hits        []Hit
}

// Description returns the text that search engines show.
func (v *view) Description() string {
	if v.Page == nil {
		return ""
	}
	return v.Page.Summary
}

// Body returns the page's HTML, which was rendered from our own Markdown without raw HTML.
func (v *view) Body() template.HTML {
	return template.HTML(v.Page.HTML) //nolint:gosec // see above
}

// Neighbours returns the previous and next page in the order of the table of contents; nil at the ends.
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

// views holds the page templates, each inside the frame template.
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
		"path":     func() string { return Path },
		"inline":   inline,
		"lower":    strings.ToLower,
		"lines":    func(text string) int { return min(strings.Count(text, "\n")+1, 16) },
		"errorURL": func(code string) string { return address("errors") + "#" + errorID(code) },
	})
	frame, err := frame.ParseFS(templates, "templates/frame.html")
	if err != nil {
		return nil, err
	}
	v := &views{byName: map[string]*template.Template{}}
	for _, name := range []string{"page", "operation", "search", "missing"} {
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

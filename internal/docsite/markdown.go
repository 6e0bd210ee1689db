package docsite

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown renders CommonMark with tables; it drops raw HTML.
type markdown struct{ goldmark.Markdown }

func newMarkdown() markdown {
	return markdown{goldmark.New(
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(tabbing{}, 100))),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(&codeRenderer{}, 100))),
	)}
}

// render fills in every field of the page that is derived from its Markdown.
func (m markdown) render(p *Page) error {
	source := []byte(p.Markdown)
	tree := m.Parser().Parse(text.NewReader(source))
	p.sections = sectionsOf(tree, source)
	if len(p.sections) == 0 || p.sections[0].heading == "" {
		return errors.New("the page must start with a heading")
	}
	p.Title = p.sections[0].heading
	p.Summary = summaryOf(tree, source)
	for _, s := range p.sections[1:] {
		p.Headings = append(p.Headings, Heading{Level: s.level, ID: s.id, Text: s.heading})
	}
	var b bytes.Buffer
	if err := m.Renderer().Render(&b, source, tree); err != nil {
		return err
	}
	// A wide table scrolls on its own, also with the keyboard.
	out := strings.ReplaceAll(b.String(), "<table>", `<div class="table" tabindex="0"><table>`)
	p.HTML = strings.ReplaceAll(out, "</table>", "</table></div>")
	if p.Slug == "errors" {
		p.HTML = anchors(p.HTML)
	}
	return nil
}

// html returns the HTML of Markdown that is part of a page.
func (m markdown) html(text string) (template.HTML, error) {
	var b strings.Builder
	err := m.Convert([]byte(text), &b)
	return template.HTML(b.String()), err //nolint:gosec // our own Markdown, without raw HTML
}

var relativeLink = regexp.MustCompile(`\]\(([^)\s:/#][^)\s:#]*)(#[^)\s]*)?\)`)

const repository = "https://github.com/opencapi/capi/blob/main/"

// linkAbsolutely turns links between files of the repository into links between pages. A link to a file that is not a page
// leads to the repository.
func linkAbsolutely(file, text string) string {
	return relativeLink.ReplaceAllStringFunc(text, func(link string) string {
		parts := relativeLink.FindStringSubmatch(link)
		to := path.Join("docs", path.Dir(file), parts[1])
		if inside, ok := strings.CutPrefix(to, "docs/"); ok {
			if slug, ok := slugOf(inside); ok {
				return "](" + address(slug) + parts[2] + ")"
			}
		}
		return "](" + repository + to + parts[2] + ")"
	})
}

// section is a heading with the text below it, up to the next one.
type section struct {
	level       int
	id, heading string
	text, code  string // its prose and its samples
}

func sectionsOf(tree ast.Node, source []byte) []section {
	var all []section
	var body, code strings.Builder
	end := func() {
		if len(all) > 0 {
			last := &all[len(all)-1]
			last.text, last.code = strings.Join(strings.Fields(body.String()), " "), code.String()
		}
		body.Reset()
		code.Reset()
	}
	for block := tree.FirstChild(); block != nil; block = block.NextSibling() {
		h, ok := block.(*ast.Heading)
		if !ok {
			if block.Kind() == kindTabs || block.Type() == ast.TypeBlock && block.IsRaw() {
				plain(&code, block, source)
			} else {
				plain(&body, block, source)
			}
			continue
		}
		end()
		var title strings.Builder
		plain(&title, h, source)
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		all = append(all, section{level: h.Level, id: string(name), heading: strings.TrimSpace(title.String())})
	}
	end()
	return all
}

// plain writes the text of a node without markup.
func plain(b *strings.Builder, node ast.Node, source []byte) {
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the walker never fails
		switch {
		case !entering && n.Type() == ast.TypeBlock:
			b.WriteByte(' ')
		case !entering:
		case n.Kind() == ast.KindText:
			t := n.(*ast.Text)
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte(' ')
			}
		case n.Kind() == ast.KindString:
			b.Write(n.(*ast.String).Value)
		case n.Kind() == ast.KindFencedCodeBlock, n.Kind() == ast.KindCodeBlock:
			b.Write(n.Lines().Value(source))
		}
		return ast.WalkContinue, nil
	})
}

// summaryOf returns the first sentence of the first paragraph that is not just a code span.
func summaryOf(tree ast.Node, source []byte) string {
	for block := tree.FirstChild(); block != nil; block = block.NextSibling() {
		if block.Kind() != ast.KindParagraph || block.ChildCount() == 1 && block.FirstChild().Kind() == ast.KindCodeSpan {
			continue
		}
		var b strings.Builder
		plain(&b, block, source)
		sentence, _, more := strings.Cut(strings.TrimSpace(b.String()), ". ")
		if more {
			sentence += "."
		}
		return sentence
	}
	return ""
}

// tabs is a group of samples that do the same thing in several languages.
type tabs struct{ ast.BaseBlock }

var kindTabs = ast.NewNodeKind("Tabs")

func (*tabs) Kind() ast.NodeKind              { return kindTabs }
func (n *tabs) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// tabbing groups adjacent samples into tabs.
type tabbing struct{}

// Transform is called by the parser.
func (tabbing) Transform(tree *ast.Document, reader text.Reader, _ parser.Context) {
	for block := tree.FirstChild(); block != nil; block = block.NextSibling() {
		if titleOf(block, reader.Source()) == "" || titleOf(block.NextSibling(), reader.Source()) == "" {
			continue
		}
		group := &tabs{}
		tree.InsertBefore(tree, block, group)
		for next := block; titleOf(next, reader.Source()) != ""; {
			sample := next
			next = next.NextSibling()
			group.AppendChild(group, sample)
		}
		block = group
	}
}

// titleOf returns the tab title of a sample, or "" for any other node.
func titleOf(n ast.Node, source []byte) string {
	f, ok := n.(*ast.FencedCodeBlock)
	if !ok {
		return ""
	}
	for _, l := range languages {
		if string(f.Language(source)) == l.fence {
			return l.title
		}
	}
	return ""
}

// codeRenderer renders code blocks that scroll with the keyboard, and tabs that work without script (radio buttons).
type codeRenderer struct{ groups int }

// RegisterFuncs is called by the renderer.
func (r *codeRenderer) RegisterFuncs(to renderer.NodeRendererFuncRegisterer) {
	to.Register(kindTabs, r.renderTabs)
	to.Register(ast.KindFencedCodeBlock, r.renderCode)
	to.Register(ast.KindCodeBlock, r.renderCode)
}

func (r *codeRenderer) renderTabs(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	r.groups++
	_, _ = w.WriteString(`<fieldset class="tabs"><legend class="unseen">Language</legend>`)
	i := 0
	for sample := n.FirstChild(); sample != nil; sample = sample.NextSibling() {
		checked, title := "", titleOf(sample, source)
		if i == 0 {
			checked = " checked"
		}
		fmt.Fprintf(w, `<input type="radio" name="tabs-%d" id="tabs-%d-%d" value="%s"%s><label for="tabs-%d-%d">%s</label>`,
			r.groups, r.groups, i, title, checked, r.groups, i, title)
		i++
	}
	for sample := n.FirstChild(); sample != nil; sample = sample.NextSibling() {
		_, _ = w.WriteString(`<div class="tab">`)
		_, _ = r.renderCode(w, source, sample, true)
		_, _ = w.WriteString("</div>")
	}
	_, _ = w.WriteString("</fieldset>\n")
	return ast.WalkSkipChildren, nil
}

func (r *codeRenderer) renderCode(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString(`<pre tabindex="0"><code>`)
	html.DefaultWriter.RawWrite(w, n.Lines().Value(source))
	_, _ = w.WriteString("</code></pre>\n")
	return ast.WalkContinue, nil
}

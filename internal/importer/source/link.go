package source

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// LinkSuffix ends the name of the field that has the address of the links in another field, whose values are most likely names.
const LinkSuffix = " link"

// linkedChunk takes the links in the values of its records apart.
type linkedChunk struct {
	Chunk
	schema Schema
}

// Records replaces each value that is a link by its text, and adds a field with its address. A link without a text is its address.
func (c linkedChunk) Records(yield func(*Record)) {
	c.Chunk.Records(func(r *Record) {
		own := false
		for i := range r.Fields {
			v := r.Fields[i].Value
			if v.Kind != Text && v.Kind != Cell || !mayBeLink(v.Text) || c.schema.Column(r.Fields[i].Name).Prose {
				continue
			}
			shown, address, ok := splitLink(v.Text)
			if !ok {
				continue
			}
			if !own {
				r.Fields, own = slices.Clone(r.Fields), true // the chunk may have to yield its own again
			}
			r.Fields[i].Value.Text = shown
			if address != "" {
				r.Fields = append(r.Fields, Field{r.Fields[i].Name + LinkSuffix, Value{Kind: v.Kind, Text: address}})
			}
		}
		yield(r)
	})
}

// mayBeLink is a cheap test before splitLink.
func mayBeLink(s string) bool {
	if len(s) < len("=A(x)") || len(s) > linkBytesMax {
		return false
	}
	switch s[0] {
	case '=', '\'', '<', '&', '[', ' ', '\t', '\n':
		return true
	}
	return s[len(s)-1] == ')' && strings.Contains(s, "(http") || s[len(s)-1] == '>' && strings.Contains(s, "<http")
}

const (
	linkBytesMax = 4_096
	textCharsMax = 120 // of a link in a text; a longer one is a description that has a link
)

var (
	// The function has another name in each language of a spreadsheet.
	formulaLink  = regexp.MustCompile(`(?i)^'?=\s*(?:HYPERLINK|LIEN_HYPERTEXTE|H[IY]PERLINKKI|HYPERLÄNK|HYPERKOBLING|HIPERVINCULO|HIPERVÍNCULO|HIPERLINK|HIPERLIGAÇÃO|COLLEG\.IPERTESTUALE|HIPERŁĄCZE|HYPERTEXTOVÝ\.ODKAZ|HIPERHIVATKOZÁS|KÖPRÜ|ГИПЕРССЫЛКА)\(\s*"((?:[^"]|"")*)"\s*(?:[,;]\s*(?:"((?:[^"]|"")*)"|([^"()]*))\s*)?\)$`)
	anchor       = regexp.MustCompile(`(?is)<a\s(?:[^<>]*?\s)?href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))[^<>]*>(.*?)</a\s*>`)
	lineTag      = regexp.MustCompile(`(?i)</?(?:br|p|div|li|td)\b[^<>]*>`)
	tag          = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)
	markdownLink = regexp.MustCompile(`^\[([^\[\]]+)\]\(<?([^\s()<>]+)>?(?:\s+"[^"]*")?\)$`)
	textAndLink  = regexp.MustCompile(`^((?:[^\s(<].*?)?)\s*(?:\((https?://[^\s()]+)\)|<(https?://[^\s<>]+)>)$`)
)

// splitLink takes a value apart that is a link and nothing else: in a formula, HTML or Markdown, or as its text with the address in
// brackets. address is empty if shown is the address, or if the link leads to no page on the web.
func splitLink(s string) (shown, address string, ok bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "&lt;") {
		s = html.UnescapeString(s)
	}
	if m := formulaLink.FindStringSubmatch(s); m != nil {
		shown, address = linkOf(unquote(m[2]), unquote(m[1]))
		return shown, address, true
	}
	if m := markdownLink.FindStringSubmatch(s); m != nil && (isWebAddress(m[2]) || isMailbox(m[2])) {
		shown, address = linkOf(m[1], m[2])
		return shown, address, true
	}
	if shown, address, ok := splitAnchors(s); ok {
		return shown, address, true
	}
	if m := textAndLink.FindStringSubmatch(s); m != nil && utf8.RuneCountInString(m[1]) <= textCharsMax && !strings.Contains(m[1], "://") {
		shown, address = linkOf(m[1], m[2]+m[3])
		return shown, address, true
	}
	return "", "", false
}

// unquote replaces the doubled quotes inside a text of a formula.
func unquote(s string) string { return strings.ReplaceAll(s, `""`, `"`) }

// splitAnchors takes HTML apart that has links and nothing else but what separates them.
func splitAnchors(s string) (shown, address string, ok bool) {
	if !strings.HasPrefix(s, "<") {
		return "", "", false
	}
	found := anchor.FindAllStringSubmatch(s, -1)
	if len(found) == 0 || strings.Trim(tag.ReplaceAllString(anchor.ReplaceAllString(s, ""), ""), " \t\r\n,;|/·•-\u00a0") != "" {
		return "", "", false
	}
	var texts, targets []string
	for _, m := range found {
		one, target := linkOf(html.UnescapeString(tag.ReplaceAllString(lineTag.ReplaceAllString(m[4], " "), "")), html.UnescapeString(m[1]+m[2]+m[3]))
		texts = append(texts, one)
		if target != "" {
			targets = append(targets, target)
		}
	}
	return strings.Join(texts, "; "), strings.Join(targets, " "), true
}

// linkOf returns the text and the address of a link. Only one of them is needed if they say the same.
func linkOf(shown, target string) (text, address string) {
	shown, target = strings.TrimSpace(shown), strings.TrimSpace(target)
	if isMailbox(target) {
		mailbox := target[len("mailto:"):]
		if shown == "" || !strings.Contains(shown, "@") {
			shown = mailbox
		}
		return shown, ""
	}
	switch {
	case shown == "":
		return target, ""
	case !isWebAddress(target) || bareAddress(shown) == bareAddress(target):
		return shown, ""
	}
	return shown, target
}

// bareAddress returns an address without its scheme, www. and the slash at its end.
func bareAddress(s string) string {
	s = strings.ToLower(s)
	if _, rest, found := strings.Cut(s, "//"); found {
		s = rest
	}
	return strings.TrimRight(strings.TrimPrefix(s, "www."), "/")
}

func isMailbox(target string) bool {
	return len(target) > len("mailto:") && strings.EqualFold(target[:len("mailto:")], "mailto:")
}

var (
	webAddress = regexp.MustCompile(`(?i)^(?:https?:)?//|^(?:[\pL\d-]+\.)+\pL{2,}(?:[/?#:]|$)`)
	fileName   = regexp.MustCompile(`(?i)^[^/]+\.(?:xls[xmb]?|docx?|pptx?|pdf|csv|tsv|txt|html?|php|aspx?|jpe?g|png|svg|json|xml)(?:#.*)?$`)
)

// isWebAddress reports whether a link leads to a page on the web, rather than to a sheet, a file or a place on the same page.
func isWebAddress(target string) bool {
	return webAddress.MatchString(target) && !fileName.MatchString(target)
}

package query

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// Match reports whether the company meets the query. Every index is tested against it, so it is simple and slow.
func Match(q Query, c *company.Company) bool { return MatchNode(q.Root, c) }

// MatchNode is Match for a part of a query; nil matches every company.
func MatchNode(n Node, c *company.Company) bool { return (&matcher{Company: c}).match(n) }

// matcher matches one company. It reads its texts at most once.
type matcher struct {
	*company.Company
	texts []contents // the name and the description, once words were asked for
}

// contents are the words of a text.
type contents struct{ tokens, joints []string }

func (m *matcher) match(n Node) bool {
	switch n := n.(type) {
	case nil:
		return true
	case And:
		return !slices.ContainsFunc(n, func(part Node) bool { return !m.match(part) })
	case Or:
		return slices.ContainsFunc(n, m.match)
	case Not:
		return !m.match(n.Node)
	case OneOf:
		return slices.ContainsFunc(n.Field.Values(m.Company), func(v string) bool { return slices.Contains(n.Values, text.Fold(v)) })
	case Prefix:
		return slices.ContainsFunc(n.Field.Values(m.Company), func(v string) bool { return strings.HasPrefix(text.Fold(v), n.Value) })
	case Range:
		v := n.Field.Int(m.Company)
		return v != nil && (n.Min == nil || *v >= *n.Min) && (n.Max == nil || *v <= *n.Max)
	case Term:
		return slices.ContainsFunc(m.contents(n.InName), n.in)
	case Phrase:
		return slices.ContainsFunc(m.contents(n.InName), n.in)
	case Domain:
		return m.Domain != "" && isOrBegins(strings.ToLower(m.Domain), n.Name, n.Prefix)
	case Word:
		return slices.ContainsFunc(n.Forms, func(f Phrase) bool { return m.match(f.Simple()) })
	case Connected:
		return slices.ContainsFunc(m.Connections, n.matches)
	case Within:
		return m.match(n.Node)
	case InSet:
		return n.Set.Has(m.Number)
	}
	panic("query: unknown node")
}

// contents returns those of the name and the description, or of the name alone.
func (m *matcher) contents(inName bool) []contents {
	if m.texts == nil {
		for _, s := range []string{m.Name, m.Description} {
			c := contents{tokens: text.Tokens(s)}
			text.EachJoint(s, func(joined string) { c.joints = append(c.joints, joined) })
			m.texts = append(m.texts, c)
		}
	}
	if inName {
		return m.texts[:1]
	}
	return m.texts
}

func (n Term) in(c contents) bool {
	is := func(word string) bool { return isOrBegins(word, n.Word, n.Prefix) }
	return slices.ContainsFunc(c.tokens, is) || slices.ContainsFunc(c.joints, is)
}

func (n Phrase) in(c contents) bool {
	last := len(n.Words) - 1
	for tokens := c.tokens; len(tokens) > last; tokens = tokens[1:] {
		if isOrBegins(tokens[last], n.Words[last], n.Prefix) && slices.Equal(tokens[:last], n.Words[:last]) {
			return true
		}
	}
	return false
}

func isOrBegins(word, wanted string, prefix bool) bool {
	return word == wanted || prefix && strings.HasPrefix(word, wanted)
}

func (n Connected) matches(c company.Connection) bool {
	return (n.Category == "" || text.Fold(c.Category) == n.Category) &&
		(n.Company.IsZero() || c.ID == n.Company) &&
		(n.Domain == "" || strings.ToLower(c.Domain) == n.Domain)
}

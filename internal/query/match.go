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
func MatchNode(n Node, c *company.Company) bool {
	switch n := n.(type) {
	case nil:
		return true
	case And:
		return !slices.ContainsFunc(n, func(part Node) bool { return !MatchNode(part, c) })
	case Or:
		return slices.ContainsFunc(n, func(part Node) bool { return MatchNode(part, c) })
	case Not:
		return !MatchNode(n.Node, c)
	case OneOf:
		return slices.ContainsFunc(n.Field.Values(c), func(v string) bool { return slices.Contains(n.Values, text.Fold(v)) })
	case Prefix:
		return slices.ContainsFunc(n.Field.Values(c), func(v string) bool { return strings.HasPrefix(text.Fold(v), n.Value) })
	case Range:
		v := n.Field.Int(c)
		return v != nil && (n.Min == nil || *v >= *n.Min) && (n.Max == nil || *v <= *n.Max)
	case Term:
		return matchWord(n.Word, c)
	case Phrase:
		if len(n.Words) == 1 {
			return matchWord(n.Words[0], c)
		}
		return matchWords(n.Words, c)
	case Connected:
		return slices.ContainsFunc(c.Connections, n.matches)
	}
	panic("query: unknown node")
}

func matchWord(word string, c *company.Company) bool {
	return matchWords([]string{word}, c) || containsJoint(c.Name, word) || containsJoint(c.Description, word)
}

func containsJoint(s, word string) (found bool) {
	text.EachJoint(s, func(left, right string) { found = found || left+right == word })
	return found
}

func matchWords(words []string, c *company.Company) bool {
	return containsRun(text.Tokens(c.Name), words) || containsRun(text.Tokens(c.Description), words)
}

// containsRun reports whether the words are adjacent, in this order, among the tokens.
func containsRun(tokens, words []string) bool {
	for len(tokens) >= len(words) {
		if slices.Equal(tokens[:len(words)], words) {
			return true
		}
		tokens = tokens[1:]
	}
	return false
}

func (n Connected) matches(c company.Connection) bool {
	return (n.Category == "" || text.Fold(c.Category) == n.Category) &&
		(n.Company.IsZero() || c.ID == n.Company) &&
		(n.Domain == "" || strings.ToLower(c.Domain) == n.Domain)
}

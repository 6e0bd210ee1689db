package indexing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// orders compares every order that does not depend on a query, so names and numbers to the last digit.
func (a *indexAudit) orders(ctx context.Context, s stretch, within *company.Set) (string, error) {
	for _, by := range []query.Sort{
		{By: query.ByName}, {By: query.ByEmployeeCount, Desc: true}, {By: query.ByFoundedYear}, {By: query.ByUpdatedAt, Desc: true},
	} {
		want := slices.Clone(s.companies)
		slices.SortFunc(want, by.Compare)
		got, err := a.Index.Select(ctx, index.Selection{Sort: by, Limit: max(1, len(want)), Within: within})
		if err != nil {
			return "", err
		}
		for i, n := range got.Numbers[:min(len(got.Numbers), len(want))] {
			if n != want[i].Number {
				return fmt.Sprintf("sorted by %s, the index has company number %d where the catalog has %d", by, n, want[i].Number), nil
			}
		}
	}
	return "", nil
}

// Bounds of what words asks: it stands for all the companies of a part, as reading every text would take too long.
const (
	askedMax      = 3
	neighboursMax = 200
	termsMax      = 8
)

// words takes a few companies, asks the index for what it should find them by, and holds the answer against query.Match
// over the companies around them.
func (a *indexAudit) words(ctx context.Context, s stretch, _ *company.Set) (string, error) {
	step := max(1, len(s.companies)/askedMax)
	for i := 0; i < len(s.companies); i += step {
		around := stretch{companies: s.companies[i:min(i+neighboursMax, len(s.companies))]}
		around.first, around.last = around.companies[0].Number, around.companies[len(around.companies)-1].Number
		for _, q := range questions(s.companies[i]) {
			if problem, err := a.ask(ctx, around, q); err != nil || problem != "" {
				return problem, err
			}
		}
	}
	return "", nil
}

// questions are what the company should be found by, one thing at a time.
func questions(c *company.Company) []query.Node {
	var nodes []query.Node
	name, description := text.Tokens(c.Name), text.Tokens(c.Description)
	for _, w := range name[:min(len(name), termsMax)] {
		if w != text.Break {
			nodes = append(nodes, query.Term{Word: w})
		}
	}
	if len(name) > 1 {
		nodes = append(nodes, query.Phrase{Words: name})
	}
	if n := len(description); n > 1 {
		nodes = append(nodes, query.Term{Word: description[n-1]}, query.Phrase{Words: description[:min(n, 3)]})
	}
	for _, f := range []query.Field{query.FieldEmployeeCount, query.FieldFoundedYear} {
		if v := f.Int(c); v != nil {
			nodes = append(nodes, query.Range{Field: f, Min: v, Max: v})
		}
	}
	for _, code := range c.NAICSCodes {
		nodes = append(nodes, query.Prefix{Field: query.FieldNAICS, Value: text.Fold(code)})
	}
	for _, to := range c.Connections[:min(len(c.Connections), termsMax)] {
		nodes = append(nodes, query.Connected{Category: text.Fold(to.Category), Company: to.ID, Domain: strings.ToLower(to.Domain)})
	}
	return nodes
}

func (a *indexAudit) ask(ctx context.Context, s stretch, n query.Node) (string, error) {
	var want []company.Number
	for _, c := range s.companies {
		if query.MatchNode(n, c) {
			want = append(want, c.Number)
		}
	}
	got, err := a.Index.Select(ctx, index.Selection{
		Query: query.Query{Root: query.Simplify(n)}, Sort: query.Sort{By: query.ByName}, Limit: len(s.companies), Within: s.numbers(),
	})
	if err != nil {
		return "", err
	}
	slices.Sort(got.Numbers)
	if slices.Equal(got.Numbers, want) {
		return "", nil
	}
	return fmt.Sprintf("asked for %s, the index finds %d of them, and the catalog has %d", spoken(n), len(got.Numbers), len(want)), nil
}

// spoken is a question in words.
func spoken(n query.Node) string {
	switch n := n.(type) {
	case query.Term:
		return fmt.Sprintf("%q", n.Word)
	case query.Phrase:
		return fmt.Sprintf("%q", strings.Join(n.Words, " "))
	case query.Range:
		return fmt.Sprintf("%s %s", n.Field, bound(n.Min))
	case query.Prefix:
		return fmt.Sprintf("%s %q", n.Field, n.Value)
	case query.Connected:
		return fmt.Sprintf("the %s %s", n.Category, n.Domain)
	}
	return "something"
}

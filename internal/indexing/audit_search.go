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

// orders compares the orders that need no query. They depend on whole names and exact numbers, which facets do not show.
func (a *indexAudit) orders(ctx context.Context, s numberRange, within *company.Set) (string, error) {
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

// Bounds of the sample that words takes, because searching for every text would take too long.
const (
	askedMax      = 3   // companies of a range that are searched for, about
	neighboursMax = 200 // companies around each that are compared
	termsMax      = 8   // words or connections of a company
)

// words searches the index for what a few of the companies should be found by, and compares the result with query.Match
// on the companies around them.
func (a *indexAudit) words(ctx context.Context, s numberRange, _ *company.Set) (string, error) {
	step := max(1, len(s.companies)/askedMax)
	for i := 0; i < len(s.companies); i += step {
		around := numberRange{companies: s.companies[i:min(i+neighboursMax, len(s.companies))]}
		around.first, around.last = around.companies[0].Number, around.companies[len(around.companies)-1].Number
		for _, q := range questions(s.companies[i]) {
			if problem, err := a.ask(ctx, around, q); err != nil || problem != "" {
				return problem, err
			}
		}
	}
	return "", nil
}

// questions returns conditions that the company meets, one for each thing it should be found by.
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

// ask compares the companies in s that the index finds with those that query.Match finds.
func (a *indexAudit) ask(ctx context.Context, s numberRange, n query.Node) (string, error) {
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
	return fmt.Sprintf("searched for %s, the index finds %d of them, and the catalog has %d", describe(n), len(got.Numbers), len(want)), nil
}

// describe returns a condition for people.
func describe(n query.Node) string {
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

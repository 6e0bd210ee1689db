package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Candidate is a company that a row may mean, with what speaks for it.
type Candidate struct {
	Item
	Match    bool    // it is the one that Match returns for the row
	Score    float64 // 0 to 100. A match has its confidence in percent, at least 60; any other candidate has less than 60
	Features []Feature
}

// Feature is a comparison of a row with a candidate. Comparisons with unknown or locked values are left out.
type Feature struct {
	ID    string
	Value any // a bool, or for name_similarity a float64 from 0 to 100
}

// The points of candidates that are not the match of their row. Together they are less than the confidence of any match.
const (
	pointsOfName       = 40 // for equal names, fewer for similar ones
	pointsOfPlace      = 5  // for each of country and city
	pointsOfIdentifier = 9  // for a domain or a page that several companies share
)

// similarEnough is the least similarity of names, 0 to 1, of a candidate that shares nothing but a similar name.
const similarEnough = 0.5

// similarMax is how many companies with words of a name are compared with it.
const similarMax = 50

// Asked is a row whose candidates are wanted. The name may also be an id, a domain or a page on LinkedIn, as somebody types it.
type Asked struct {
	MatchRow
	Limit int // candidates, at least 1
}

// Errors returns why the row cannot be matched, by the names of its values; nil if it can.
func (a Asked) Errors() []fault.FieldError {
	errs := a.errors()
	for i := range errs {
		errs[i].Field = strings.TrimPrefix(errs[i].Field, ".")
	}
	return errs
}

// Candidates returns the companies that each row may mean, best first: the match alone if Match finds one, else all companies that may
// be meant, else those of the very name and those with similar names. It keeps nothing and charges nothing. Excluded lists do not apply, as in Match. The rows
// must have no Errors.
func (s *Searcher) Candidates(ctx context.Context, caller auth.Caller, rows []Asked) ([][]Candidate, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	removed, err := s.Catalog.Removed(ctx)
	if err != nil {
		return nil, err
	}
	m := &matching{seen: seen, removed: removed}
	// The rows, then what their names are if they are no names, with the rest of the row and alone.
	prepared := make([]preparedRow, 3*len(rows))
	for i := range rows {
		prepared[i], prepared[len(rows)+i] = prepare(&rows[i].MatchRow), prepare(typed(rows[i].MatchRow))
		prepared[2*len(rows)+i] = prepare(typed(MatchRow{Name: rows[i].Name}))
	}
	known, err := s.Catalog.Candidates(ctx, identifiersOf(prepared))
	if err != nil {
		return nil, err
	}
	all := make([][]Candidate, len(rows))
	var shown []company.Number
	for i := range rows {
		r := &prepared[i]
		o := m.outcome(r, known)
		if o.sure > 0 {
			o = o.unless(m.outcome(&prepared[2*len(rows)+i], known))
		}
		if len(o.companies) == 0 {
			r = &prepared[len(rows)+i]
			o = m.outcome(r, known)
		}
		if len(o.companies) == 0 {
			if o.companies, err = s.similar(ctx, caller, m, r); err != nil {
				return nil, err
			}
			// Those of the very name whose place contradicts. The order of relevance alone could leave them out.
			o.companies = joined(m.present(known.ByName[r.name]), o.companies)
		}
		for _, c := range o.companies {
			all[i] = append(all[i], m.candidate(r, o, c))
		}
		slices.SortStableFunc(all[i], func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
		all[i] = all[i][:min(len(all[i]), rows[i].Limit)]
		for _, c := range all[i] {
			shown = append(shown, c.Number)
		}
	}
	return all, s.show(ctx, seen, shown)
}

// unless returns the outcome, or an uncertain one with both companies if it is that of an identifier, and the name is an identifier of
// another company.
func (o outcome) unless(named outcome) outcome {
	byIdentifier := func(by MatchReason) bool { return by == ByID || by == ByDomain || by == ByLinkedIn }
	if !byIdentifier(o.by) || !byIdentifier(named.by) || named.sure == 0 || named.companies[0].Number == o.companies[0].Number {
		return o
	}
	return outcome{companies: append(slices.Clip(o.companies), named.companies...)}
}

// typed returns the row with its name read as an id, a page on LinkedIn or a domain, if it is one.
func typed(r MatchRow) *MatchRow {
	name := strings.TrimSpace(r.Name)
	_, err := id.Parse[id.Company](name)
	domain, isHost := company.CleanDomain(name)
	switch {
	case err == nil:
		r.ID = cmp.Or(r.ID, name)
	case identity.Page(name) != "":
		r.LinkedIn = cmp.Or(r.LinkedIn, name)
	case isHost && !strings.ContainsAny(name, " \t") && company.KnownSuffix(domain):
		r.Domain = cmp.Or(r.Domain, name)
	}
	return &r
}

// candidate compares the row with one of the companies of its outcome.
func (m *matching) candidate(r *preparedRow, o outcome, of *company.Company) Candidate {
	c := Candidate{Item: m.seen.item(of), Match: o.sure > 0}
	points := 0.0
	add := func(feature string, value any, worth float64) {
		c.Features = append(c.Features, Feature{feature, value})
		points += worth
	}
	visible := m.visible(of)
	if !r.id.IsZero() {
		add("id", of.ID == r.id, 0)
	}
	if len(r.domains) > 0 && (o.by == ByDomain || visible.Domain != "") {
		same := o.by == ByDomain || slices.Contains(r.domains, visible.Domain)
		add("domain", same, worth(same, pointsOfIdentifier))
	}
	if page := identity.Page(visible.LinkedInURL); r.page != "" && (o.by == ByLinkedIn || page != "") {
		same := o.by == ByLinkedIn || page == r.page
		add("linkedin_url", same, worth(same && o.by == ByLinkedIn, pointsOfIdentifier))
	}
	if r.name != "" {
		alike := similarity(r.name, identity.Name(of.Name))
		add("name_similarity", math.Round(100*alike), pointsOfName*alike)
	}
	have := identity.PlaceOf(visible)
	for _, place := range []struct{ name, have, given string }{{"country", have.Country, r.place.Country}, {"city", have.City, r.place.City}} {
		if place.have != "" && place.given != "" {
			add(place.name, place.have == place.given, worth(place.have == place.given, pointsOfPlace))
		}
	}
	c.Score = math.Round(10*points) / 10
	if c.Match {
		c.Score = 100 * o.sure
	}
	return c
}

func worth(same bool, points float64) float64 {
	if same {
		return points
	}
	return 0
}

// similar returns companies whose names are similar to the row's. The words of descriptions and locked values decide nothing.
func (s *Searcher) similar(ctx context.Context, caller auth.Caller, m *matching, r *preparedRow) ([]*company.Company, error) {
	words := text.Tokens(r.spelled)
	if len(words) == 0 {
		return nil, nil
	}
	var found []*company.Company
	for _, f := range []query.Filters{{Query: strings.Join(words, " "), Prefix: true}, {Keywords: words}} {
		all, err := s.named(ctx, caller, m.seen, f, similarMax)
		if err != nil {
			return nil, err
		}
		found = filter(m.present(all), func(c *company.Company) bool { return similarity(r.name, identity.Name(c.Name)) >= similarEnough })
		if len(found) > 0 {
			break
		}
	}
	return found, nil
}

// inNames are the fields whose words a search for names leaves out.
var inNames = func() company.FieldSet {
	var others []string
	for i := range company.Fields {
		if name := company.Fields[i].Name; name != "description" && name != "domain" {
			others = append(others, name)
		}
	}
	return company.LockedBy(others)
}()

// named returns the first companies whose names match the filters on words, in the order of relevance as the caller may see it.
func (s *Searcher) named(ctx context.Context, caller auth.Caller, seen seen, f query.Filters, limit int) ([]*company.Company, error) {
	q, err := query.Parse(f)
	if fault.CodeOf(err) == fault.Validation {
		return nil, nil // no name is like a text without words, or one that is too long
	}
	if err != nil {
		return nil, err
	}
	alone := seen
	alone.locked |= inNames
	q, _, err = s.bound(ctx, caller, alone, q, unranked)
	if err != nil {
		return nil, err
	}
	by, _ := query.Sort{By: query.ByRelevance, Desc: true}.Bounded(seen.locked)
	found, err := s.Index.Select(ctx, index.Selection{Query: q, Sort: by, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("look up names: %w", err)
	}
	return s.Catalog.ByNumbers(ctx, found.Numbers)
}

// similarity returns how similar two names are, 0 to 1: the pairs of adjacent characters that both have, as a share of all pairs of both
// (the Sørensen-Dice coefficient of bigrams).
func similarity(a, b string) float64 {
	if a == b {
		return 1
	}
	pairs := map[[2]rune]int{}
	all, shared := 0, 0
	eachPair(a, func(pair [2]rune) { pairs[pair]++; all++ })
	eachPair(b, func(pair [2]rune) {
		all++
		if pairs[pair] > 0 {
			pairs[pair]--
			shared++
		}
	})
	if all == 0 {
		return 0
	}
	return 2 * float64(shared) / float64(all)
}

func eachPair(s string, fn func(pair [2]rune)) {
	before := rune(-1)
	for _, r := range s {
		if before >= 0 {
			fn([2]rune{before, r})
		}
		before = r
	}
}

// suggestionsMax is how many suggestions can be skipped and returned together.
const suggestionsMax = 100

// Suggest returns companies whose names are the text, begin with it, or contain all of its words, the last of which may be unfinished, in
// this order; a whole id or domain finds its company. It skips the first ones. Excluded lists do not apply, as in Match.
func (s *Searcher) Suggest(ctx context.Context, caller auth.Caller, begun string, skip, limit int) ([]Item, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	var found []*company.Company
	if of, err := id.Parse[id.Company](strings.TrimSpace(begun)); err == nil {
		numbers, _, err := s.Catalog.Numbers(ctx, []id.Company{of})
		if err != nil {
			return nil, err
		}
		if found, err = s.Catalog.ByNumbers(ctx, numbers); err != nil {
			return nil, err
		}
	} else if len(text.Tokens(begun)) > 0 && skip < suggestionsMax {
		if found, err = s.suggestions(ctx, caller, seen, begun); err != nil {
			return nil, err
		}
	}
	found = found[min(skip, len(found)):]
	found = found[:min(limit, len(found))]
	items := make([]Item, len(found))
	shown := make([]company.Number, len(found))
	for i, c := range found {
		items[i], shown[i] = seen.item(c), c.Number
	}
	return items, s.show(ctx, seen, shown)
}

// suggestions returns the companies of the very name that was typed, then those whose names begin with it, then others with its words.
func (s *Searcher) suggestions(ctx context.Context, caller auth.Caller, seen seen, begun string) ([]*company.Company, error) {
	found, err := s.named(ctx, caller, seen, query.Filters{Query: begun, Prefix: true}, suggestionsMax)
	if err != nil {
		return nil, err
	}
	if name := identity.Name(begun); name != "" {
		known, err := s.Catalog.Candidates(ctx, catalog.Identifiers{Names: []string{name}})
		if err != nil {
			return nil, err
		}
		removed, err := s.Catalog.Removed(ctx)
		if err != nil {
			return nil, err
		}
		found = joined((&matching{removed: removed}).present(known.ByName[name]), found)
	}
	folded := text.Fold(begun)
	slices.SortStableFunc(found, func(a, b *company.Company) int {
		return cmp.Compare(likeness(b.Name, folded), likeness(a.Name, folded))
	})
	return found[:min(len(found), suggestionsMax)], nil
}

// joined returns the first companies, then those of the others that are not among them.
func joined(first, others []*company.Company) []*company.Company {
	return append(first, slices.DeleteFunc(others, func(c *company.Company) bool {
		return slices.ContainsFunc(first, func(f *company.Company) bool { return f.Number == c.Number })
	})...)
}

// likeness ranks a name by how it begins: 2 if it is the folded text, 1 if it begins with it.
func likeness(name, folded string) int {
	switch name = text.Fold(name); {
	case name == folded:
		return 2
	case strings.HasPrefix(name, folded):
		return 1
	}
	return 0
}

// ByIDs returns the companies by their ids, with their connections if the caller asks for them. Unknown ids are left out. For the daily
// limits it shows the companies that they are connected to, too.
func (s *Searcher) ByIDs(ctx context.Context, caller auth.Caller, ids []id.Company, connected bool) (map[id.Company]Item, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	numbers, _, err := s.Catalog.Numbers(ctx, ids)
	if err != nil {
		return nil, err
	}
	companies, err := s.Catalog.ByNumbers(ctx, numbers)
	if err != nil {
		return nil, err
	}
	items := make(map[id.Company]Item, len(companies))
	for _, c := range companies {
		if connected {
			if c, err = s.Catalog.ByID(ctx, c.ID); err != nil {
				return nil, err
			}
		}
		item := seen.item(c)
		items[c.ID] = item
		numbers = append(numbers, connectedTo(item)...)
	}
	return items, s.show(ctx, seen, numbers)
}

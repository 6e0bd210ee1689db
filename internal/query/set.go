package query

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// SetRef is a set of companies as clients write it: exactly one member is set.
type SetRef struct {
	Search        *Filters `json:"search,omitempty" doc:"The companies that match these filters, which are those of Search companies."`
	ListID        string   `json:"list_id,omitempty" format:"uuid" doc:"The companies on this saved list."`
	SavedSearchID string   `json:"saved_search_id,omitempty" format:"uuid" doc:"The companies that this saved search finds now."`
	ExportID      string   `json:"export_id,omitempty" format:"uuid" doc:"The companies that this export delivers: none if it failed or was cancelled."`
	MatchID       string   `json:"match_id,omitempty" format:"uuid" doc:"The companies that Match a list of companies found, for 15 minutes. With source_type match, an export also has the keys of the rows."`
	Owned         bool     `json:"owned,omitempty" doc:"true: the companies that the workspace owns."`
	Companies     []string `json:"companies,omitempty" format:"uuid" maxItems:"10000" doc:"Ids of companies."`
	AnyOf         []SetRef `json:"any_of,omitempty" doc:"The companies in any of these sets."`
	AllOf         []SetRef `json:"all_of,omitempty" doc:"The companies in all of these sets."`
	Not           *SetRef  `json:"not,omitempty" doc:"The companies that are not in this set."`
}

// Bounds of the sets of one request.
const (
	SetDepthMax     = 8      // levels of sets within sets
	SetsMax         = 100    // sets, those within others included
	SetCompaniesMax = 10_000 // ids of companies in all sets
)

// SetKind says where a stored set is kept. It is the name of the member of a SetRef.
type SetKind string

// The kinds of stored sets.
const (
	SetOfList        SetKind = "list_id"
	SetOfSavedSearch SetKind = "saved_search_id"
	SetOfExport      SetKind = "export_id"
	SetOfMatch       SetKind = "match_id"
	SetOwned         SetKind = "owned"
	SetOfCompanies   SetKind = "companies"

	// What the filters of these names select. The ID is a time in RFC 3339, or the id of an export.
	SetAddedSince   SetKind = "added_since"
	SetChangedSince SetKind = "changed_since"
)

// StoredSet names a set whose companies a query does not say.
type StoredSet struct {
	Kind      SetKind
	ID        string       // of the list, the saved search, the export or the match
	Companies []id.Company // of SetOfCompanies
}

// Key returns a text that is the same for references to the same set alone.
func (s StoredSet) Key() string {
	if s.Kind != SetOfCompanies {
		return string(s.Kind) + ":" + s.ID
	}
	sum := sha256.New()
	for _, c := range s.Companies {
		sum.Write(c.UUID[:])
	}
	return string(s.Kind) + ":" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// SetUse is a stored set and the place where the filters name it, such as not_in[0].list_id.
type SetUse struct {
	Field string
	Of    StoredSet
}

// setSizes counts what all sets of a request have together.
type setSizes struct {
	depth, sets, companies int
	around                 int // levels and sets that something else has around these
}

// CompanyCount returns the number of ids of companies in the set and those within it.
func (r *SetRef) CompanyCount() int {
	n := len(r.Companies)
	for _, parts := range [][]SetRef{r.AnyOf, r.AllOf} {
		for i := range parts {
			n += parts[i].CompanyCount()
		}
	}
	if r.Not != nil {
		n += r.Not.CompanyCount()
	}
	if r.Search != nil {
		n += (&SetRef{AnyOf: r.Search.In, AllOf: r.Search.NotIn}).CompanyCount()
	}
	return n
}

// ParseSets checks sets and reads each as a query. They share the bounds of one request, less the levels that sets around them will have. A
// fault.Validation error lists every invalid value; field is the parameter that has them.
func ParseSets(field string, refs []SetRef, levels int) ([]Query, error) {
	sizes, queries := &setSizes{depth: levels, sets: levels, around: levels}, make([]Query, len(refs))
	var errs []fault.FieldError
	for i, ref := range refs {
		p := parser{sizes: sizes}
		queries[i] = p.readSet(fmt.Sprintf("%s[%d]", field, i), ref)
		errs = append(errs, p.errs...)
	}
	return queries, fault.Invalid(errs...)
}

// ParseSet checks one set and reads it as a query. A fault.Validation error lists every invalid value; field is the parameter that
// has the set.
func ParseSet(field string, ref SetRef) (Query, error) { return parseSet(field, ref, 0) }

func parseSet(field string, ref SetRef, locked company.FieldSet) (Query, error) {
	p := parser{locked: locked, sizes: &setSizes{}}
	q := p.readSet(field, ref)
	return q, fault.Invalid(p.errs...)
}

func (p *parser) readSet(field string, ref SetRef) Query {
	p.want(p.inSet(field, &ref), false)
	q := p.query()
	q.filters, q.setField = Filters{In: []SetRef{ref}}, field
	return q
}

// Sets returns the stored sets that the query names and that are not filled in.
func (q Query) Sets() []SetUse { return q.sets }

// Unresolved returns an error if the query names a stored set that Resolve has not filled in. An index must not answer it.
func (q Query) Unresolved() error {
	if len(q.sets) == 0 {
		return nil
	}
	return fmt.Errorf("query: the companies of %s are not known", q.sets[0].Field)
}

// Resolve returns the query with the stored sets filled in: content returns the companies of one, or a query that selects them.
// It is called for each place that names a set, in their order.
func (q Query) Resolve(content func(SetUse) (SetContent, error)) (Query, error) {
	if len(q.sets) == 0 {
		return q, nil
	}
	filled, notes := map[string]Node{}, slices.Clip(q.notes)
	for _, use := range q.sets {
		key := use.Of.Key()
		c, err := content(use)
		if err != nil {
			return Query{}, err
		}
		_, again := filled[key]
		filled[key] = InSet{Key: key, Set: c.Companies}
		if c.Query != nil {
			filled[key] = Within{c.Query.Root}
		}
		if c.Query != nil && !again {
			for _, e := range c.Query.widened {
				q.widened = append(slices.Clip(q.widened), fault.FieldError{Field: use.Field, Message: "is a saved search whose filter " + e.Field + " " + e.Message})
			}
			notes = withNew(notes, c.Query.notes) // two saved searches may name a third
		}
		notes = withNew(notes, c.Notices)
	}
	q.Root, q.notes, q.sets = Simplify(fill(q.Root, filled)), notes, nil
	return q, nil
}

// withNew returns the notices with those of more that are not among them.
func withNew(notes, more []Notice) []Notice {
	for _, n := range more {
		if !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	return notes
}

// SetContent is what a stored set has.
type SetContent struct {
	Companies company.Set
	Query     *Query // in place of Companies: a resolved query that selects them
	Notices   []Notice
}

// fill returns the tree with the nodes in place of the InSet of their keys.
func fill(n Node, by map[string]Node) Node {
	switch n := n.(type) {
	case And:
		return And(fillAll(n, by))
	case Or:
		return Or(fillAll(n, by))
	case Not:
		return Not{fill(n.Node, by)}
	case Within:
		return Within{fill(n.Node, by)}
	case InSet:
		return by[n.Key]
	}
	return n
}

func fillAll(nodes []Node, by map[string]Node) []Node {
	filled := make([]Node, len(nodes))
	for i, n := range nodes {
		filled[i] = fill(n, by)
	}
	return filled
}

func (p *parser) inSets(of *Param, refs []SetRef) {
	var either Or
	for i := range refs {
		either = append(either, p.inSet(fmt.Sprintf("%s[%d]", of.Name, i), &refs[i]))
	}
	if len(either) > 0 {
		p.want(either, of.Exclude)
	}
}

// inSet returns the condition of being in the set.
func (p *parser) inSet(field string, r *SetRef) Node {
	p.sizes.sets++
	p.sizes.depth++
	defer func() { p.sizes.depth-- }()
	if p.sizes.depth > SetDepthMax {
		p.fail(field, "is nested too deeply: sets may have %d levels here", SetDepthMax-p.sizes.around)
		return nil
	}
	if p.sizes.sets > SetsMax {
		if p.sizes.sets == SetsMax+1 {
			p.fail(field, "is too much: a request may have %d sets, those within others included", SetsMax-p.sizes.around)
		}
		return nil
	}
	if names := r.members(); len(names) != 1 {
		message := "must have one of " + setMembers
		if len(names) > 1 {
			message = "must have one member, not " + strings.Join(names, " and ") + "; combine sets with all_of or any_of"
		}
		p.fail(field, "%s", message)
		return nil
	}
	switch {
	case r.Search != nil:
		return p.matching(field+".search", r.Search)
	case r.AnyOf != nil:
		return Or(p.setsIn(field+".any_of", r.AnyOf))
	case r.AllOf != nil:
		return And(p.setsIn(field+".all_of", r.AllOf))
	case r.Not != nil:
		return Not{p.inSet(field+".not", r.Not)}
	default:
		return p.stored(field, r)
	}
}

const setMembers = "search, list_id, saved_search_id, export_id, match_id, owned (which must be true), companies, any_of, all_of and not"

// members returns the names of the members that are set.
func (r *SetRef) members() (names []string) {
	for _, m := range []struct {
		name string
		set  bool
	}{
		{"search", r.Search != nil},
		{string(SetOfList), r.ListID != ""},
		{string(SetOfSavedSearch), r.SavedSearchID != ""},
		{string(SetOfExport), r.ExportID != ""},
		{string(SetOfMatch), r.MatchID != ""},
		{string(SetOwned), r.Owned},
		{string(SetOfCompanies), r.Companies != nil},
		{"any_of", r.AnyOf != nil},
		{"all_of", r.AllOf != nil},
		{"not", r.Not != nil},
	} {
		if m.set {
			names = append(names, m.name)
		}
	}
	return names
}

func (p *parser) setsIn(field string, refs []SetRef) []Node {
	if len(refs) == 0 {
		p.fail(field, "must have at least one set")
	}
	nodes := make([]Node, len(refs))
	for i := range refs {
		nodes[i] = p.inSet(fmt.Sprintf("%s[%d]", field, i), &refs[i])
	}
	return nodes
}

// matching returns the condition of filters within a set.
func (p *parser) matching(field string, f *Filters) Node {
	inner := parser{locked: p.locked, sizes: p.sizes}
	inner.all(f)
	if len(inner.parts) == 0 && len(inner.errs) == 0 && f.hasEmptyList() {
		inner.fail("", "has only empty filters, so it is every company; send {} for every company")
	}
	within := func(name string) string { return strings.TrimSuffix(field+"."+name, ".") }
	for _, e := range inner.errs {
		p.errs = append(p.errs, fault.FieldError{Field: within(e.Field), Message: e.Message})
	}
	for _, e := range inner.widened {
		p.widened = append(p.widened, fault.FieldError{Field: within(e.Field), Message: e.Message})
	}
	for _, n := range inner.notes {
		n.Param = within(n.Param)
		p.notes = append(p.notes, n)
	}
	for _, g := range inner.given {
		g.Param = within(g.Param)
		p.given = append(p.given, g)
	}
	for _, g := range inner.conflicts {
		g.Param = within(g.Param)
		p.conflicts = append(p.conflicts, g)
	}
	for _, s := range inner.sets {
		s.Field = within(s.Field)
		p.sets = append(p.sets, s)
	}
	return Within{inner.parts}
}

// hasEmptyList reports whether a filter was sent as an empty list.
func (f *Filters) hasEmptyList() bool {
	for i := range Params {
		p := &Params[i]
		if p.Texts != nil && *p.Texts(f) != nil || p.Sets != nil && *p.Sets(f) != nil {
			return true
		}
	}
	return f.Connections != nil
}

// stored returns the condition of being in a set that is kept elsewhere, which has its companies once it is resolved.
func (p *parser) stored(field string, r *SetRef) Node {
	s := StoredSet{Kind: SetKind(r.members()[0])}
	field += "." + string(s.Kind)
	switch s.Kind {
	case SetOfList:
		s.ID = p.setID(field, "a list", r.ListID)
	case SetOfSavedSearch:
		s.ID = p.setID(field, "a saved search", r.SavedSearchID)
	case SetOfExport:
		s.ID = p.setID(field, "an export", r.ExportID)
	case SetOfMatch:
		s.ID = p.setID(field, "a match", r.MatchID)
	case SetOfCompanies:
		s.Companies = p.companies(field, r.Companies)
	case SetOwned:
	case SetAddedSince, SetChangedSince: // filters of their own, which no SetRef has
	}
	p.sets = append(p.sets, SetUse{field, s})
	return InSet{Key: s.Key()}
}

func (p *parser) companies(field string, raws []string) []id.Company {
	p.sizes.companies += len(raws)
	switch {
	case len(raws) == 0:
		p.fail(field, "must have at least one id")
	case p.sizes.companies > SetCompaniesMax:
		p.fail(field, "is too much: the sets of a request may have %d ids of companies; use a list for more", SetCompaniesMax)
		return nil
	}
	companies := make([]id.Company, len(raws))
	for i, raw := range raws {
		one, err := id.Parse[id.Company](raw)
		if err != nil || one.IsZero() {
			p.fail(fmt.Sprintf("%s[%d]", field, i), "must be a company's id, a UUID")
		}
		companies[i] = one
	}
	return companies
}

// setID returns the id of a list, a saved search, an export or a match: all are UUIDs.
func (p *parser) setID(field, of, raw string) string {
	parsed, err := id.Parse[id.List](raw)
	if err != nil || parsed.IsZero() {
		p.fail(field, "must be the id of %s, a UUID", of)
	}
	return parsed.String()
}

// since adds the condition of having been added or changed after a time, or after an export was created.
func (p *parser) since(of *Param, raw string) {
	if raw == "" {
		return
	}
	s := StoredSet{Kind: SetKind(of.Name)}
	if export, err := id.Parse[id.Export](raw); err == nil && !export.IsZero() {
		s.ID = export.String()
	} else if t, err := time.Parse(time.RFC3339, raw); err == nil && t.Year() > 1900 {
		s.ID = t.UTC().Format(time.RFC3339Nano)
	} else {
		p.fail(of.Name, "must be a time, such as 2026-11-30T08:00:00Z, or the id of an export")
		return
	}
	p.sets = append(p.sets, SetUse{of.Name, s})
	p.want(InSet{Key: s.Key()}, of.Exclude)
}

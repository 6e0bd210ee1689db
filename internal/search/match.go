package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/match"
	"github.com/opencapi/capi/internal/text"
)

// MatchRow is a row of a caller's list. Values are given as people write them; an empty value is unknown.
type MatchRow struct {
	Key      string // what the caller calls the row; not compared
	ID       string // a company's id, or that of the source of the catalog
	Name     string
	Domain   string // a URL or an address of an email is read as its domain
	Website  string
	LinkedIn string // the URL of the company's page
	Country  string // a name or a code
	City     string
}

// The most rows of a list, and characters of a value.
const (
	MatchRowsMax       = 10_000
	matchValueRunesMax = 1_000
	candidatesShownMax = 5
	matchChunk         = 500 // rows that are looked up at a time
)

// MatchStatus says what a row matched.
type MatchStatus string

// The statuses, by their names in the API.
const (
	Matched   MatchStatus = "matched"
	Ambiguous MatchStatus = "ambiguous" // several companies, none of which is clearly meant
	Unmatched MatchStatus = "unmatched"
)

// MatchReason is the value by which a row matched.
type MatchReason string

// The reasons, by their names in the API.
const (
	ByID       MatchReason = "id"
	ByDomain   MatchReason = "domain"
	ByLinkedIn MatchReason = "linkedin_url"
	ByName     MatchReason = "name"
)

// The confidences of matches. They are fixed by the rule that matched, so that everybody can explain them.
const (
	sureOfID         = 1.0
	sureOfDomain     = 0.95
	sureOfShared     = 0.9 // a domain of several companies, of which one has the name, or the place
	sureOfPage       = 0.9
	sureOfNameInCity = 0.9
	sureOfNamePlace  = 0.8 // the name, and the country or the city
	sureOfName       = 0.6 // the name alone, which one company has
)

// RowMatch is what a row matched.
type RowMatch struct {
	Status     MatchStatus
	Reason     MatchReason // empty if unmatched
	Confidence float64     // 0 to 1; 0 unless matched
	Company    *Item       // nil unless matched
	Candidates []Item      // of an ambiguous row, at most five, the likeliest first
	More       bool        // there are more candidates
}

// MatchResult is what a list matched.
type MatchResult struct {
	match.Result            // the companies that matched, as a set that can be bought; each once, in the order of the rows
	Rows         []RowMatch // in the order of the list
	Counts       map[MatchStatus]int
	Credits      Credits // of the companies that matched and are not excluded
	Excluded     int     // companies that matched and are on an excluded list, which a quote and an export leave out
	Coverage     []Count // how many of the companies have a value of each field, in the table's order
}

// Match finds the company of each row: by its id, else its domain, else its page on LinkedIn, else its name where the place and the
// domain do not contradict. What is locked neither confirms, contradicts nor orders; a locked domain or page is only found if it is
// given in full. Nothing is charged, and of the rows only their keys are kept. Validation with the number of the row.
func (s *Searcher) Match(ctx context.Context, caller auth.Caller, rows []MatchRow) (*MatchResult, error) {
	if err := checkRows(rows); err != nil {
		return nil, err
	}
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	removed, err := s.Catalog.Removed(ctx)
	if err != nil {
		return nil, err
	}
	m := &matching{seen: seen, removed: removed, found: &MatchResult{Counts: map[MatchStatus]int{}}, at: map[company.Number]int{}, known: map[string]int{}}
	for part := range slices.Chunk(rows, matchChunk) {
		prepared := make([]preparedRow, len(part))
		for i := range part {
			prepared[i] = prepare(&part[i])
		}
		candidates, err := s.Catalog.Candidates(ctx, identifiersOf(prepared))
		if err != nil {
			return nil, err
		}
		for i := range prepared {
			m.take(&prepared[i], candidates)
		}
	}
	found := m.found
	for _, name := range company.Knowable {
		found.Coverage = append(found.Coverage, Count{Value: name, Count: m.known[name]})
	}
	if err := s.show(ctx, seen, m.shown); err != nil {
		return nil, err
	}
	if found.Result, err = s.Matches.Add(ctx, caller.Workspace, m.entries); err != nil {
		return nil, err
	}
	return found, nil
}

// Matched returns a match that was made before, without its rows, with its price as of now. NotFound as for match.Store.Get.
func (s *Searcher) Matched(ctx context.Context, caller auth.Caller, result id.MatchResult) (*MatchResult, error) {
	kept, err := s.Matches.Get(ctx, caller.Workspace, result)
	if err != nil {
		return nil, err
	}
	owned, err := s.Unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	excluded, err := s.Lists.Excluded(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	companies, err := s.Catalog.ByNumbers(ctx, kept.Numbers())
	if err != nil {
		return nil, err
	}
	found := &MatchResult{Result: kept}
	known := map[string]int{}
	for _, c := range companies {
		found.price(c.Number, owned, excluded)
		for _, name := range c.KnownFields() {
			known[name]++
		}
	}
	for _, name := range company.Knowable {
		found.Coverage = append(found.Coverage, Count{Value: name, Count: known[name]})
	}
	return found, nil
}

// price counts the company as a quote of the match will.
func (r *MatchResult) price(c company.Number, owned company.Set, excluded []company.Set) {
	switch {
	case slices.ContainsFunc(excluded, func(s company.Set) bool { return s.Has(c) }):
		r.Excluded++
	case owned.Has(c):
		r.Credits.AlreadyUnlocked++
	default:
		r.Credits.NewCount++
	}
}

// checkRows returns the errors of rows that cannot be matched: those without a value to match by, and with one that is too long.
func checkRows(rows []MatchRow) error {
	switch {
	case len(rows) == 0:
		return fault.Invalid(fault.FieldError{Field: "rows", Message: "must have at least one row"})
	case len(rows) > MatchRowsMax:
		return fault.Invalid(fault.FieldError{Field: "rows", Message: fmt.Sprintf("has %d rows; send at most 10,000 at a time", len(rows))})
	}
	var errs []fault.FieldError
	for i := range rows {
		for _, e := range rows[i].errors() {
			e.Field = "rows[" + strconv.Itoa(i) + "]" + e.Field
			errs = append(errs, e)
		}
	}
	return fault.Invalid(errs...)
}

// errors returns what is wrong with the row. The fields are "." and the name of a value, or empty for the whole row.
func (r *MatchRow) errors() (errs []fault.FieldError) {
	for _, v := range []struct{ name, value string }{
		{"key", r.Key},
		{"id", r.ID},
		{"name", r.Name},
		{"domain", r.Domain},
		{"website", r.Website},
		{"linkedin_url", r.LinkedIn},
		{"country", r.Country},
		{"city", r.City},
	} {
		if utf8.RuneCountInString(v.value) > matchValueRunesMax {
			errs = append(errs, fault.FieldError{Field: "." + v.name, Message: "is longer than 1,000 characters"})
		}
	}
	if strings.TrimSpace(r.ID+r.Name+r.Domain+r.Website+r.LinkedIn) == "" {
		errs = append(errs, fault.FieldError{Message: "has nothing to match by; give at least one of id, domain, website, linkedin_url and name"})
	}
	return errs
}

// preparedRow is a row with its values as they are compared.
type preparedRow struct {
	key      string
	id       id.Company
	weak     bool // the id is a mere number, which another source may use for another company
	domains  []string
	page     string
	linkedIn string
	name     string
	spelled  string
	place    identity.Place
}

func prepare(r *MatchRow) preparedRow {
	p := preparedRow{
		key: text.Clean(r.Key), page: identity.Page(r.LinkedIn), linkedIn: r.LinkedIn, name: identity.Name(r.Name), spelled: r.Name,
		place: identity.Place{Country: text.Fold(r.Country), City: text.Fold(r.City)},
	}
	if country, ok := company.LookupCountry(r.Country); ok {
		p.place.Country = text.Fold(country.Name)
	}
	if given := strings.TrimSpace(r.ID); given != "" {
		p.id, p.weak = catalog.CompanyID(given), identity.IsNumber(given)
	}
	for _, given := range []string{r.Domain, r.Website} {
		if domain, ok := company.CleanDomain(given); ok && !slices.Contains(p.domains, domain) {
			p.domains = append(p.domains, domain)
		}
	}
	return p
}

func identifiersOf(rows []preparedRow) (given catalog.Identifiers) {
	for i := range rows {
		r := &rows[i]
		if !r.id.IsZero() {
			given.IDs = append(given.IDs, r.id)
		}
		given.Domains = append(given.Domains, r.domains...)
		if r.page != "" {
			given.Pages = append(given.Pages, r.page)
		}
		if r.name != "" {
			given.Names = append(given.Names, r.name)
		}
	}
	return given
}

// matching is the state of one Match.
type matching struct {
	seen    seen
	removed company.Set
	found   *MatchResult
	entries []match.Entry
	at      map[company.Number]int // of entries
	known   map[string]int
	shown   []company.Number // with the candidates
}

// take matches a row and adds the outcome to the result.
func (m *matching) take(r *preparedRow, candidates *catalog.Candidates) {
	o := m.outcome(r, candidates)
	row := RowMatch{Status: Unmatched}
	switch {
	case o.sure > 0:
		item := m.seen.item(o.companies[0])
		row = RowMatch{Status: Matched, Reason: o.by, Confidence: o.sure, Company: &item}
		m.add(r, o.companies[0])
		m.shown = append(m.shown, o.companies[0].Number)
	case len(o.companies) > 0:
		row = RowMatch{Status: Ambiguous, Reason: o.by, More: len(o.companies) > candidatesShownMax}
		for _, c := range o.companies[:min(len(o.companies), candidatesShownMax)] {
			row.Candidates = append(row.Candidates, m.seen.item(c))
			m.shown = append(m.shown, c.Number)
		}
	}
	m.found.Counts[row.Status]++
	m.found.Rows = append(m.found.Rows, row)
}

// add puts the company of a row into the set.
func (m *matching) add(r *preparedRow, c *company.Company) {
	i, known := m.at[c.Number]
	if !known {
		i = len(m.entries)
		m.at[c.Number] = i
		m.entries = append(m.entries, match.Entry{Company: c.Number})
		m.found.price(c.Number, m.seen.owned, m.seen.excluded)
		for _, name := range c.KnownFields() {
			m.known[name]++
		}
	}
	if e := &m.entries[i]; r.key != "" && !slices.Contains(e.Keys, r.key) {
		e.Keys = append(e.Keys, r.key)
	}
}

// outcome is the companies that a rule found: the one that is meant if sure is not 0, else all that may be.
type outcome struct {
	by        MatchReason
	sure      float64
	companies []*company.Company
}

// outcome applies the rules in their order. The first that finds a company decides.
func (m *matching) outcome(r *preparedRow, found *catalog.Candidates) outcome {
	if c := found.ByID[r.id]; c != nil && !m.removed.Has(c.Number) && (!r.weak || m.confirms(c, r)) {
		return outcome{ByID, sureOfID, []*company.Company{c}}
	}
	for _, domain := range r.domains {
		if all := m.possible(r, found.ByDomain[domain]); len(all) > 0 {
			return m.byDomain(r, domain, all)
		}
	}
	if all := m.present(found.ByPage[r.page]); r.page != "" && len(all) > 0 {
		if len(all) == 1 {
			return outcome{ByLinkedIn, sureOfPage, all}
		}
		return outcome{by: ByLinkedIn, companies: m.ordered(r, all)}
	}
	if r.name == "" {
		return outcome{}
	}
	return m.byName(r, m.possible(r, found.ByName[r.name]), len(found.ByName[r.name]) >= catalog.NamesakesMax)
}

// visible returns the company without what is locked, which must decide nothing.
func (m *matching) visible(c *company.Company) *company.Company { return c.Masked(m.seen.locked) }

// present returns the companies that are still in the catalog.
func (m *matching) present(all []*company.Company) []*company.Company {
	return slices.DeleteFunc(slices.Clone(all), func(c *company.Company) bool { return m.removed.Has(c.Number) })
}

// possible returns the companies whose pages on LinkedIn do not contradict.
func (m *matching) possible(r *preparedRow, all []*company.Company) []*company.Company {
	return slices.DeleteFunc(m.present(all), func(c *company.Company) bool {
		return identity.OtherPage(m.visible(c).LinkedInURL, r.linkedIn)
	})
}

// confirms reports whether the row shares more with the company than a number as its id: the domain, else the name.
func (m *matching) confirms(c *company.Company, r *preparedRow) bool {
	if domain := m.visible(c).Domain; domain != "" && len(r.domains) > 0 {
		return slices.Contains(r.domains, domain)
	}
	return r.name != "" && identity.Name(c.Name) == r.name
}

// byDomain decides between the companies of a domain. Of several, the only one with the name, else the only one in the place, is meant.
func (m *matching) byDomain(r *preparedRow, domain string, all []*company.Company) outcome {
	if len(all) == 1 {
		return outcome{ByDomain, sureOfDomain, all}
	}
	for _, decides := range []func(*company.Company) bool{
		func(c *company.Company) bool { return r.name != "" && identity.Name(c.Name) == r.name },
		func(c *company.Company) bool { return m.placed(r, c) > 0 },
	} {
		if only := filter(all, decides); len(only) == 1 {
			return outcome{ByDomain, sureOfShared, only}
		}
	}
	slices.SortStableFunc(all, func(a, b *company.Company) int { return byLikelihood(domain, m.visible(a), m.visible(b)) })
	return outcome{by: ByDomain, companies: all}
}

// byName decides between the companies of a name: those of which no known value contradicts, and of these the one that agrees most.
// crowded says that the catalog has more companies of the name than these.
func (m *matching) byName(r *preparedRow, all []*company.Company, crowded bool) outcome {
	all = filter(all, func(c *company.Company) bool {
		domain := m.visible(c).Domain
		return m.placed(r, c) >= 0 && (domain == "" || len(r.domains) == 0)
	})
	if len(all) == 0 {
		return outcome{}
	}
	all = m.ordered(r, all)
	best := m.agreement(r, all[0])
	if crowded || len(all) > 1 && m.agreement(r, all[1]) == best {
		return outcome{by: ByName, companies: all}
	}
	sure := sureOfName
	switch m.placed(r, all[0]) {
	case 2:
		sure = sureOfNameInCity
	case 1:
		sure = sureOfNamePlace
	}
	return outcome{ByName, sure, all[:1]}
}

// placed returns how many of country and city are known of both and equal; -1 if one contradicts.
func (m *matching) placed(r *preparedRow, c *company.Company) int {
	have, equal := identity.PlaceOf(m.visible(c)), 0
	for _, pair := range [][2]string{{have.Country, r.place.Country}, {have.City, r.place.City}} {
		switch {
		case !identity.Agree(pair[0], pair[1]):
			return -1
		case pair[0] != "" && pair[1] != "":
			equal++
		}
	}
	return equal
}

// agreement counts what the row and the company have in common beside the name. The spelling counts less than a place.
func (m *matching) agreement(r *preparedRow, c *company.Company) int {
	points := 2 * max(0, m.placed(r, c))
	if text.Fold(c.Name) == text.Fold(r.spelled) {
		points++
	}
	return points
}

// ordered sorts the companies, those that agree most with the row first, then the largest.
func (m *matching) ordered(r *preparedRow, all []*company.Company) []*company.Company {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *company.Company) int {
		return cmp.Or(
			cmp.Compare(m.agreement(r, b), m.agreement(r, a)),
			cmp.Compare(employees(m.visible(b)), employees(m.visible(a))),
			cmp.Compare(a.Number, b.Number))
	})
	return all
}

func filter(all []*company.Company, keep func(*company.Company) bool) (kept []*company.Company) {
	for _, c := range all {
		if keep(c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// Choice is the company that a person has chosen for an ambiguous row, and the row's key.
type Choice struct {
	Company id.Company
	Key     string
}

// Choose adds to a match the companies that a person has chosen. Unknown companies are left out. NotFound as for match.Store.Get.
func (s *Searcher) Choose(ctx context.Context, caller auth.Caller, result id.MatchResult, chosen []Choice) error {
	var entries []match.Entry
	for _, c := range chosen {
		numbers, _, err := s.Catalog.Numbers(ctx, []id.Company{c.Company})
		if err != nil {
			return err
		}
		for _, n := range numbers {
			e := match.Entry{Company: n}
			if c.Key != "" {
				e.Keys = []string{c.Key}
			}
			entries = append(entries, e)
		}
	}
	_, err := s.Matches.Choose(ctx, caller.Workspace, result, entries)
	return err
}

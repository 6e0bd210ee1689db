package view

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// NewMatch is the page on which a list of companies is pasted or uploaded.
type NewMatch struct {
	Faults map[string]string
	Typed  string
}

// Match is the page of what a list matched.
type Match struct {
	*search.MatchResult
	Companies int
	Fields    []FieldCoverage
	ShownRows

	Table     []MatchedRow // the matched rows of this page
	Undecided []AmbiguousRow
	rows      part // of the matched rows, or of the companies of a match that the API made
	undecided part // of the ambiguous ones
}

// part is a part of many rows that a page shows: those from a position.
type part struct{ from, size, all int }

// readPart reads the position from an address; anything else is the beginning.
func readPart(given string, size, all int) part {
	from, err := strconv.Atoi(given)
	if err != nil || from < 0 || from >= all {
		from = 0
	}
	return part{from: from - from%size, size: size, all: all}
}

func (p part) end() int { return min(p.from+p.size, p.all) }

// query returns the end of an address that asks for the part.
func (p part) query(of string) string {
	if p.from == 0 {
		return ""
	}
	return "?" + of + "=" + strconv.Itoa(p.from)
}

// MatchPart returns the end of the address of the page with the part of the rows from a position.
func MatchPart(of, from string) string {
	if from == "" || from == "0" {
		return ""
	}
	return "?" + of + "=" + url.QueryEscape(from) + "#" + of
}

// FieldCoverage is how many companies have a value of a field.
type FieldCoverage struct {
	Label string
	Count int
}

// ShownRows is what the page shows of the rows. Of matched rows that is their line and their key, not their values.
type ShownRows struct {
	Rows      int                        `json:"rows"`
	Counts    map[search.MatchStatus]int `json:"counts"`
	Matched   []MatchedRow               `json:"matched,omitempty"`   // in the order of the list
	Ambiguous []AmbiguousRow             `json:"ambiguous,omitempty"` // the first ones that are not decided
	Unmatched []string                   `json:"unmatched,omitempty"` // the first ones
	Notices   []string                   `json:"notices,omitempty"`
}

// MatchedRow is a row whose company is known.
type MatchedRow struct {
	Line    int                `json:"l,omitempty"` // in the list; 0 if that is not known
	Key     string             `json:"k,omitempty"`
	Number  company.Number     `json:"c"`
	Reason  search.MatchReason `json:"r,omitempty"` // empty if a person chose the company, or it is not known
	Percent int                `json:"p,omitempty"` // the confidence
	Chosen  bool               `json:"d,omitempty"`
	Company *search.Item       `json:"-"`
}

// AmbiguousRow is a row for which a person may choose a company.
type AmbiguousRow struct {
	Row        int              `json:"row"`
	Line       int              `json:"line"`
	Text       string           `json:"text"` // its values
	Key        string           `json:"key,omitempty"`
	Numbers    []company.Number `json:"candidates"`
	More       bool             `json:"more,omitempty"` // there are more candidates
	Candidates []search.Item    `json:"-"`
}

// Field returns the name of the row's choice in the form.
func (r *AmbiguousRow) Field() string { return "row-" + strconv.Itoa(r.Row) }

// The most ambiguous rows that are kept, the rows of a page, and the most unmatched ones that are kept and shown.
const (
	matchRowsShownMax   = 200
	matchedRowsOnPage   = 25
	undecidedRowsOnPage = 10
	unmatchedRowsMax    = 100
)

// ShownOf returns what the page shows of the rows; lines are theirs in the list.
func ShownOf(found *search.MatchResult, rows []search.MatchRow, lines []int, notices []string) ShownRows {
	m := ShownRows{Rows: len(rows), Counts: found.Counts, Notices: notices}
	for i := range rows {
		switch r := found.Rows[i]; {
		case r.Status == search.Matched:
			m.Matched = append(m.Matched, MatchedRow{
				Line: lines[i], Key: rows[i].Key, Number: r.Company.Number, Reason: r.Reason, Percent: int(math.Round(100 * r.Confidence)),
			})
		case r.Status == search.Ambiguous && len(m.Ambiguous) < matchRowsShownMax:
			row := AmbiguousRow{Row: i, Line: lines[i], Text: text.Short(rowText(&rows[i])), Key: rows[i].Key, More: r.More}
			for _, c := range r.Candidates {
				row.Numbers = append(row.Numbers, c.Number)
			}
			m.Ambiguous = append(m.Ambiguous, row)
		case r.Status == search.Unmatched && len(m.Unmatched) < unmatchedRowsMax:
			m.Unmatched = append(m.Unmatched, text.Short(rowText(&rows[i])))
		}
	}
	return m
}

// Choose makes the company that a person chose that of an ambiguous row.
func (m *ShownRows) Choose(row AmbiguousRow, c company.Number) {
	m.Ambiguous = slices.DeleteFunc(m.Ambiguous, func(r AmbiguousRow) bool { return r.Row == row.Row })
	after := slices.IndexFunc(m.Matched, func(r MatchedRow) bool { return r.Line > row.Line })
	if after < 0 {
		after = len(m.Matched)
	}
	m.Matched = slices.Insert(m.Matched, after, MatchedRow{Line: row.Line, Key: row.Key, Number: c, Chosen: true})
}

// decided returns how many ambiguous rows a person has decided.
func (m *ShownRows) decided() (n int) {
	for _, row := range m.Matched {
		n += boolToInt(row.Chosen)
	}
	return n
}

// ShownIn returns what was kept of the rows; none if they were matched by the API.
func ShownIn(found *search.MatchResult) (m ShownRows, err error) {
	if len(found.Shown) > 0 {
		err = json.Unmarshal(found.Shown, &m)
	}
	return m, err
}

// MatchOf returns the page of a match, with the parts of its rows that the address asks for, and the companies that SetCompanies needs.
func MatchOf(found *search.MatchResult, asked url.Values) (m *Match, numbers []company.Number, err error) {
	m = &Match{MatchResult: found, Companies: len(found.Entries)}
	if m.ShownRows, err = ShownIn(found); err != nil {
		return nil, nil, err
	}
	for _, c := range found.Coverage {
		m.Fields = append(m.Fields, FieldCoverage{Label: company.FieldNamed(c.Value).Label, Count: c.Count})
	}
	all := m.Matched
	if m.ShownRows.Rows == 0 { // the API made the match, and kept the companies and their keys alone
		for _, e := range found.Entries {
			all = append(all, MatchedRow{Number: e.Company, Key: strings.Join(e.Keys, ", ")})
		}
	}
	m.rows = readPart(asked.Get("rows"), matchedRowsOnPage, len(all))
	m.Table = all[m.rows.from:m.rows.end()]
	m.undecided = readPart(asked.Get("undecided"), undecidedRowsOnPage, len(m.Ambiguous))
	m.Undecided = m.Ambiguous[m.undecided.from:m.undecided.end()]
	for _, row := range m.Table {
		numbers = append(numbers, row.Number)
	}
	for _, row := range m.Undecided {
		numbers = append(numbers, row.Numbers...)
	}
	return m, numbers, nil
}

// SetCompanies sets the companies of the rows that the page shows, and those that its ambiguous rows may mean.
func (m *Match) SetCompanies(items []search.Item) {
	by := make(map[company.Number]search.Item, len(items))
	for _, item := range items {
		by[item.Number] = item
	}
	for i := range m.Table {
		if item, ok := by[m.Table[i].Number]; ok {
			m.Table[i].Company = &item
		}
	}
	for i := range m.Undecided {
		row := &m.Undecided[i]
		for _, n := range row.Numbers {
			if item, ok := by[n]; ok {
				row.Candidates = append(row.Candidates, item)
			}
		}
	}
}

// matchReasons are what a page calls the reasons of a match.
var matchReasons = map[search.MatchReason]string{
	search.ByID: "ID", search.ByDomain: "Domain", search.ByLinkedIn: "LinkedIn page", search.ByName: "Name",
}

// why says why the row has its company.
func (r *MatchedRow) why() string {
	switch {
	case r.Chosen:
		return "You chose it"
	case r.Reason == "":
		return "–"
	}
	return matchReasons[r.Reason] + ", " + strconv.Itoa(r.Percent) + "% sure"
}

// rowText returns the values of a row in one line.
func rowText(r *search.MatchRow) string {
	var values []string
	for _, v := range []string{r.Name, cmp.Or(r.Domain, r.Website, r.LinkedIn, r.ID), r.City, r.Country} {
		if v != "" {
			values = append(values, v)
		}
	}
	return strings.Join(values, ", ")
}

// ambiguousText says how many rows are ambiguous, and how many of them a person has decided.
func ambiguousText(ctx context.Context, m *ShownRows) string {
	said := Count(ctx, m.Counts[search.Ambiguous]) + " ambiguous"
	if n := m.decided(); n > 0 {
		said += " (" + Count(ctx, n) + " decided)"
	}
	return said
}

// undecidedText begins the heading of the rows that nobody has decided.
func undecidedText(ctx context.Context, m *ShownRows) string {
	return Plural(ctx, m.Counts[search.Ambiguous]-m.decided(), "row that may mean", "rows that may mean")
}

// tableTitle is the heading of the matched rows.
func (m *Match) tableTitle(ctx context.Context) string {
	if m.ShownRows.Rows == 0 {
		return "The companies"
	}
	return Plural(ctx, m.rows.all, "row", "rows") + " with their companies"
}

// whatItIs describes a candidate beside its name.
func whatItIs(i search.Item) string {
	var parts []string
	for _, s := range []string{i.Domain, locationOf(i.Company)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// MatchResultPath returns the address of the page of a match.
func MatchResultPath(ctx context.Context, m id.MatchResult) string {
	return ViewerOf(ctx).Path("/match/" + m.String())
}

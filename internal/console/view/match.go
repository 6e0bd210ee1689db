package view

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
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
}

// FieldCoverage is how many companies have a value of a field.
type FieldCoverage struct {
	Label string
	Count int
}

// ShownRows is what the page shows of the rows.
type ShownRows struct {
	Rows      int                        `json:"rows"`
	Counts    map[search.MatchStatus]int `json:"counts"`
	Ambiguous []AmbiguousRow             `json:"ambiguous,omitempty"` // the first ones that are not decided
	Unmatched []string                   `json:"unmatched,omitempty"` // the first ones
	Notices   []string                   `json:"notices,omitempty"`
}

// AmbiguousRow is a row for which a person may choose a company.
type AmbiguousRow struct {
	Row        int              `json:"row"`
	Text       string           `json:"text"` // its values
	Key        string           `json:"key,omitempty"`
	Numbers    []company.Number `json:"candidates"`
	More       bool             `json:"more,omitempty"` // there are more candidates
	Candidates []search.Item    `json:"-"`
}

// Field returns the name of the row's choice in the form.
func (r *AmbiguousRow) Field() string { return "row-" + strconv.Itoa(r.Row) }

// The most rows of each kind that the page shows.
const matchRowsShownMax = 200

// ShownOf returns what the page shows of the rows.
func ShownOf(found *search.MatchResult, rows []search.MatchRow, notices []string) ShownRows {
	m := ShownRows{Rows: len(rows), Counts: found.Counts, Notices: notices}
	for i := range rows {
		given := rowText(&rows[i])
		switch r := found.Rows[i]; {
		case r.Status == search.Ambiguous && len(m.Ambiguous) < matchRowsShownMax:
			row := AmbiguousRow{Row: i, Text: given, Key: rows[i].Key, More: r.More}
			for _, c := range r.Candidates {
				row.Numbers = append(row.Numbers, c.Number)
			}
			m.Ambiguous = append(m.Ambiguous, row)
		case r.Status == search.Unmatched && len(m.Unmatched) < matchRowsShownMax:
			m.Unmatched = append(m.Unmatched, given)
		}
	}
	return m
}

// ShownIn returns what was kept of the rows; none if they were matched by the API.
func ShownIn(found *search.MatchResult) (m ShownRows, err error) {
	if len(found.Shown) > 0 {
		err = json.Unmarshal(found.Shown, &m)
	}
	return m, err
}

// MatchOf returns the page of a match, and the companies that SetCandidates needs.
func MatchOf(found *search.MatchResult) (m *Match, candidates []company.Number, err error) {
	m = &Match{MatchResult: found, Companies: len(found.Entries)}
	if m.ShownRows, err = ShownIn(found); err != nil {
		return nil, nil, err
	}
	for _, c := range found.Coverage {
		m.Fields = append(m.Fields, FieldCoverage{Label: company.FieldNamed(c.Value).Label, Count: c.Count})
	}
	for _, row := range m.Ambiguous {
		candidates = append(candidates, row.Numbers...)
	}
	return m, candidates, nil
}

// SetCandidates sets the companies that the ambiguous rows may mean.
func (m *Match) SetCandidates(items []search.Item) {
	by := make(map[company.Number]search.Item, len(items))
	for _, item := range items {
		by[item.Number] = item
	}
	for i := range m.Ambiguous {
		row := &m.Ambiguous[i]
		for _, n := range row.Numbers {
			if item, ok := by[n]; ok {
				row.Candidates = append(row.Candidates, item)
			}
		}
	}
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

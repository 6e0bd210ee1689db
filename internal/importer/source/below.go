package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// below finds the tables below the first one of a file or sheet: after a blank line, a row that names other columns. Their rows cannot be
// read by the names of the first table.
type below struct {
	schema Schema
	names  []string // of the columns of the first table, as the source has them; nil if it has none
	detail string   // about the table that the rows belong to; empty in the first one
	gap    bool     // a blank line is before the next row
	gaps   int      // how many there were
	spaced bool     // a blank line was before the last row

	columns map[string]bool // by cells that were looked at: whether they name columns
}

const (
	areNamesMin    = 3 // cells of a row of names that has no blank line before it
	nameBytesMax   = 40
	columnsSeenMax = 5_000
)

// areNames reports whether all cells of a row are names of columns, as no record has them. Most records have a cell that is long or has a
// digit or a sign, and the last ones are often the same in many rows, so that few cells must be looked up.
func areNames[C string | []byte](b *below, row []C) bool {
	for _, c := range row {
		if len(c) > nameBytesMax {
			return false
		}
		for i := range len(c) {
			if c[i] < '@' && c[i] > ' ' && strings.IndexByte("0123456789.:/,", c[i]) >= 0 || c[i] == '@' {
				return false
			}
		}
	}
	names := 0
	for _, c := range slices.Backward(row) {
		if len(c) == 0 {
			continue
		}
		is, seen := b.columns[string(c)]
		if !seen {
			if len(b.columns) >= columnsSeenMax || b.columns == nil {
				b.columns = map[string]bool{}
			}
			is = b.schema.Column(string(c)).Known
			b.columns[string(c)] = is
		}
		if !is {
			return false
		}
		names++
	}
	return names >= areNamesMin && namesCompany(b.schema, row)
}

// gapsMax is how many blank lines are looked below in a file that has one between all rows.
const gapsMax = 1_000

// detailBelow returns what is wrong with a row of a table below the first one; empty for a row of the first one. earlier returns rows before
// it.
func detailBelow[C string | []byte](b *below, line int, row []C, earlier func() [][]C) string {
	gap := b.gap && (!b.spaced || b.gaps < gapsMax)
	b.spaced, b.gap = b.gap, false
	if len(b.names) == 0 || !gap && !areNames(b, row) {
		return b.detail
	}
	if gap {
		b.gaps++
	}
	switch {
	case isHeaderAgain(b.names, row):
		b.detail = ""
	case gap && len(b.names) > 1 && len(filled(row)) == 1:
		b.gap = true // a title, perhaps
	case isHeaderRow(b.schema, row) && !hasValues(row, earlier()) && (gap || len(earlier()) > 0):
		b.detail = fmt.Sprintf("another table begins in line %d, with the columns %s; save it in a file of its own, and import that", line, someOf(filled(row)))
	}
	return b.detail
}

// firstTable returns how many of the rows belong to the first table: those before a blank line and a row that names other columns, if
// the names and at least one record of a table of companies are above it. gap reports whether a blank line is before a row.
func firstTable[C string | []byte](schema Schema, rows [][]C, gap func(int) bool) int {
	header := -1
	for i, row := range rows {
		switch {
		case header < 0:
			if isHeaderRow(schema, row) && namesCompany(schema, row) {
				header = i
			}
		case i > header+1 && (gap(i) || areNames(&below{schema: schema}, row)) && isHeaderRow(schema, row) && !isHeaderAgain(texts(rows[header]), row) && !hasValues(row, rows[header+1:i]):
			return i
		}
	}
	return len(rows)
}

// rowNumbers matches the name of a column that numbers the rows.
var rowNumbers = regexp.MustCompile(`(?i)^(?:\PL*|no|nr|num|pos|lfd\.? ?nr|sl\.? ?no|s\.? ?no)\.?$`)

// isHeaderRow reports whether a row most likely names columns: the schema knows at least two, the first among them, and half of its cells.
func isHeaderRow[C string | []byte](schema Schema, row []C) bool {
	cells, seen := filled(row), map[string]bool{}
	for i, s := range cells {
		if seen[s] || s[0] >= '0' && s[0] <= '9' {
			return false
		}
		seen[s] = true
		if i == 0 && len(cells) > 1 && rowNumbers.MatchString(s) {
			s = cells[1]
		}
		if i == 0 && !schema.Column(s).Known {
			return false
		}
	}
	known := knownNames(schema, row)
	for _, s := range cells {
		if known > 0 && otherName.MatchString(s) && !schema.Column(s).Known {
			known++
		}
	}
	return known >= 2 && 2*known >= len(cells) && !looksLikeData(schema, row)
}

// otherName matches the names of columns that tables of other things have, such as contacts, deals and products.
var otherName = regexp.MustCompile(`(?i)^(?:e-?mail(?: address)?|phone(?: number)?|telephone|telefon|tel\.?|mobile|fax|first name|last name|vorname|nachname|prénom|position|address|street|strasse|straße|` +
	`date|datum|amount|betrag|price|preis|quantity|menge|owner|status|notes?|comments?|stage|value|wert|revenue|umsatz)$`)

// hasValues reports whether a row has a value that another row has in the same column, such as Customer in a column of types.
func hasValues[C string | []byte](row []C, others [][]C) bool {
	for i, c := range row {
		for _, other := range others {
			if len(c) > 0 && i < len(other) && string(other[i]) == string(c) {
				return true
			}
		}
	}
	return false
}

// namesCompany reports whether a row names a column that identifies companies.
func namesCompany[C string | []byte](schema Schema, row []C) bool {
	for _, s := range filled(row) {
		if schema.Column(s).Key {
			return true
		}
	}
	return false
}

// filled returns the cells that are not blank.
func filled[C string | []byte](row []C) []string {
	var out []string
	for _, s := range texts(row) {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

package source

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/opencapi/capi/internal/text"
)

const headerRowsMax = 20 // in which the header must be

// ColumnsMax is how many columns a table may have.
const ColumnsMax = 5_000

// findHeader finds the row that names the columns: among the first rows, the one with most names that the schema knows. If
// no row has any, it is the first row, unless that looks like data: then at is -1 and the names are column_1, column_2 ….
func findHeader[C string | []byte](schema Schema, rows [][]C) (at int, names []string, err error) {
	best, width := 0, 0
	for i, row := range rows {
		width = max(width, len(row))
		if known := knownNames(schema, row); known > best {
			best, at = known, i
		}
	}
	if len(rows) == 0 {
		return -1, nil, nil
	}
	if best == 0 && looksLikeData(schema, rows[0]) {
		return -1, nameColumns(make([]string, width)), nil
	}
	row := rows[at]
	if at > 0 {
		if groups := findGroups(schema, rows[at-1], row); groups != nil {
			row = groups
		}
	}
	if at+1 < len(rows) {
		if groups := findGroups(schema, row, rows[at+1]); groups != nil {
			at, row = at+1, groups
		}
	}
	for _, c := range row {
		names = append(names, headerText(string(c)))
	}
	for len(names) > 1 && names[len(names)-1] == "" && best > 0 && !widerBelow(rows[at+1:], len(names)) {
		names = names[:len(names)-1]
	}
	if len(names) > ColumnsMax {
		return 0, nil, fmt.Errorf("there are %d columns, and at most %d can be read; remove some", len(names), ColumnsMax)
	}
	return at, nameColumns(names), nil
}

// isHeaderAgain reports whether a row repeats the names of the columns.
func isHeaderAgain[C string | []byte](names []string, row []C) bool {
	if len(names) == 0 || len(row) < len(names) {
		return false
	}
	for i, cell := range row {
		switch {
		case i >= len(names) && len(cell) > 0:
			return false
		case i < len(names) && string(cell) != names[i] && headerText(string(cell)) != names[i]:
			return false
		}
	}
	return true
}

// findGroups returns the names of a header in two rows: a row of groups above a row of names, either of which leaves the cells
// blank that the other fills. It returns nil unless more of them are known than of each row alone.
func findGroups[C string | []byte](schema Schema, above, below []C) []C {
	if len(below) == 0 || looksLikeData(schema, below) {
		return nil
	}
	names := make([]C, max(len(above), len(below)))
	for i := range names {
		if i < len(above) {
			names[i] = above[i]
		}
		if i < len(below) && strings.TrimSpace(string(below[i])) != "" {
			names[i] = below[i]
		}
	}
	if knownNames(schema, names) <= max(knownNames(schema, above), knownNames(schema, below)) {
		return nil
	}
	return names
}

// widerBelow reports whether a row has a value in column n, from 1.
func widerBelow[C string | []byte](rows [][]C, n int) bool {
	return slices.ContainsFunc(rows, func(row []C) bool { return len(row) >= n && len(row[n-1]) > 0 })
}

func headerText(s string) string {
	if !utf8.ValidString(s) {
		s = decodeText(charmap.Windows1252, []byte(s))
	}
	return text.Clean(s)
}

// nameColumns makes the names unique, and names the columns that have none.
func nameColumns(names []string) []string {
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" {
			name = "column_" + strconv.Itoa(i+1)
		}
		for n := 2; seen[name]; n++ {
			name = names[i] + "_" + strconv.Itoa(n)
		}
		names[i], seen[name] = name, true
	}
	return names
}

func knownNames[C string | []byte](schema Schema, row []C) int {
	known := 0
	for _, c := range row {
		s := string(c)
		if len(s) == 0 || len(s) > 80 || strings.Contains(s, "://") {
			continue
		}
		if schema.Column(s).Known {
			known++
		}
	}
	return known
}

// looksLikeData reports whether the row has a number, a long text or a value that the schema recognises.
func looksLikeData[C string | []byte](schema Schema, row []C) bool {
	return slices.ContainsFunc(row, func(c C) bool {
		s := strings.TrimSpace(string(c))
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return true
		}
		return len(s) > 100 || schema.IsValue(s)
	})
}

var (
	footerText = regexp.MustCompile(`(?i)^\s*(?:©|\(c\)\s|copyright\b|all rights reserved|sources?\s*:|notes?\s*:|disclaimer\b|` +
		`(?:exported|generated|downloaded|created|printed|retrieved|last updated)\s+(?:on|by|at|from)\b|data as of\b|page \d+ (?:of|/) ?\d+|end of (?:file|list|report))`)
	totals = []string{
		"total", "totals", "total:", "grand total", "subtotal", "sum", "sum:", "summe", "gesamt", "gesamtsumme", "totale", "totaal", "итого", "合計", "总计", "합계",
	}
)

// isFooter reports whether a row is no record but says where the table is from, or sums it up: one cell that begins as such
// lines do, or the word total beside nothing but numbers.
func isFooter[C string | []byte](row []C) bool {
	first, numbers := "", 0
	for _, c := range row {
		if len(c) == 0 {
			continue
		}
		s := strings.TrimSpace(string(c[:min(len(c), 64)]))
		switch {
		case s == "":
		case first == "":
			first = s
			if !footerText.MatchString(s) && !slices.ContainsFunc(totals, func(t string) bool { return strings.EqualFold(t, s) }) {
				return false
			}
		case strings.Trim(s, "0123456789.,'$€£%+- \u00a0") != "":
			return false
		default:
			numbers++
		}
	}
	switch {
	case first == "" || len(row) < 3:
		return false
	case numbers > 0:
		return numbers+1 < len(row) && !footerText.MatchString(first)
	}
	return footerText.MatchString(first)
}

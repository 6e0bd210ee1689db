package source

import (
	"fmt"
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
	for _, c := range rows[at] {
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

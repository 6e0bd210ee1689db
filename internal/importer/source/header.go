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
	if at > 0 && isGroupRow(schema, rows[at-1], rows[at]) {
		names = underGroups(schema, texts(rows[at-1]), texts(rows[at]))
	} else if at+1 < len(rows) && isGroupRow(schema, rows[at], rows[at+1]) && isBelowGroups(schema, rows[at], rows[at+1]) {
		names = underGroups(schema, texts(rows[at]), texts(rows[at+1]))
		at++
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
		case i < len(names) && string(cell) != names[i] && !strings.EqualFold(headerText(string(cell)), names[i]):
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

// isGroupRow reports whether a row groups the columns that the row below it names: it has at least two groups, one of which is over
// several columns, as the cell that begins it is merged with those after it, or repeated.
func isGroupRow[C string | []byte](schema Schema, above, below []C) bool {
	groups, wide, named := 0, false, 0
	for i, c := range above {
		s := strings.TrimSpace(string(c))
		switch {
		case i < len(below) && strings.TrimSpace(string(below[i])) == "":
			if s != "" {
				groups++
			}
		case s == "" && groups > 0, i > 0 && s != "" && s == strings.TrimSpace(string(above[i-1])):
			wide = wide || i < len(below)
			named++
		case s != "":
			groups++
			named++
		}
	}
	return groups >= 2 && wide && named >= 2 && len(below) >= groups && !looksLikeData(schema, above)
}

// isBelowGroups reports whether the row below groups names columns, rather than being the first record.
func isBelowGroups[C string | []byte](schema Schema, above, below []C) bool {
	seen := map[string]bool{}
	for _, c := range below {
		s := strings.ToLower(strings.TrimSpace(string(c)))
		if isYear.MatchString(s) {
			continue
		}
		if seen[s] && s != "" || looksLikeData(schema, []string{s}) {
			return false
		}
		seen[s] = true
	}
	names := underGroups(schema, texts(above), texts(below))
	return knownNames(schema, texts(below)) > 0 && knownNames(schema, names) >= knownNames(schema, above)
}

// isYear matches a year as the name of a column.
var isYear = regexp.MustCompile(`^(?:19|20)\d\d$`)

// underGroups returns the names of columns below groups. A name that occurs under several groups, or that is known only together
// with its group, gets the group before it: "Contact Name" and "Company Name".
func underGroups(schema Schema, groups, below []string) []string {
	times := map[string]int{}
	for _, name := range below {
		times[strings.ToLower(name)]++
	}
	known := func(name string) bool { return schema.Column(name).Known }
	group := ""
	names := make([]string, max(len(groups), len(below)))
	for i := range names {
		own, name := "", ""
		if i < len(groups) {
			own = groups[i]
		}
		if i < len(below) {
			name = below[i]
		}
		if own != "" {
			group = own
		}
		both := group + " " + name
		switch {
		case name == "":
			names[i] = own
			continue
		case group == "" || strings.EqualFold(group, name):
			names[i] = name
			continue
		case !known(both) && known(group+name):
			both = group + name
		}
		if names[i] = name; times[strings.ToLower(name)] > 1 || !known(name) && known(both) {
			names[i] = both
		}
	}
	return names
}

func texts[C string | []byte](row []C) []string {
	out := make([]string, 0, len(row))
	for _, c := range row {
		out = append(out, headerText(string(c)))
	}
	return out
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
		if mayBeLink(s) {
			if _, _, isLink := splitLink(s); isLink {
				return true
			}
		}
		return len(s) > 100 || schema.IsValue(s)
	})
}

var (
	footerText = regexp.MustCompile(`(?i)^\s*(?:©|\(c\)\s|copyright\b|all rights reserved|sources?\s*:|notes?\s*:|disclaimer\b|` +
		`(?:quellen?|stand|hinweise?|anmerkung(?:en)?|fuentes?|notas?|fontes?|fonte dei dati|bron|bronnen|źródł[oa]|zdroj|källa|kilde|forrás|sursa|kaynak|источник|джерело|πηγή|出典|注|資料|来源|数据来源|출처)\s*[:：]|` +
		`(?:exportiert|erstellt|exporté|généré|exportado|generado|gerado|esportato|generato|geëxporteerd|wygenerowano)\s+(?:am|le|el|em|il|op|dnia|von|par|por|da|door)\b|` +
		`(?:exported|generated|downloaded|created|printed|retrieved|last updated)\s+(?:on|by|at|from)\b|data as of\b|page \d+ (?:of|/) ?\d+|end of (?:file|list|report)|` +
		`(?:strictly )?confidential(?: information)?\s*(?:[-–—:.|]|$)|for internal use only|(?:streng )?vertraulich\s*(?:[-–—:.|]|$)|confidentiel\s*(?:[-–—:.|]|$)|confidencial\s*(?:[-–—:.|]|$)|` +
		`\*{1,3}\)?\s?(?:as (?:of|reported)|estimate[ds]?|incl|excl|figures?|data|based|sources?|notes?|provisional|preliminary|geschätzt|vorläufig|inkl|ohne|stand|angaben|estimé|données|estimado|datos|stima|dati)\b|` +
		`\(\d[\d.,']* (?:rows?|records?|results?|companies|zeilen|lignes|filas|righe|linhas|rijen)(?: [\pL ]+)?\)$|` +
		`\d[\d.,']* (?:(?:rows?|records?|results?) (?:selected|found|returned|exported|in total)|rows?|zeilen|lignes|filas|righe|linhas|rijen)\.?$)`)
	totals = []string{
		"total", "totals", "total:", "gesamtergebnis", "gesamttotal", "suma końcowa", "eindtotaal", "totale complessivo", "genel toplam", "toplam", "celkový součet", "общий итог", "総計", "總計", "总和", "grand total", "subtotal", "sub-total", "sum", "sum:", "summe", "gesamt", "gesamtsumme", "totale", "totaal", "итого", "合計", "总计", "합계",
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
		s := strings.TrimSpace(strings.ToValidUTF8(string(c[:min(len(c), 64)]), ""))
		switch {
		case s == "":
		case first == "":
			first = s
		case strings.Trim(s, "0123456789.,'$€£%+- \u00a0") != "":
			return false
		default:
			numbers++
		}
	}
	if first == "" || len(row) < 2 {
		return false
	}
	stated := footerText.MatchString(first) // the texts come last, because nearly all rows have two cells that are no numbers
	switch {
	case !stated && !isTotal(first):
		return false
	case numbers > 0: // of two cells, it may be the company Total
		return !stated && (numbers+1 < len(row) || !oneWord.MatchString(first) || grandTotal.MatchString(first))
	}
	return stated || countedTotal.MatchString(first)
}

// runningSum adds the numbers of a table of two columns, to recognise a row that sums them up: it may be the company Total otherwise.
type runningSum struct {
	sum, rows int64
	unknown   bool // a value is no whole number
}

// wholeNumber matches a number without decimals, perhaps with a separator of thousands.
var wholeNumber = regexp.MustCompile(`^\d{1,3}(?:[.,' ]\d{3})*$|^\d{1,15}$`)

// sumsUp reports whether a row has the sum of the rows before it, and adds it to them if not.
func sumsUp[C string | []byte](s *runningSum, row []C) bool {
	if s.unknown || len(row) != 2 || len(row[1]) == 0 {
		return false
	}
	value := strings.TrimSpace(string(row[1]))
	if !wholeNumber.MatchString(value) {
		s.unknown = true
		return false
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, value)
	n, err := strconv.ParseInt(digits, 10, 64)
	s.unknown = err != nil
	if s.rows > 1 && n == s.sum && isTotal(strings.TrimSpace(string(row[0]))) {
		return true
	}
	s.sum, s.rows = s.sum+n, s.rows+1
	return false
}

// totalOf begins a total with what is summed up, and countedTotal ends it with how many there are.
var (
	totalOf      = regexp.MustCompile(`(?i)^(?:grand )?(?:total|totale|totaal|summe|gesamt|suma|razem|celkem|yhteensä|итого|всего)(?: (?:général|general|geral|generale|generaal|ogółem|companies|rows|records|unternehmen|firmen|entreprises|sociétés|empresas|aziende|società|bedrijven|firm))?\s*(?::\s*[\d.,' ]*)?$`)
	countedTotal = regexp.MustCompile(`(?i)^(?:total|totale|totaal|summe|gesamt|suma|razem|итого|всего)\b.{0,30}:\s*[\d.,' ]+$`)
)

// oneWord is what a company may be called.
var oneWord = regexp.MustCompile(`^\pL+$`)

// grandTotal is a total in one word that no company is called.
var grandTotal = regexp.MustCompile(`(?i)^(?:gesamt(?:ergebnis|summe|total)|subtotal|zwischensumme|eindtotaal|総計|合計|總計|总计|합계)$`)

// isTotal reports whether a cell begins a row that sums up the table.
func isTotal(s string) bool {
	return slices.ContainsFunc(totals, func(t string) bool { return strings.EqualFold(t, s) }) || totalOf.MatchString(s)
}

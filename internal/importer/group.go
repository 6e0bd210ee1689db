package importer

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

// groups finds the rows of a sheet that name or sum up a group of companies, as pivot tables and spreadsheets write them: "Germany" above
// companies of Germany, and "Germany Total" below them.
type groups struct {
	name   string // of the column that names the companies, and the groups among them
	indent int    // of the companies; less is a group. 0 if companies are not indented
	places bool   // the name of a country or region is a group
	alone  bool   // a row with a name and nothing else is a group
	sums   map[int]bool
	words  map[string]bool // before or after which any name is a subtotal
	known  map[string]bool // names and values of the sample, folded, that a subtotal may name
}

// groupRow is a row of the sample, as far as it says whether it is a group.
type groupRow struct {
	name    string
	indent  int
	numbers []float64 // by column
	filled  int       // cells besides the name
	texts   int       // of these, those that are no numbers
}

// subtotalWord matches a word that stands before or after what is summed up.
var subtotalWord = regexp.MustCompile(`(?i)^(total|totals|sub-?total|sum|count|average|summe|gesamt|gesamtsumme|ergebnis|teilergebnis|zwischensumme|anzahl|mittelwert|sous-total|somme|nombre|` +
	`moyenne|suma|cuenta|promedio|totale|subtotale|conteggio|totaal|subtotaal|aantal|soma|contagem|razem|celkem|toplam|итог|итого|всего|` +
	`集計|小計|合計|汇总|小计|合计|总计|요약|소계|합계)$`)

// findGroups looks for rows in the sample that name or sum up groups. Each kind needs evidence of its own, because a company may have the
// name of a country, and a holding may be listed above its subsidiaries.
func (p *plan) findGroups(s *sample) {
	names := p.nameColumn(s)
	if s.open || s.connections || p.pair != nil || names == nil || len(s.columns) < 2 {
		return
	}
	rows, lines := s.groupRows(names)
	g := &groups{name: names.name, sums: map[int]bool{}, words: map[string]bool{}}
	g.findSubtotals(s, rows)
	var rest []groupRow
	var at []int
	for i, r := range rows {
		if !g.isSubtotal(r.name, r.texts) {
			rest, at = append(rest, r), append(at, lines[i])
		}
	}
	g.indent = indentOfCompanies(rest)
	g.places = begins(rest, func(r groupRow) bool { return r.texts == 0 && isRegion(r.name) })
	g.alone = begins(rest, func(r groupRow) bool { return r.filled == 0 }) && areAlone(rest)
	for _, i := range sumsOfRows(rest, len(s.columns)) {
		g.sums[at[i]] = true
	}
	if g.indent > 0 || g.places || g.alone || len(g.sums) > 0 || len(g.words) > 0 {
		p.groups = g
	}
}

// nameColumn returns the column that names the companies; nil if there is none.
func (p *plan) nameColumn(s *sample) *sampledColumn {
	var best *sampledColumn
	for _, c := range s.columns {
		if t := p.targets[c.name]; t.column == colName && (best == nil || t.rank < p.targets[best.name].rank) {
			best = c
		}
	}
	return best
}

// groupRows returns the rows of the sample that have a name, and their lines.
func (s *sample) groupRows(names *sampledColumn) (rows []groupRow, lines []int) {
	of := map[int]int{} // by record, from 1
	for i, v := range names.values {
		of[names.rows[i]] = len(rows)
		rows = append(rows, groupRow{name: v, indent: names.indents[i], numbers: make([]float64, len(s.columns))})
		lines = append(lines, s.lines[names.rows[i]-1])
	}
	for n, c := range s.columns {
		for i, v := range c.values {
			at, ok := of[c.rows[i]]
			if !ok || c == names {
				continue
			}
			r := &rows[at]
			r.filled++
			f, isFigure := figure(v)
			if r.numbers[n] = f; !isFigure {
				r.texts++
			}
		}
	}
	return rows, lines
}

// figure reads a number that could be summed up, perhaps with a currency.
func figure(v string) (float64, bool) {
	if strings.Trim(v, "0123456789.,'$€£¥%+- \u00a0") != "" {
		return 0, false
	}
	return decimal(strings.Trim(v, "'$€£¥%+- \u00a0"))
}

// is reports whether a record is a group rather than a company.
func (g *groups) is(r *source.Record) bool {
	if g == nil {
		return false
	}
	name, filled, texts := "", 0, 0
	for i := range r.Fields {
		f := &r.Fields[i]
		switch {
		case f.Value.IsBlank():
		case f.Name == g.name:
			name = textOf(&f.Value)
		default:
			t := strings.TrimSpace(textOf(&f.Value))
			if isNull(t) {
				continue
			}
			filled++
			if _, isFigure := figure(t); !isFigure {
				texts++
			}
		}
	}
	trimmed := strings.TrimSpace(name)
	switch {
	case trimmed == "":
		return false
	case g.sums[r.Line], g.isSubtotal(trimmed, texts):
		return true
	case g.alone && filled == 0:
		return true
	case g.places && texts == 0 && isRegion(trimmed):
		return true
	}
	return texts == 0 && indentOf(name) < g.indent
}

// findSubtotals finds the words of subtotals in the sample. What is summed up must be a value or a name of the sample: there may be a
// company Total France.
func (g *groups) findSubtotals(s *sample, rows []groupRow) {
	g.known = map[string]bool{}
	for _, c := range s.columns {
		for _, v := range c.values {
			if _, isFigure := figure(v); !isFigure && len(v) < 100 {
				g.known[text.Fold(v)] = true
			}
		}
	}
	for _, r := range rows {
		word, of := subtotal(r.name)
		if word != "" && r.texts == 0 && g.known[text.Fold(of)] {
			g.words[word] = true
		}
	}
}

func (g *groups) isSubtotal(name string, texts int) bool {
	if texts > 0 || len(g.words) == 0 {
		return false
	}
	word, of := subtotal(name)
	return g.words[word] && (g.known[text.Fold(of)] || isRegion(of))
}

// subtotal cuts the word of a subtotal off a name: "Germany Total", "Summe Deutschland", "ドイツ 集計". word is empty if there is none.
func subtotal(name string) (word, of string) {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == ':' })
	n := len(words)
	if n < 2 {
		return "", ""
	}
	switch {
	case subtotalWord.MatchString(words[n-1]):
		return "after " + strings.ToLower(words[n-1]), strings.Trim(strings.Join(words[:n-1], " "), " -–")
	case subtotalWord.MatchString(words[0]):
		rest := words[1:]
		if len(rest) > 1 && linkWords[strings.ToLower(rest[0])] {
			rest = rest[1:]
		}
		return "before " + strings.ToLower(words[0]), strings.Trim(strings.Join(rest, " "), " -–")
	}
	return "", ""
}

// linkWords stand between the word of a subtotal and what is summed up.
var linkWords = wordSet("of for für von pour de du des del di per para do da van voor z dla для по -")

// begins reports whether groups begin the rows and are in between, but not at the end, and at most half of the rows are groups.
func begins(rows []groupRow, isGroup func(groupRow) bool) bool {
	n := 0
	for _, r := range rows {
		if isGroup(r) {
			n++
		}
	}
	return n >= 2 && 2*n <= len(rows) && isGroup(rows[0]) && !isGroup(rows[len(rows)-1])
}

// areAlone reports whether rows with a name alone are groups: none follows another, and all other rows have nearly the same number of cells. Of
// few groups, each must be the letter with which the next name begins.
func areAlone(rows []groupRow) bool {
	most, count, letters := 0, 0, true
	for _, r := range rows {
		most = max(most, r.filled)
	}
	for i, r := range rows {
		switch {
		case r.filled > 0 && (r.filled < 2 || 4*r.filled < 3*most):
			return false
		case r.filled > 0:
		case i > 0 && rows[i-1].filled == 0:
			return false
		default:
			count++
			letters = letters && len([]rune(r.name)) == 1 && i+1 < len(rows) && strings.HasPrefix(text.Fold(rows[i+1].name), text.Fold(r.name))
		}
	}
	const groupsMin = 3
	return letters || count >= groupsMin
}

// indentOfCompanies returns how far companies are indented below groups: as far as the last row, and each row that is less indented is above
// one that is more indented, and has only numbers. It returns 0 if they are not.
func indentOfCompanies(rows []groupRow) int {
	if len(rows) == 0 {
		return 0
	}
	deepest, n := rows[len(rows)-1].indent, 0
	for i, r := range rows {
		switch {
		case r.indent > deepest:
			return 0
		case r.indent < deepest:
			if n++; r.texts > 0 || rows[i+1].indent <= r.indent {
				return 0
			}
		}
	}
	if n < 2 || rows[0].indent == deepest {
		return 0
	}
	return deepest
}

// indentOf returns the number of blanks at the beginning of a cell.
func indentOf(s string) int {
	return len([]rune(s)) - len([]rune(strings.TrimLeftFunc(s, unicode.IsSpace)))
}

// sumsOfRows returns the rows that have the sums of the rows below them, up to the next such row, in all columns of numbers. It returns none
// unless all rows are sums or summed up, which is certain to be no chance if the rows have only numbers, and several or large ones.
func sumsOfRows(rows []groupRow, columns int) []int {
	const rowsMin, largeMin = 5, 100
	if len(rows) < rowsMin {
		return nil
	}
	for _, r := range rows {
		if r.texts > 0 {
			return nil
		}
	}
	var found []int
	large, wide := false, 0
	for n := range columns {
		sums, several, most := sumsOfColumn(rows, n)
		switch {
		case most == 0:
			continue
		case len(sums) < 2 || !several || found != nil && !slices.Equal(found, sums):
			return nil
		}
		found = sums
		wide++
		large = large || most >= largeMin
	}
	if wide < 2 && !large {
		return nil
	}
	return found
}

// sumsOfColumn is sumsOfRows for one column. several reports whether a sum is that of more than one row, and most is the largest number.
func sumsOfColumn(rows []groupRow, column int) (sums []int, several bool, most float64) {
	for _, r := range rows {
		most = max(most, r.numbers[column])
	}
	for i := 0; i < len(rows); {
		left := rows[i].numbers[column]
		sums = append(sums, i)
		near := 1e-6 * max(1, left)
		first := i + 1
		for i++; i < len(rows) && (left > near || rows[i].numbers[column] == 0); i++ {
			left -= rows[i].numbers[column]
		}
		if left > near || left < -near || i == first {
			return nil, false, most
		}
		several = several || i > first+1
	}
	return sums, several, most
}

// isRegion reports whether s is a country, or a part of the world with several.
func isRegion(s string) bool {
	if isSalesRegion(s) || isContinent(s) {
		return true
	}
	_, ok := company.LookupCountry(s)
	return ok && len([]rune(s)) > 2
}

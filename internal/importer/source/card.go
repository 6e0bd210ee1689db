package source

import (
	"bytes"
	"encoding/csv"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// cards reads a table with the name of a field and its values on each line: the second cell is of one record, the third of the next
// one. The first name, or another one that is there already, begins the next records.
type cards struct {
	schema Schema
	links  *sheetLinks // of a sheet
	comma  byte        // between the cells of the rejected records of a text; 0 for a sheet
	next   func() (cardLine, bool)
	end    func() error

	key   string   // the name of the key before the name of each field; empty if there is none
	names []string // of the fields in the first lines
	first string   // the name that begins a record
	lines []cardLine
	done  bool
}

// cardLine is a line of a card.
type cardLine struct {
	line   int
	key    string // of the record; empty if lines have none
	cells  []string
	reason Reason // why it cannot be read
	raw    string
}

var errCard = errors.New("each line has the name of a field and its value, and no name says which company it is; write the names in one line, and the " +
	"values of each company in a line below it")

// fieldNames counts the names of fields that the schema knows.
type fieldNames struct {
	lines, known int
	seen         map[string]bool
	key          bool // one identifies companies
}

// add adds the name of the field on a line, and reports whether it is known.
func (f *fieldNames) add(schema Schema, name string) bool {
	f.lines++
	column := schema.Column(name)
	if !column.Known || looksLikeData(schema, []string{name}) {
		return false
	}
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	f.known++
	f.seen[strings.ToLower(name)] = true
	f.key = f.key || column.Key
	return true
}

// areFields reports whether the names are those of fields rather than values of a column.
func (f *fieldNames) areFields() bool { return f.key && len(f.seen) >= 2 && 2*f.known >= f.lines }

// keyedHeader returns the line that names the key of each record, the name of a field and its value, which each have a line: id, field,
// value. It is -1 if there is none.
func keyedHeader[C string | []byte](schema Schema, rows [][]C) int {
	at := slices.IndexFunc(rows, func(row []C) bool {
		return len(row) >= 3 && len(filled(row)) == 3 && cardHeading.MatchString(headerText(string(row[2])))
	})
	if at < 0 {
		return -1
	}
	names, several := fieldNames{key: schema.Column(headerText(string(rows[at][0]))).Key}, false
	last := ""
	for _, row := range rows[at+1:] {
		if len(row) < 3 {
			continue
		}
		names.add(schema, cardName(string(row[1])))
		key := string(row[0])
		several = several || names.lines > 1 && (key == last || key == "")
		last = key
	}
	if several && names.areFields() {
		return at
	}
	return -1
}

// isCards reports whether rows are the fields of records: the first cells name columns, of which one identifies companies. It is an
// error if they are fields of another kind, by the colons after their names.
func isCards[C string | []byte](schema Schema, rows [][]C) (bool, error) {
	if keyedHeader(schema, rows) >= 0 {
		return true, nil
	}
	var names fieldNames
	colons := 0
	for _, row := range rows {
		cells := filled(row)
		if len(cells) < 2 {
			continue // a title, or a field without a value
		}
		if strings.HasSuffix(headerText(string(row[0])), ":") {
			colons++
		}
		if !names.add(schema, cardName(string(row[0]))) {
			continue
		}
		if others := knownNames(schema, row[1:]); others > 0 && (names.lines == 1 || len(cells) > 2 && others == len(cells)-1) {
			return false, nil // the names of columns, beside each other
		}
	}
	switch {
	case names.areFields():
		return true, nil
	case colons >= 3 && 5*colons >= 4*names.lines:
		return false, errCard
	}
	return false, nil
}

// cardName returns the name of a field without the colon after it.
func cardName(cell string) string {
	return strings.TrimSpace(strings.TrimRight(headerText(cell), ":："))
}

// cardHeading matches the cells above the names and the values of a card.
var cardHeading = regexp.MustCompile(`(?i)^(?:values?|werte?|valeurs?|valor(?:es)?|valor[ei]|waarden?|wartość|wartości|значение|値|值|값)$`)

// start takes the lines that were read already, without the title and the heading above the first field.
func (c *cards) start(lines []cardLine) {
	rows := make([][]string, 0, len(lines))
	for _, l := range lines {
		rows = append(rows, l.cells)
	}
	read := c.next
	if at := keyedHeader(c.schema, rows); at >= 0 {
		c.key, lines = cardName(rows[at][0]), lines[at+1:]
		for i := range lines {
			lines[i] = lines[i].withKey()
		}
		c.next = func() (cardLine, bool) {
			l, ok := read()
			return l.withKey(), ok
		}
	} else {
		for i, cells := range rows {
			if cells = filled(cells); len(cells) >= 2 && !cardHeading.MatchString(cells[1]) {
				lines = lines[i:]
				break
			}
		}
	}
	c.names = cardNames(lines)
	more, at := c.next, 0
	c.next = func() (cardLine, bool) {
		if at < len(lines) {
			at++
			return lines[at-1], true
		}
		return more()
	}
}

// withKey takes the key of the record off the line.
func (l cardLine) withKey() cardLine {
	if len(l.cells) > 0 {
		l.key, l.cells = l.cells[0], l.cells[1:]
	}
	return l
}

// cardNames returns the names of the fields in lines, in their order.
func cardNames(lines []cardLine) []string {
	var names []string
	for _, l := range lines {
		if len(l.cells) > 0 {
			if name := cardName(l.cells[0]); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

const cardsMax = 64 // of a chunk

func (c *cards) nextChunk() (Chunk, error) {
	p := &cardChunk{schema: c.schema, links: c.links, comma: c.comma, key: c.key}
	for !c.done && len(p.cards) < cardsMax {
		l, ok := c.next()
		switch {
		case !ok:
			c.done = true
		case l.reason != "":
			p.cards = append(p.cards, []cardLine{l})
			continue
		case len(filled(l.cells)) == 0:
			continue
		}
		if !ok || c.begins(l) || len(c.lines) == ColumnsMax {
			if len(c.lines) > 0 {
				p.cards = append(p.cards, c.lines)
			}
			c.lines = nil
		}
		if ok {
			c.lines = append(c.lines, l)
		}
	}
	if len(p.cards) == 0 {
		return nil, c.end()
	}
	return p, nil
}

func nameOf(l cardLine) string {
	if len(l.cells) == 0 {
		return ""
	}
	return cardName(l.cells[0])
}

// begins reports whether a line begins the next records: with the first name, or another one that is there already. A name that is again
// on the line below it has another value.
func (c *cards) begins(l cardLine) bool {
	name := nameOf(l)
	switch {
	case c.key != "":
		return len(c.lines) > 0 && l.key != "" && l.key != c.lines[0].key
	case name == "":
		return false
	case c.first == "":
		c.first = name
	}
	switch {
	case len(c.lines) == 0:
		return false
	case strings.EqualFold(name, c.first):
		return true
	case strings.EqualFold(name, nameOf(c.lines[len(c.lines)-1])):
		return false
	}
	return slices.ContainsFunc(c.lines, func(l cardLine) bool { return strings.EqualFold(nameOf(l), name) })
}

// cardChunk is a run of cards, each the lines of one or more records.
type cardChunk struct {
	schema Schema
	links  *sheetLinks
	comma  byte
	key    string // the name of the keys; empty if there are none
	cards  [][]cardLine
}

// Records yields the records of each card, by the columns of their values.
func (p *cardChunk) Records(yield func(*Record)) {
	for _, lines := range p.cards {
		if lines[0].reason != "" {
			yield(&Record{Line: lines[0].line, Reason: lines[0].reason, rawText: lines[0].raw})
			continue
		}
		width := 2
		for _, l := range lines {
			width = max(width, len(l.cells))
		}
		for column := 1; column < width; column++ {
			if r := p.record(lines, column); r != nil {
				openEnvelope(p.schema, r)
				yield(r)
			}
		}
	}
}

// record returns the record with the values of a column; nil if there are none.
func (p *cardChunk) record(lines []cardLine, column int) *Record {
	r := &Record{Line: lines[0].line}
	var raw bytes.Buffer
	out := csv.NewWriter(&raw)
	kind, blank := Text, true
	if p.comma != 0 {
		out.Comma, kind = rune(p.comma), Cell
	}
	write := func(name, value string) {
		r.add(name, value, kind)
		out.Write([]string{name, value}) //nolint:errcheck // to memory
	}
	before := 0 // cells before the name of a field
	if p.key != "" {
		before = 1
		write(p.key, lines[0].key)
	}
	for _, l := range lines {
		value := ""
		if column < len(l.cells) {
			value = l.cells[column]
		}
		blank = blank && strings.TrimSpace(value) == ""
		write(nameOf(l), value)
		if target := p.links.at(l.line, before+column); target != "" {
			r.add(nameOf(l)+LinkSuffix, target, kind)
		}
	}
	if blank {
		return nil
	}
	if len(lines) == ColumnsMax {
		r.Reason = ReasonManyColumns
	}
	if out.Flush(); p.comma != 0 && out.Error() == nil {
		r.rawText = raw.String()
	}
	return r
}

// add adds a value of a field. One without a name belongs to the field before it, and so does one whose name is there already.
func (r *Record) add(name, value string, kind Kind) {
	i := len(r.Fields) - 1
	if name != "" {
		i = slices.IndexFunc(r.Fields, func(f Field) bool { return strings.EqualFold(f.Name, name) })
	}
	switch {
	case i >= 0 && value != "":
		v := &r.Fields[i].Value
		v.Text = strings.TrimPrefix(v.Text+"\n"+value, "\n")
	case i < 0 && name != "":
		r.Fields = append(r.Fields, Field{name, Value{Kind: kind, Text: value}})
	}
}

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

	names []string // of the fields in the first lines
	first string   // the name that begins a record
	lines []cardLine
	done  bool
}

// cardLine is a line of a card.
type cardLine struct {
	line   int
	cells  []string
	reason Reason // why it cannot be read
	raw    string
}

var errCard = errors.New("each line has the name of a field and its value, and no name says which company it is; write the names in one line, and the " +
	"values of each company in a line below it")

// isCards reports whether rows are the fields of records: the first cells name columns, of which one identifies companies. It is an
// error if they are fields of another kind, by the colons after their names.
func isCards[C string | []byte](schema Schema, rows [][]C) (bool, error) {
	lines, known, colons, key := 0, 0, 0, false
	seen := map[string]bool{}
	for _, row := range rows {
		cells := filled(row)
		if len(cells) < 2 {
			continue // a title, or a field without a value
		}
		lines++
		if strings.HasSuffix(headerText(string(row[0])), ":") {
			colons++
		}
		name := cardName(string(row[0]))
		column := schema.Column(name)
		if !column.Known || looksLikeData(schema, []string{name}) {
			continue
		}
		if others := knownNames(schema, row[1:]); others > 0 && (lines == 1 || len(cells) > 2 && others == len(cells)-1) {
			return false, nil // the names of columns, beside each other
		}
		known++
		seen[strings.ToLower(name)] = true
		key = key || column.Key
	}
	switch {
	case key && len(seen) >= 2 && 2*known >= lines:
		return true, nil
	case colons >= 3 && 5*colons >= 4*lines:
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
	for i, l := range lines {
		cells := filled(l.cells)
		if len(cells) >= 2 && !cardHeading.MatchString(cells[1]) {
			lines = lines[i:]
			break
		}
	}
	c.names = cardNames(lines)
	before, at := c.next, 0
	c.next = func() (cardLine, bool) {
		if at < len(lines) {
			at++
			return lines[at-1], true
		}
		return before()
	}
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
	p := &cardChunk{schema: c.schema, links: c.links, comma: c.comma}
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
		if name := nameOf(l); !ok || c.begins(name) {
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

// begins reports whether a name begins the next records. One that is again on the line below it has another value.
func (c *cards) begins(name string) bool {
	switch {
	case name == "":
		return false
	case c.first == "":
		c.first = name
	}
	if len(c.lines) == 0 || strings.EqualFold(name, nameOf(c.lines[len(c.lines)-1])) && !strings.EqualFold(name, c.first) {
		return false
	}
	return slices.ContainsFunc(c.lines, func(l cardLine) bool { return strings.EqualFold(nameOf(l), name) })
}

// cardChunk is a run of cards, each the lines of one or more records.
type cardChunk struct {
	schema Schema
	links  *sheetLinks
	comma  byte
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
	for _, l := range lines {
		value := ""
		if column < len(l.cells) {
			value = l.cells[column]
		}
		blank = blank && strings.TrimSpace(value) == ""
		r.add(nameOf(l), value, kind)
		if target := p.links.at(l.line, column); target != "" {
			r.add(nameOf(l)+LinkSuffix, target, kind)
		}
		out.Write([]string{nameOf(l), value}) //nolint:errcheck // to memory
	}
	if blank {
		return nil
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

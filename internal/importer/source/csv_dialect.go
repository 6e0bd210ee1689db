package source

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// dialect is how a CSV file is written.
type dialect struct {
	comma  byte
	quote  byte // 0 for none
	escape byte // before a quote inside quotes, if quotes are not doubled; 0 for none
	lone   bool // a CR alone ends a line; otherwise it is text
	spaced bool // spaces stand between a delimiter and a quote
	whole  bool // each line is in quotes as a whole, with the quotes inside it doubled
}

const dialectRecordsMax = 100 // looked at

// findDialect detects the dialect from the beginning of the text.
func findDialect(head []byte, delimiter byte, tabs bool) dialect {
	d := dialect{comma: ',', quote: quoteOf(head)}
	if d.quote != 0 && bytes.Count(head, []byte{'\\', d.quote}) > bytes.Count(head, []byte{d.quote, d.quote}) {
		d.escape = '\\'
	}
	d.lone = endsInLoneCR(head, d.quote)
	if delimiter != 0 {
		d.comma = delimiter
		d.spaced = d.isSpaced(head)
		d.whole = d.isWhole(head)
		return d
	}
	candidates := []byte(",;\t|\x1f\x01^~")
	if tabs {
		candidates = []byte("\t,;|")
	}
	best := 0.0
	for _, c := range candidates {
		try := d
		try.comma = c
		try.spaced = try.isSpaced(head)
		try.whole = try.isWhole(head)
		if score := try.score(head); score > best {
			best, d = score, try
		}
	}
	if best == 0 && tabs {
		d.comma = '\t'
	}
	return d
}

// score is high if many records have the same number of cells, more than one, and 0 if the delimiter does not separate
// anything.
func (d dialect) score(head []byte) float64 {
	c := &csvReader{dialect: d, rest: head, line: 1}
	widths := map[int]int{}
	records := 0
	for records < dialectRecordsMax && len(c.rest) > 0 {
		if c.skipBlank(); len(c.rest) == 0 {
			break
		}
		cells, problem := c.unwrapped()
		if len(c.rest) == 0 && records > 0 {
			break // it may be incomplete
		}
		records++
		if problem == "" {
			widths[len(cells)]++
		}
	}
	most, width := 0, 0
	for w, n := range widths {
		if n > most || n == most && w > width {
			most, width = n, w
		}
	}
	if width < 2 {
		return 0
	}
	return float64(most)/float64(records) + 0.01*float64(min(width, 30))
}

// isSpaced reports whether the first line has a space between a delimiter and a quote.
func (d dialect) isSpaced(head []byte) bool {
	line := head
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	return d.quote != 0 && d.comma != ' ' && bytes.Contains(line, []byte{d.comma, ' ', d.quote})
}

// isWhole reports whether the first line is one cell in quotes that has delimiters inside.
func (d dialect) isWhole(head []byte) bool {
	c := &csvReader{dialect: d, rest: head, line: 1}
	if c.skipBlank(); len(c.rest) == 0 || c.rest[0] != d.quote {
		return false
	}
	cells, problem := c.record()
	return problem == "" && len(cells) == 1 && bytes.IndexByte(cells[0], d.comma) >= 0
}

// quoteOf returns the character that quotes cells: the double quote, unless all cells of the first line are in single
// quotes.
func quoteOf(head []byte) byte {
	line := head
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	for _, comma := range []string{",", ";", "\t", "|"} {
		cells := strings.Split(string(line), comma)
		quoted := func(s string) bool {
			s = strings.TrimSpace(s)
			return len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\''
		}
		if len(cells) > 1 && !slices.ContainsFunc(cells, func(s string) bool { return !quoted(s) }) {
			return '\''
		}
	}
	return '"'
}

// endsInLoneCR reports whether the first line end outside quotes is a CR without an LF.
func endsInLoneCR(head []byte, quote byte) bool {
	quoted := false
	for i, b := range head {
		switch {
		case b == quote:
			quoted = !quoted
		case quoted:
		case b == '\n':
			return false
		case b == '\r':
			return i+1 == len(head) || head[i+1] != '\n'
		}
	}
	return bytes.IndexByte(head, '\n') < 0
}

// describe returns the dialect for people.
func (d dialect) describe() string {
	names := map[byte]string{',': "commas", ';': "semicolons", '\t': "tabs", '|': "vertical bars", 1: "the character U+0001", 0x1f: "the character U+001F"}
	parts := []string{"CSV", "separated by " + cmp.Or(names[d.comma], "“"+string(rune(d.comma))+"”")}
	if d.quote == '\'' {
		parts = append(parts, "single quotes")
	}
	if d.whole {
		parts = append(parts, "each line in quotes")
	}
	if d.lone {
		parts = append(parts, "lines end in CR")
	}
	return strings.Join(parts, ", ")
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// csvReader reads CSV with a header: RFC 4180 in any of the usual dialects. Quotes inside unquoted cells are text. After a
// record with unbalanced quotes it continues on the line after the one where that record began.
type csvReader struct {
	dialect
	in        io.Reader
	schema    Schema
	rest      []byte    // read, and not returned yet
	line      int       // of the first byte in rest
	end       error     // of in; nil until then
	evidence  *evidence // nil where the text is UTF-8 already
	header    []string
	names     []string    // of the columns, as the source has them; nil if it has none
	headerRaw []byte      // as the source has it
	doubt     string      // about the header, for a notice; may be empty
	ahead     []csvRecord // read while looking for the header
	blank     bool        // a blank line is before rest
	below     below
	sum       runningSum
	chunk     []csvRecord // the last one
	cards     *cards      // if each line has the name of a field and its value; nil otherwise
}

const (
	csvRecordsMax = 256 // of a chunk
)

var (
	errOpenQuote   = fmt.Errorf("a quote is opened but not closed within %d MiB; correct the line and import again", recordBytesMax>>20)
	errEndlessLine = fmt.Errorf("a line does not end within %d MiB", lineBytesMax>>20)
)

func newCSV(in io.Reader, schema Schema, enc *evidence, delimiter string, tabs bool) (*csvReader, error) {
	c := &csvReader{in: in, schema: schema, line: 1, evidence: enc}
	c.fill()
	if c.end != nil && !errors.Is(c.end, io.EOF) {
		return nil, c.end
	}
	var comma byte
	switch {
	case delimiter == "tab" || delimiter == `\t`:
		comma = '\t'
	case len(delimiter) == 1:
		comma = delimiter[0]
	case delimiter != "":
		return nil, fmt.Errorf("the delimiter %q must be one character, or tab", delimiter)
	}
	if line, ok := bytes.CutPrefix(c.rest, []byte("sep=")); ok && len(line) > 1 && isLineEnd(line[1]) {
		comma = line[0] // Excel writes this line
		c.advance(5 + lineEnd(line[1:]))
	}
	if c.skipBlank(); len(c.rest) == 0 {
		if c.end == nil {
			return nil, errEndlessLine
		}
		c.end = io.EOF // an empty file
		return c, nil
	}
	c.dialect = findDialect(c.rest, comma, tabs)
	if comma == 0 && c.isAligned() {
		return nil, errAligned
	}
	return c, c.readHeader()
}

var errAligned = errors.New("its columns are separated by runs of spaces, which import cannot read; turn them into tabs first: " +
	`sed -E 's/ {2,}/\t/g' FILE | capi import --delimiter tab -`)

var alignedCells = regexp.MustCompile(`\S {2,}\S`)

// isAligned reports whether the dialect separates nothing, and most lines have runs of spaces that would.
func (c *csvReader) isAligned() bool {
	lines := firstLines(c.rest, dialectRecordsMax, c.end == nil)
	aligned := 0
	for _, line := range lines {
		if strings.IndexByte(line, c.comma) >= 0 {
			return false
		}
		if alignedCells.MatchString(strings.TrimSpace(line)) {
			aligned++
		}
	}
	return len(lines) >= 2 && 10*aligned >= 9*len(lines)
}

// readHeader finds the row that names the columns, which may be below a title.
func (c *csvReader) readHeader() error {
	var rows [][][]byte
	for len(rows) < headerRowsMax {
		r, ok := c.next()
		if !ok {
			break
		}
		if len(rows) == 0 && r.problem != "" {
			return fmt.Errorf("read the header: %s", r.problem)
		}
		c.ahead = append(c.ahead, r)
		rows = append(rows, r.cells)
	}
	asCards, err := isCards(c.schema, rows)
	if err != nil {
		return err
	}
	if asCards {
		c.readCards()
		return nil
	}
	rows = rows[:firstTable(c.schema, rows, func(i int) bool { return c.ahead[i].gap || isBlankRow(rows[i-1]) })]
	at, names, err := findHeader(c.schema, rows)
	if err != nil {
		return err
	}
	c.header = names
	if at >= 0 {
		c.headerRaw = c.ahead[at].raw
		for _, cell := range c.ahead[at].cells {
			c.names = append(c.names, headerText(string(cell)))
		}
	}
	if at == 0 && !slices.ContainsFunc(names, func(name string) bool { return c.schema.Column(name).Known }) {
		c.doubt = "names no column that is known in its first line, which is read as the header: " + someOf(names) + "; if it is a record, write a line with the names of the columns above it"
	}
	c.ahead = c.ahead[at+1:]
	c.below = below{schema: c.schema, names: c.names}
	return nil
}

// readCards reads the lines as the fields of records.
func (c *csvReader) readCards() {
	line := func(r csvRecord) cardLine {
		l := cardLine{line: r.line, reason: r.problem}
		for _, cell := range r.cells {
			l.cells = append(l.cells, decodeCell(c.evidence.charset(), cell))
		}
		if l.reason != "" {
			l.raw = decodeCell(c.evidence.charset(), r.raw)
		}
		return l
	}
	c.cards = &cards{schema: c.schema, comma: c.comma, end: func() error { return c.end }, next: func() (cardLine, bool) {
		r, ok := c.next()
		return line(r), ok
	}}
	var lines []cardLine
	for _, r := range c.ahead {
		lines = append(lines, line(r))
	}
	c.cards.start(lines)
	c.ahead = nil
}

// nextChunk returns up to csvRecordsMax records.
func (c *csvReader) nextChunk() (Chunk, error) {
	if c.cards != nil {
		return c.cards.nextChunk()
	}
	p := &csvChunk{dialect: c.dialect, schema: c.schema, header: c.header, names: c.names, records: c.ahead}
	c.ahead = nil
	for len(p.records) < csvRecordsMax {
		r, ok := c.next()
		if !ok {
			break
		}
		p.records = append(p.records, r)
	}
	c.markBelow(p.records)
	p.charset = c.evidence.charset()
	if len(p.records) == 0 {
		return nil, c.end
	}
	return p, nil
}

// markBelow marks the rows of tables below the first one.
func (c *csvReader) markBelow(records []csvRecord) {
	for i := range records {
		r := &records[i]
		c.below.gap = c.below.gap || r.gap
		switch {
		case r.problem != "":
		case isBlankRow(r.cells):
			c.below.gap = true
		default:
			r.detail = detailBelow(&c.below, r.line, r.cells, func() (earlier [][][]byte) {
				for _, e := range slices.Concat(c.chunk, records[:i]) {
					earlier = append(earlier, e.cells)
				}
				return earlier
			})
			if r.detail != "" {
				r.problem = ReasonOtherTable
			}
			if len(c.header) == 2 && sumsUp(&c.sum, r.cells) {
				r.problem = ReasonFooter
			}
		}
	}
	c.chunk = records
}

// next reads one record. ok is false at the end.
func (c *csvReader) next() (r csvRecord, ok bool) {
	for {
		if len(c.rest) <= recordBytesMax && c.end == nil {
			c.fill()
		}
		c.skipBlank()
		if len(c.rest) > 0 {
			break
		}
		if c.end != nil {
			return r, false
		}
	}
	r.line, r.gap = c.line, c.blank
	c.blank = false
	before := c.rest
	r.cells, r.problem = c.unwrapped()
	if r.problem != "" && c.end != nil && !errors.Is(c.end, io.EOF) {
		return r, false // the source broke off inside it
	}
	r.raw = before[:max(0, min(len(before)-len(c.rest), recordBytesMax))]
	return r, true
}

// fill reads more, so that rest has a whole record of any permitted length.
func (c *csvReader) fill() {
	have := len(c.rest)
	grown := append(make([]byte, 0, have+recordBytesMax), c.rest...)
	n, err := readFull(c.in, grown[have:have+recordBytesMax])
	c.rest = grown[:have+n]
	c.evidence.look(c.rest[have:])
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped io.EOF means that the source was cut off
		c.end = io.EOF
	case err != nil:
		c.end = fmt.Errorf("read: %w", err)
	}
}

// skipBlank skips empty lines and comments.
func (c *csvReader) skipBlank() {
	for len(c.rest) > 0 {
		switch {
		case isLineEnd(c.rest[0]):
			c.blank = true
			c.advance(lineEnd(c.rest))
		case bytes.HasPrefix(c.rest, []byte(CommentPrefix)):
			i := bytes.IndexAny(c.rest, "\r\n")
			if i < 0 {
				i = len(c.rest)
			}
			c.advance(i + lineEnd(c.rest[i:]))
		default:
			return
		}
	}
}

func isLineEnd(b byte) bool { return b == '\n' || b == '\r' }

// lineEnd returns the length of the line end at the beginning of p, 0 if it has none.
func lineEnd(p []byte) int {
	switch {
	case len(p) > 1 && p[0] == '\r' && p[1] == '\n':
		return 2
	case len(p) > 0 && isLineEnd(p[0]):
		return 1
	}
	return 0
}

// ends reports whether a record ends at p[i].
func (d *dialect) ends(p []byte, i int) bool {
	return p[i] == '\n' || p[i] == '\r' && (d.lone || i+1 == len(p) || p[i+1] == '\n')
}

// advance drops n bytes and counts their lines. n must not split a CR LF.
func (c *csvReader) advance(n int) {
	p := c.rest[:n]
	lone := 0
	for i := bytes.IndexByte(p, '\r'); i >= 0 && i < len(p); i++ {
		if p[i] == '\r' && (i+1 == len(p) || p[i+1] != '\n') {
			lone++
		}
	}
	c.line += lone + bytes.Count(p, []byte{'\n'})
	c.rest = c.rest[n:]
}

// record takes one record off rest, or with a problem, only the record's first line.
func (c *csvReader) record() ([][]byte, Reason) {
	cells := make([][]byte, 0, max(8, len(c.header)))
	p := c.rest[:min(len(c.rest), recordBytesMax)]
	at := 0
	for {
		cell, n, problem := c.cell(p[at:])
		switch {
		case problem == ReasonQuotes && len(p) == recordBytesMax && len(p) < len(c.rest) && bytes.IndexByte(p[at+1:], c.quote) < 0:
			c.end = fmt.Errorf("line %d: %w", c.line, errOpenQuote)
			c.rest = nil
			return nil, ReasonQuotes
		case problem != "":
			return nil, c.drop(problem)
		case len(cells) > ColumnsMax:
			return nil, c.drop(ReasonManyColumns)
		}
		cells = append(cells, cell)
		at += n
		switch {
		case at == len(p) && at < len(c.rest):
			return nil, c.drop(ReasonTooLong)
		case at == len(p):
			c.advance(at)
			return cells, ""
		case p[at] == c.comma:
			at++
		default:
			c.advance(at + lineEnd(p[at:]))
			return cells, ""
		}
	}
}

// unwrapped is record, but cuts a line that is in quotes as a whole into its cells.
func (c *csvReader) unwrapped() ([][]byte, Reason) {
	inQuotes := len(c.rest) > 0 && c.rest[0] == c.quote
	cells, problem := c.record()
	if problem == "" && c.whole && inQuotes && len(cells) == 1 {
		return c.cut(cells[0]), ""
	}
	return cells, problem
}

// cut cuts a cell that is a record itself into its cells; it is the only cell if it is no such record.
func (d dialect) cut(cell []byte) [][]byte {
	inner := &csvReader{dialect: d, rest: cell, line: 1, end: io.EOF}
	if cells, problem := inner.record(); problem == "" && len(inner.rest) == 0 {
		return cells
	}
	return [][]byte{cell}
}

// drop skips the current line.
func (c *csvReader) drop(problem Reason) Reason {
	dropped := 0
	for {
		for i := range c.rest {
			if c.ends(c.rest, i) {
				c.advance(i + lineEnd(c.rest[i:]))
				return problem
			}
		}
		dropped += len(c.rest)
		c.rest = nil
		if c.end != nil || c.in == nil {
			return problem
		}
		if dropped > lineBytesMax {
			c.end = fmt.Errorf("line %d: %w", c.line, errEndlessLine)
			return problem
		}
		c.fill()
	}
}

// cell reads one cell up to the delimiter or line end after it. n is its length in bytes.
func (c *csvReader) cell(p []byte) (text []byte, n int, problem Reason) {
	if n := c.formula(p); n > 0 {
		return p[:n], n, ""
	}
	if len(p) == 0 || c.quote == 0 {
		return c.bare(p)
	}
	if p[0] == ' ' {
		return c.spacedCell(p)
	}
	if p[0] != c.quote {
		return c.bare(p)
	}
	var joined []byte
	for n = 1; ; {
		i := bytes.IndexByte(p[n:], c.quote)
		if i < 0 {
			return nil, 0, ReasonQuotes
		}
		part := p[n : n+i]
		n += i
		switch {
		case c.escape != 0 && i > 0 && part[i-1] == c.escape && (i == 1 || part[i-2] != c.escape):
			joined = append(append(joined, part[:i-1]...), c.quote)
			n++
		case n+1 < len(p) && p[n+1] == c.quote:
			joined = append(append(joined, part...), c.quote)
			n += 2
		case n+1 == len(p) || p[n+1] == c.comma || c.ends(p, n+1) || c.spaced && c.endsAfterSpaces(p, n+1) > 0:
			if joined != nil {
				part = append(joined, part...)
			}
			return part, n + 1 + c.endsAfterSpaces(p, n+1), ""
		case bytes.IndexByte(p[:n], '\n') >= 0 || c.lone && bytes.IndexByte(p[:n], '\r') >= 0:
			return nil, 0, ReasonQuotes
		default:
			return c.loose(p)
		}
	}
}

// spacedCell reads a cell that begins with spaces. A quote after them opens it as if they were not there, if it is closed at
// the end of the cell; unless the header has such quotes, also only if it is closed on the same line.
func (c *csvReader) spacedCell(p []byte) (text []byte, n int, problem Reason) {
	start := 0
	for start < len(p) && p[start] == ' ' && c.comma != ' ' {
		start++
	}
	if start == len(p) || p[start] != c.quote || start == 0 {
		return c.bare(p)
	}
	inside := *c
	inside.spaced = true
	line := p
	if !c.spaced {
		for i := start; i < len(p); i++ {
			if c.ends(p, i) {
				line = p[:i]
				break
			}
		}
	}
	text, n, problem = inside.cell(line[start:])
	if n += start; problem != "" || n < len(p) && p[n] != c.comma && !c.ends(p, n) || len(text) > 0 && text[0] == c.quote && p[start+1] != c.quote {
		return c.bare(p)
	}
	return text, n, ""
}

// endsAfterSpaces returns the number of spaces at p[i] if the cell ends after them, else 0.
func (c *csvReader) endsAfterSpaces(p []byte, i int) int {
	n := 0
	for i+n < len(p) && p[i+n] == ' ' && c.comma != ' ' {
		n++
	}
	if n > 0 && (i+n == len(p) || p[i+n] == c.comma || c.ends(p, i+n)) {
		return n
	}
	return 0
}

// bareFormula matches a formula with texts that a program wrote without quotes around it.
var bareFormula = regexp.MustCompile(`^=[\pL_.]+\(\s*"[^"\r\n]*"\s*[,;]\s*(?:"[^"\r\n]*"|[^"()\r\n]*)\)`)

// formula returns the length of such a formula if it is a cell, else 0.
func (c *csvReader) formula(p []byte) int {
	if len(p) == 0 || p[0] != '=' {
		return 0
	}
	m := bareFormula.FindIndex(p[:min(len(p), linkBytesMax)])
	if m == nil || m[1] < len(p) && p[m[1]] != c.comma && !c.ends(p, m[1]) {
		return 0
	}
	return m[1]
}

// bare reads a cell without quotes.
func (c *csvReader) bare(p []byte) (text []byte, n int, problem Reason) {
	for n < len(p) && p[n] != c.comma && !c.ends(p, n) {
		n++
	}
	return p[:n], n, ""
}

// loose reads a cell with quotes inside that are not doubled. It ends at the first quote that is followed by a delimiter or
// line end; if the line has none, the quotes are text.
func (c *csvReader) loose(p []byte) (text []byte, n int, problem Reason) {
	for i := 1; i < len(p) && !c.ends(p, i); i++ {
		if p[i] == c.quote && (i+1 == len(p) || p[i+1] == c.comma || c.ends(p, i+1)) {
			return p[1:i], i + 1, ""
		}
	}
	return c.bare(p)
}

type csvRecord struct {
	line    int
	cells   [][]byte
	raw     []byte
	gap     bool // a blank line is above it
	problem Reason
	detail  string // about the problem
}

type csvChunk struct {
	dialect
	schema  Schema
	header  []string
	names   []string
	records []csvRecord
	charset *charmap.Charmap
}

// Records names the cells by the header.
func (p *csvChunk) Records(yield func(*Record)) {
	var record Record
	for i := range p.records {
		r := &p.records[i]
		record = Record{Line: r.line, Fields: record.Fields[:0], Reason: r.problem, Detail: r.detail, raw: r.raw, charset: p.charset}
		if record.Reason == "" && (isBlankRow(r.cells) || isRule(r.cells) || isHeaderAgain(p.names, r.cells)) {
			continue // like an empty line; files that were joined repeat the header
		}
		if record.Reason == "" {
			p.fields(&record, r.cells)
			openEnvelope(p.schema, &record)
		}
		yield(&record)
	}
}

// isRule reports whether a row only draws a line below the header, as in Markdown and in the output of database clients.
func isRule(cells [][]byte) bool {
	dashes := 0
	for _, c := range cells {
		if len(bytes.Trim(c, "-:=+| ")) > 0 {
			return false
		}
		dashes = max(dashes, bytes.Count(c, []byte("-")), bytes.Count(c, []byte("=")))
	}
	return dashes >= 3
}

func isBlankRow(cells [][]byte) bool {
	return !slices.ContainsFunc(cells, func(c []byte) bool { return len(bytes.TrimSpace(c)) > 0 })
}

func (p *csvChunk) fields(record *Record, cells [][]byte) {
	for len(cells) > len(p.header) && len(bytes.TrimSpace(cells[len(cells)-1])) == 0 {
		cells = cells[:len(cells)-1]
	}
	// Programs leave out empty cells at the end. A row that lacks more is most likely one half of a broken row.
	for missing := len(p.header) - len(cells); missing > 0 && missing*4 <= len(p.header); missing-- {
		cells = append(cells, nil)
	}
	if len(cells) == 1 && len(p.header) > 1 && p.quote != 0 && bytes.HasPrefix(record.raw, []byte{p.quote}) {
		if parts := p.cut(cells[0]); len(parts) == len(p.header) {
			cells = parts // some programs put only those lines in quotes that have quotes inside
		}
	}
	if len(cells) != len(p.header) {
		record.Reason = ReasonColumns
		record.Detail = plural(len(cells), "cell") + ", " + plural(len(p.header), "column")
		return
	}
	if isFooter(cells) {
		record.Reason = ReasonFooter
		return
	}
	for i, name := range p.header {
		record.Fields = append(record.Fields, Field{name, Value{Kind: Cell, Text: p.text(cells[i])}})
	}
}

func (p *csvChunk) text(cell []byte) string { return decodeCell(p.charset, cell) }

func decodeCell(charset *charmap.Charmap, cell []byte) string {
	if utf8.Valid(cell) {
		return string(cell)
	}
	return decodeText(charset, cell)
}

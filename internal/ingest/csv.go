package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// csvReader reads CSV with a header: RFC 4180 with any line ends, quotes inside of unquoted cells taken as they are,
// separated by commas, semicolons or tabs. After a record with unbalanced quotes it goes on at the line below the one
// where that record began.
type csvReader struct {
	in     io.Reader
	rest   []byte // not given out yet
	line   int    // of the first byte in rest
	end    error
	comma  byte
	header []string
}

const csvRecordsMax = 256 // of a piece

var errNoColumns = errors.New("no column tells which company a row is about")

func newCSV(in io.Reader) (*csvReader, error) {
	c := &csvReader{in: in, line: 1}
	c.fill()
	if c.end != nil && !errors.Is(c.end, io.EOF) {
		return nil, c.end
	}
	if c.skipBlank(); len(c.rest) == 0 {
		c.end = io.EOF // an empty file
		return c, nil
	}
	c.comma = separator(c.rest)
	header, problem := c.record()
	if problem != "" {
		return nil, fmt.Errorf("read the header: %s", problem)
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if !namesCompany(header) {
		return nil, fmt.Errorf("%w, such as name, domain or id; the columns are: %s", errNoColumns, shorten(strings.Join(header, ", ")))
	}
	c.header = header
	return c, nil
}

// hasHeader tells a file without records from one without anything.
func (c *csvReader) hasHeader() bool { return c.header != nil }

func shorten(s string) string {
	if len(s) <= detailBytesMax {
		return s
	}
	return strings.ToValidUTF8(s[:detailBytesMax], "") + "…"
}

// separator is the likeliest one by the header line.
func separator(head []byte) byte {
	if i := bytes.IndexAny(head, "\r\n"); i >= 0 {
		head = head[:i]
	}
	best, most := byte(','), 0
	for _, c := range []byte(",;\t") {
		if n := bytes.Count(head, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

// Next gives up to csvRecordsMax records.
func (c *csvReader) Next() (Piece, error) {
	p := &csvPiece{header: c.header}
	for len(p.records) < csvRecordsMax {
		if len(c.rest) <= recordBytesMax && c.end == nil {
			c.fill()
		}
		c.skipBlank()
		if len(c.rest) == 0 {
			if c.end == nil {
				continue
			}
			break
		}
		record := csvRecord{line: c.line}
		record.cells, record.problem = c.record()
		p.records = append(p.records, record)
	}
	if len(p.records) == 0 {
		return nil, c.end
	}
	return p, nil
}

// fill reads on, so that rest holds a whole record however long it may be.
func (c *csvReader) fill() {
	have := len(c.rest)
	grown := append(make([]byte, 0, have+recordBytesMax), c.rest...)
	n, err := readFull(c.in, grown[have:have+recordBytesMax])
	c.rest = grown[:have+n]
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped one is a source that was cut off
		c.end = io.EOF
	case err != nil:
		c.end = fmt.Errorf("read: %w", err)
	}
}

func (c *csvReader) skipBlank() {
	for len(c.rest) > 0 && isLineEnd(c.rest[0]) {
		c.advance(lineEnd(c.rest))
	}
}

func isLineEnd(b byte) bool { return b == '\n' || b == '\r' }

// lineEnd is the length of the line end that p begins with.
func lineEnd(p []byte) int {
	switch {
	case len(p) > 1 && p[0] == '\r' && p[1] == '\n':
		return 2
	case len(p) > 0 && isLineEnd(p[0]):
		return 1
	}
	return 0
}

// advance drops n bytes and counts their lines; n must not part a CR LF.
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

// record takes one record off rest. With a problem it takes only the record's first line.
func (c *csvReader) record() ([]string, Reason) {
	var cells []string
	p := c.rest[:min(len(c.rest), recordBytesMax)]
	at := 0
	for {
		cell, n, problem := c.cell(p[at:])
		if problem != "" {
			return nil, c.drop(problem)
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

// drop skips the line at hand.
func (c *csvReader) drop(problem Reason) Reason {
	for {
		if i := bytes.IndexAny(c.rest, "\r\n"); i >= 0 {
			c.advance(i + lineEnd(c.rest[i:]))
			return problem
		}
		c.rest = nil
		if c.end != nil {
			return problem
		}
		c.fill()
	}
}

// cell reads one cell, up to the separator or line end behind it, and gives how many bytes it took.
func (c *csvReader) cell(p []byte) (text string, n int, problem Reason) {
	if len(p) == 0 || p[0] != '"' {
		for n < len(p) && p[n] != c.comma && !isLineEnd(p[n]) {
			n++
		}
		return string(p[:n]), n, ""
	}
	var joined []byte
	for n = 1; ; n += 2 {
		i := bytes.IndexByte(p[n:], '"')
		if i < 0 {
			return "", 0, ReasonQuotes
		}
		part := p[n : n+i]
		n += i
		if n+1 < len(p) && p[n+1] == '"' {
			joined = append(append(joined, part...), '"')
			continue
		}
		n++
		if n < len(p) && p[n] != c.comma && !isLineEnd(p[n]) {
			return "", 0, ReasonQuotes
		}
		return string(append(joined, part...)), n, ""
	}
}

type csvRecord struct {
	line    int
	cells   []string
	problem Reason
}

type csvPiece struct {
	header  []string
	records []csvRecord
}

// Records names the cells by the header.
func (p *csvPiece) Records(yield func(*Record)) {
	var record Record
	for _, r := range p.records {
		record = Record{Line: r.line, Fields: record.Fields[:0], Reason: r.problem}
		if record.Reason == "" {
			p.fields(&record, r.cells)
		}
		yield(&record)
	}
}

func (p *csvPiece) fields(record *Record, cells []string) {
	for len(cells) > len(p.header) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	switch {
	case len(cells) != len(p.header):
		record.Reason = ReasonColumns
		record.Detail = fmt.Sprintf("%d cells, %d columns", len(cells), len(p.header))
		return
	case slices.ContainsFunc(cells, func(s string) bool { return !utf8.ValidString(s) }):
		record.Reason = ReasonNotUTF8
		return
	}
	for i, name := range p.header {
		record.Fields = append(record.Fields, Field{name, Value{Kind: Cell, Text: cells[i]}})
	}
}

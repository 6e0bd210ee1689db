package format

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
)

// A CSV is RFC 4180: a header row, comma, CRLF, UTF-8 (with a byte order mark if Options.BOM). Its cells:
//
//   - An unknown value is an empty cell. Times are RFC 3339, UTC.
//   - The values of a list (industries, naics_codes, technologies, technology_categories) are joined by "; ".
//   - A connection is "category: Name (domain)", or "category: Name" if the domain is unknown; they are joined by "; ".
//   - If joining would be ambiguous, because a value contains ";", "|" or a line break, starts with "[" or "{", has space at
//     either end, or is the only one and contains ",", the cell is a JSON array of the same texts instead. Where a connection
//     has no unambiguous text, the array has the objects of a JSON file.
//   - attributes is a JSON object with sorted keys; empty if there are none.
//   - A text cell that a spreadsheet could run as a formula (its first character, leading spaces aside, is = + - @,
//     one of these in full width, or a control character) gets a leading apostrophe, unless Options.RawFormulas is set.
//     So does a text with apostrophes before such a character, so that a reader can take one off. Numbers, times and ids
//     never do.
//   - Text is never cut, trimmed or changed in any other way; a line break inside a cell is kept, in quotes.
//
// csvWriter does not use encoding/csv, which turns every line break of a cell into CRLF and so changes the text.
type csvWriter struct {
	w       io.Writer
	o       Options
	columns []*company.Field
	row     []byte // rows not yet written
	cell    []byte // reused
}

const flushBytes = 64 << 10

func newCSV(w io.Writer, o Options) Writer {
	c := &csvWriter{w: w, o: o, columns: fieldsOf(o), row: make([]byte, 0, flushBytes+flushBytes/4)}
	if o.BOM {
		c.row = append(c.row, bom...)
	}
	for i, f := range c.columns {
		if i > 0 {
			c.row = append(c.row, ',')
		}
		c.row = append(c.row, header(f, o)...)
	}
	c.row = append(c.row, '\r', '\n')
	return c
}

const bom = "\ufeff"

func (w *csvWriter) Write(c *company.Company) error {
	for i, f := range w.columns {
		if i > 0 {
			w.row = append(w.row, ',')
		}
		w.cell = appendText(w.cell[:0], f, c)
		guard := isText(f.Kind) && !w.o.RawFormulas && needsGuard(w.cell)
		w.row = appendCell(w.row, w.cell, guard)
	}
	w.row = append(w.row, '\r', '\n')
	if len(w.row) < flushBytes {
		return nil
	}
	return w.flush()
}

func (w *csvWriter) Close() error { return w.flush() }

func (w *csvWriter) flush() error {
	_, err := w.w.Write(w.row)
	w.row = w.row[:0]
	return err
}

// appendText appends the text of a cell, not yet quoted.
func appendText(b []byte, f *company.Field, c *company.Company) []byte {
	switch f.Kind {
	case company.KindText:
		return append(b, *f.Text(c)...)
	case company.KindList:
		return appendList(b, *f.List(c))
	case company.KindInteger:
		return appendInt(b, *f.Int(c))
	case company.KindTime:
		return appendTime(b, *f.Time(c))
	case company.KindID:
		return append(b, c.ID.String()...)
	case company.KindConnections:
		return appendConnections(b, c.Connections)
	case company.KindAttributes:
		return appendAttributes(b, c)
	}
	panic("format: unknown kind of field")
}

// isText reports whether cells hold text of the source, which may look like a formula.
func isText(k company.Kind) bool {
	switch k {
	case company.KindText, company.KindList, company.KindConnections, company.KindAttributes:
		return true
	default:
		return false
	}
}

// needsGuard reports whether a cell gets a leading apostrophe.
func needsGuard(cell []byte) bool {
	return len(cell) > 0 && runsAsFormula(bytes.TrimLeft(cell, "'"))
}

// runsAsFormula reports whether a spreadsheet may run the cell as a formula or a command.
func runsAsFormula(cell []byte) bool {
	for len(cell) > 0 && cell[0] == ' ' {
		cell = cell[1:]
	}
	if len(cell) == 0 {
		return false
	}
	switch r, _ := utf8.DecodeRune(cell); r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠':
		return true
	default:
		return unicode.IsControl(r)
	}
}

func appendCell(row, cell []byte, guard bool) []byte {
	quote := needsQuotes(cell)
	if quote {
		row = append(row, '"')
	}
	if guard {
		row = append(row, '\'')
	}
	if !quote {
		return append(row, cell...)
	}
	for _, b := range cell {
		if b == '"' {
			row = append(row, '"')
		}
		row = append(row, b)
	}
	return append(row, '"')
}

// needsQuotes also returns true for space at either end, which some readers trim if it is not quoted.
func needsQuotes(cell []byte) bool {
	if len(cell) == 0 {
		return false
	}
	for _, b := range cell {
		if b == ',' || b == '"' || b < ' ' {
			return true
		}
	}
	return cell[0] == ' ' || cell[len(cell)-1] == ' '
}

const listSeparator = "; "

func appendList(b []byte, values []string) []byte {
	for _, v := range values {
		if !joinable(v) || len(values) == 1 && strings.Contains(v, ",") {
			return appendJSON(b, values)
		}
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, listSeparator...)
		}
		b = append(b, v...)
	}
	return b
}

// joinable reports whether a value can be separated again from its neighbours in a joined cell.
func joinable(v string) bool {
	return v != "" && v[0] != '[' && v[0] != '{' && !strings.ContainsAny(v, ";|\n\r") && strings.TrimSpace(v) == v
}

func appendConnections(b []byte, all []company.Connection) []byte {
	if len(all) == 0 {
		return b
	}
	texts := make([]string, len(all))
	for i, c := range all {
		if !hasText(c) {
			return appendJSON(b, jsonConnections(all))
		}
		texts[i] = connectionText(c)
	}
	return appendList(b, texts)
}

// hasText reports whether connectionText can be taken apart again.
func hasText(c company.Connection) bool {
	return c.Category != "" && !strings.Contains(c.Category, ":") && !strings.ContainsAny(c.Domain, "() ") &&
		(c.Domain != "" || c.Name != "" && !strings.HasSuffix(c.Name, ")"))
}

func connectionText(c company.Connection) string {
	switch {
	case c.Domain == "":
		return c.Category + ": " + c.Name
	case c.Name == "":
		return c.Category + ": (" + c.Domain + ")"
	}
	return c.Category + ": " + c.Name + " (" + c.Domain + ")"
}

func appendAttributes(b []byte, c *company.Company) []byte {
	if len(c.Attributes) == 0 {
		return b
	}
	return appendJSON(b, c.Attributes)
}

// notXML escapes the two characters beside control characters, which JSON escapes itself, that the XML of a workbook cannot hold.
var notXML = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

// appendJSON appends v as JSON.
func appendJSON(b []byte, v any) []byte {
	var buf strings.Builder
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only for values that JSON cannot represent, which the catalog refuses
	}
	return append(b, notXML.Replace(strings.TrimSuffix(buf.String(), "\n"))...)
}

func appendInt(b []byte, n *int64) []byte {
	if n == nil {
		return b
	}
	return strconv.AppendInt(b, *n, 10)
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return t.UTC().AppendFormat(b, time.RFC3339Nano)
}

func inspectCSV(r io.Reader) (Shape, error) {
	reader := csv.NewReader(r)
	reader.ReuseRecord = true
	header, err := reader.Read() // every record must have this many cells
	if err != nil {
		return Shape{}, fmt.Errorf("read the header: %w", err)
	}
	s := Shape{Columns: slices.Clone(header)}
	s.Columns[0] = strings.TrimPrefix(s.Columns[0], bom)
	for ; ; s.Rows++ {
		_, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, fmt.Errorf("read row %d: %w", s.Rows+1, err)
		}
	}
}

package format

import (
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
//   - A list (industries, naics_codes, technologies, technology_categories) is its values joined by "; ".
//   - connections is "category: Name (domain)" for each, joined by "; "; without a known domain "category: Name".
//   - If joining would be ambiguous, because a value contains ";", starts with "[" or has space at an end, the cell is
//     a JSON array of the same texts instead.
//   - attributes is a JSON object with sorted keys; empty without any.
//   - A text cell that a spreadsheet could run as a formula (its first character, leading spaces aside, is = + - @,
//     one of these in full width, or a control character) is led by an apostrophe, unless Options.RawFormulas. Numbers, times and ids never are.
//   - Text is never cut, trimmed or otherwise changed; a line break inside a cell stays as it is, in quotes.
var csvColumns = []csvColumn{
	{"id", func(b []byte, c *company.Company) []byte { return append(b, c.ID.String()...) }, false},
	text("name", func(c *company.Company) string { return c.Name }),
	text("domain", func(c *company.Company) string { return c.Domain }),
	text("website", func(c *company.Company) string { return c.Website }),
	text("linkedin_url", func(c *company.Company) string { return c.LinkedInURL }),
	text("description", func(c *company.Company) string { return c.Description }),
	text("country", func(c *company.Company) string { return c.Country }),
	text("country_code", func(c *company.Company) string { return c.CountryCode }),
	text("state", func(c *company.Company) string { return c.State }),
	text("city", func(c *company.Company) string { return c.City }),
	list("industries", func(c *company.Company) []string { return c.Industries }),
	list("naics_codes", func(c *company.Company) []string { return c.NAICSCodes }),
	list("technologies", func(c *company.Company) []string { return c.Technologies }),
	list("technology_categories", func(c *company.Company) []string { return c.TechnologyCategories }),
	{"employee_count", func(b []byte, c *company.Company) []byte { return appendInt(b, c.EmployeeCount) }, false},
	{"founded_year", func(b []byte, c *company.Company) []byte { return appendInt(b, c.FoundedYear) }, false},
	list("connections", connectionTexts),
	{"attributes", appendAttributes, true},
	{"created_at", func(b []byte, c *company.Company) []byte { return appendTime(b, c.CreatedAt) }, false},
	{"updated_at", func(b []byte, c *company.Company) []byte { return appendTime(b, c.UpdatedAt) }, false},
}

type csvColumn struct {
	name  string
	value func([]byte, *company.Company) []byte // appends the cell's text, not yet quoted
	text  bool                                  // holds text of the source, which may look like a formula
}

func text(name string, value func(*company.Company) string) csvColumn {
	return csvColumn{name, func(b []byte, c *company.Company) []byte { return append(b, value(c)...) }, true}
}

func list(name string, values func(*company.Company) []string) csvColumn {
	return csvColumn{name, func(b []byte, c *company.Company) []byte { return appendList(b, values(c)) }, true}
}

const flushBytes = 64 << 10

// csvWriter is not encoding/csv's: that one turns every line break of a cell into CRLF, which changes the text.
type csvWriter struct {
	w       io.Writer
	o       Options
	columns []csvColumn
	row     []byte // rows not yet written
	cell    []byte // reused
}

func newCSV(w io.Writer, o Options) Writer {
	c := &csvWriter{w: w, o: o, columns: csvColumns, row: make([]byte, 0, flushBytes+flushBytes/4)}
	if len(o.Columns) > 0 {
		c.columns = make([]csvColumn, len(o.Columns))
		for i, name := range o.Columns {
			c.columns[i] = csvColumns[slices.IndexFunc(csvColumns, func(col csvColumn) bool { return col.name == name })]
		}
	}
	if o.BOM {
		c.row = append(c.row, bom...)
	}
	for i, col := range c.columns {
		if i > 0 {
			c.row = append(c.row, ',')
		}
		c.row = append(c.row, col.name...)
	}
	c.row = append(c.row, '\r', '\n')
	return c
}

const bom = "\ufeff"

func (w *csvWriter) Write(c *company.Company) error {
	for i, col := range w.columns {
		if i > 0 {
			w.row = append(w.row, ',')
		}
		w.cell = col.value(w.cell[:0], c)
		guard := col.text && !w.o.RawFormulas && runsAsFormula(w.cell)
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

// runsAsFormula holds for a cell that a spreadsheet may take for a formula or a command.
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

// needsQuotes also holds for space at an end, which some readers trim outside of quotes.
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
		if !joinable(v) {
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

// joinable holds for a value that can be told from its neighbours in a joined cell.
func joinable(v string) bool {
	return v != "" && v[0] != '[' && !strings.Contains(v, ";") && strings.TrimSpace(v) == v
}

func connectionTexts(c *company.Company) []string {
	if len(c.Connections) == 0 {
		return nil
	}
	texts := make([]string, len(c.Connections))
	for i, conn := range c.Connections {
		texts[i] = connectionText(conn)
	}
	return texts
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

// appendJSON appends v, which is made of what JSON can say.
func appendJSON(b []byte, v any) []byte {
	var buf strings.Builder
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only for values that no JSON holds, which the catalog refuses
	}
	return append(b, strings.TrimSuffix(buf.String(), "\n")...)
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

func columnsOfCSV() []string {
	names := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		names[i] = c.name
	}
	return names
}

func inspectCSV(r io.Reader) (Shape, error) {
	reader := csv.NewReader(r)
	reader.ReuseRecord = true
	header, err := reader.Read() // every record must have as many cells
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

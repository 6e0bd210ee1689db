package format

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// An XLSX workbook has one sheet, "Companies", with a bold header that stays in view, a filter, and typed cells:
//
//   - ids, texts and lists are texts, so 007 and 1E5 stay as they are, and none is a formula, whatever it begins with.
//     Lists, connections and attributes have the text of a CSV.
//   - Integers are numbers. Times are dates in UTC, to the millisecond. An unknown value is an empty cell.
//
// The format has limits that a company may exceed; Fits finds out.
type xlsxWriter struct {
	w       io.Writer
	book    *excelize.File
	sheet   *excelize.StreamWriter
	columns []*company.Field
	text    int // the styles
	number  int
	date    int
	row     []any  // reused
	cell    []byte // reused
	rows    int    // written, with the header
	err     error  // of newXLSX
}

const (
	xlsxSheet   = "Companies"
	xlsxRowsMax = excelize.TotalRows      // with the header
	xlsxTextMax = excelize.TotalCellChars // in UTF-16 code units
)

func newXLSX(w io.Writer, o Options) Writer {
	x := &xlsxWriter{w: w, book: excelize.NewFile(), columns: fieldsOf(o)}
	x.err = x.begin(o)
	return x
}

// begin writes everything above the first company.
func (x *xlsxWriter) begin(o Options) (err error) {
	if err = x.book.SetSheetName("Sheet1", xlsxSheet); err != nil {
		return err
	}
	dates := "yyyy-mm-dd hh:mm:ss"
	top := excelize.Alignment{Vertical: "top"}
	bold := 0
	for _, s := range []struct {
		id    *int
		style excelize.Style
	}{
		{&bold, excelize.Style{Font: &excelize.Font{Bold: true}}},
		{&x.text, excelize.Style{NumFmt: 49, Alignment: &top}}, // text, also for what is typed into the cell later
		{&x.number, excelize.Style{NumFmt: 1, Alignment: &top}},
		{&x.date, excelize.Style{CustomNumFmt: &dates, Alignment: &top}},
	} {
		if *s.id, err = x.book.NewStyle(&s.style); err != nil {
			return err
		}
	}
	// Readers that believe the size of an empty sheet would find no rows.
	if err = x.book.SetSheetDimension(xlsxSheet, ""); err != nil {
		return err
	}
	if x.sheet, err = x.book.NewStreamWriter(xlsxSheet); err != nil {
		return err
	}
	for i, f := range x.columns {
		if err := x.sheet.SetColWidth(i+1, i+1, xlsxWidth(f)); err != nil {
			return err
		}
	}
	err = x.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	if err != nil {
		return err
	}
	for _, f := range x.columns {
		x.row = append(x.row, excelize.Cell{StyleID: bold, Value: header(f, o)})
	}
	return x.writeRow()
}

// xlsxWidth returns the width of a column in characters.
func xlsxWidth(f *company.Field) float64 {
	switch f.Kind {
	case company.KindID:
		return 37
	case company.KindInteger:
		return 12
	case company.KindTime:
		return 19
	case company.KindText, company.KindList, company.KindConnections, company.KindAttributes:
	}
	switch f.Name {
	case "name", "website", "linkedin_url":
		return 32
	case "description":
		return 60
	case "country_code":
		return 13
	}
	return 24
}

func (x *xlsxWriter) writeRow() error {
	x.rows++
	at, err := excelize.CoordinatesToCellName(1, x.rows)
	if err != nil {
		return err
	}
	return x.sheet.SetRow(at, x.row)
}

func (x *xlsxWriter) Write(c *company.Company) error {
	if x.err != nil {
		return x.err
	}
	if x.rows == xlsxRowsMax {
		return fmt.Errorf("an xlsx sheet has at most %d rows", xlsxRowsMax)
	}
	x.row = x.row[:0]
	for _, f := range x.columns {
		if !f.Known(c) {
			x.row = append(x.row, nil)
			continue
		}
		switch f.Kind {
		case company.KindInteger:
			x.row = append(x.row, excelize.Cell{StyleID: x.number, Value: **f.Int(c)})
		case company.KindTime:
			x.row = append(x.row, excelize.Cell{StyleID: x.date, Value: f.Time(c).UTC().Truncate(time.Millisecond)})
		default:
			x.cell = appendText(x.cell[:0], f, c)
			if err := fitsCell(f, c, x.cell); err != nil {
				return err
			}
			x.row = append(x.row, excelize.Cell{StyleID: x.text, Value: string(x.cell)})
		}
	}
	return x.writeRow()
}

// Close also removes the temporary files of the workbook.
func (x *xlsxWriter) Close() error {
	defer x.book.Close()
	if x.err != nil {
		return x.err
	}
	last, err := excelize.CoordinatesToCellName(len(x.columns), x.rows)
	if err != nil {
		return err
	}
	if err := x.book.AutoFilter(xlsxSheet, "A1:"+last, nil); err != nil {
		return err
	}
	if err := x.sheet.Flush(); err != nil {
		return err
	}
	return x.book.Write(x.w)
}

// TooLongError says that a cell of a format cannot hold the text of a company.
type TooLongError struct {
	Company id.Company
	Number  company.Number
	Column  string
	Chars   int // in UTF-16 code units
}

// Locked returns what the error may say to somebody who does not see the column: neither the company nor the length.
func (e *TooLongError) Locked() string {
	return "a cell of an xlsx file holds at most 32,767 characters, but a locked text of one of the companies is longer; " +
		"choose another format, or leave the columns of locked fields out"
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("a cell of an xlsx file holds at most 32,767 characters, but %s of company %s has %d; "+
		"choose another format, or leave this column out", e.Column, e.Company, e.Chars)
}

// Fits returns a *TooLongError if a file of the format with the options cannot hold the company as it is.
func Fits(f Format, o Options, c *company.Company) error {
	if f != XLSX {
		return nil
	}
	var cell []byte
	for _, field := range fieldsOf(o) {
		if isText(field.Kind) {
			cell = appendText(cell[:0], field, c)
			if err := fitsCell(field, c, cell); err != nil {
				return err
			}
		}
	}
	return nil
}

// HasLimits reports whether Fits can return an error for some company.
func HasLimits(f Format, o Options) bool {
	return f == XLSX && slices.ContainsFunc(fieldsOf(o), func(c *company.Field) bool {
		return isText(c.Kind) && (c.Kind != company.KindText || 2*c.CharsMax > xlsxTextMax)
	})
}

func fitsCell(f *company.Field, of *company.Company, cell []byte) error {
	if len(cell) <= xlsxTextMax {
		return nil
	}
	units := 0
	for len(cell) > 0 {
		r, size := utf8.DecodeRune(cell)
		units += utf16.RuneLen(r)
		cell = cell[size:]
	}
	if units <= xlsxTextMax {
		return nil
	}
	return &TooLongError{of.ID, of.Number, f.Name, units}
}

func inspectXLSX(r io.Reader) (s Shape, err error) {
	book, err := excelize.OpenReader(r, excelize.Options{UnzipXMLSizeLimit: 1 << 20})
	if err != nil {
		return s, fmt.Errorf("open the workbook: %w", err)
	}
	defer book.Close()
	rows, err := book.Rows(xlsxSheet)
	if err != nil {
		return s, fmt.Errorf("open the sheet: %w", err)
	}
	defer rows.Close()
	for ; rows.Next(); s.Rows++ {
		cells, err := rows.Columns()
		if err != nil {
			return s, fmt.Errorf("read row %d: %w", s.Rows, err)
		}
		if s.Columns == nil {
			s.Columns = cells
			s.Rows--
		}
	}
	if err := rows.Error(); err != nil {
		return s, fmt.Errorf("read row %d: %w", s.Rows+1, err)
	}
	if s.Columns == nil {
		return Shape{}, errors.New("the sheet has no header")
	}
	return s, nil
}

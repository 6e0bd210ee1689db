package source

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// A workbook is held in memory compressed; large parts are unpacked to the disk.
const (
	xlsxBytesMax     = 512 << 20
	xlsxUnpackedMin  = 64 << 20
	xlsxUnpackRatio  = 100
	xlsxInMemoryMax  = 8 << 20
	xlsxRecordsMax   = 256 // of a chunk
	sheetRowsToProbe = 50
)

// xlsxReader reads one sheet of a workbook, row by row.
type xlsxReader struct {
	schema Schema
	rows   *excelize.Rows
	row    int // of the sheet, from 1
	header []string
	names  []string // of the columns, as the sheet has them; nil if it has none
	ahead  []sheetRow
	end    error
}

type sheetRow struct {
	line  int
	cells []string
}

func newXLSX(s *Source, f io.ReaderAt, size int64) (_ *Table, err error) {
	defer recovered("read the workbook", &err)
	if size > xlsxBytesMax {
		return nil, fmt.Errorf("the workbook has %d MB, and at most %d MB can be read; save the sheet as CSV", size>>20, xlsxBytesMax>>20)
	}
	book, err := excelize.OpenReader(io.NewSectionReader(f, 0, size), excelize.Options{
		RawCellValue:   false,
		UnzipSizeLimit: max(xlsxUnpackedMin, xlsxUnpackRatio*size), UnzipXMLSizeLimit: xlsxInMemoryMax,
	})
	if err != nil {
		return nil, fmt.Errorf("read the workbook: %w", err)
	}
	s.onClose(book.Close)
	sheet, sheets := s.options.Sheet, book.GetSheetList()
	if sheet == "" {
		sheet = bestSheet(s.schema, book, sheets)
	}
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, fmt.Errorf("read the workbook: %w; its sheets are: %s", err, someOf(sheets))
	}
	s.onClose(rows.Close)
	x := &xlsxReader{schema: s.schema, rows: rows}
	if err := x.readHeader(); err != nil {
		return nil, err
	}
	return &Table{
		Name: sheet, Format: XLSX, Description: fmt.Sprintf("XLSX, sheet %q of %d", sheet, len(sheets)),
		Fixed: true, Header: x.header, reader: x,
	}, nil
}

// someOf lists the first few of the names.
func someOf(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// bestSheet returns the sheet with a row that has most names that the schema knows; of equal sheets the first.
func bestSheet(schema Schema, book *excelize.File, sheets []string) string {
	best, most := "", -1
	for _, name := range sheets {
		rows, err := book.Rows(name)
		if err != nil {
			continue
		}
		known := 0
		for i := 0; i < sheetRowsToProbe && rows.Next(); i++ {
			cells, err := rows.Columns()
			if err != nil {
				break
			}
			known = max(known, knownNames(schema, cells))
		}
		rows.Close()
		if known > most {
			best, most = name, known
		}
	}
	return best
}

func (x *xlsxReader) readHeader() error {
	var rows [][]string
	for len(rows) < headerRowsMax {
		r, ok := x.next()
		if !ok {
			break
		}
		x.ahead = append(x.ahead, r)
		rows = append(rows, r.cells)
	}
	if x.end != nil && !errors.Is(x.end, io.EOF) {
		return x.end
	}
	at, names, err := findHeader(x.schema, rows)
	if err != nil {
		return err
	}
	x.header = names
	if at >= 0 {
		for _, cell := range rows[at] {
			x.names = append(x.names, headerText(cell))
		}
	}
	x.ahead = x.ahead[at+1:]
	return nil
}

// next reads the next row that has a value. ok is false at the end.
func (x *xlsxReader) next() (r sheetRow, ok bool) {
	if x.end != nil {
		return r, false
	}
	defer recovered("read the sheet", &x.end)
	for x.rows.Next() {
		x.row++
		cells, err := x.rows.Columns()
		if err != nil {
			x.end = fmt.Errorf("row %d of the sheet: %w", x.row, err)
			return r, false
		}
		if strings.TrimSpace(strings.Join(cells, "")) != "" {
			return sheetRow{x.row, cells}, true
		}
	}
	x.end = io.EOF
	if err := x.rows.Error(); err != nil {
		x.end = fmt.Errorf("read the sheet: %w", err)
	}
	return r, false
}

// nextChunk returns up to xlsxRecordsMax rows.
func (x *xlsxReader) nextChunk() (Chunk, error) {
	p := &sheetChunk{header: x.header, names: x.names, rows: x.ahead}
	x.ahead = nil
	for len(p.rows) < xlsxRecordsMax {
		r, ok := x.next()
		if !ok {
			break
		}
		p.rows = append(p.rows, r)
	}
	if len(p.rows) == 0 {
		return nil, x.end
	}
	return p, nil
}

type sheetChunk struct {
	header []string
	names  []string
	rows   []sheetRow
}

// Records names the cells by the header. Cells after a row's last value are blank.
func (p *sheetChunk) Records(yield func(*Record)) {
	var record Record
	for _, r := range p.rows {
		record = Record{Line: r.line, Fields: record.Fields[:0]}
		if isHeaderAgain(p.names, r.cells) {
			continue
		}
		if len(p.header) > 2 && isFooter(append(r.cells, "", "")) { // blank cells at the end are left out of a row
			record.Reason = ReasonFooter
		}
		for i, name := range p.header {
			f := Field{Name: name, Value: Value{Kind: Cell}}
			if i < len(r.cells) {
				f.Value.Text = r.cells[i]
			}
			record.Fields = append(record.Fields, f)
		}
		yield(&record)
	}
}

// recovered turns a library's panic at a damaged file into an error.
func recovered(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: the file is damaged: %v", what, p)
	}
}

package source

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
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
	below  below
	sum    runningSum
	chunk  []sheetRow // the last one
	cards  *cards     // if each row has the name of a field and its value; nil otherwise
	links  *sheetLinks
	merges []merge // by their first rows, those that are not reached yet
	active []merge // those that began
	end    error
}

type sheetRow struct {
	line  int
	cells []string
	gap   bool   // a blank row is above it
	below string // why it belongs to a table below the first one; empty if it does not
	total bool   // it sums up the rows above it
}

func newXLSX(s *Source, f io.ReaderAt, size int64) (_ *Table, err error) {
	defer recovered("read the workbook", &err)
	if size > xlsxBytesMax {
		return nil, fmt.Errorf("the workbook has %d MB, and at most %d MB can be read; save the sheet as CSV", size>>20, xlsxBytesMax>>20)
	}
	book, err := excelize.OpenReader(io.NewSectionReader(f, 0, size), excelize.Options{
		RawCellValue:     false,
		ShortDatePattern: "yyyy-mm-dd",
		UnzipSizeLimit:   max(xlsxUnpackedMin, xlsxUnpackRatio*size), UnzipXMLSizeLimit: xlsxInMemoryMax,
	})
	if err != nil {
		return nil, fmt.Errorf("read the workbook: %w", err)
	}
	s.onClose(book.Close)
	showWholeYears(book)
	w := &workbook{source: s, book: book, sheets: book.GetSheetList(), extras: sheetExtras{f, size}}
	if s.options.Sheet != "" {
		return w.open(s.options.Sheet)
	}
	visible, hidden := w.visible()
	best := bestSheet(s.schema, book, visible)
	others := w.choose(best, visible)
	s.more = w.next
	t, err := w.next()
	if err == nil && len(others) > 0 {
		t.Notices = append(t.Notices, "has sheets that are not read: "+someOf(others)+"; read one with --sheet NAME")
	}
	if err == nil && len(hidden) > 0 {
		t.Notices = append(t.Notices, "has hidden sheets, which are not read: "+someOf(hidden)+"; read one with --sheet NAME")
	}
	return t, err
}

// Formats that a workbook need not describe.
const (
	formatDate      = 14 // as ShortDatePattern says
	formatDateMonth = 15 // 3-Apr-87
)

// yearOfTwoDigits matches a format of dates with the day, and the year in two digits. Without the day it may be a range that
// became a date: Nov-50.
var yearOfTwoDigits = regexp.MustCompile(`(?i)^([^y]*d[^y]*)yy([^y]*)$|^()yy([^y]*d[^y]*)$`)

// showWholeYears makes the formats of dates show all digits of the year, as 87 may be 1887.
func showWholeYears(book *excelize.File) {
	styles := book.Styles
	if styles == nil {
		return
	}
	if styles.NumFmts != nil {
		for _, f := range styles.NumFmts.NumFmt {
			f.FormatCode = yearOfTwoDigits.ReplaceAllString(f.FormatCode, "${1}${3}yyyy${2}${4}")
		}
	}
	if styles.CellXfs != nil {
		for _, f := range styles.CellXfs.Xf {
			if f.NumFmtID != nil && *f.NumFmtID == formatDateMonth {
				*f.NumFmtID = formatDate
			}
		}
	}
}

// workbook is a workbook of one or more sheets.
type workbook struct {
	source *Source
	book   *excelize.File
	sheets []string
	extras sheetExtras
	chosen []string // the sheets that are still to be read
}

// visible returns the sheets that a person sees, and the hidden ones, which often hold lists for menus or earlier versions. If all are
// hidden, all are visible.
func (w *workbook) visible() (visible, hidden []string) {
	for _, sheet := range w.sheets {
		if shown, err := w.book.GetSheetVisible(sheet); err == nil && !shown {
			hidden = append(hidden, sheet)
		} else {
			visible = append(visible, sheet)
		}
	}
	if len(visible) == 0 {
		return hidden, nil
	}
	return visible, hidden
}

// choose chooses the best of the sheets and those with the same columns. It returns the others that have any.
func (w *workbook) choose(best string, sheets []string) (others []string) {
	if len(sheets) == 1 {
		w.chosen = sheets
		return nil
	}
	header, _ := w.probe(best)
	for _, sheet := range sheets {
		if sheet == best {
			w.chosen = append(w.chosen, sheet)
			continue
		}
		switch names, rows := w.probe(sheet); {
		case !rows:
		case isSameHeader(w.source.schema, header, names):
			w.chosen = append(w.chosen, sheet)
		default:
			others = append(others, sheet)
		}
	}
	return others
}

// probe returns the header of a sheet. rows is false if it is empty.
func (w *workbook) probe(sheet string) (header []string, rows bool) {
	x, err := w.reader(sheet)
	if err != nil {
		return nil, false
	}
	defer x.rows.Close()
	if err := x.readHeader(); err != nil {
		return nil, true
	}
	if x.cards != nil {
		return x.cards.names, true
	}
	return x.header, len(x.header) > 0
}

// isSameHeader reports whether two headers have nearly the same names, of which one says which company it is.
func isSameHeader(schema Schema, a, b []string) bool {
	have := map[string]bool{}
	for _, name := range a {
		have[strings.ToLower(name)] = true
	}
	common, key := 0, false
	for _, name := range b {
		if have[strings.ToLower(name)] {
			common++
			key = key || schema.Column(name).Key
		}
	}
	return key && 5*common >= 4*max(len(a), len(b))
}

func (w *workbook) next() (*Table, error) {
	if len(w.chosen) == 0 {
		return nil, io.EOF
	}
	sheet := w.chosen[0]
	w.chosen = w.chosen[1:]
	return w.open(sheet)
}

func (w *workbook) reader(sheet string) (*xlsxReader, error) {
	rows, err := w.book.Rows(sheet)
	if err != nil {
		return nil, fmt.Errorf("read the workbook: %w; its sheets are: %s", err, someOf(w.sheets))
	}
	return &xlsxReader{schema: w.source.schema, rows: rows}, nil
}

// open opens a sheet.
func (w *workbook) open(sheet string) (_ *Table, err error) {
	defer recovered("read the workbook", &err)
	x, err := w.reader(sheet)
	if err != nil {
		return nil, err
	}
	w.source.onClose(x.rows.Close)
	x.merges, x.links = w.extras.of(sheet)
	if err := x.readHeader(); err != nil {
		return nil, err
	}
	t := &Table{
		Name: sheet, Format: XLSX, Description: fmt.Sprintf("XLSX, sheet %q of %d", sheet, len(w.sheets)),
		Fixed: x.cards == nil, Header: x.header, reader: x,
	}
	if x.cards != nil {
		t.Description += ", a field on each row"
	}
	if x.links.cut {
		t.Notices = append(t.Notices, fmt.Sprintf("has more than %d hyperlinks; those after them are not read", linksMax))
	}
	return t, nil
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
	asCards, err := isCards(x.schema, rows)
	if err != nil {
		return err
	}
	if asCards {
		x.readCards()
		return nil
	}
	rows = rows[:firstTable(x.schema, rows, func(i int) bool { return x.ahead[i].gap })]
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
	x.below = below{schema: x.schema, names: x.names}
	return nil
}

// readCards reads the rows as the fields of records.
func (x *xlsxReader) readCards() {
	x.cards = &cards{schema: x.schema, links: x.links, end: func() error { return x.end }, next: func() (cardLine, bool) {
		r, ok := x.next()
		return r.card(), ok
	}}
	var lines []cardLine
	for _, r := range x.ahead {
		lines = append(lines, r.card())
	}
	x.cards.start(lines)
	x.ahead = nil
}

func (r sheetRow) card() cardLine { return cardLine{line: r.line, cells: r.cells} }

// next reads the next row that has a value. ok is false at the end.
func (x *xlsxReader) next() (r sheetRow, ok bool) {
	if x.end != nil {
		return r, false
	}
	defer recovered("read the sheet", &x.end)
	gap := false
	for x.rows.Next() {
		x.row++
		cells, err := x.rows.Columns()
		if err != nil {
			x.end = fmt.Errorf("row %d of the sheet: %w", x.row, err)
			return r, false
		}
		if strings.TrimSpace(strings.Join(cells, "")) != "" {
			return sheetRow{line: x.row, cells: x.fillMerged(cells), gap: gap}, true
		}
		gap = true
	}
	x.end = io.EOF
	if err := x.rows.Error(); err != nil {
		x.end = fmt.Errorf("read the sheet: %w", err)
	}
	return r, false
}

// nextChunk returns up to xlsxRecordsMax rows.
func (x *xlsxReader) nextChunk() (Chunk, error) {
	if x.cards != nil {
		return x.cards.nextChunk()
	}
	p := &sheetChunk{schema: x.schema, header: x.header, names: x.names, rows: x.ahead, links: x.links}
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
	x.markBelow(p.rows)
	return p, nil
}

// markBelow marks the rows of tables below the first one.
func (x *xlsxReader) markBelow(rows []sheetRow) {
	for i := range rows {
		r := &rows[i]
		x.below.gap = r.gap
		r.below = detailBelow(&x.below, r.line, r.cells, func() (earlier [][]string) {
			for _, e := range slices.Concat(x.chunk, rows[:i]) {
				earlier = append(earlier, e.cells)
			}
			return earlier
		})
	}
	for i := range rows {
		rows[i].total = len(x.header) == 2 && sumsUp(&x.sum, rows[i].cells)
	}
	x.chunk = rows
}

type sheetChunk struct {
	schema Schema
	links  *sheetLinks
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
		if r.below != "" {
			record.Reason, record.Detail = ReasonOtherTable, r.below
			record.Fields = cellFields(record.Fields, r.cells, 0)
			yield(&record)
			continue
		}
		// Blank cells at the end are left out of a row.
		if blanks := 2 - len(r.cells); r.total || len(p.header) > 2 && isFooter(append(r.cells, "", "")) ||
			len(p.header) == 2 && isFooter(append(r.cells, make([]string, max(blanks, 0))...)) {
			record.Reason = ReasonFooter
		}
		for i, name := range p.header {
			f := Field{Name: name, Value: Value{Kind: Text}}
			if i < len(r.cells) {
				f.Value.Text = r.cells[i]
			}
			if f.Value.Text == "" {
				f.Value.Text = p.links.textAt(r.line, i)
			}
			record.Fields = append(record.Fields, f)
		}
		if len(r.cells) > len(p.header) { // beyond the last name
			record.Fields = cellFields(record.Fields, r.cells, len(p.header))
		}
		record.Fields = p.links.append(record.Fields, p.header, r.line)
		openEnvelope(p.schema, &record)
		yield(&record)
	}
}

// cellFields adds the cells from a column on that are not blank, by the numbers of their columns.
func cellFields(fields []Field, cells []string, from int) []Field {
	for i := from; i < min(len(cells), ColumnsMax); i++ {
		if strings.TrimSpace(cells[i]) != "" {
			fields = append(fields, Field{"column_" + strconv.Itoa(i+1), Value{Kind: Text, Text: cells[i]}})
		}
	}
	return fields
}

// recovered turns a library's panic at a damaged file into an error.
func recovered(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: the file is damaged: %v", what, p)
	}
}

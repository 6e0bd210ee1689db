package source

import (
	"archive/zip"
	"bytes"
	"html"
	"regexp"
	"strconv"

	"github.com/xuri/excelize/v2"
)

const linksMax = 500_000 // of a sheet

// sheetLinks are the hyperlinks of a sheet to pages on the web, by cell. A column with some gives its records another field, whose name ends in
// LinkSuffix, because the cell itself most likely shows a name.
type sheetLinks struct {
	targets map[string]string // by the id of the relation
	byCell  map[cellAt]string
	texts   map[cellAt]string // of formulas, for cells without a value: a program that writes a formula need not calculate it
	columns map[int]bool      // from 0, those that have links
	cut     bool              // there are more
}

type cellAt struct{ row, column int } // row from 1, column from 0

// readTargets reads the addresses that the sheet's relations name.
func (l *sheetLinks) readTargets(z *zip.Reader, name string) {
	var r relations
	if readXML(z, name, &r) != nil {
		return
	}
	l.targets = make(map[string]string, len(r.Relationship))
	for _, one := range r.Relationship {
		l.targets[one.ID] = one.Target
	}
}

var (
	linkElement = regexp.MustCompile(`<(?:\w+:)?hyperlink\s[^<>]*>`)
	linkCell    = regexp.MustCompile(`\sref=["']([A-Z]{1,3})(\d{1,7})(?::[A-Z]{1,3}\d{1,7})?["']`)
	linkID      = regexp.MustCompile(`\s\w+:id=["']([^"']+)["']`)
	linkFormula = regexp.MustCompile(`<(?:\w+:)?c\s[^<>]*\br=["']([A-Z]{1,3})(\d{1,7})["'][^<>]*><(?:\w+:)?f[^<>]*>HYPERLINK\((?:"|&quot;|&#34;)([^<>"]*?)(?:"|&quot;|&#34;)\s*(?:[,;)]\s*(?:"|&quot;|&#34;)([^<>"]*?)(?:"|&quot;|&#34;)\s*\)|[,;)])`)
)

// find adds the links in a part of the sheet's XML, and returns the offset after the last.
func (l *sheetLinks) find(block []byte) (done int) {
	if !bytes.Contains(block, []byte("HYPERLINK(")) && !bytes.Contains(block, []byte("hyperlink")) {
		return 0
	}
	for _, m := range linkFormula.FindAllSubmatchIndex(block, -1) {
		shown := ""
		if m[8] >= 0 {
			shown = unquote(html.UnescapeString(string(block[m[8]:m[9]])))
		}
		l.add(string(block[m[2]:m[3]]), string(block[m[4]:m[5]]), html.UnescapeString(string(block[m[6]:m[7]])), shown)
		done = m[1]
	}
	for _, m := range linkElement.FindAllIndex(block, -1) {
		element := block[m[0]:m[1]]
		cell, id := linkCell.FindSubmatch(element), linkID.FindSubmatch(element)
		if cell != nil && id != nil {
			l.add(string(cell[1]), string(cell[2]), l.targets[string(id[1])], "")
		}
		done = max(done, m[1])
	}
	return done
}

// add adds the link of a cell unless it leads to a mailbox, a file or another sheet, and its text.
func (l *sheetLinks) add(column, row, target, shown string) {
	c, err1 := excelize.ColumnNameToNumber(column)
	r, err2 := strconv.Atoi(row)
	if err1 != nil || err2 != nil {
		return
	}
	if l.cut = l.cut || max(len(l.byCell), len(l.texts)) >= linksMax; l.cut {
		return
	}
	if l.byCell == nil {
		l.byCell, l.texts, l.columns = map[cellAt]string{}, map[cellAt]string{}, map[int]bool{}
	}
	at := cellAt{r, c - 1}
	if shown != "" {
		l.texts[at] = shown
	}
	if isWebAddress(target) {
		l.byCell[at], l.columns[c-1] = target, true
	}
}

// at returns the address that a cell links to; empty if it links to none. row is from 1, column from 0.
func (l *sheetLinks) at(row, column int) string {
	if l == nil {
		return ""
	}
	return l.byCell[cellAt{row, column}]
}

// textAt returns the text of a link in a formula; empty if the cell has none.
func (l *sheetLinks) textAt(row, column int) string {
	if l == nil {
		return ""
	}
	return l.texts[cellAt{row, column}]
}

// append adds the links of a row to its fields.
func (l *sheetLinks) append(fields []Field, header []string, row int) []Field {
	if l == nil || len(l.columns) == 0 {
		return fields
	}
	for i, name := range header {
		if l.columns[i] {
			fields = append(fields, Field{name + LinkSuffix, Value{Kind: Text, Text: l.byCell[cellAt{row, i}]}})
		}
	}
	return fields
}

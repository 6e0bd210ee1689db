package source

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// merge is a range of merged cells that spans several rows. Its value is in the first of them, and applies to all.
type merge struct {
	column      int // from 0
	first, last int // rows, from 1
	value       string
}

// fillMerged fills the blank cells of the current row that are part of a merged range above.
func (x *xlsxReader) fillMerged(cells []string) []string {
	for len(x.merges) > 0 && x.merges[0].first <= x.row {
		m := x.merges[0]
		x.merges = x.merges[1:]
		if m.first == x.row && m.column < len(cells) && cells[m.column] != "" {
			m.value = cells[m.column]
			x.active = append(x.active, m)
		}
	}
	x.active = slices.DeleteFunc(x.active, func(m merge) bool { return m.last < x.row })
	for _, m := range x.active {
		for len(cells) <= m.column {
			cells = append(cells, "")
		}
		if strings.TrimSpace(cells[m.column]) == "" {
			cells[m.column] = m.value
		}
	}
	return cells
}

const mergesMax = 100_000 // of a sheet; the rest are left blank

// sheetExtras finds the merged ranges and the hyperlinks of sheets, which follow the rows in the XML. The library would have to read all
// rows into memory to return them.
type sheetExtras struct {
	file io.ReaderAt
	size int64
}

// relations are the relations of a part of a workbook, as its XML has them.
type relations struct {
	Relationship []struct {
		ID     string `xml:"Id,attr"`
		Target string `xml:"Target,attr"`
	}
}

// of returns the ranges of a sheet that span several rows, by their first rows, and its hyperlinks; none if they cannot be read.
func (s sheetExtras) of(sheet string) ([]merge, *sheetLinks) {
	links := &sheetLinks{}
	z, err := zip.NewReader(s.file, s.size)
	if err != nil {
		return nil, links
	}
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	var parts relations
	if readXML(z, "xl/workbook.xml", &book) != nil || readXML(z, "xl/_rels/workbook.xml.rels", &parts) != nil {
		return nil, links
	}
	for _, b := range book.Sheets {
		for _, r := range parts.Relationship {
			if b.Name != sheet || r.ID != b.ID {
				continue
			}
			name := strings.TrimPrefix(r.Target, "/")
			if name == r.Target {
				name = path.Join("xl", r.Target)
			}
			in, err := z.Open(name)
			if err != nil {
				return nil, links
			}
			defer in.Close()
			links.readTargets(z, path.Join(path.Dir(name), "_rels", path.Base(name)+".rels"))
			return findExtras(io.LimitReader(in, max(xlsxUnpackedMin, xlsxUnpackRatio*s.size)), links), links
		}
	}
	return nil, links
}

func readXML(z *zip.Reader, name string, v any) error {
	in, err := z.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	return xml.NewDecoder(io.LimitReader(in, xlsxInMemoryMax)).Decode(v)
}

var mergeCell = regexp.MustCompile(`<(?:\w+:)?mergeCell\s+ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']`)

const extraBytesMax = 4096 // of the longest element that is looked for

// findExtras finds the ranges that span several rows in the XML of a sheet, and adds its hyperlinks to links.
func findExtras(in io.Reader, links *sheetLinks) []merge {
	var out []merge
	block := make([]byte, 0, 256<<10)
	for {
		n, err := readFull(in, block[len(block):cap(block)])
		block = block[:len(block)+n]
		done := links.find(block)
		var cells [][]int
		if bytes.Contains(block, []byte("mergeCell")) {
			cells = mergeCell.FindAllSubmatchIndex(block, -1)
		}
		for _, m := range cells {
			text := func(i int) string { return string(block[m[2*i]:m[2*i+1]]) }
			column, err1 := excelize.ColumnNameToNumber(text(1))
			first, err2 := strconv.Atoi(text(2))
			last, err3 := strconv.Atoi(text(4))
			if errors.Join(err1, err2, err3) == nil && last > first && len(out) < mergesMax {
				out = append(out, merge{column: column - 1, first: first, last: last})
			}
			done = max(done, m[1])
		}
		if err != nil {
			break
		}
		keep := max(done, len(block)-extraBytesMax)
		block = block[:copy(block, block[keep:])]
	}
	slices.SortStableFunc(out, func(a, b merge) int { return cmp.Compare(a.first, b.first) })
	return out
}

package format_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/format"
)

func openXLSX(t *testing.T, file []byte) *excelize.File {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	t.Cleanup(func() { book.Close() })
	return book
}

func TestXLSXCellsHaveTheirTypes(t *testing.T) {
	t.Parallel()
	c := *samples()[0]
	c.Name, c.NAICSCodes, c.City = "=1+1", []string{"007"}, "1E5"
	book := openXLSX(t, render(t, format.XLSX, format.Options{
		Columns: []string{"name", "naics_codes", "city", "employee_count", "created_at", "id", "industries", "state"},
		Headers: format.HeadersLabel,
	}, []*company.Company{&c, samples()[2]}))
	require.Equal(t, []string{"Companies"}, book.GetSheetList())
	for cell, want := range map[string]struct {
		value string
		kind  excelize.CellType
	}{
		"A1": {"Name", excelize.CellTypeInlineString},
		"D1": {"Employees", excelize.CellTypeInlineString},
		"A2": {"=1+1", excelize.CellTypeInlineString},
		"B2": {"007", excelize.CellTypeInlineString},
		"C2": {"1E5", excelize.CellTypeInlineString},
		"D2": {"120", excelize.CellTypeUnset},                 // a number
		"E2": {"2026-03-01 12:30:00", excelize.CellTypeUnset}, // a number with the format of a date
		"F2": {c.ID.String(), excelize.CellTypeInlineString},
		"G2": {"Fintech; Payments", excelize.CellTypeInlineString},
		"D3": {"", excelize.CellTypeUnset},
	} {
		value, err := book.GetCellValue("Companies", cell)
		require.NoError(t, err)
		require.Equal(t, want.value, value, cell)
		kind, err := book.GetCellType("Companies", cell)
		require.NoError(t, err)
		require.Equal(t, want.kind, kind, cell)
	}
	formula, err := book.GetCellFormula("Companies", "A2")
	require.NoError(t, err)
	require.Empty(t, formula)
}

func TestXLSXHasAFrozenHeaderAFilterAndWidths(t *testing.T) {
	t.Parallel()
	file := render(t, format.XLSX, format.Options{Columns: []string{"name", "description"}}, samples())
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	sheet, err := archive.Open("xl/worksheets/sheet1.xml")
	require.NoError(t, err)
	content, err := io.ReadAll(sheet)
	require.NoError(t, err)
	for _, part := range []string{`<autoFilter ref="$A$1:$B$4"`, `state="frozen"`, `ySplit="1"`, `<col min="2" max="2" width="60"`} {
		require.Contains(t, string(content), part)
	}
}

func TestXLSXKeepsTextThatItsXMLCannotHold(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"_x0041_", "a & <b>", "日本 😀", " spaced ", "a\nb", "'quoted"} {
		book := openXLSX(t, render(t, format.XLSX, format.Options{Columns: []string{"name"}}, []*company.Company{{Name: name}}))
		got, err := book.GetCellValue("Companies", "A2")
		require.NoError(t, err)
		require.Equal(t, name, got)
	}
	attributes := map[string]any{"x\ufffe": []any{"\x01", "\uffff 😀"}}
	book := openXLSX(t, render(t, format.XLSX, format.Options{Columns: []string{"attributes"}}, []*company.Company{{Name: "x", Attributes: attributes}}))
	cell, err := book.GetCellValue("Companies", "A2")
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(cell), &got))
	require.Equal(t, attributes, got)
}

func TestXLSXRefusesTextThatACellWouldCut(t *testing.T) {
	t.Parallel()
	write := func(c *company.Company, columns ...string) (fits, written error) {
		o := format.Options{Columns: columns}
		w, err := format.New(format.XLSX, io.Discard, o)
		require.NoError(t, err)
		written = w.Write(c)
		require.NoError(t, w.Close())
		return format.Fits(format.XLSX, o, c), written
	}
	for name, test := range map[string]struct {
		text string
		fits bool
	}{
		"as long as a cell":            {strings.Repeat("ü", 32_767), true},
		"longer":                       {strings.Repeat("ü", 32_768), false},
		"of characters that count two": {strings.Repeat("😀", 16_384), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &company.Company{ID: companyID(1), Name: "x", Description: test.text}
			fits, written := write(c, "name", "description")
			require.Equal(t, fits, written)
			if test.fits {
				require.NoError(t, fits)
				return
			}
			require.Equal(t, &format.TooLongError{Company: c.ID, Number: c.Number, Column: "description", Chars: 32_768}, fits)
			require.NoError(t, format.Fits(format.XLSX, format.Options{Columns: []string{"name"}}, c))
			require.NoError(t, format.Fits(format.CSV, format.Options{}, c))
		})
	}
	require.True(t, format.HasLimits(format.XLSX, format.Options{}))
	require.False(t, format.HasLimits(format.XLSX, format.Options{Columns: []string{"name", "domain", "employee_count"}}))
	require.False(t, format.HasLimits(format.CSV, format.Options{}))
}

package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// sheet is the content of a sheet: rows by row, and merged ranges.
type sheet struct {
	name   string
	rows   [][]any
	merged [][2]string
	hidden bool
}

func workbookOf(tb testing.TB, sheets ...sheet) string {
	tb.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, s := range sheets {
		if i == 0 {
			require.NoError(tb, f.SetSheetName("Sheet1", s.name))
		} else {
			_, err := f.NewSheet(s.name)
			require.NoError(tb, err)
		}
		for r, row := range s.rows {
			cell, err := excelize.CoordinatesToCellName(1, r+1)
			require.NoError(tb, err)
			require.NoError(tb, f.SetSheetRow(s.name, cell, &row))
		}
		for _, m := range s.merged {
			require.NoError(tb, f.MergeCell(s.name, m[0], m[1]))
		}
	}
	for i := len(sheets) - 1; i >= 0; i-- { // the active sheet must be visible
		if !sheets[i].hidden {
			f.SetActiveSheet(i)
		}
	}
	for _, s := range sheets {
		require.NoError(tb, f.SetSheetVisible(s.name, !s.hidden))
	}
	b, err := f.WriteToBuffer()
	require.NoError(tb, err)
	return b.String()
}

func TestSheetsOfOneShapeAreReadAndTheOthersNamed(t *testing.T) {
	t.Parallel()
	header := []any{"Name", "City", "Country"}
	content := workbookOf(t,
		sheet{name: "Read me", rows: [][]any{{"What this is"}}}, sheet{name: "North", rows: [][]any{header, {"Acme", "Bonn", "DE"}}}, sheet{name: "Empty"},
		sheet{name: "South", rows: [][]any{{"A title"}, {"name", "city", "country"}, {"Bolt", "Ulm", "DE"}}},
		sheet{name: "Codes", rows: [][]any{{"Country", "Meaning"}, {"DE", "Germany"}}})
	got, notices, err := records(t, "a.xlsx", content, Options{})
	require.NoError(t, err)
	require.Equal(t, `Name="Acme" City="Bonn" Country="DE"`+"\n"+`name="Bolt" city="Ulm" country="DE"`, strings.Join(got, "\n"))
	require.Equal(t, []string{"has sheets that are not read: Read me, Codes; read one with --sheet NAME"}, notices)
	got, notices, err = records(t, "a.xlsx", content, Options{Sheet: "Codes"})
	require.NoError(t, err)
	require.Equal(t, []string{`Country="DE" Meaning="Germany"`}, got)
	require.Empty(t, notices)
	_, _, err = records(t, "a.xlsx", content, Options{Sheet: "West"})
	require.ErrorContains(t, err, "its sheets are: Read me, North")
}

func TestHiddenSheetsAreNamedAndNotRead(t *testing.T) {
	t.Parallel()
	header := []any{"Name", "City"}
	content := workbookOf(t, sheet{name: "Old", rows: [][]any{header, {"Gone", "Bonn"}}, hidden: true},
		sheet{name: "Now", rows: [][]any{header, {"Acme", "Bonn"}}}, sheet{name: "Menu", rows: [][]any{{"City"}, {"Bonn"}}, hidden: true})
	got, notices, err := records(t, "a.xlsx", content, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`Name="Acme" City="Bonn"`}, got)
	require.Equal(t, []string{"has hidden sheets, which are not read: Old, Menu; read one with --sheet NAME"}, notices)
	got, notices, err = records(t, "a.xlsx", content, Options{Sheet: "Old"})
	require.NoError(t, err)
	require.Equal(t, []string{`Name="Gone" City="Bonn"`}, got)
	require.Empty(t, notices)
}

func TestMergedCellsHoldForAllTheirRows(t *testing.T) {
	t.Parallel()
	content := workbookOf(t, sheet{
		name: "A & B",
		rows: [][]any{
			{"Name", "Place", nil, "Employees"}, {nil, "City", "Country"}, {"Acme", "Bonn", "DE", 5}, {"Bolt", "Ulm"}, {"Cog", "Jena"}, {"Dart", "Lyon", "FR"},
		},
		merged: [][2]string{{"A1", "A2"}, {"B1", "C1"}, {"D1", "D2"}, {"C3", "C5"}, {"D3", "D4"}},
	})
	got, _, err := records(t, "a.xlsx", content, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{
		`Name="Acme" City="Bonn" Country="DE" Employees="5"`, `Name="Bolt" City="Ulm" Country="DE" Employees="5"`, `Name="Cog" City="Jena" Country="DE"`,
		`Name="Dart" City="Lyon" Country="FR"`,
	}, got)
}

func TestMergesAreFoundAcrossBlocks(t *testing.T) {
	t.Parallel()
	cell := `<mergeCell ref="AB12:AB13"/>`
	for _, shift := range []int{0, 1, 9, 17, 28, 40} {
		text := strings.Repeat(" ", 256<<10-shift) + cell + strings.Repeat(" ", 300<<10) + `<mergeCell ref="A1:C1"/>`
		require.Equal(t, []merge{{column: 27, first: 12, last: 13}}, findExtras(strings.NewReader(text), &sheetLinks{}))
	}
}

func TestDatesInWorkbooksHaveWholeYears(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	at := time.Date(1987, 4, 3, 0, 0, 0, 0, time.UTC)
	custom := func(s string) *excelize.Style { return &excelize.Style{CustomNumFmt: &s} }
	formats := []*excelize.Style{
		{NumFmt: 14}, {NumFmt: 15}, {NumFmt: 22}, custom("dd/mm/yy"), custom("d-mmm-yy;@"), custom("yy-mm-dd"), custom("dd.mm.yyyy"), {NumFmt: 17}, custom("mmm-yy"),
	}
	header, row := []any{}, []any{}
	for i := range formats {
		header, row = append(header, fmt.Sprintf("name %d", i)), append(row, at)
	}
	require.NoError(t, f.SetSheetRow("Sheet1", "A1", &header))
	require.NoError(t, f.SetSheetRow("Sheet1", "A2", &row))
	for i, format := range formats {
		id, err := f.NewStyle(format)
		require.NoError(t, err)
		cell, err := excelize.CoordinatesToCellName(i+1, 2)
		require.NoError(t, err)
		require.NoError(t, f.SetCellStyle("Sheet1", cell, cell, id))
	}
	b, err := f.WriteToBuffer()
	require.NoError(t, err)
	got, _, err := records(t, "a.xlsx", b.String(), Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`name 0="1987-04-03" name 1="1987-04-03" name 2="1987-04-03 00:00" name 3="03/04/1987" name 4="3-Apr-1987" name 5="1987-04-03" ` +
		`name 6="03.04.1987" name 7="Apr-87" name 8="Apr-87"`}, got)
}

func TestHyperlinksOfCellsAreFields(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range [][]any{{"name", "city"}, {"Acme", "Bonn"}, {"Bolt", "Ulm"}, {"Cog", "Jena"}, {"Dent", "Kiel"}} {
		require.NoError(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	require.NoError(t, f.SetCellHyperLink("Sheet1", "A2", "https://www.acme.example/?a=1", "External"))
	require.NoError(t, f.SetCellHyperLink("Sheet1", "A3", "mailto:info@bolt.example", "External"))
	require.NoError(t, f.SetCellHyperLink("Sheet1", "A4", "Sheet1!A1", "Location"))
	b, err := f.WriteToBuffer()
	require.NoError(t, err)
	got, _, err := records(t, "a.xlsx", b.String(), Options{})
	require.NoError(t, err)
	require.Equal(t, []string{
		`name="Acme" city="Bonn" name link="https://www.acme.example/?a=1"`, `name="Bolt" city="Ulm"`, `name="Cog" city="Jena"`, `name="Dent" city="Kiel"`,
	}, got)
	for _, formula := range []string{
		`HYPERLINK("https://dent.example/?a=1&amp;b=2","Dent")`, `HYPERLINK(&quot;https://dent.example/?a=1&amp;b=2&quot;)`, `HYPERLINK(&#34;https://dent.example/?a=1&amp;b=2&#34;; A7)`,
	} {
		links := &sheetLinks{}
		links.find([]byte(`<row r="5"><c r="A5" s="1" t="str"><f>` + formula + `</f><v>Dent</v></c><c r="B5"><v>5</v></c></row>`))
		require.Equal(t, map[cellAt]string{{5, 0}: "https://dent.example/?a=1&b=2"}, links.byCell, formula)
	}
}

func TestRecordsAsTextOfJSONAreOpened(t *testing.T) {
	t.Parallel()
	got, _, err := records(t, "a.csv", "_airbyte_ab_id,_airbyte_emitted_at,_airbyte_data,origin\n"+
		"1,170,\"{\"\"name\"\":\"\"Acme\"\",\"\"hq\"\":{\"\"city\"\":\"\"Bonn\"\"},\"\"employees\"\":5}\",fair\n2,171,\"{\"\"name\"\":\"\"Bolt\"\"}\",\n3,172,{broken,\n", Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`name="Acme" hq.city="Bonn" employees=5 origin="fair"`, `name="Bolt"`}, got[:2])
	require.Contains(t, got[2], "broken JSON")
	workbook := workbookOf(t, sheet{name: "A", rows: [][]any{{"_airbyte_data"}, {`{"name":"Acme"}`}}})
	got, _, err = records(t, "a.xlsx", workbook, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`name="Acme"`}, got)
}

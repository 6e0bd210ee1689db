package format_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/format"
)

// optionsOf returns every option that fits the format.
func optionsOf(f format.Format) (all []format.Options) {
	for _, o := range []format.Options{
		{},
		{Columns: []string{"naics_codes", "id", "connections", "attributes"}},
		{Compression: format.Gzip},
		{Compression: format.Zstd},
		{Headers: format.HeadersLabel},
		{BOM: true, RawFormulas: true, Headers: format.HeadersLabel, Compression: format.Zstd},
	} {
		if len(o.Fitting(f)) == 0 {
			all = append(all, o)
		}
	}
	return all
}

func TestInspectTellsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, f := range format.All() {
		for _, o := range optionsOf(f) {
			shape, err := format.Inspect(f, o, bytes.NewReader(render(t, f, o, samples())))
			require.NoError(t, err, "%s %+v", f, o)
			require.Equal(t, format.Shape{Rows: len(samples()), Columns: format.HeaderRow(format.Columns(f, o), o)}, shape, "%s %+v", f, o)
		}
	}
	require.Equal(t, format.Columns(format.CSV, format.Options{}), format.Columns(format.JSON, format.Options{}), "one schema for all formats")
	require.Nil(t, format.Columns("xls", format.Options{}))
}

func TestAFileOfChosenColumnsHasTheirValuesInTheirOrder(t *testing.T) {
	t.Parallel()
	o := format.Options{Columns: []string{"employee_count", "name", "connections", "id", "attributes", "created_at"}}
	all, err := csv.NewReader(bytes.NewReader(render(t, format.CSV, format.Options{}, samples()))).ReadAll()
	require.NoError(t, err)
	some, err := csv.NewReader(bytes.NewReader(render(t, format.CSV, o, samples()))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, o.Columns, some[0])
	for i, row := range some {
		for j, name := range o.Columns {
			require.Equal(t, all[i][slices.Index(all[0], name)], row[j], "row %d, %s", i, name)
		}
	}

	var whole, chosen []map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(render(t, format.JSON, format.Options{}, samples()), &whole))
	file := render(t, format.JSON, o, samples())
	require.NoError(t, json.Unmarshal(file, &chosen))
	require.Len(t, chosen, len(whole))
	for i, row := range chosen {
		require.Len(t, row, len(o.Columns))
		for name, value := range row {
			require.JSONEq(t, string(whole[i][name]), string(value), "row %d, %s", i, name)
		}
	}
	shape, err := format.Inspect(format.JSON, format.Options{}, bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, format.Shape{Rows: len(samples()), Columns: o.Columns}, shape)

	_, err = format.New(format.CSV, &bytes.Buffer{}, format.Options{Columns: []string{"nmae"}})
	require.ErrorContains(t, err, "nmae")
}

func TestInspectOfAFileWithoutRowsCountsNone(t *testing.T) {
	t.Parallel()
	all := format.AllColumns()
	for f, columns := range map[format.Format][]string{
		format.CSV: all, format.JSON: nil, format.NDJSON: nil, format.Parquet: all, format.XLSX: all,
	} {
		shape, err := format.Inspect(f, format.Options{}, bytes.NewReader(render(t, f, format.Options{}, nil)))
		require.NoError(t, err)
		require.Equal(t, format.Shape{Columns: columns}, shape)
	}
}

func TestInspectFindsWhatIsCutOffOrMalformed(t *testing.T) {
	t.Parallel()
	for _, f := range format.All() {
		for _, o := range optionsOf(f) {
			file := render(t, f, o, samples())
			shape, err := format.Inspect(f, o, bytes.NewReader(file[:len(file)/2]))
			require.Error(t, err, "%s %+v", f, o)
			require.Less(t, shape.Rows, len(samples()))
		}
	}
	for name, test := range map[string]struct {
		format format.Format
		file   string
		want   string
	}{
		"no header":           {format.CSV, "", "header"},
		"a cell too few":      {format.CSV, "id,name\r\n1,a\r\n2\r\n", "row 2"},
		"a quote in a cell":   {format.CSV, "id,name\r\n1,a\"b\r\n", "row 1"},
		"no array":            {format.JSON, "{}", "beginning"},
		"nothing":             {format.JSON, "", "beginning"},
		"no end":              {format.JSON, `[{"id":1}`, "end"},
		"a row of no object":  {format.JSON, `[{"id":1},2]`, "row 2"},
		"another key":         {format.JSON, `[{"id":1},{"di":1}]`, `"di"`},
		"a key too many":      {format.JSON, `[{"id":1},{"id":1,"x":2}]`, `"x"`},
		"a key too few":       {format.JSON, `[{"id":1,"x":2},{"id":1}]`, "1 keys"},
		"a broken value":      {format.JSON, `[{"id":nul}]`, "row 1"},
		"something behind":    {format.JSON, `[] []`, "after the end"},
		"a line of no object": {format.NDJSON, "{\"id\":1}\n2\n", "row 2"},
		"a line cut off":      {format.NDJSON, "{\"id\":1}\n{\"id\"", "row 2"},
		"an array's end":      {format.NDJSON, "{\"id\":1}\n]", "row 2"},
		"no parquet":          {format.Parquet, "PAR1", "parquet"},
		"no workbook":         {format.XLSX, "PK", "workbook"},
		"an unknown format":   {"xls", "", "unknown format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := format.Inspect(test.format, format.Options{}, strings.NewReader(test.file))
			require.ErrorContains(t, err, test.want)
		})
	}
}

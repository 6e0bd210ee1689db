package format_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/format"
)

func TestInspectTellsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, f := range []format.Format{format.CSV, format.JSON} {
		for _, o := range []format.Options{{}, {BOM: true, RawFormulas: true}} {
			shape, err := format.Inspect(f, bytes.NewReader(render(t, f, o, samples())))
			require.NoError(t, err)
			require.Equal(t, format.Shape{Rows: len(samples()), Columns: format.Columns(f)}, shape)
		}
	}
	require.Equal(t, format.Columns(format.CSV), format.Columns(format.JSON), "one schema for all formats")
	require.Nil(t, format.Columns("xls"))
}

func TestInspectOfAFileWithoutRowsCountsNone(t *testing.T) {
	t.Parallel()
	for f, columns := range map[format.Format][]string{format.CSV: format.Columns(format.CSV), format.JSON: nil} {
		shape, err := format.Inspect(f, bytes.NewReader(render(t, f, format.Options{}, nil)))
		require.NoError(t, err)
		require.Equal(t, format.Shape{Columns: columns}, shape)
	}
}

func TestInspectFindsWhatIsCutOffOrMalformed(t *testing.T) {
	t.Parallel()
	for _, f := range []format.Format{format.CSV, format.JSON} {
		file := render(t, f, format.Options{}, samples())
		shape, err := format.Inspect(f, bytes.NewReader(file[:len(file)/2]))
		require.Error(t, err, f)
		require.Less(t, shape.Rows, len(samples()))
	}
	for name, test := range map[string]struct {
		format format.Format
		file   string
		want   string
	}{
		"no header":          {format.CSV, "", "header"},
		"a cell too few":     {format.CSV, "id,name\r\n1,a\r\n2\r\n", "row 2"},
		"a quote in a cell":  {format.CSV, "id,name\r\n1,a\"b\r\n", "row 1"},
		"no array":           {format.JSON, "{}", "beginning"},
		"nothing":            {format.JSON, "", "beginning"},
		"no end":             {format.JSON, `[{"id":1}`, "end"},
		"a row of no object": {format.JSON, `[{"id":1},2]`, "row 2"},
		"another key":        {format.JSON, `[{"id":1},{"di":1}]`, `"di"`},
		"a key too many":     {format.JSON, `[{"id":1},{"id":1,"x":2}]`, `"x"`},
		"a key too few":      {format.JSON, `[{"id":1,"x":2},{"id":1}]`, "1 keys"},
		"a broken value":     {format.JSON, `[{"id":nul}]`, "row 1"},
		"something behind":   {format.JSON, `[] []`, "behind"},
		"an unknown format":  {"xls", "", "unknown format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := format.Inspect(test.format, strings.NewReader(test.file))
			require.ErrorContains(t, err, test.want)
		})
	}
}

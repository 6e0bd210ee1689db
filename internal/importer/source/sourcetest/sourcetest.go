// Package sourcetest has sample files for tests of what reads them.
package sourcetest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Names are the names of the companies in each of the Formats.
var Names = []string{"Köln Chemie", "Éclair Société"}

const twoCompanies = "name,city\nKöln Chemie,Köln\nÉclair Société,Genève\n"

// encoded returns twoCompanies in another encoding.
func encoded(tb testing.TB, e encoding.Encoding) string {
	tb.Helper()
	out, err := e.NewEncoder().String(twoCompanies)
	require.NoError(tb, err)
	return out
}

func gzipped(tb testing.TB, s string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	require.NoError(tb, err)
	require.NoError(tb, z.Close())
	return b.String()
}

func zstded(tb testing.TB, s string) string {
	tb.Helper()
	z, err := zstd.NewWriter(nil)
	require.NoError(tb, err)
	return string(z.EncodeAll([]byte(s), nil))
}

func workbook(tb testing.TB, rows ...[]any) string {
	tb.Helper()
	f := excelize.NewFile()
	defer f.Close()
	_, err := f.NewSheet("Companies")
	require.NoError(tb, err)
	require.NoError(tb, f.SetSheetRow("Sheet1", "A1", &[]any{"Read me"}))
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		require.NoError(tb, err)
		require.NoError(tb, f.SetSheetRow("Companies", cell, &row))
	}
	b, err := f.WriteToBuffer()
	require.NoError(tb, err)
	return b.String()
}

type parquetRow struct {
	Name  string   `parquet:"company_name"`
	Size  *int64   `parquet:"team_size,optional"`
	Tags  []string `parquet:"tags,list"`
	Score float64  `parquet:"score"`
}

func parquetFile(tb testing.TB, rows ...parquetRow) string {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b)
	_, err := w.Write(rows)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return b.String()
}

// Formats returns a file of the two companies Names in every format, encoding and compression that is read, by what it is.
func Formats(tb testing.TB) map[string]string {
	tb.Helper()
	size := int64(5)
	json := `{"name":"Köln Chemie","city":"Köln"},{"name":"Éclair Société"}`
	return map[string]string{
		"utf-8":             twoCompanies,
		"utf-8 with a mark": "\xef\xbb\xbf" + twoCompanies,
		"utf-16le":          encoded(tb, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)),
		"utf-16be":          encoded(tb, unicode.UTF16(unicode.BigEndian, unicode.UseBOM)),
		"utf-16, no mark":   encoded(tb, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)),
		"windows-1252":      encoded(tb, charmap.Windows1252),
		"mac roman":         encoded(tb, charmap.Macintosh),
		"mac roman, CR":     strings.ReplaceAll(encoded(tb, charmap.Macintosh), "\n", "\r"),
		"CR LF":             strings.ReplaceAll(twoCompanies, "\n", "\r\n"),
		"semicolons":        strings.ReplaceAll(twoCompanies, ",", ";"),
		"tabs":              strings.ReplaceAll(twoCompanies, ",", "\t"),
		"bars":              strings.ReplaceAll(twoCompanies, ",", "|"),
		"single quotes":     "'name','city'\n'Köln Chemie','a, b'\n'Éclair Société','x'\n",
		"escaped quotes":    "name,about\nKöln Chemie,\"the \\\"best\\\", they say\"\nÉclair Société,\"a\"\n",
		"loose quotes":      "name,about\nKöln Chemie,\"the \"best\" one\"\nÉclair Société,\"best\" of all\n",
		"Excel's line":      "sep=;\nname;city\nKöln Chemie;a,b\nÉclair Société;c\n",
		"a title above":     "Companies of 2024,\n,\nCompany Name,City\nKöln Chemie,Köln\nÉclair Société,Genève\n",
		"lines in quotes":   "\"name,city\"\n\"Köln Chemie,Köln\"\n\"Éclair Société,Genève\"\n",
		"spaces, quotes":    "\"name\", \"city\"\n\"Köln Chemie\", \"Köln\"\n\"Éclair Société\", \"Genève\"\n",
		"U+0001":            strings.ReplaceAll(twoCompanies, ",", "\x01"),
		"two-row header":    "Company Name,Place,\n,City,Employees\nKöln Chemie,Köln,5\nÉclair Société,Genève,9\n",
		"gzip":              gzipped(tb, twoCompanies),
		"zstd":              zstded(tb, twoCompanies),
		"gzip in zstd":      zstded(tb, gzipped(tb, twoCompanies)),
		"NDJSON":            strings.ReplaceAll(json, "},{", "}\n{"),
		"JSON array":        "[" + json + "]",
		"JSON, indented":    "[\n  " + strings.ReplaceAll(strings.ReplaceAll(json, ",", ",\n    "), "{", "{\n") + "\n]\n",
		"JSON in an object": `{"meta":{"count":2,"tags":["a"]},"response":{"data":[` + json + `]},"next":null}`,
		"JSON under a name": `{"name":"an export","companies":[` + json + `]}`,
		"JSON by column":    `{"name":{"0":"Köln Chemie","1":"Éclair Société"},"city":{"0":"Köln"}}`,
		"JSON in lists":     `{"name":["Köln Chemie","Éclair Société"],"city":["Köln",null]}`,
		"JSON by key":       `{"koeln.example":{"name":"Köln Chemie"},"eclair.example":{"name":"Éclair Société"}}`,
		"JSON of arrays":    `[["name","city"],["Köln Chemie","Köln"],["Éclair Société",null]]`,
		"JSON, split":       `{"columns":["name","city"],"index":[0,1],"data":[["Köln Chemie","Köln"],["Éclair Société",NaN]]}`,
		"NDJSON of Singer":  "{\"type\":\"STATE\"}\n{\"type\":\"RECORD\",\"record\":{\"name\":\"Köln Chemie\"}}\n{\"type\":\"RECORD\",\"record\":{\"name\":\"Éclair Société\"}}\n",
		"JSON of MongoDB":   `{"name":"Köln Chemie","employees":{"$numberInt":"5"}}{"_source":{"name":"Éclair Société",}}`,
		"objects in a row":  strings.ReplaceAll(json, "},{", "}{"),
		"objects, indented": strings.ReplaceAll(strings.ReplaceAll(json, "},{", "}\n{"), ",", ",\n"),
		"XLSX":              workbook(tb, []any{"A list"}, []any{}, []any{"Company Name", "City", "Employees"}, []any{"Köln Chemie", "Köln", 12}, []any{"Éclair Société"}),
		"XLSX in gzip":      gzipped(tb, workbook(tb, []any{"Name"}, []any{"Köln Chemie"}, []any{"Éclair Société"})),
		"Parquet":           parquetFile(tb, parquetRow{Name: "Köln Chemie", Size: &size, Tags: []string{"a", "b"}}, parquetRow{Name: "Éclair Société"}),
		"Parquet in zstd":   zstded(tb, parquetFile(tb, parquetRow{Name: "Köln Chemie"}, parquetRow{Name: "Éclair Société"})),
		"no header":         "Köln Chemie,koeln.example,Germany\nÉclair Société,eclair.example,France\n",
		"a file of rejects": "name,city\n#> line 3: unbalanced quotes\nKöln Chemie,Köln\n#> line 9: x\nÉclair Société,Genève\n",
	}
}

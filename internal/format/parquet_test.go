package format_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/format"
)

func openParquet(t *testing.T, file []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	return f
}

// parquetRow is a row as a program declares it that reads the file.
type parquetRow struct {
	ID          string   `parquet:"id"`
	Name        *string  `parquet:"name"`
	Domain      *string  `parquet:"domain"`
	Industries  []string `parquet:"industries,list"`
	NAICSCodes  []string `parquet:"naics_codes,list"`
	Employees   *int64   `parquet:"employee_count"`
	Attributes  string   `parquet:"attributes"`
	CreatedAt   *int64   `parquet:"created_at,timestamp(microsecond)"`
	Connections []struct {
		Category string `parquet:"category"`
		Company  struct {
			ID     *string `parquet:"id"`
			Name   *string `parquet:"name"`
			Domain *string `parquet:"domain"`
		} `parquet:"company"`
	} `parquet:"connections,list"`
}

func TestParquetReadsBackToTheSameValues(t *testing.T) {
	t.Parallel()
	columns := []string{"connections", "id", "name", "domain", "industries", "naics_codes", "employee_count", "attributes", "created_at"}
	file := render(t, format.Parquet, format.Options{Columns: columns}, samples())
	rows, err := parquet.Read[parquetRow](bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	require.Len(t, rows, len(samples()))
	orNil := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	for i, c := range samples() {
		r := rows[i]
		require.Equal(t, c.ID.String(), r.ID)
		require.Equal(t, orNil(c.Name), r.Name)
		require.Equal(t, orNil(c.Domain), r.Domain)
		require.ElementsMatch(t, c.Industries, r.Industries)
		require.ElementsMatch(t, c.NAICSCodes, r.NAICSCodes)
		require.Equal(t, c.EmployeeCount, r.Employees)
		require.Equal(t, c.CreatedAt.UnixMicro(), *r.CreatedAt)
		attributes := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(r.Attributes), &attributes))
		require.Len(t, attributes, len(c.Attributes))
		require.Len(t, r.Connections, len(c.Connections))
		for j, conn := range c.Connections {
			require.Equal(t, conn.Category, r.Connections[j].Category)
			require.Equal(t, orNil(conn.Name), r.Connections[j].Company.Name)
			require.Equal(t, orNil(conn.Domain), r.Connections[j].Company.Domain)
			require.Equal(t, conn.ID.IsZero(), r.Connections[j].Company.ID == nil)
		}
	}
}

func TestParquetIsWrittenInRowGroupsWithStatistics(t *testing.T) {
	t.Parallel()
	f := openParquet(t, render(t, format.Parquet, format.Options{}, companytest.Slice(1, 4_500)))
	require.Len(t, f.RowGroups(), 3)
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name())
	}
	require.Equal(t, format.AllColumns(), names, "in the order of all formats")
	for _, g := range f.Metadata().RowGroups {
		for _, c := range g.Columns {
			require.Equal(t, "ZSTD", c.MetaData.Codec.String())
			require.True(t, len(c.MetaData.Statistics.MaxValue) > 0 || c.MetaData.Statistics.NullCount == c.MetaData.NumValues, c.MetaData.PathInSchema)
		}
	}
	version, ok := f.Lookup("capi.schema_version")
	require.True(t, ok)
	require.Equal(t, "1", version)
}

func TestParquetOfNoCompaniesHasItsColumns(t *testing.T) {
	t.Parallel()
	f := openParquet(t, render(t, format.Parquet, format.Options{Columns: []string{"name"}}, []*company.Company{}))
	require.Zero(t, f.NumRows())
	require.Len(t, f.Schema().Fields(), 1)
}

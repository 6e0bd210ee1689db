package source

import (
	"bytes"
	"encoding/base64"
	"runtime"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/stretchr/testify/require"
)

func TestAParquetFileWithoutRowsIsEmpty(t *testing.T) {
	t.Parallel()
	const ofArrow = "UEFSMRUEFQAVAEwVABUAEgAAFQQZLDUAGAZzY2hlbWEVAgAVDCUCGARuYW1lJQBMHAAAABYAGRwZHCYAHBUMGSUABhkYBG5hbWUVABYAFhwWHCYAJggpHBUEFQAVAgAAABYcFgAmCBYcACggcGFycXVldC1jcHAt" +
		"YXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAACAAAAAUEFSMQ==" // with the dictionary of a column, and a group of no rows
	content, err := base64.StdEncoding.DecodeString(ofArrow)
	require.NoError(t, err)
	got, _, err := records(t, "a.parquet", string(content), Options{})
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestParquetTypesKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	type row struct {
		Name    string            `parquet:"name"`
		Founded int32             `parquet:"founded,date"`
		Micros  time.Time         `parquet:"micros,timestamp(microsecond)"`
		Millis  int64             `parquet:"millis,timestamp(millisecond)"`
		Nanos   *int64            `parquet:"nanos,optional,timestamp(nanosecond)"`
		Old     deprecated.Int96  `parquet:"old"`
		Clock   int64             `parquet:"clock,time(microsecond)"`
		Money   int64             `parquet:"money,decimal(2:18)"`
		ID      [16]byte          `parquet:"uid,uuid"`
		Days    []int32           `parquet:"days,list" parquet-element:",date"`
		Map     map[string]string `parquet:"map"`
		HQ      struct {
			Since int32 `parquet:"since,date"`
		} `parquet:"hq"`
		Plain int64 `parquet:"plain"`
	}
	at := time.Date(1965, 4, 3, 2, 1, 0, 500_000, time.UTC)
	r := row{
		Name: "Acme", Founded: -23_741, Micros: at, Millis: at.UnixMilli(), Old: deprecated.Int96{1_000_000_000, 0, 2_440_588}, Clock: 3_600_000_000,
		Money: 12_345, ID: [16]byte{0xab, 15: 1}, Map: map[string]string{"a": "b"}, Plain: 1_700_000_000, Days: []int32{10_957},
	}
	r.HQ.Since = 10_957
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	_, err := w.Write([]row{r})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	got, _, err := records(t, "-", b.String(), Options{})
	require.NoError(t, err)
	require.Len(t, got, 1)
	for _, want := range []string{
		`founded="1905-01-01"`, `micros="1965-04-03T02:01:00.0005Z"`, `millis="1965-04-03T02:01:00Z"`, `old="1970-01-01T00:00:01Z"`, `clock="01:00:00"`,
		`money=123.45`, `uid="ab000000-0000-0000-0000-000000000001"`, `map.a="b"`, `hq.since="2000-01-01"`, `days=["2000-01-01"]`, `plain=1700000000`,
	} {
		require.Contains(t, got[0]+" ", want+" ")
	}
	require.NotContains(t, got[0], "nanos")
}

func TestParquetDecimalsAreExact(t *testing.T) {
	t.Parallel()
	type row struct {
		Name  string `parquet:"name"`
		Small int32  `parquet:"small,decimal(2:9)"`
		Big   int64  `parquet:"big,decimal(4:18)"`
		Whole int64  `parquet:"whole,decimal(0:18)"`
		None  *int64 `parquet:"none,optional,decimal(2:18)"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	_, err := w.Write([]row{{"A", -123_456_789, 123_456_789_012_345_678, 999_999_999_999_999_999, nil}, {"B", 5, -1, 0, nil}, {"C", 100, 10_000, 7, nil}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	got, _, err := records(t, "-", b.String(), Options{})
	require.NoError(t, err)
	require.Equal(t, []string{
		`name="A" small=-1234567.89 big=12345678901234.5678 whole=999999999999999999`, `name="B" small=0.05 big=-0.0001 whole=0`, `name="C" small=1 big=1 whole=7`,
	}, got)
}

func TestParquetMapsMayHaveKeysOfNumbers(t *testing.T) {
	t.Parallel()
	type row struct {
		Name   string           `parquet:"name"`
		Years  map[int32]int64  `parquet:"years"`
		Shares map[int64]string `parquet:"shares"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	_, err := w.Write([]row{{"A", map[int32]int64{2024: 5, 2025: 7}, map[int64]string{1: "x"}}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	got, _, err := records(t, "-", b.String(), Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`name="A" years.2024=5 years.2025=7 shares.1="x"`}, got)
}

func TestParquetTimesOfEveryUnitAreTimes(t *testing.T) {
	t.Parallel()
	type row struct {
		Milli int64 `parquet:"milli,timestamp(millisecond)"`
		Micro int64 `parquet:"micro,timestamp(microsecond)"`
		Nano  int64 `parquet:"nano,timestamp(nanosecond)"`
		Local int64 `parquet:"local,timestamp(microsecond:local)"`
		Old   int64 `parquet:"old,timestamp(millisecond)"`
	}
	at := time.Date(2020, 2, 29, 23, 59, 58, 123_456_789, time.UTC)
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	_, err := w.Write([]row{{at.UnixMilli(), at.UnixMicro(), at.UnixNano(), at.UnixMicro(), -2_208_988_800_000}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	got, _, err := records(t, "-", b.String(), Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`milli="2020-02-29T23:59:58.123Z" micro="2020-02-29T23:59:58.123456Z" nano="2020-02-29T23:59:58.123456789Z" local="2020-02-29T23:59:58.123456Z" old="1900-01-01T00:00:00Z"`}, got)
}

func TestParquetWithAFooterLargerThanTheFileIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	content := append([]byte("PAR1 some rows that were cut off"), 0xff, 0xff, 0xff, 0xff, 'P', 'A', 'R', '1')
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := newParquet(bytes.NewReader(content), int64(len(content)), nil)
	require.ErrorContains(t, err, "its footer has 4294967295 bytes, more than the whole file: it is damaged or cut off")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30), "the footer is not allocated")
}

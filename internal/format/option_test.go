package format_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
)

func TestTheSameCompaniesAreTheSameBytesInEveryFormat(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 2_100) // more than a row group
	synctest.Test(t, func(t *testing.T) {
		for _, f := range format.All() {
			for _, o := range optionsOf(f) {
				first := render(t, f, o, companies)
				time.Sleep(24 * time.Hour) // containers may have a time
				require.True(t, bytes.Equal(first, render(t, f, o, companies)), "%s %+v", f, o)
			}
		}
	})
}

func TestACompressedFileIsTheSameFile(t *testing.T) {
	t.Parallel()
	for _, f := range []format.Format{format.CSV, format.JSON, format.NDJSON} {
		plain := render(t, f, format.Options{}, samples())
		for c, open := range map[format.Compression]func(io.Reader) (io.Reader, error){
			format.Gzip: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
			format.Zstd: func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
		} {
			r, err := open(bytes.NewReader(render(t, f, format.Options{Compression: c}, samples())))
			require.NoError(t, err)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, string(plain), string(got))
		}
		require.Equal(t, string(plain), string(render(t, f, format.Options{Compression: format.None}, samples())))
	}
}

func TestFilesAreNamedByFormatAndCompression(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format      format.Format
		options     format.Options
		extension   string
		contentType string
	}{
		{format.CSV, format.Options{}, "csv", "text/csv; charset=utf-8"},
		{format.CSV, format.Options{Compression: format.None}, "csv", "text/csv; charset=utf-8"},
		{format.CSV, format.Options{Compression: format.Gzip}, "csv.gz", "application/gzip"},
		{format.NDJSON, format.Options{Compression: format.Zstd}, "ndjson.zst", "application/zstd"},
		{format.NDJSON, format.Options{}, "ndjson", "application/x-ndjson"},
		{format.Parquet, format.Options{}, "parquet", "application/vnd.apache.parquet"},
		{format.XLSX, format.Options{}, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"xls", format.Options{}, "xls", "application/octet-stream"},
	} {
		require.Equal(t, test.extension, format.Extension(test.format, test.options))
		require.Equal(t, test.contentType, format.ContentType(test.format, test.options))
	}
}

func TestOptionsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format  format.Format
		options format.Options
		field   string
		message string
	}{
		{format.Parquet, format.Options{Compression: format.Gzip}, "compression", "is only for export_format csv, json or ndjson; parquet is compressed already"},
		{format.XLSX, format.Options{Compression: format.Zstd}, "compression", "is only for export_format csv, json or ndjson; xlsx is compressed already"},
		{format.CSV, format.Options{Compression: "zip"}, "compression", "must be none, gzip or zstd"},
		{format.JSON, format.Options{Headers: format.HeadersLabel}, "header_row", "label is only for export_format csv or xlsx; json has the names of the fields"},
		{format.CSV, format.Options{Headers: "both"}, "header_row", "must be name or label"},
		{format.NDJSON, format.Options{BOM: true}, "csv_options", "is only for export_format csv"},
		{format.XLSX, format.Options{RawFormulas: true}, "csv_options", "is only for export_format csv"},
	} {
		errs := []fault.FieldError{{Field: test.field, Message: test.message}}
		require.Equal(t, errs, test.options.Fitting(test.format))
		_, err := format.New(test.format, io.Discard, test.options)
		require.ErrorContains(t, err, test.message)
	}
	for _, f := range format.All() {
		require.Empty(t, format.Options{Headers: format.HeadersName, Compression: format.None}.Fitting(f))
	}
	require.Equal(t, format.Options{}, format.Options{Headers: format.HeadersName, Compression: format.None}.Normal())
}

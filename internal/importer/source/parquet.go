package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

const (
	parquetRowsMax   = 64       // of a chunk
	parquetGroupMax  = 4 << 30  // bytes of one column chunk, unpacked
	parquetPageBytes = 64 << 10 // read at a time
)

// parquetReader reads the rows of a Parquet file.
type parquetReader struct {
	schema Schema
	rows   *parquet.GenericReader[any]
	line   int // the number of the next row, from 1
	buffer []any
}

func newParquet(f io.ReaderAt, size int64, schema Schema) (_ *parquetReader, err error) {
	defer recovered("read the Parquet file", &err)
	file, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(parquetPageBytes))
	if err != nil {
		return nil, fmt.Errorf("read the Parquet file: %w", err)
	}
	if n := len(file.Schema().Columns()); n > ColumnsMax {
		return nil, fmt.Errorf("there are %d columns, and at most %d can be read; remove some", n, ColumnsMax)
	}
	for _, g := range file.Metadata().RowGroups {
		for _, c := range g.Columns {
			m := c.MetaData
			if m.TotalCompressedSize < 0 || m.TotalCompressedSize > size || m.TotalUncompressedSize > parquetGroupMax ||
				m.TotalUncompressedSize/bombRatio > size {
				return nil, fmt.Errorf("read the Parquet file: column %v: %w", m.PathInSchema, errBomb)
			}
		}
	}
	return &parquetReader{
		schema: schema, rows: parquet.NewGenericReader[any](file, file.Schema()), line: 1, buffer: make([]any, parquetRowsMax),
	}, nil
}

// nextChunk returns up to parquetRowsMax rows.
func (p *parquetReader) nextChunk() (_ Chunk, err error) {
	defer recovered("read the Parquet file", &err)
	clear(p.buffer)
	n, err := p.rows.Read(p.buffer)
	if n == 0 {
		switch {
		case err == nil:
			return noRecords{}, nil
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		}
		return nil, fmt.Errorf("row %d: %w", p.line, err)
	}
	chunk := &objectChunk{line: p.line}
	for _, row := range p.buffer[:n] {
		members, ok := row.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("row %d is a %T", p.line, row)
		}
		chunk.rows = append(chunk.rows, p.fields(members))
	}
	p.line += n
	return chunk, nil
}

// fields returns the members in the order of the columns.
func (p *parquetReader) fields(members map[string]any) []Field {
	fields := make([]Field, 0, len(members))
	for _, column := range p.rows.Schema().Fields() {
		if v, ok := members[column.Name()]; ok {
			fields = append(fields, Field{column.Name(), valueOf(plain(v))})
		}
	}
	return flatten(p.schema, fields)
}

// plain converts a value of the Parquet library to what encoding/json decodes, numbers as json.Number.
func plain(v any) any {
	switch v := v.(type) {
	case nil, string, bool:
		return v
	case []byte:
		if !utf8.Valid(v) {
			return nil
		}
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case int32, int64, uint32, uint64, int, float32, float64:
		p, err := json.Marshal(v)
		if err != nil {
			return nil // NaN or infinite
		}
		return json.Number(p)
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case map[string]any:
		if list, ok := listOf(v); ok {
			return plain(list)
		}
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = plain(e)
		}
		return out
	}
	return fmt.Sprint(v)
}

// listOf unwraps a list, which Parquet stores as {"list": [{"element": …}]}.
func listOf(v map[string]any) ([]any, bool) {
	if len(v) != 1 {
		return nil, false
	}
	for name, inner := range v {
		list, ok := inner.([]any)
		if !ok || name != "list" && name != "bag" && name != "array" {
			return nil, false
		}
		for i, e := range list {
			if m, ok := e.(map[string]any); ok && len(m) == 1 {
				for _, element := range m {
					list[i] = element
				}
			}
		}
		return list, true
	}
	return nil, false
}

// objectChunk is a chunk of records that are read already.
type objectChunk struct {
	line int
	rows [][]Field
}

// Records yields the rows.
func (p *objectChunk) Records(yield func(*Record)) {
	for i, fields := range p.rows {
		yield(&Record{Line: p.line + i, Fields: fields})
	}
}

package source

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

const (
	parquetRowsMax   = 64       // of a chunk
	parquetGroupMax  = 4 << 30  // bytes of one column chunk, unpacked
	parquetPageBytes = 64 << 10 // read at a time
)

// parquetReader reads the rows of a Parquet file.
type parquetReader struct {
	schema  Schema
	columns []parquet.Field // of the file
	plain   *parquet.Schema // the file's, as plainField has it
	rows    parquet.Rows
	line    int   // the number of the next row, from 1
	count   int64 // of the rows
	buffer  []parquet.Row
}

func newParquet(f io.ReaderAt, size int64, schema Schema) (_ *parquetReader, err error) {
	defer recovered("read the Parquet file", &err)
	if err := checkFooter(f, size); err != nil {
		return nil, fmt.Errorf("read the Parquet file: %w", err)
	}
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
		schema: schema, columns: file.Schema().Fields(), plain: parquet.NewSchema(file.Schema().Name(), plainField{Node: file.Schema()}),
		rows: parquet.MultiRowGroup(file.RowGroups()...).Rows(), line: 1, count: file.NumRows(), buffer: make([]parquet.Row, parquetRowsMax),
	}, nil
}

// checkFooter returns an error if the file says that its footer is larger than the file: the library would allocate up to 4 GB for it.
func checkFooter(f io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < 2*int64(len(tail)) {
		return fmt.Errorf("it has only %d bytes, and its footer is missing; export or copy it again", size)
	}
	if _, err := f.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	if footer := int64(binary.LittleEndian.Uint32(tail[:4])); footer > size-int64(len(tail)) {
		return fmt.Errorf("its footer has %d bytes, more than the whole file: it is damaged or cut off; export it again", footer)
	}
	return nil
}

// plainField is a column of a file without what the library would lose on the way to a Go value: it reads decimals of 32 and 64 bits as
// floating point numbers, and the keys of maps as text. integer and mapOf read them exactly.
type plainField struct {
	parquet.Node
	field parquet.Field // nil for the root
}

func (f plainField) Name() string { return f.field.Name() }

func (f plainField) Value(base reflect.Value) reflect.Value { return f.field.Value(base) }

func (f plainField) Type() parquet.Type {
	t := f.Node.Type()
	if !f.Leaf() && isMapNode(f.Node) {
		return parquet.Group{}.Type()
	}
	if _, ok := decimalOf(f.Node); ok {
		switch t.Kind() {
		case parquet.Int32:
			return parquet.Int32Type
		case parquet.Int64:
			return parquet.Int64Type
		default:
		}
	}
	return t
}

func (f plainField) Fields() []parquet.Field {
	var out []parquet.Field
	for _, inner := range f.Node.Fields() {
		out = append(out, plainField{inner, inner})
	}
	return out
}

// isMapNode reports whether a group is a map: it has a repeated group with a key and a value.
func isMapNode(node parquet.Node) bool {
	if node == nil || node.Leaf() {
		return false
	}
	fields := node.Fields()
	if len(fields) != 1 || !fields[0].Repeated() || fields[0].Leaf() {
		return false
	}
	inner := fields[0].Fields()
	return len(inner) == 2 && inner[0].Name() == "key"
}

// decimalOf returns how many digits of a column of decimals are behind the point.
func decimalOf(node parquet.Node) (scale int, ok bool) {
	if node == nil || !node.Leaf() || node.Type().LogicalType() == nil {
		return 0, false
	}
	t, ok := node.Type().LogicalType().Value.(*format.DecimalType)
	if !ok {
		return 0, false
	}
	return int(t.Scale), true
}

// nextChunk returns up to parquetRowsMax rows.
func (p *parquetReader) nextChunk() (_ Chunk, err error) {
	defer recovered("read the Parquet file", &err)
	if p.count == 0 { // the library cannot read a group without rows
		return nil, io.EOF
	}
	n, err := p.rows.ReadRows(p.buffer)
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
	for _, values := range p.buffer[:n] {
		var row any
		if err := p.plain.Reconstruct(&row, values); err != nil {
			return nil, fmt.Errorf("row %d: %w", p.line, err)
		}
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
	for _, column := range p.columns {
		if v, ok := members[column.Name()]; ok {
			fields = append(fields, Field{column.Name(), valueOf(plain(column, v))})
		}
	}
	return flatten(p.schema, fields)
}

// plain converts a value of the Parquet library to what encoding/json decodes, numbers as json.Number, and dates and times
// as RFC 3339 writes them. node is the value's column, or the nearest group around it that is known; nil if it is not known.
func plain(node parquet.Node, v any) any {
	switch v := v.(type) {
	case nil, string, bool:
		return v
	case []byte:
		switch {
		case len(v) == len(uuid.UUID{}) && isUUID(node):
			return uuid.UUID(v).String()
		case !utf8.Valid(v):
			return nil
		}
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case deprecated.Int96:
		return int96Time(v)
	case int32:
		return integer(node, int64(v))
	case int64:
		return integer(node, v)
	case *big.Float:
		return json.Number(v.Text('f', -1))
	case uint32, uint64, int, float32, float64:
		p, err := json.Marshal(v)
		if err != nil {
			return nil // NaN or infinite
		}
		return json.Number(p)
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, plain(elementOf(node), e))
		}
		return out
	case map[string]any:
		if isMapNode(node) {
			return mapOf(node, v)
		}
		if list, ok := listOf(v); ok {
			return plain(node, list)
		}
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = plain(memberOf(node, name), e)
		}
		return out
	}
	return plainKind(node, reflect.ValueOf(v))
}

// mapOf converts a map, which is a list of keys with their values.
func mapOf(node parquet.Node, v map[string]any) map[string]any {
	entries := node.Fields()[0]
	key, value := entries.Fields()[0], entries.Fields()[1]
	list, _ := v[entries.Name()].([]any)
	out := make(map[string]any, len(list))
	for _, e := range list {
		if pair, ok := e.(map[string]any); ok {
			out[fmt.Sprint(plain(key, pair[key.Name()]))] = plain(value, pair[value.Name()])
		}
	}
	return out
}

// plainKind converts the maps and lists that the library gives Go types of their own.
func plainKind(node parquet.Node, v reflect.Value) any {
	switch v.Kind() {
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for _, key := range v.MapKeys() {
			out[fmt.Sprint(key.Interface())] = plain(memberOf(node, ""), v.MapIndex(key).Interface())
		}
		return out
	case reflect.Slice, reflect.Array:
		out := make([]any, 0, v.Len())
		for i := range v.Len() {
			out = append(out, plain(elementOf(node), v.Index(i).Interface()))
		}
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(node, v.Elem().Interface())
	default:
		return fmt.Sprint(v.Interface())
	}
}

// integer returns a whole number, or the date or time that the column says it is.
func integer(node parquet.Node, n int64) any {
	number := json.Number(strconv.FormatInt(n, 10))
	if node == nil || !node.Leaf() {
		return number
	}
	l := node.Type().LogicalType()
	if l == nil {
		return number
	}
	if scale, ok := decimalOf(node); ok {
		return json.Number(withPoint(strconv.FormatInt(n, 10), scale))
	}
	switch t := l.Value.(type) {
	case *format.DateType:
		return time.Unix(n*secondsPerDay, 0).UTC().Format(time.DateOnly)
	case *format.TimestampType:
		return timeText(n, t.Unit)
	case *format.TimeType:
		at := time.Unix(0, 0).UTC().Add(time.Duration(n) * unitOf(t.Unit))
		return at.Format("15:04:05.999999999")
	}
	return number
}

// withPoint puts a decimal point before the last digits of a whole number, and drops zeros at the end.
func withPoint(digits string, scale int) string {
	if scale <= 0 {
		return digits
	}
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	return sign + strings.TrimRight(strings.TrimRight(digits[:point]+"."+digits[point:], "0"), ".")
}

const secondsPerDay = 24 * 60 * 60

func timeText(n int64, unit format.TimeUnit) string {
	var t time.Time
	switch unitOf(unit) {
	case time.Millisecond:
		t = time.UnixMilli(n)
	case time.Microsecond:
		t = time.UnixMicro(n)
	default:
		t = time.Unix(0, n)
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func unitOf(unit format.TimeUnit) time.Duration {
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		return time.Millisecond
	case *format.MicroSeconds:
		return time.Microsecond
	}
	return time.Nanosecond
}

// int96Time returns the time that older programs write as 12 bytes: the nanoseconds of the day, and the Julian day.
func int96Time(v deprecated.Int96) string {
	const julianDay1970 = 2_440_588
	nanoseconds := int64(uint64(v[1])<<32 | uint64(v[0])) //nolint:gosec // fewer than a day has, in a sound file
	days := int64(v[2]) - julianDay1970
	return time.Unix(days*secondsPerDay, nanoseconds).UTC().Format(time.RFC3339Nano)
}

func isUUID(node parquet.Node) bool {
	if node == nil || !node.Leaf() || node.Type().LogicalType() == nil {
		return false
	}
	_, ok := node.Type().LogicalType().Value.(*format.UUIDType)
	return ok
}

// memberOf returns the column of a group's member, or of the values of a map; nil if it is not known.
func memberOf(node parquet.Node, name string) parquet.Node {
	if node == nil || node.Leaf() {
		return nil
	}
	for _, f := range node.Fields() {
		if f.Name() == name {
			return f
		}
	}
	if fields := node.Fields(); len(fields) == 1 && fields[0].Repeated() && !fields[0].Leaf() { // a map: its only field is key_value
		if inner := fields[0].Fields(); len(inner) == 2 {
			return inner[1]
		}
	}
	return nil
}

// elementOf returns the column of a list's elements; nil if it is not known.
func elementOf(node parquet.Node) parquet.Node {
	if node == nil || node.Leaf() {
		return node // repeated
	}
	if fields := node.Fields(); len(fields) == 1 && fields[0].Repeated() {
		if inner := fields[0]; !inner.Leaf() && len(inner.Fields()) == 1 {
			return inner.Fields()[0]
		}
		return fields[0]
	}
	return node
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

package format

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/opencapi/capi/internal/company"
)

// A Parquet file has typed columns, compressed with zstd, with statistics:
//
//   - id and texts: STRING; integers: INT64; times: TIMESTAMP in microseconds, UTC. An unknown value is null.
//   - A list is a LIST of STRING, and is never null.
//   - connections is a LIST of structs: category, and company with id, name and domain, as in JSON.
//   - attributes is a JSON object, stored as a STRING; "{}" if there are none.
//
// A row group is written as soon as it is full, so memory does not grow with the file.
type parquetWriter struct {
	w      *parquet.GenericWriter[any]
	fields []*company.Field
	row    parquet.Row // reused
	json   []byte      // reused
	rows   int
}

const parquetGroupRows = 2_000

func newParquet(w io.Writer, o Options) Writer {
	p := &parquetWriter{fields: fieldsOf(o)}
	p.w = parquet.NewGenericWriter[any](w, parquet.NewSchema("company", parquetSchema(p.fields)),
		parquet.Compression(&zstd.Codec{}), parquet.CreatedBy("capi", "", ""), parquet.WriteBufferSize(flushBytes),
		parquet.KeyValueMetadata("capi.schema_version", strconv.Itoa(SchemaVersion)))
	return p
}

// group is a group of columns in the order given; that of parquet.Group is alphabetical.
type group struct {
	parquet.Group
	order []string
}

func (g *group) add(name string, n parquet.Node) {
	g.Group[name] = n
	g.order = append(g.order, name)
}

// Fields returns the columns in their order.
func (g *group) Fields() []parquet.Field {
	byName := make(map[string]parquet.Field, len(g.order))
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.order))
	for i, name := range g.order {
		fields[i] = byName[name]
	}
	return fields
}

func parquetSchema(fields []*company.Field) parquet.Node {
	root := &group{Group: parquet.Group{}}
	for _, f := range fields {
		root.add(f.Name, parquetNode(f.Kind))
	}
	return root
}

func parquetNode(k company.Kind) parquet.Node {
	switch k {
	case company.KindID, company.KindAttributes:
		return parquet.String()
	case company.KindText:
		return parquet.Optional(parquet.String())
	case company.KindInteger:
		return parquet.Optional(parquet.Int(64))
	case company.KindTime:
		return parquet.Optional(parquet.Timestamp(parquet.Microsecond))
	case company.KindList:
		return parquet.List(parquet.String())
	case company.KindConnections:
		connected := &group{Group: parquet.Group{}}
		for _, name := range []string{"id", "name", "domain"} {
			connected.add(name, parquet.Optional(parquet.String()))
		}
		connection := &group{Group: parquet.Group{}}
		connection.add("category", parquet.String())
		connection.add("company", connected)
		return parquet.List(connection)
	}
	panic("format: unknown kind of field")
}

func (p *parquetWriter) Write(c *company.Company) error {
	p.row, p.json = p.row[:0], p.json[:0]
	column := 0
	for _, f := range p.fields {
		column = p.add(f, c, column)
	}
	if _, err := p.w.WriteRows([]parquet.Row{p.row}); err != nil {
		return fmt.Errorf("write company %s: %w", c.ID, err)
	}
	if p.rows++; p.rows%parquetGroupRows == 0 {
		return p.w.Flush()
	}
	return nil
}

func (p *parquetWriter) Close() error { return p.w.Close() }

// add adds the field's values to the row as the columns from column on, and returns the column after them.
func (p *parquetWriter) add(f *company.Field, c *company.Company, column int) int {
	switch f.Kind {
	case company.KindID:
		p.value(parquet.ValueOf(c.ID.String()), 0, 0, column)
	case company.KindAttributes:
		text := "{}"
		if len(c.Attributes) > 0 {
			text = string(appendAttributes(nil, c))
		}
		p.value(parquet.ValueOf(text), 0, 0, column)
	case company.KindText:
		p.text(*f.Text(c), 0, 0, column)
	case company.KindInteger:
		if n := *f.Int(c); n != nil {
			p.value(parquet.Int64Value(*n), 0, 1, column)
		} else {
			p.value(parquet.NullValue(), 0, 0, column)
		}
	case company.KindTime:
		if t := *f.Time(c); !t.IsZero() {
			p.value(parquet.Int64Value(t.UnixMicro()), 0, 1, column)
		} else {
			p.value(parquet.NullValue(), 0, 0, column)
		}
	case company.KindList:
		list := *f.List(c)
		for i, s := range list {
			p.value(parquet.ValueOf(s), min(i, 1), 1, column)
		}
		if len(list) == 0 {
			p.value(parquet.NullValue(), 0, 0, column)
		}
	case company.KindConnections:
		return p.connections(c.Connections, column)
	}
	return column + 1
}

// connections adds the values column by column, as a row has them.
func (p *parquetWriter) connections(all []company.Connection, column int) int {
	columns := []func(company.Connection) string{
		func(c company.Connection) string { return c.Category },
		func(c company.Connection) string {
			if c.ID.IsZero() {
				return ""
			}
			return c.ID.String()
		},
		func(c company.Connection) string { return c.Name },
		func(c company.Connection) string { return c.Domain },
	}
	for i, of := range columns {
		for j, c := range all {
			if i == 0 {
				p.value(parquet.ValueOf(of(c)), min(j, 1), 1, column)
			} else {
				p.text(of(c), min(j, 1), 1, column)
			}
		}
		if len(all) == 0 {
			p.value(parquet.NullValue(), 0, 0, column)
		}
		column++
	}
	return column
}

// text adds an optional text, of which level is the definition level of its parent.
func (p *parquetWriter) text(s string, repetition, level, column int) {
	if s == "" {
		p.value(parquet.NullValue(), repetition, level, column)
		return
	}
	p.value(parquet.ValueOf(s), repetition, level+1, column)
}

func (p *parquetWriter) value(v parquet.Value, repetition, definition, column int) {
	p.row = append(p.row, v.Level(repetition, definition, column))
}

func inspectParquet(r io.Reader) (s Shape, err error) {
	f, size, remove, err := spooled(r)
	if err != nil {
		return s, err
	}
	defer remove()
	defer func() { // the library panics at some damaged files
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	file, err := parquet.OpenFile(f, size)
	if err != nil {
		return s, fmt.Errorf("read the directory at its end: %w", err)
	}
	for _, field := range file.Schema().Fields() {
		s.Columns = append(s.Columns, field.Name())
	}
	for _, g := range file.RowGroups() {
		if err := s.read(g); err != nil {
			return s, err
		}
	}
	return s, nil
}

// read counts the rows of a row group by reading every value.
func (s *Shape) read(g parquet.RowGroup) error {
	rows := g.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 100)
	for {
		n, err := rows.ReadRows(buffer)
		s.Rows += n
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read row %d: %w", s.Rows+1, err)
		}
	}
}

package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

type jsonConnection struct {
	Category string        `json:"category"`
	Company  jsonConnected `json:"company"`
}

type jsonConnected struct {
	ID     *id.Company `json:"id"`
	Name   *string     `json:"name"`
	Domain *string     `json:"domain"`
}

// A JSON file is one array with one company per line, in the shape of the API's company detail: unknown values are
// null, lists are never null, attributes is always an object. With Options.Columns it has only these fields. An NDJSON file
// has the same objects, one per line, without the array.
type jsonWriter struct {
	w      io.Writer
	lines  bool         // NDJSON
	buf    bytes.Buffer // lines not yet written
	enc    *json.Encoder
	rows   int
	fields []*company.Field
	keys   []string // of fields, with the signs around: {"id": and ,"name":
}

func newJSON(w io.Writer, o Options) Writer {
	j := newNDJSON(w, o).(*jsonWriter)
	j.lines = false
	j.buf.WriteByte('[')
	return j
}

func newNDJSON(w io.Writer, o Options) Writer {
	j := &jsonWriter{w: w, lines: true, fields: fieldsOf(o)}
	for i, f := range j.fields {
		sign := ","
		if i == 0 {
			sign = "{"
		}
		j.keys = append(j.keys, sign+strconv.Quote(f.Name)+":")
	}
	j.enc = json.NewEncoder(&j.buf)
	j.enc.SetEscapeHTML(false)
	return j
}

func (j *jsonWriter) Write(c *company.Company) error {
	if !j.lines {
		if j.rows > 0 {
			j.buf.WriteByte(',')
		}
		j.buf.WriteByte('\n')
	}
	for i, f := range j.fields {
		j.buf.WriteString(j.keys[i])
		if err := j.value(f, c); err != nil {
			return fmt.Errorf("encode company %s: %w", c.ID, err)
		}
	}
	j.buf.WriteByte('}')
	if j.lines {
		j.buf.WriteByte('\n')
	}
	j.rows++
	if j.buf.Len() < flushBytes {
		return nil
	}
	return j.flush()
}

func (j *jsonWriter) value(f *company.Field, c *company.Company) error {
	if !f.Known(c) {
		switch f.Kind {
		case company.KindText, company.KindInteger:
			j.buf.WriteString("null")
			return nil
		case company.KindList, company.KindConnections:
			j.buf.WriteString("[]")
			return nil
		case company.KindAttributes:
			j.buf.WriteString("{}")
			return nil
		case company.KindID, company.KindTime:
		}
	}
	switch f.Kind {
	case company.KindText:
		return j.text(*f.Text(c))
	case company.KindList:
		return j.texts(*f.List(c))
	case company.KindInteger:
		j.buf.Write(strconv.AppendInt(j.buf.AvailableBuffer(), **f.Int(c), 10))
		return nil
	case company.KindTime:
		return j.encode(f.Time(c).UTC())
	case company.KindID:
		return j.encode(c.ID)
	case company.KindConnections:
		return j.encode(jsonConnections(c.Connections))
	case company.KindAttributes:
		return j.encode(c.Attributes)
	}
	panic("format: unknown kind of field")
}

func (j *jsonWriter) texts(list []string) error {
	for i, s := range list {
		j.buf.WriteByte("[,"[min(i, 1)])
		if err := j.text(s); err != nil {
			return err
		}
	}
	j.buf.WriteByte(']')
	return nil
}

// text copies most texts unchanged, because they need no escaping.
func (j *jsonWriter) text(s string) error {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b >= utf8.RuneSelf || b == '"' || b == '\\' {
			return j.encode(s)
		}
	}
	j.buf.WriteByte('"')
	j.buf.WriteString(s)
	j.buf.WriteByte('"')
	return nil
}

// encode writes v without the line feed that Encode ends with.
func (j *jsonWriter) encode(v any) error {
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	j.buf.Truncate(j.buf.Len() - 1)
	return nil
}

func (j *jsonWriter) Close() error {
	if j.lines {
		return j.flush()
	}
	if j.rows > 0 {
		j.buf.WriteByte('\n')
	}
	j.buf.WriteString("]\n")
	return j.flush()
}

func (j *jsonWriter) flush() error {
	_, err := j.w.Write(j.buf.Bytes())
	j.buf.Reset()
	return err
}

func jsonConnections(conns []company.Connection) []jsonConnection {
	out := make([]jsonConnection, len(conns))
	for i, c := range conns {
		out[i] = jsonConnection{c.Category, jsonConnected{Name: known(c.Name), Domain: known(c.Domain)}}
		if !c.ID.IsZero() {
			out[i].Company.ID = &c.ID
		}
	}
	return out
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func inspectJSON(r io.Reader) (Shape, error) {
	in := &jsonReader{dec: json.NewDecoder(r)}
	if err := in.delim('['); err != nil {
		return in.Shape, fmt.Errorf("read the beginning: %w", err)
	}
	for ; in.dec.More(); in.Rows++ {
		if err := in.row(); err != nil {
			return in.Shape, fmt.Errorf("read row %d: %w", in.Rows+1, err)
		}
	}
	if err := in.delim(']'); err != nil {
		return in.Shape, fmt.Errorf("read the end: %w", err)
	}
	if _, err := in.dec.Token(); !errors.Is(err, io.EOF) {
		return in.Shape, errors.New("there is more after the end")
	}
	return in.Shape, nil
}

func inspectNDJSON(r io.Reader) (Shape, error) {
	in := &jsonReader{dec: json.NewDecoder(r)}
	for ; in.dec.More(); in.Rows++ {
		if err := in.row(); err != nil {
			return in.Shape, fmt.Errorf("read row %d: %w", in.Rows+1, err)
		}
	}
	if _, err := in.dec.Token(); !errors.Is(err, io.EOF) {
		return in.Shape, fmt.Errorf("read row %d: %w", in.Rows+1, err)
	}
	return in.Shape, nil
}

// jsonReader reads objects, one value at a time.
type jsonReader struct {
	Shape
	dec   *json.Decoder
	value json.RawMessage // reused
}

// row reads one object; the first one determines the keys and the order that the others must have.
func (in *jsonReader) row() error {
	if err := in.delim('{'); err != nil {
		return err
	}
	keys := 0
	for ; in.dec.More(); keys++ {
		key, err := in.dec.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // the decoder accepts only strings here
		if in.Rows == 0 {
			in.Columns = append(in.Columns, name)
		} else if keys >= len(in.Columns) || in.Columns[keys] != name {
			return fmt.Errorf("it has the key %q, which the first row does not have there", name)
		}
		if err := in.dec.Decode(&in.value); err != nil {
			return err
		}
	}
	if keys != len(in.Columns) {
		return fmt.Errorf("it has %d keys, the first row %d", keys, len(in.Columns))
	}
	return in.delim('}')
}

func (in *jsonReader) delim(want json.Delim) error {
	t, err := in.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case t != want:
		return fmt.Errorf("there is %v in place of %v", t, want)
	}
	return nil
}

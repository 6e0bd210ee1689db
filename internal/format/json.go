package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// A JSON file is one array with one company a line, in the shape of the API's company detail: unknown values are
// null, lists are never null, attributes are always an object. With Options.Columns it has these fields alone.
type jsonRow struct {
	ID                   id.Company       `json:"id"`
	Name                 *string          `json:"name"`
	Domain               *string          `json:"domain"`
	Website              *string          `json:"website"`
	LinkedInURL          *string          `json:"linkedin_url"`
	Description          *string          `json:"description"`
	Country              *string          `json:"country"`
	CountryCode          *string          `json:"country_code"`
	State                *string          `json:"state"`
	City                 *string          `json:"city"`
	Industries           []string         `json:"industries"`
	NAICSCodes           []string         `json:"naics_codes"`
	Technologies         []string         `json:"technologies"`
	TechnologyCategories []string         `json:"technology_categories"`
	EmployeeCount        *int64           `json:"employee_count"`
	FoundedYear          *int64           `json:"founded_year"`
	Connections          []jsonConnection `json:"connections"`
	Attributes           map[string]any   `json:"attributes"`
	CreatedAt            time.Time        `json:"created_at"`
	UpdatedAt            time.Time        `json:"updated_at"`
}

type jsonConnection struct {
	Category string        `json:"category"`
	Company  jsonConnected `json:"company"`
}

type jsonConnected struct {
	ID     *id.Company `json:"id"`
	Name   *string     `json:"name"`
	Domain *string     `json:"domain"`
}

type jsonWriter struct {
	w      io.Writer
	buf    bytes.Buffer // lines not yet written
	enc    *json.Encoder
	rows   int
	fields []jsonField // those that were chosen; none for all
}

// jsonField is a field of jsonRow.
type jsonField struct {
	key   string // with what stands around it: "name":
	index int
}

func newJSON(w io.Writer, o Options) Writer {
	j := &jsonWriter{w: w}
	all := columnsOfJSON()
	for _, name := range o.Columns {
		j.fields = append(j.fields, jsonField{strconv.Quote(name) + ":", slices.Index(all, name)})
	}
	j.enc = json.NewEncoder(&j.buf)
	j.enc.SetEscapeHTML(false)
	j.buf.WriteByte('[')
	return j
}

func (j *jsonWriter) Write(c *company.Company) error {
	if j.rows > 0 {
		j.buf.WriteByte(',')
	}
	j.buf.WriteByte('\n')
	if err := j.encode(jsonRowOf(c)); err != nil {
		return fmt.Errorf("encode company %s: %w", c.ID, err)
	}
	j.rows++
	if j.buf.Len() < flushBytes {
		return nil
	}
	return j.flush()
}

func (j *jsonWriter) encode(row jsonRow) error {
	if len(j.fields) == 0 {
		return j.value(row)
	}
	values := reflect.ValueOf(row)
	for i, f := range j.fields {
		j.buf.WriteByte("{,"[min(i, 1)])
		j.buf.WriteString(f.key)
		if err := j.value(values.Field(f.index).Interface()); err != nil {
			return err
		}
	}
	j.buf.WriteByte('}')
	return nil
}

// value encodes v without the line feed that Encode ends with.
func (j *jsonWriter) value(v any) error {
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	j.buf.Truncate(j.buf.Len() - 1)
	return nil
}

func (j *jsonWriter) Close() error {
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

func jsonRowOf(c *company.Company) jsonRow {
	return jsonRow{
		ID: c.ID, Name: known(c.Name), Domain: known(c.Domain), Website: known(c.Website),
		LinkedInURL: known(c.LinkedInURL), Description: known(c.Description),
		Country: known(c.Country), CountryCode: known(c.CountryCode), State: known(c.State), City: known(c.City),
		Industries: filled(c.Industries), NAICSCodes: filled(c.NAICSCodes),
		Technologies: filled(c.Technologies), TechnologyCategories: filled(c.TechnologyCategories),
		EmployeeCount: c.EmployeeCount, FoundedYear: c.FoundedYear,
		Connections: jsonConnections(c.Connections), Attributes: attributes(c.Attributes),
		CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
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

func filled(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}

func attributes(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func columnsOfJSON() []string {
	row := reflect.TypeFor[jsonRow]()
	names := make([]string, row.NumField())
	for i := range names {
		names[i] = row.Field(i).Tag.Get("json")
	}
	return names
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
		return in.Shape, errors.New("there is more behind the end")
	}
	return in.Shape, nil
}

// jsonReader reads an array of objects, a value at a time.
type jsonReader struct {
	Shape
	dec   *json.Decoder
	value json.RawMessage // reused
}

// row reads one object; the first one says which keys, in which order, the others must have.
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
		name, _ := key.(string) // the decoder takes nothing else there
		if in.Rows == 0 {
			in.Columns = append(in.Columns, name)
		} else if keys >= len(in.Columns) || in.Columns[keys] != name {
			return fmt.Errorf("it has the key %q where the first row has not", name)
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

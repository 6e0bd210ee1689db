package format

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/opencapi/capi/internal/company"
)

// SchemaVersion is the version of the set of columns. A reader of a version can read every file of that version:
// version 1 has the columns that AllColumns returns, or some of them.
const SchemaVersion = 1

// Shape is what a file shows without knowledge of its companies.
type Shape struct {
	Rows    int
	Columns []string // in their order; none for a JSON or NDJSON file without rows
}

// Columns returns the columns of a file of the format with the options, in their order; nil for an unknown format.
func Columns(f Format, o Options) []string {
	if !f.Known() {
		return nil
	}
	var names []string
	for _, f := range fieldsOf(o) {
		names = append(names, f.Name)
	}
	return names
}

// AllColumns returns the columns that a file can have, whatever its format.
func AllColumns() []string { return Columns(CSV, Options{}) }

// HeaderRow returns the columns as Inspect finds them in a file with the options: their names, or their labels.
func HeaderRow(columns []string, o Options) []string {
	headers := slices.Clone(columns)
	for i, name := range columns {
		if f := company.FieldNamed(name); f != nil {
			headers[i] = header(f, o)
		}
	}
	return headers
}

func header(f *company.Field, o Options) string {
	if o.Headers == HeadersLabel {
		return f.Label
	}
	return f.Name
}

// Inspect reads a whole file that was written with the options, and returns its shape. A file that is truncated or malformed,
// or whose rows have different columns, is an error; the shape then covers what was read before.
func Inspect(f Format, o Options, r io.Reader) (Shape, error) {
	k, ok := f.kind()
	if !ok {
		return Shape{}, fmt.Errorf("unknown format %q", f)
	}
	s, err := k.inspectCompressed(o.Compression, r)
	if err != nil {
		return s, fmt.Errorf("inspect %s: %w", f, err)
	}
	return s, nil
}

func (k kind) inspectCompressed(c Compression, r io.Reader) (Shape, error) {
	codec, ok := codecs[c]
	if !ok {
		return Shape{}, fmt.Errorf("unknown compression %q", c)
	}
	if !c.compresses() {
		return k.inspect(r)
	}
	plain, err := codec.decompress(r)
	if err != nil {
		return Shape{}, fmt.Errorf("decompress it: %w", err)
	}
	defer plain.Close()
	s, err := k.inspect(plain)
	if err == nil {
		_, err = io.Copy(io.Discard, plain) // the checksum is at the end
	}
	return s, err
}

// spooled copies r to a temporary file, for formats whose directory is at the end of the file. The caller must call remove.
func spooled(r io.Reader) (f *os.File, size int64, remove func(), err error) {
	if f, err = os.CreateTemp("", "capi-inspect-*"); err != nil {
		return nil, 0, nil, err
	}
	remove = func() {
		f.Close()
		os.Remove(f.Name())
	}
	if size, err = io.Copy(f, r); err != nil {
		remove()
		return nil, 0, nil, err
	}
	return f, size, remove, nil
}

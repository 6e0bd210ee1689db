package format

import (
	"fmt"
	"io"
)

// SchemaVersion is the version of the set of columns. A reader of a version can read every file of that version:
// version 1 has the columns that AllColumns returns, or some of them.
const SchemaVersion = 1

// Shape is what a file shows without knowledge of its companies.
type Shape struct {
	Rows    int
	Columns []string // in their order; none for a JSON file without rows
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

// Inspect reads a whole file and returns its shape. A file that is truncated or malformed, or whose rows have different
// columns, is an error; the shape then covers what was read before.
func Inspect(f Format, r io.Reader) (Shape, error) {
	k, ok := f.kind()
	if !ok {
		return Shape{}, fmt.Errorf("unknown format %q", f)
	}
	s, err := k.inspect(r)
	if err != nil {
		return s, fmt.Errorf("inspect %s: %w", f, err)
	}
	return s, nil
}

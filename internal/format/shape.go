package format

import (
	"fmt"
	"io"
)

// SchemaVersion counts the sets of columns that files have had. A reader of one version reads every file of it:
// 1 has those that AllColumns gives, or some of them.
const SchemaVersion = 1

// Shape is what can be told of a file without knowing its companies.
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

// Inspect reads a whole file and tells its shape. A file that is cut off or malformed, or whose rows have different
// columns, is an error; the shape is then what was read before.
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

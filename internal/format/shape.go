package format

import (
	"fmt"
	"io"
)

// SchemaVersion counts the sets of columns that files have had. A reader of one version reads every file of it:
// 1 has the columns that Columns gives.
const SchemaVersion = 1

// Shape is what can be told of a file without knowing its companies.
type Shape struct {
	Rows    int
	Columns []string // in their order; none for a JSON file without rows
}

// Columns are the columns of every file of the format, in their order; nil for an unknown one.
func Columns(f Format) []string {
	k, ok := f.kind()
	if !ok {
		return nil
	}
	return k.columns()
}

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

package source

// Schema is what the caller knows about the columns that it looks for. The readers use it to find the row that names the
// columns, the sheet of a workbook, and the array that holds the records of a JSON document. It must be safe for
// concurrent use.
type Schema interface {
	// Column returns what is known about a column, by its name as the source spells it.
	Column(name string) Column
	// IsValue reports whether a cell is a value and cannot be the name of a column.
	IsValue(cell string) bool
}

// Column is what a Schema knows about a column.
type Column struct {
	Known bool // the caller reads it
	Key   bool // an object that has it at the top level is a record itself, not a wrapper around an array of records
	Whole bool // an object is one value of it; otherwise the object's members become columns
}

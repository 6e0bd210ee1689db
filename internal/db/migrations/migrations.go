// Package migrations holds the schema of every database, one numbered file a step, the same numbers in each folder.
// It contains no Go statements on tables.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// For gives the migrations of a dialect by its config word.
func For(dialect string) fs.FS {
	sub, err := fs.Sub(files, dialect)
	if err != nil {
		panic(err) // only for a path that is not valid
	}
	return sub
}

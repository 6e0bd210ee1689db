// Package migrations contains the schema of both databases: a numbered file for each step, with the same numbers in each
// folder.
package migrations

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// For returns the migrations of a dialect, by its name in the configuration.
func For(dialect string) fs.FS {
	sub, err := fs.Sub(files, dialect)
	if err != nil {
		panic(err) // only for a path that is not valid
	}
	return sub
}

// Newest returns the number of the last migration of a dialect.
func Newest(dialect string) (newest int64) {
	names, err := fs.Glob(For(dialect), "*.sql")
	if err != nil {
		panic(err) // only for a pattern that is not valid
	}
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic(err) // the names are our own
		}
		newest = max(newest, n)
	}
	return newest
}

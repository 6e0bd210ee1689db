// Package migrations contains the schema of both databases: a numbered file for each step, with the same numbers in each
// folder.
package migrations

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
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

// CheckVersion returns an error if the migrated database of a dialect has a newer schema than this program knows. The program
// must leave it alone, because it might write rows that the newer program cannot read.
func CheckVersion(ctx context.Context, p *goose.Provider, dialect string) error {
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if newest := Newest(dialect); version > newest {
		return fmt.Errorf("a newer capi has used this database: its schema has version %d, and this program knows versions up to %d; "+
			"use that version of capi, or restore a backup from before the upgrade", version, newest)
	}
	return nil
}

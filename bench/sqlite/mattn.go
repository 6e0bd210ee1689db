//go:build cgo && sqlite_fts5

package sqlite

import (
	"github.com/opencapi/capi/bench/contender"

	_ "github.com/mattn/go-sqlite3" // registers "sqlite3"
)

var compiled = driver{"sqlite3"}

// loader is the fastest available driver.
var loader = compiled

// Mattn is SQLite in C.
func Mattn() (contender.Kind, bool) {
	return kind("SQLite cgo", "as SQLite, with mattn/go-sqlite3", compiled, loader), true
}

package sqlite

import (
	"github.com/opencapi/capi/bench/contender"

	_ "modernc.org/sqlite" // registers "sqlite"
)

var pure = driver{"sqlite"}

// Modernc is SQLite translated to Go, the driver of the product itself.
func Modernc() contender.Kind {
	return kind("SQLite", "FTS5, packed facet rows filtered and counted in Go; modernc.org/sqlite", pure, loader)
}

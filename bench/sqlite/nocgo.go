//go:build !cgo || !sqlite_fts5

package sqlite

import "github.com/opencapi/capi/bench/contender"

var loader = pure

// Mattn is SQLite in C, which needs cgo and the build tag sqlite_fts5.
func Mattn() (contender.Kind, bool) { return contender.Kind{}, false }

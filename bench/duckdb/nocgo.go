//go:build !cgo

package duckdb

import "github.com/opencapi/capi/bench/contender"

// Kind is DuckDB, which needs cgo.
func Kind() (contender.Kind, bool) { return contender.Kind{}, false }

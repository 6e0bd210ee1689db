//go:build !cgo

package duckdb

import (
	"context"
	"errors"

	"github.com/opencapi/capi/bench/contender"
)

// Kind is DuckDB, which needs cgo.
func Kind() (contender.Kind, bool) { return contender.Kind{}, false }

// Import returns an error: DuckDB needs cgo.
func Import(context.Context, string, []string) error { return errors.New("DuckDB needs a C compiler") }

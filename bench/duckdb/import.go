//go:build cgo

package duckdb

import (
	"context"
	"errors"
	"fmt"
)

// Import runs the statements on the database in dir, which it creates.
func Import(ctx context.Context, dir string, statements []string) error {
	db, err := connect(dir, "")
	if err != nil {
		return err
	}
	for _, q := range statements {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", q, err), db.Close())
		}
	}
	return db.Close()
}

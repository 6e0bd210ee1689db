//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/opencapi/capi/bench/packed"
	"github.com/opencapi/capi/bench/workload"
)

var tables = []string{
	`CREATE TABLE company (number INTEGER, country USMALLINT, employees BIGINT, founded INTEGER, facets USMALLINT[],
		name VARCHAR, description VARCHAR)`,
	`CREATE TABLE member (id USMALLINT, number INTEGER)`,
	`CREATE TABLE connection (domain VARCHAR, category VARCHAR, number INTEGER)`,
	`CREATE TABLE unlocked (number INTEGER)`,
}

// load appends the side tables in key order, which lets DuckDB skip most of them.
func load(ctx context.Context, w *workload.Workload, dir string) error {
	db, err := connect(dir, "")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, q := range tables {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	if err := fill(ctx, db, w, dir); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `CHECKPOINT`); err != nil {
		return err
	}
	return db.Close()
}

func fill(ctx context.Context, db *sql.DB, w *workload.Workload, dir string) error {
	dictionary, side := packed.NewDictionary(), &packed.Side{}
	err := appendTo(ctx, db, "company", func(row func(...driver.Value) error) error {
		for r := range packed.Records(w, dictionary, side) {
			err := row(int32(r.Number), r.Country, orNull(r.Employees), orNull(r.Founded), slices.Clone(r.Row),
				" "+r.Name+" ", " "+r.Description+" ")
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := dictionary.Save(dir); err != nil {
		return err
	}
	return errors.Join(
		appendTo(ctx, db, "member", func(row func(...driver.Value) error) error {
			for id, numbers := range side.Members(dictionary) {
				for _, n := range numbers {
					if err := row(id, int32(n)); err != nil {
						return err
					}
				}
			}
			return nil
		}),
		appendTo(ctx, db, "connection", func(row func(...driver.Value) error) error {
			for _, l := range side.Links() {
				if err := row(l.Domain, l.Category, int32(l.Number)); err != nil {
					return err
				}
			}
			return nil
		}),
		appendTo(ctx, db, "unlocked", func(row func(...driver.Value) error) error {
			for n := range w.Owned().All() {
				if err := row(int32(n)); err != nil {
					return err
				}
			}
			return nil
		}),
	)
}

func orNull(n *int64) driver.Value {
	if n == nil {
		return nil
	}
	return *n
}

// appendTo appends the rows that fill yields.
func appendTo(ctx context.Context, db *sql.DB, table string, fill func(row func(...driver.Value) error) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Raw(func(raw any) error {
		a, err := duckdb.NewAppenderFromConn(raw.(driver.Conn), "", table)
		if err != nil {
			return err
		}
		return errors.Join(fill(a.AppendRow), a.Close())
	})
	if err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/packed"
	"github.com/opencapi/capi/bench/workload"
)

var tables = []string{
	`CREATE TABLE company (number INTEGER PRIMARY KEY, country INTEGER, employees INTEGER, founded INTEGER, facets BLOB)`,
	`CREATE VIRTUAL TABLE words USING fts5(name, description, content='', columnsize=1, detail=full)`,
	`CREATE TABLE member (id INTEGER, number INTEGER, PRIMARY KEY (id, number)) WITHOUT ROWID`,
	`CREATE TABLE connection (domain TEXT, category TEXT, number INTEGER, PRIMARY KEY (domain, category, number)) WITHOUT ROWID`,
	`CREATE TABLE unlocked (number INTEGER PRIMARY KEY)`,
}

var endings = []string{
	`CREATE INDEX company_country_employees ON company (country, employees DESC)`,
	`INSERT INTO words (words) VALUES ('optimize')`,
	`ANALYZE`,
}

func (d driver) load(ctx context.Context, w *workload.Workload, dir string) error {
	db, err := d.connect(ctx, dir, "journal_mode = off", "synchronous = off", "cache_size = -524288", "temp_store = memory")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fill(ctx, tx, w, dir); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close()
}

func fill(ctx context.Context, tx *sql.Tx, w *workload.Workload, dir string) error {
	if err := run(ctx, tx, tables...); err != nil {
		return err
	}
	dictionary, side := packed.NewDictionary(), &packed.Side{}
	if err := fillCompanies(ctx, tx, w, dictionary, side); err != nil {
		return fmt.Errorf("fill company: %w", err)
	}
	if err := dictionary.Save(dir); err != nil {
		return err
	}
	for id, numbers := range side.Members(dictionary) {
		for chunk := range slices.Chunk(numbers, 50_000) {
			if err := insertAll(ctx, tx, fmt.Sprintf(`INSERT OR IGNORE INTO member SELECT %d, value FROM json_each(?)`, id), chunk); err != nil {
				return fmt.Errorf("fill member: %w", err)
			}
		}
	}
	for chunk := range slices.Chunk(side.Links(), 10_000) {
		const q = `INSERT INTO connection SELECT value->>'Domain', value->>'Category', value->>'Number' FROM json_each(?)`
		if err := insertAll(ctx, tx, q, chunk); err != nil {
			return fmt.Errorf("fill connection: %w", err)
		}
	}
	owned := slices.Collect(w.Owned().All())
	for chunk := range slices.Chunk(owned, 50_000) {
		if err := insertAll(ctx, tx, `INSERT INTO unlocked SELECT value FROM json_each(?)`, chunk); err != nil {
			return fmt.Errorf("fill unlocked: %w", err)
		}
	}
	return run(ctx, tx, endings...)
}

func fillCompanies(
	ctx context.Context, tx *sql.Tx, w *workload.Workload, dictionary *packed.Dictionary, side *packed.Side,
) error {
	insertCompany, err := tx.PrepareContext(ctx, `INSERT INTO company VALUES (?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insertCompany.Close()
	insertWords, err := tx.PrepareContext(ctx, `INSERT INTO words (rowid, name, description) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insertWords.Close()
	for r := range packed.Records(w, dictionary, side) {
		row := packed.Append(nil, r.Row)
		if _, err := insertCompany.ExecContext(ctx, r.Number, r.Country, r.Employees, r.Founded, row); err != nil {
			return err
		}
		if _, err := insertWords.ExecContext(ctx, r.Number, r.Name, r.Description); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, tx *sql.Tx, statements ...string) error {
	for _, q := range statements {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

func insertAll[T company.Number | packed.Link](ctx context.Context, tx *sql.Tx, q string, values []T) error {
	p, err := json.Marshal(values)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, q, string(p))
	return err
}

package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/opencapi/capi/bench/packed"
	"github.com/opencapi/capi/bench/workload"
)

var endings = []string{
	`CREATE UNLOGGED TABLE company AS SELECT number, country, employees, founded, facets,
		setweight(to_tsvector('simple', name), 'A') || to_tsvector('simple', 'zzz ' || description) AS words FROM source`,
	`DROP TABLE source`,
	`ALTER TABLE company ADD PRIMARY KEY (number)`,
	`CREATE INDEX ON company (country, employees DESC NULLS LAST, number)`,
	`CREATE INDEX ON company USING gin (words)`,
	`ALTER TABLE member ADD PRIMARY KEY (id, number)`,
	`ALTER TABLE connection ADD PRIMARY KEY (domain, category, number)`,
	`ALTER TABLE unlocked ADD PRIMARY KEY (number)`,
	`VACUUM ANALYZE company`,
	`VACUUM ANALYZE member`,
	`VACUUM ANALYZE connection`,
	`VACUUM ANALYZE unlocked`,
}

// load fills a separate schema; the directory stores the dictionary of facet values.
func load(ctx context.Context, w *workload.Workload, dir string) error {
	db, err := connect(ctx, w)
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	err = run(ctx, db,
		`DROP SCHEMA IF EXISTS `+schema(w)+` CASCADE`,
		`CREATE SCHEMA `+schema(w),
		`CREATE UNLOGGED TABLE source (number int, country int, employees bigint, founded int, facets bytea, name text, description text)`,
		`CREATE UNLOGGED TABLE member (id int, number int)`,
		`CREATE UNLOGGED TABLE connection (domain text, category text, number int)`,
		`CREATE UNLOGGED TABLE unlocked (number int)`,
	)
	if err != nil {
		return err
	}
	if err := fill(ctx, db, w, dir); err != nil {
		return err
	}
	return run(ctx, db, endings...)
}

func fill(ctx context.Context, db *pgx.Conn, w *workload.Workload, dir string) error {
	dictionary, side := packed.NewDictionary(), &packed.Side{}
	err := copyTo(ctx, db, "source", []string{"number", "country", "employees", "founded", "facets", "name", "description"},
		func(yield func([]any) bool) {
			for r := range packed.Records(w, dictionary, side) {
				row := packed.Append(nil, r.Row)
				if !yield([]any{r.Number, r.Country, r.Employees, r.Founded, row, r.Name, r.Description}) {
					return
				}
			}
		})
	if err != nil {
		return err
	}
	if err := dictionary.Save(dir); err != nil {
		return err
	}
	err = copyTo(ctx, db, "member", []string{"id", "number"}, func(yield func([]any) bool) {
		for id, numbers := range side.Members(dictionary) {
			for _, n := range numbers {
				if !yield([]any{id, n}) {
					return
				}
			}
		}
	})
	if err != nil {
		return err
	}
	err = copyTo(ctx, db, "connection", []string{"domain", "category", "number"}, func(yield func([]any) bool) {
		for _, l := range side.Links() {
			if !yield([]any{l.Domain, l.Category, l.Number}) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return copyTo(ctx, db, "unlocked", []string{"number"}, func(yield func([]any) bool) {
		for n := range w.Owned().All() {
			if !yield([]any{n}) {
				return
			}
		}
	})
}

// sizeBytes returns the size of the tables and their indexes.
func sizeBytes(ctx context.Context, w *workload.Workload) (size int64, err error) {
	db, err := connect(ctx, w)
	if err != nil {
		return 0, err
	}
	defer db.Close(ctx)
	const q = `SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind = 'r'`
	err = db.QueryRow(ctx, q, schema(w)).Scan(&size)
	return size, err
}

func copyTo(ctx context.Context, db *pgx.Conn, table string, columns []string, rows iter.Seq[[]any]) error {
	next, stop := iter.Pull(rows)
	defer stop()
	_, err := db.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, ok := next()
		if !ok {
			return nil, nil
		}
		return row, nil
	}))
	if err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

func run(ctx context.Context, db *pgx.Conn, statements ...string) error {
	for _, q := range statements {
		if _, err := db.Exec(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

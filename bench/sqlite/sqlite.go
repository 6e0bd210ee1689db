// Package sqlite is SQLite with FTS5 as a contender: a narrow table with packed facet rows, which Go counts, because
// facets through side tables take seconds; Go also filters lists; bm25 for relevance.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/packed"
	"github.com/opencapi/capi/bench/workload"
)

// driver is one way to run SQLite; all run the same file.
type driver struct {
	name string // in database/sql
}

// kind is a contender on a driver; the driver loader loads the data.
func kind(name, about string, d, loader driver) contender.Kind {
	return contender.Kind{
		Name: name, About: about, Store: "sqlite",
		Load: loader.load,
		Open: func(ctx context.Context, w *workload.Workload, dir string) (contender.Contender, error) {
			return d.open(ctx, w, dir)
		},
	}
}

// database answers on one connection.
type database struct {
	db         *sql.DB
	dictionary *packed.Dictionary
	statements map[string]*sql.Stmt      // by operation
	filters    map[string]*packed.Filter // by operation
}

func (d driver) connect(ctx context.Context, dir string, pragmas ...string) (*sql.DB, error) {
	db, err := sql.Open(d.name, "file:"+filepath.Join(dir, "sqlite.db"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	for _, p := range pragmas {
		if _, err := db.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return nil, fmt.Errorf("pragma %s: %w", p, err)
		}
	}
	return db, nil
}

func (d driver) open(ctx context.Context, w *workload.Workload, dir string) (*database, error) {
	dictionary, err := packed.Load(dir)
	if err != nil {
		return nil, err
	}
	db, err := d.connect(ctx, dir, "query_only = 1", "mmap_size = 34359738368", "cache_size = -262144", "temp_store = memory")
	if err != nil {
		return nil, err
	}
	x := &database{db, dictionary, map[string]*sql.Stmt{}, map[string]*packed.Filter{}}
	for _, op := range w.Ops {
		x.filters[op.Name] = packed.NewFilter(dictionary, op)
		if x.statements[op.Name], err = db.PrepareContext(ctx, x.statement(op)); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", op.Name, err)
		}
	}
	return x, nil
}

func (x *database) Close() error { return x.db.Close() }

// statement returns number, sort key and packed row of all matches of a search, and less for other operations.
func (x *database) statement(op workload.Op) string {
	from, key := "company", "employees"
	conditions := x.dictionary.WhereBut(op)
	if text := match(op); text != "" {
		from, key = "words CROSS JOIN company ON company.number = words.rowid", "-bm25(words, 3.0, 1.0)"
		conditions = append([]string{"words MATCH '" + text + "'"}, conditions...)
	}
	where := from + " WHERE " + packed.And(conditions)
	switch op.Kind {
	case workload.Select:
		return fmt.Sprintf("SELECT company.number FROM %s ORDER BY %s DESC, company.number LIMIT %d", where, key, workload.Selection)
	case workload.Split:
		return fmt.Sprintf("SELECT number, EXISTS (SELECT 1 FROM unlocked u WHERE u.number = picked.number) FROM "+
			"(SELECT company.number FROM %s ORDER BY %s DESC, company.number LIMIT %d) picked", where, key, workload.Selection)
	case workload.Price:
		return fmt.Sprintf("SELECT count(*), count(u.number) FROM company LEFT JOIN unlocked u ON u.number = company.number "+
			"WHERE %s", packed.And(conditions))
	default:
		return fmt.Sprintf("SELECT company.number, %s, facets FROM %s", key, where)
	}
}

// match returns the operation's text as an FTS5 query.
func match(op workload.Op) string {
	if op.Filters.Query != "" {
		return strings.Join(strings.Fields(op.Filters.Query), " AND ")
	}
	var phrases []string
	for _, phrase := range op.Filters.Keywords {
		phrases = append(phrases, `"`+phrase+`"`)
	}
	return strings.Join(phrases, " OR ")
}

func (x *database) Ask(ctx context.Context, op workload.Op) (answer workload.Answer, err error) {
	statement := x.statements[op.Name]
	if op.Kind == workload.Price {
		err = statement.QueryRowContext(ctx).Scan(&answer.Total, &answer.Owned)
		return answer, err
	}
	rows, err := statement.QueryContext(ctx)
	if err != nil {
		return answer, err
	}
	defer rows.Close()
	switch op.Kind {
	case workload.Search:
		answer, err = x.search(rows, x.filters[op.Name])
	case workload.Select:
		answer, err = pick(rows, func(n *company.Number, _ *int) error { return rows.Scan(n) })
	default:
		answer, err = pick(rows, func(n *company.Number, owned *int) error { return rows.Scan(n, owned) })
	}
	if err != nil {
		return answer, err
	}
	return answer, rows.Err()
}

func (x *database) search(rows *sql.Rows, filter *packed.Filter) (workload.Answer, error) {
	counter, top := packed.NewCounter(x.dictionary), packed.NewTop(workload.Page)
	var number company.Number
	var key sql.NullFloat64
	var row sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&number, &key, &row); err != nil {
			return workload.Answer{}, err
		}
		if !filter.Passes(row) {
			continue
		}
		counter.Add(row)
		if !key.Valid {
			key.Float64 = -1
		}
		top.Add(number, key.Float64)
	}
	return workload.Answer{Total: counter.Rows(), Rows: top.Numbers(), Facets: counter.Facets()}, nil
}

func pick(rows *sql.Rows, scan func(*company.Number, *int) error) (answer workload.Answer, err error) {
	answer.Rows = make([]company.Number, 0, workload.Selection)
	for rows.Next() {
		var number company.Number
		var owned int
		if err := scan(&number, &owned); err != nil {
			return answer, err
		}
		answer.Rows = append(answer.Rows, number)
		answer.Owned += owned
	}
	return answer, nil
}

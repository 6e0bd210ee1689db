//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // registers "duckdb"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/packed"
	"github.com/opencapi/capi/bench/workload"
)

// Kind is DuckDB.
func Kind() (contender.Kind, bool) {
	return contender.Kind{
		Name: "DuckDB", About: "packed facet rows unnested in SQL, text by contains; duckdb-go", Store: "duckdb",
		Load: load, Open: open,
	}, true
}

// database answers from one connection, which uses all cores.
type database struct {
	db         *sql.DB
	dictionary *packed.Dictionary
	statements map[string][]*sql.Stmt // by operation
}

func connect(dir, options string) (*sql.DB, error) {
	db, err := sql.Open("duckdb", filepath.Join(dir, "bench.duckdb")+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func open(ctx context.Context, w *workload.Workload, dir string) (contender.Contender, error) {
	dictionary, err := packed.Load(dir)
	if err != nil {
		return nil, err
	}
	db, err := connect(dir, "?access_mode=read_only")
	if err != nil {
		return nil, err
	}
	x := &database{db, dictionary, map[string][]*sql.Stmt{}}
	for _, op := range w.Ops {
		for _, q := range x.queries(op) {
			s, err := db.PrepareContext(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("prepare %s: %w", op.Name, err)
			}
			x.statements[op.Name] = append(x.statements[op.Name], s)
		}
	}
	return x, nil
}

func (x *database) Close() error { return x.db.Close() }

// queries are the statements of op. A search gives rows of kind, number and count: the total is kind 0, a facet value
// kind 1, the page kind 2.
func (x *database) queries(op workload.Op) []string {
	key := "employees"
	conditions := x.dictionary.Where(op)
	text, score := match(op)
	if text != "" {
		key = score
		conditions = append(conditions, text)
	}
	where := "company WHERE " + packed.And(conditions)
	switch op.Kind {
	case workload.Select:
		return []string{fmt.Sprintf("SELECT number FROM %s ORDER BY %s DESC NULLS LAST, number LIMIT %d", where, key, workload.Selection)}
	case workload.Split:
		return []string{fmt.Sprintf("SELECT picked.number, (u.number IS NOT NULL)::int FROM "+
			"(SELECT number, %s AS key FROM %s ORDER BY key DESC NULLS LAST, number LIMIT %d) picked "+
			"LEFT JOIN unlocked u ON u.number = picked.number ORDER BY key DESC NULLS LAST, picked.number", key, where, workload.Selection)}
	case workload.Price:
		return []string{fmt.Sprintf("SELECT count(*), count(u.number) FROM company LEFT JOIN unlocked u ON u.number = company.number "+
			"WHERE %s", packed.And(conditions))}
	default:
	}
	if text == "" && !packed.HasLists(op) { // columns are cheap to filter again, and rows dear to keep
		return []string{
			"SELECT 0, 0, count(*) FROM " + where,
			"SELECT 1, id, count(*) FROM (SELECT unnest(facets) AS id FROM " + where + ") GROUP BY id",
			fmt.Sprintf("SELECT 2, number, 0 FROM %s ORDER BY %s DESC NULLS LAST, number LIMIT %d", where, key, workload.Page),
		}
	}
	return []string{fmt.Sprintf(`WITH found AS MATERIALIZED (SELECT number, facets, %s AS key FROM %s)
		SELECT 0, 0, count(*) FROM found
		UNION ALL SELECT 1, id, count(*) FROM (SELECT unnest(facets) AS id FROM found) GROUP BY id
		UNION ALL SELECT 2, number, 0 FROM (SELECT number FROM found ORDER BY key DESC NULLS LAST, number LIMIT %d)`, key, where, workload.Page)}
}

// match is the operation's text as a condition, and a score like that of BM25, with the name weighing three times the
// description. Both columns are folded, and begin and end with a space.
func match(op workload.Op) (condition, score string) {
	words, glue := strings.Fields(op.Filters.Query), " AND "
	if len(words) == 0 {
		words, glue = op.Filters.Keywords, " OR "
	}
	var conditions, scores []string
	for _, w := range words {
		w = "' " + w + " '"
		conditions = append(conditions, fmt.Sprintf("(contains(description, %s) OR contains(name, %s))", w, w))
		tf := fmt.Sprintf("((length(description) - length(replace(description, %s, ''))) + "+
			"3 * (length(name) - length(replace(name, %s, '')))) / %d.0", w, w, len(w)-2)
		scores = append(scores, fmt.Sprintf("%s / (%s + 0.3 + 0.9 * length(description) / 250.0)", tf, tf))
	}
	if len(words) == 0 {
		return "", ""
	}
	return "(" + strings.Join(conditions, glue) + ")", "(" + strings.Join(scores, " + ") + ")"
}

func (x *database) Ask(ctx context.Context, op workload.Op) (answer workload.Answer, err error) {
	statements := x.statements[op.Name]
	switch op.Kind {
	case workload.Price:
		err = statements[0].QueryRowContext(ctx).Scan(&answer.Total, &answer.Owned)
		return answer, err
	case workload.Select, workload.Split:
		return pick(ctx, statements[0], op.Kind == workload.Split)
	default:
	}
	counter := packed.NewCounter(x.dictionary)
	for _, s := range statements {
		if err := search(ctx, s, counter, &answer); err != nil {
			return answer, err
		}
	}
	answer.Facets = counter.Facets()
	return answer, nil
}

func search(ctx context.Context, s *sql.Stmt, counter *packed.Counter, answer *workload.Answer) error {
	rows, err := s.QueryContext(ctx)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kind, number, count int
		if err := rows.Scan(&kind, &number, &count); err != nil {
			return err
		}
		switch kind {
		case 0:
			answer.Total = count
		case 1:
			counter.Set(uint16(number), count)
		default:
			answer.Rows = append(answer.Rows, company.Number(number))
		}
	}
	return rows.Err()
}

func pick(ctx context.Context, s *sql.Stmt, split bool) (answer workload.Answer, err error) {
	rows, err := s.QueryContext(ctx)
	if err != nil {
		return answer, err
	}
	defer rows.Close()
	answer.Rows = make([]company.Number, 0, workload.Selection)
	var number company.Number
	var owned int
	into := []any{&number, &owned}
	if !split {
		into = into[:1]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return answer, err
		}
		answer.Rows = append(answer.Rows, number)
		answer.Owned += owned
	}
	return answer, rows.Err()
}

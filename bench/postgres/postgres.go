// Package postgres runs PostgreSQL as a contender: packed facet rows, filtered and counted in Go, and a
// tsvector with GIN for words and phrases, ts_rank for relevance. The server is CAPI_TEST_POSTGRES_URL.
package postgres

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/packed"
	"github.com/opencapi/capi/bench/workload"
)

const serverVariable = "CAPI_TEST_POSTGRES_URL"

// Kind is PostgreSQL.
var Kind = contender.Kind{
	Name: "PostgreSQL", About: "tsvector + GIN, packed facet rows filtered and counted in Go; jackc/pgx", Store: "postgres",
	Missing: missing, Load: load, SizeBytes: sizeBytes, Open: open,
}

func missing() string {
	if os.Getenv(serverVariable) == "" {
		return "no server: " + serverVariable + " is not set"
	}
	return ""
}

// database answers on one connection.
type database struct {
	db         *pgx.Conn
	dictionary *packed.Dictionary
	filters    map[string]*packed.Filter // by operation
}

func schema(w *workload.Workload) string { return fmt.Sprintf("capi_bench_%d", w.Len) }

func connect(ctx context.Context, w *workload.Workload) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(os.Getenv(serverVariable))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"search_path": schema(w), "work_mem": "512MB", "maintenance_work_mem": "1GB", "jit": "off",
		"random_page_cost": "1.1", "effective_cache_size": "8GB", "synchronous_commit": "off",
	} {
		config.RuntimeParams[name] = value
	}
	return pgx.ConnectConfig(ctx, config)
}

func open(ctx context.Context, w *workload.Workload, dir string) (contender.Contender, error) {
	dictionary, err := packed.Load(dir)
	if err != nil {
		return nil, err
	}
	db, err := connect(ctx, w)
	if err != nil {
		return nil, err
	}
	x := &database{db, dictionary, map[string]*packed.Filter{}}
	for _, op := range w.Ops {
		x.filters[op.Name] = packed.NewFilter(dictionary, op)
		if _, err := db.Prepare(ctx, op.Name, x.statement(op)); err != nil {
			return nil, fmt.Errorf("prepare %s: %w; if %s names another server than the one that was loaded, remove %s",
				op.Name, err, serverVariable, dir)
		}
	}
	return x, nil
}

func (x *database) Close() error { return x.db.Close(context.Background()) }

// statement returns number, sort key and packed row of all matches of a search, and less for other operations.
func (x *database) statement(op workload.Op) string {
	key := "employees"
	conditions := x.dictionary.WhereBut(op)
	if text := match(op); text != "" {
		key = "ts_rank('{0.33, 0.33, 0.33, 1}', words, " + text + ")"
		conditions = append(conditions, "words @@ "+text)
	}
	where := "company WHERE " + packed.And(conditions)
	switch op.Kind {
	case workload.Select:
		return fmt.Sprintf("SELECT number FROM %s ORDER BY %s DESC NULLS LAST, number LIMIT %d", where, key, workload.Selection)
	case workload.Split:
		return fmt.Sprintf("SELECT number, EXISTS (SELECT 1 FROM unlocked u WHERE u.number = picked.number)::int FROM "+
			"(SELECT number FROM %s ORDER BY %s DESC NULLS LAST, number LIMIT %d) picked", where, key, workload.Selection)
	case workload.Price:
		return fmt.Sprintf("SELECT count(*), count(u.number) FROM company LEFT JOIN unlocked u ON u.number = company.number "+
			"WHERE %s", packed.And(conditions))
	default:
		return fmt.Sprintf("SELECT number, %s::float8, facets FROM %s", key, where)
	}
}

// match returns the operation's text as a tsquery.
func match(op workload.Op) string {
	if op.Filters.Query != "" {
		return "'" + strings.Join(strings.Fields(op.Filters.Query), " & ") + "'::tsquery"
	}
	var phrases []string
	for _, phrase := range op.Filters.Keywords {
		phrases = append(phrases, "("+strings.Join(strings.Fields(phrase), " <-> ")+")")
	}
	if len(phrases) == 0 {
		return ""
	}
	return "'" + strings.Join(phrases, " | ") + "'::tsquery"
}

func (x *database) Ask(ctx context.Context, op workload.Op) (answer workload.Answer, err error) {
	if op.Kind == workload.Price {
		err = x.db.QueryRow(ctx, op.Name).Scan(&answer.Total, &answer.Owned)
		return answer, err
	}
	rows, err := x.db.Query(ctx, op.Name)
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

func (x *database) search(rows pgx.Rows, filter *packed.Filter) (workload.Answer, error) {
	counter, top := packed.NewCounter(x.dictionary), packed.NewTop(workload.Page)
	for rows.Next() {
		number, key, row, err := raw(rows.RawValues())
		if err != nil {
			return workload.Answer{}, err
		}
		if !filter.Passes(row) {
			continue
		}
		counter.Add(row)
		top.Add(number, key)
	}
	return workload.Answer{Total: counter.Rows(), Rows: top.Numbers(), Facets: counter.Facets()}, nil
}

func pick(rows pgx.Rows, scan func(*company.Number, *int) error) (answer workload.Answer, err error) {
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

package db

import "context"

// Row is one row of a result: a *sql.Row or a *sql.Rows.
type Row interface {
	Scan(dest ...any) error
}

// Collect runs the query and returns what scan makes of each row, in the result's order; nil if there are no rows.
func Collect[T any](ctx context.Context, q Querier, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := Each(ctx, q, func(row Row) error {
		item, err := scan(row)
		all = append(all, item)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Each runs the query and calls fn for each row, in the result's order, until fn returns an error.
// fn must not run another statement in the same transaction.
func Each(ctx context.Context, q Querier, fn func(Row) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Value scans a row of one column.
func Value[T any](row Row) (value T, err error) {
	err = row.Scan(&value)
	return value, err
}

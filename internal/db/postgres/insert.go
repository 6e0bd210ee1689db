package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/opencapi/capi/internal/db"
)

const chunkMax = 5_000 // rows of a statement, which are in memory

// InsertRows sends each column as an array. That takes one statement for thousands of rows, and unlike COPY it may have an ON CONFLICT.
func (Dialect) InsertRows(ctx context.Context, tx *db.Tx, head, tail string, n int, row func(i int) []any) error {
	for first := 0; first < n; first += chunkMax {
		end := min(first+chunkMax, n)
		values := row(first)
		columns := make([]column, len(values))
		types := make([]string, len(values))
		for c, v := range values {
			kind, err := columnFor(v, end-first)
			if err != nil {
				return err
			}
			columns[c] = kind
			types[c] = "$" + strconv.Itoa(c+1) + "::" + kind.sqlType() + "[]"
		}
		for i := first; i < end; i++ {
			for c, v := range row(i) {
				columns[c].add(v)
			}
		}
		args := make([]any, len(columns))
		for c := range columns {
			args[c] = columns[c].array()
		}
		if _, err := tx.ExecContext(ctx, head+" SELECT * FROM unnest("+strings.Join(types, ", ")+")"+tail, args...); err != nil {
			return err
		}
	}
	return nil
}

// CopyRows runs COPY, which takes about half as long as InsertRows.
func (Dialect) CopyRows(ctx context.Context, tx *db.Tx, table string, columns []string, n int, row func(i int) []any) error {
	return tx.Raw(func(conn any) error {
		c, ok := conn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("copy to a connection of type %T", conn)
		}
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
		return err
	})
}

// column collects the values of a column.
type column interface {
	add(v any)
	array() any
	sqlType() string
}

type columnOf[T, E any] struct {
	values  []E
	convert func(T) E
	name    string
}

func (c *columnOf[T, E]) add(v any)       { c.values = append(c.values, c.convert(v.(T))) } //nolint:forcetypeassert // by contract
func (c *columnOf[T, E]) array() any      { return c.values }
func (c *columnOf[T, E]) sqlType() string { return c.name }

func columnFor(v any, n int) (column, error) {
	switch v.(type) {
	case int64:
		return &columnOf[int64, int64]{make([]int64, 0, n), func(v int64) int64 { return v }, "bigint"}, nil
	case int:
		return &columnOf[int, int64]{make([]int64, 0, n), func(v int) int64 { return int64(v) }, "bigint"}, nil
	case sql.NullInt64:
		return &columnOf[sql.NullInt64, *int64]{make([]*int64, 0, n), func(v sql.NullInt64) *int64 {
			if !v.Valid {
				return nil
			}
			return &v.Int64
		}, "bigint"}, nil
	case string:
		return &columnOf[string, string]{make([]string, 0, n), func(v string) string { return v }, "text"}, nil
	case []byte:
		return &columnOf[[]byte, []byte]{make([][]byte, 0, n), func(v []byte) []byte { return v }, "bytea"}, nil
	}
	return nil, fmt.Errorf("insert a value of type %T", v)
}

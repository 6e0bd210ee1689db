package sqlite

import (
	"context"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/db"
)

// chunkMax is a power of two, so that there are few different statements. SQLite looks up a placeholder by a linear scan,
// so longer statements take longer per row.
const chunkMax = 16

// InsertRows writes the rows with statements of up to chunkMax rows.
func (Dialect) InsertRows(ctx context.Context, tx *db.Tx, head, tail string, n int, row func(i int) []any) error {
	for size, done := chunkMax, 0; done < n; size /= 2 {
		end := done + (n-done)/size*size
		if end == done {
			continue
		}
		query := head + " VALUES " + placeholders(size, len(row(0))) + tail
		if err := insertChunks(ctx, tx, query, size, done, end, row); err != nil {
			return err
		}
		done = end
	}
	return nil
}

// insertChunks writes the rows from first up to, but not including, end, which must be a multiple of size apart. The statement is
// prepared, because parsing it each time would take as long as running it.
func insertChunks(ctx context.Context, tx *db.Tx, query string, size, first, end int, row func(i int) []any) error {
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	var all []any
	for i := first; i < end; i++ {
		if all = append(all, row(i)...); (i-first+1)%size != 0 {
			continue
		}
		if _, err := stmt.ExecContext(ctx, all...); err != nil {
			return err
		}
		all = all[:0]
	}
	return nil
}

// placeholders returns ($1,$2),($3,$4) for two rows of two.
func placeholders(rows, width int) string {
	var s strings.Builder
	for i := range rows * width {
		switch {
		case i == 0:
			s.WriteByte('(')
		case i%width == 0:
			s.WriteString("),(")
		default:
			s.WriteByte(',')
		}
		s.WriteByte('$')
		s.WriteString(strconv.Itoa(i + 1))
	}
	s.WriteByte(')')
	return s.String()
}

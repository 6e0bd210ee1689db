package sqlite

import (
	"context"
	"strings"

	"github.com/opencapi/capi/internal/db"
)

// chunkMax is a power of two, so that there are few different statements.
const chunkMax = 128

// InsertRows writes the rows with statements of up to chunkMax rows. An error ends the transaction: to be able to undo the statement
// alone, SQLite would copy each page that it changes.
func (Dialect) InsertRows(ctx context.Context, tx *db.Tx, head, tail string, n int, row func(i int) []any) error {
	head = strings.Replace(head, "INSERT INTO", "INSERT OR ROLLBACK INTO", 1)
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

// CopyRows is InsertRows.
func (d Dialect) CopyRows(ctx context.Context, tx *db.Tx, table string, columns []string, n int, row func(i int) []any) error {
	return d.InsertRows(ctx, tx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+")", "", n, row)
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

// placeholders returns (?,?),(?,?) for two rows of two. Placeholders with a name or number, such as $1, are looked up by a scan of
// all of them for each value.
func placeholders(rows, width int) string {
	row := ",(" + strings.Repeat(",?", width)[1:] + ")"
	return strings.Repeat(row, rows)[1:]
}

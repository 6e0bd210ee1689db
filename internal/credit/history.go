package credit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

const columns = `id, workspace_id, seq, amount, balance_after, reason, reference, note, actor, created_at`

// Recent is the workspace's newest entries, newest first.
func (b *Book) Recent(ctx context.Context, ws id.Workspace, limit int) ([]Entry, error) {
	return b.Page(ctx, ws, 0, limit)
}

// Page is the entries older than the one numbered before, newest first; 0 starts with the newest.
func (b *Book) Page(ctx context.Context, ws id.Workspace, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	const q = `SELECT ` + columns + ` FROM entry WHERE workspace_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`
	rows, err := b.db.Read().QueryContext(ctx, q, ws, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read entries of workspace %s: %w", ws, err)
	}
	entries, err := scan(rows)
	if err != nil {
		return nil, fmt.Errorf("read entries of workspace %s: %w", ws, err)
	}
	return entries, nil
}

func scan(rows *sql.Rows) (entries []Entry, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e Entry
		var reference sql.NullString
		var created int64
		if err := rows.Scan(&e.ID, &e.Workspace, &e.Seq, &e.Amount, &e.BalanceAfter, &e.Reason, &reference,
			&e.Note, &e.Actor, &created); err != nil {
			return nil, err
		}
		e.Reference, e.CreatedAt = reference.String, db.FromTime(created)
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

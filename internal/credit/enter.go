package credit

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Enter is Grant in a transaction of its own; the steps run last in it.
func (b *Store) Enter(ctx context.Context, ws id.Workspace, g Grant, then ...db.Step[Entry]) (Entry, error) {
	var e Entry
	err := b.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if e, err = b.Grant(ctx, tx, ws, g); err != nil {
			return err
		}
		return db.Then(ctx, tx, e, then)
	})
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Balances is what every workspace has left.
func (b *Store) Balances(ctx context.Context) (balances map[id.Workspace]int64, err error) {
	rows, err := b.db.Read().QueryContext(ctx, `SELECT workspace_id, balance FROM account`)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	balances = map[id.Workspace]int64{}
	for rows.Next() {
		var ws id.Workspace
		var n int64
		if err := rows.Scan(&ws, &n); err != nil {
			return nil, err
		}
		balances[ws] = n
	}
	return balances, rows.Err()
}

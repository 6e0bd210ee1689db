package credit

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Enter is Grant in a transaction of its own, which ends with the steps.
func (s *Store) Enter(ctx context.Context, ws id.Workspace, g Grant, then ...db.Step[Entry]) (Entry, error) {
	var e Entry
	err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if e, err = s.Grant(ctx, tx, ws, g); err != nil {
			return err
		}
		return db.Then(ctx, tx, e, then)
	})
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Balances returns the credits that each workspace has left.
func (s *Store) Balances(ctx context.Context) (map[id.Workspace]int64, error) {
	balances := map[id.Workspace]int64{}
	err := db.Each(ctx, s.db.Read(), func(row db.Row) error {
		var ws id.Workspace
		var n int64
		err := row.Scan(&ws, &n)
		balances[ws] = n
		return err
	}, `SELECT workspace_id, balance FROM account`)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	return balances, nil
}

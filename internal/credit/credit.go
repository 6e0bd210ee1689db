// Package credit is the ledger: what each workspace was granted, charged and refunded, and what it has left.
// It does not know what a credit buys.
package credit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// BalanceMax is the largest balance and the largest amount of one entry: JSON clients lose digits beyond it.
const BalanceMax = 1<<53 - 1

// ActorSystem is the actor of entries that no caller asked for, such as the refund of a failed export.
// Other actors are token:<id>, person:<id>, and person:<login> for entries made at the command line.
const ActorSystem = "system"

// Reason says why an entry moved the balance.
type Reason string

// The reasons. Grants, purchases and refunds add credits, charges subtract them, adjustments do either.
const (
	ReasonGrant      Reason = "grant"
	ReasonPurchase   Reason = "purchase"
	ReasonAdjustment Reason = "adjustment"
	ReasonCharge     Reason = "export_charge"
	ReasonRefund     Reason = "export_refund"
)

// Entry is one line of the ledger. It never changes.
type Entry struct {
	ID           id.Entry
	Workspace    id.Workspace
	Seq          int64 // counts the workspace's entries from 1
	Amount       int64 // credits; negative if they were spent
	BalanceAfter int64
	Reason       Reason
	Reference    string // what was paid for, empty for grants
	Note         string
	Actor        string
	ActorName    string // display name of an actor that is a token or a person with an id; else empty
	CreatedAt    time.Time
}

// Export returns the export that was charged or refunded; zero for other entries.
func (e Entry) Export() id.Export {
	rest, ok := strings.CutPrefix(e.Reference, "export:")
	if !ok {
		return id.Export{}
	}
	text, _, _ := strings.Cut(rest, ":")
	export, err := id.Parse[id.Export](text)
	if err != nil {
		return id.Export{}
	}
	return export
}

// Store is the ledger of all workspaces. Safe for concurrent use.
type Store struct{ db *db.DB }

// New returns a store on d.
func New(d *db.DB) *Store { return &Store{d} }

// Open creates an empty account for a new workspace. It does nothing if there is one already.
func (s *Store) Open(ctx context.Context, tx *db.Tx, ws id.Workspace) error {
	const q = `INSERT INTO account (workspace_id, balance, seq) VALUES ($1, 0, 0) ON CONFLICT (workspace_id) DO NOTHING`
	if _, err := tx.ExecContext(ctx, q, ws); err != nil {
		return fmt.Errorf("open account of workspace %s: %w", ws, err)
	}
	return nil
}

// Lock locks the account to the end of the transaction and returns its balance. All purchases of a workspace happen under
// this lock, so they run one after another on all nodes. NotFound without an account.
func (s *Store) Lock(ctx context.Context, tx *db.Tx, ws id.Workspace) (int64, error) {
	return balance(ctx, tx, ws, tx.ForUpdate())
}

// Balance returns the credits that the workspace has left. NotFound without an account.
func (s *Store) Balance(ctx context.Context, ws id.Workspace) (int64, error) {
	return balance(ctx, s.db.Read(), ws, "")
}

func balance(ctx context.Context, q db.Querier, ws id.Workspace, lock string) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, `SELECT balance FROM account WHERE workspace_id = $1`+lock, ws).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, noAccount(ws)
	}
	if err != nil {
		return 0, fmt.Errorf("read balance of workspace %s: %w", ws, err)
	}
	return n, nil
}

func noAccount(ws id.Workspace) error {
	return fault.New(fault.NotFound, "There is no workspace %s.", ws)
}

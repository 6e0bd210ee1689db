package credit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const noteLengthMax = 1000

// Grant is an entry made by an operator. Reason is ReasonGrant (the default if empty), ReasonPurchase or ReasonAdjustment.
type Grant struct {
	Amount int64 // credits; negative only in an adjustment
	Reason Reason
	Note   string // may be empty; at most 1,000 characters
	Actor  string
}

// Grant adds an entry of an operator. Validation for an amount that is zero, too large, negative in anything but an
// adjustment, or would make the balance negative, and for a bad note; NotFound without an account.
func (s *Store) Grant(ctx context.Context, tx *db.Tx, ws id.Workspace, g Grant) (Entry, error) {
	if g.Reason == "" {
		g.Reason = ReasonGrant
	}
	if err := g.check(); err != nil {
		return Entry{}, err
	}
	e := Entry{Workspace: ws, Amount: g.Amount, Reason: g.Reason, Note: g.Note, Actor: g.Actor}
	err := post(ctx, tx, &e)
	if r := (*refusal)(nil); errors.As(err, &r) {
		return Entry{}, invalid("amount", "%d credits would take the balance of %d outside 0 to %d",
			g.Amount, r.balance, int64(BalanceMax))
	}
	if err != nil {
		return Entry{}, err
	}
	return e, auditlog.Record(ctx, tx, auditlog.Event{
		Workspace: ws, Action: auditlog.CreditsGranted, Subject: "entry:" + e.ID.String(),
		Details: map[string]any{"amount": g.Amount, "reason": string(g.Reason), "note": g.Note, "balance_after": e.BalanceAfter},
	})
}

func (g Grant) check() error {
	switch {
	case g.Reason != ReasonGrant && g.Reason != ReasonPurchase && g.Reason != ReasonAdjustment:
		return invalid("reason", "must be %s, %s or %s", ReasonGrant, ReasonPurchase, ReasonAdjustment)
	case g.Amount == 0:
		return invalid("amount", "must not be 0")
	case g.Amount < 0 && g.Reason != ReasonAdjustment:
		return invalid("amount", "must be positive; only an %s may take credits away", ReasonAdjustment)
	case g.Amount > BalanceMax || g.Amount < -BalanceMax:
		return invalid("amount", "must be between %d and %d", int64(-BalanceMax), int64(BalanceMax))
	}
	if g.Note != "" {
		if _, complaint := text.Name(g.Note, noteLengthMax); complaint != "" {
			return invalid("note", "%s", complaint)
		}
	}
	return nil
}

// Charge takes amount credits, which must be positive, for reference. InsufficientBalance, with the balance in its
// details, if the balance is lower; an error if the reference was charged before.
func (s *Store) Charge(ctx context.Context, tx *db.Tx, ws id.Workspace, amount int64, reference, actor string) (Entry, error) {
	if err := spendable(amount); err != nil {
		return Entry{}, fmt.Errorf("charge %s: %w", reference, err)
	}
	e := Entry{Workspace: ws, Amount: -amount, Reason: ReasonCharge, Reference: reference, Actor: actor}
	err := post(ctx, tx, &e)
	if r := (*refusal)(nil); errors.As(err, &r) {
		return Entry{}, fault.New(fault.InsufficientBalance, "The balance of %s credits does not cover %s.",
			humanize.Comma(r.balance), humanize.Comma(amount)).
			With("balance", r.balance)
	}
	return e, err
}

// Refund gives back amount credits, which must be positive, under a reference of its own. An error if that reference was
// refunded before.
func (s *Store) Refund(ctx context.Context, tx *db.Tx, ws id.Workspace, amount int64, reference, actor string) (Entry, error) {
	if err := spendable(amount); err != nil {
		return Entry{}, fmt.Errorf("refund %s: %w", reference, err)
	}
	e := Entry{Workspace: ws, Amount: amount, Reason: ReasonRefund, Reference: reference, Actor: actor}
	err := post(ctx, tx, &e)
	return e, err
}

// post updates the balance, adds the entry and fills in its remaining fields. The statement itself checks the bounds: if
// the amount would take the balance outside 0 to BalanceMax, nothing changes and post returns a *refusal.
func post(ctx context.Context, tx *db.Tx, e *Entry) error {
	e.ID, e.CreatedAt = id.New[id.Entry](), db.FromTime(db.Time(time.Now()))
	const move = `UPDATE account SET balance = balance + $2, seq = seq + 1
		WHERE workspace_id = $1 AND balance BETWEEN $3 AND $4 RETURNING balance, seq, low_balance`
	lowest, highest := max(0, -e.Amount), BalanceMax-max(0, e.Amount)
	var low sql.NullInt64
	err := tx.QueryRowContext(ctx, move, e.Workspace, e.Amount, lowest, highest).Scan(&e.BalanceAfter, &e.Seq, &low)
	if errors.Is(err, sql.ErrNoRows) {
		return refuse(ctx, tx, e)
	}
	if err != nil {
		return fmt.Errorf("move balance of workspace %s: %w", e.Workspace, err)
	}
	const add = `INSERT INTO entry
		(id, workspace_id, seq, amount, balance_after, reason, reference, note, actor, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	if _, err := tx.ExecContext(ctx, add, e.ID, e.Workspace, e.Seq, e.Amount, e.BalanceAfter, string(e.Reason),
		sql.NullString{String: e.Reference, Valid: e.Reference != ""}, e.Note, e.Actor, db.Time(e.CreatedAt)); err != nil {
		return fmt.Errorf("enter %s of %d credits in workspace %s: %w", e.Reason, e.Amount, e.Workspace, err)
	}
	if before := e.BalanceAfter - e.Amount; low.Valid && before >= low.Int64 && e.BalanceAfter < low.Int64 {
		return event.Record(ctx, tx, e.Workspace, event.CreditsLow, map[string]any{
			"balance": e.BalanceAfter, "low_balance": low.Int64, "transaction_id": e.ID,
		})
	}
	return nil
}

// refusal is the error for an amount that the balance does not allow.
type refusal struct{ balance, amount int64 }

func (r *refusal) Error() string {
	return fmt.Sprintf("a balance of %d does not allow %+d", r.balance, r.amount)
}

func refuse(ctx context.Context, tx *db.Tx, e *Entry) error {
	n, err := balance(ctx, tx, e.Workspace, "")
	if err != nil {
		return err
	}
	return &refusal{balance: n, amount: e.Amount}
}

func spendable(amount int64) error {
	if amount <= 0 || amount > BalanceMax {
		return fmt.Errorf("%d is not a valid amount of credits", amount)
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	return fault.Invalid(fault.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

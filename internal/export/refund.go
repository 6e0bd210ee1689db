package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/text"
)

// The rule (docs/adr/0004-…): a workspace owns exactly what its exports deliver; failed and cancelled exports deliver
// nothing. When an export ends without a file, the workspace loses those of its companies that no other export delivers,
// and each credit is refunded to the export that paid for it. That is usually the export that ends, but may be one that
// ended before and was not refunded then, because this one was still to deliver the company.

// bury fails the export of a job that failed for good.
func (x *Exports) bury(ctx context.Context, tx *db.Tx, j job.Job, cause error) error {
	export, err := exportOf(j)
	if err != nil {
		return nil //nolint:nilerr // a job without an export has nothing to give back, and may be buried
	}
	e, err := one(ctx, tx, id.Workspace{}, export)
	if fault.CodeOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	ended, refunded, err := x.end(ctx, tx, e, StatusFailed, credit.ActorSystem)
	if err != nil {
		return err
	}
	// An attempt may have left its file, also if the export was cancelled before.
	if _, err := x.jobs.Enqueue(ctx, tx, DiscardKind, payload{e.ID.String()}); err != nil {
		return err
	}
	tx.OnCommit(x.jobs.Notify)
	if !ended {
		return nil
	}
	locked, err := x.wall.LockedIn(ctx, tx, e.Workspace)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE export SET error = $2 WHERE id = $1`, e.ID, failure(cause, refunded, locked)); err != nil {
		return fmt.Errorf("fail export %s: %w", e.ID, err)
	}
	if err := recordAgain(ctx, tx, event.ExportFailed, e.ID); err != nil {
		return err
	}
	if e.Notify {
		if err := x.notify(ctx, tx, e.ID); err != nil {
			return err
		}
	}
	tx.OnCommit(func() {
		x.log.ErrorContext(ctx, "export failed", "export_id", e.ID, "credits_refunded", refunded, "error", cause)
	})
	return nil
}

// failure is a message for people, who may not see the locked fields. The technical reason is in the log and in the job.
func failure(cause error, refunded int64, locked company.FieldSet) string {
	reason := ""
	if long, ok := errors.AsType[*format.TooLongError](cause); ok {
		if reason = ": " + long.Error(); locked.Has(long.Column) {
			reason = ": " + long.Locked()
		}
	}
	return "The file could not be written" + reason + ". " + text.Count(refunded, "credit was", "credits were") + " refunded."
}

// end ends an export without a file and returns how many credits that refunded. It does nothing if the export is final
// already.
//
// As in a purchase, the account is locked first, so that what the exports of a workspace deliver changes one step after
// the other. A worker that completes the export takes no such lock, so the statement checks the status.
func (x *Exports) end(ctx context.Context, tx *db.Tx, e Export, status Status, actor string) (ended bool, refunded int64, err error) {
	if _, err := x.credit.Lock(ctx, tx, e.Workspace); err != nil {
		return false, 0, err
	}
	const q = `UPDATE export SET status = $2, completed_at = $3 WHERE id = $1 AND status IN ('pending', 'processing')`
	res, err := tx.ExecContext(ctx, q, e.ID, string(status), db.Time(time.Now()))
	if err != nil {
		return false, 0, fmt.Errorf("end export %s: %w", e.ID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, 0, err
	}
	refunded, err = x.refund(ctx, tx, e, actor)
	if err != nil {
		return false, 0, err
	}
	tx.OnCommit(func() { x.observe(Event{Status: status, Refunded: refunded}) })
	return true, refunded, nil
}

// refund gives back the companies that no export delivers any more, now that e has ended, and returns the credits.
func (x *Exports) refund(ctx context.Context, tx *db.Tx, e Export, actor string) (total int64, err error) {
	debts, err := owing(ctx, tx, e)
	if err != nil {
		return 0, err
	}
	if debts, err = x.undelivered(ctx, tx, e, debts); err != nil {
		return 0, err
	}
	for _, d := range debts {
		n, err := x.giveBack(ctx, tx, e, d, actor)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// debt is what an export that ended without a file was charged for and has not refunded.
type debt struct {
	payer     id.Export
	createdAt time.Time
	unlockSeq int64 // position in the log of unlocks after the purchase
	companies company.Set
}

// owing returns the exports of the workspace that ended without a file and are not fully refunded; e is one of them.
func owing(ctx context.Context, tx *db.Tx, e Export) ([]debt, error) {
	const q = `SELECT id, created_at, unlock_seq FROM export
		WHERE workspace_id = $1 AND status IN ('failed', 'cancelled') AND credits_charged > credits_refunded
		ORDER BY created_at, id`
	debts, err := db.Collect(ctx, tx, func(row db.Row) (d debt, err error) {
		var created int64
		err = row.Scan(&d.payer, &created, &d.unlockSeq)
		d.createdAt = db.FromTime(created)
		return d, err
	}, q, e.Workspace)
	if err != nil {
		return nil, fmt.Errorf("read debts beside export %s: %w", e.ID, err)
	}
	return debts, nil
}

// undelivered limits the debts to the companies of e that no export delivers or will deliver.
func (x *Exports) undelivered(ctx context.Context, tx *db.Tx, e Export, debts []debt) ([]debt, error) {
	numbers, err := readSelection(ctx, tx, e.ID)
	if err != nil {
		return nil, err
	}
	selected := company.SetOf(numbers...)
	var due []debt
	var left company.Set
	for _, d := range debts {
		unlocked, err := x.unlock.ByExport(ctx, tx, e.Workspace, d.payer)
		if err != nil {
			return nil, err
		}
		if d.companies = unlocked.And(selected); !d.companies.IsEmpty() {
			due, left = append(due, d), left.Or(d.companies)
		}
	}
	if left, err = withoutDelivered(ctx, tx, e, due, left); err != nil {
		return nil, err
	}
	for i := range due {
		due[i].companies = due[i].companies.And(left)
	}
	return due, nil
}

// clockSkewMax is how far apart the clocks of two nodes may be.
const clockSkewMax = 24 * time.Hour

// withoutDelivered leaves out what the workspace's other exports have delivered or will deliver. Only exports that were
// bought after the debts arose, and got something for free, can have such companies.
func withoutDelivered(ctx context.Context, tx *db.Tx, e Export, debts []debt, left company.Set) (_ company.Set, err error) {
	if left.IsEmpty() {
		return left, nil
	}
	since, seq := debts[0].createdAt, debts[0].unlockSeq
	for _, d := range debts {
		seq = min(seq, d.unlockSeq)
	}
	const q = `SELECT export.id, companies FROM export JOIN export_selection ON export_id = export.id
		WHERE workspace_id = $1 AND created_at >= $2 AND (unlock_seq >= $3 OR unlock_seq = 0)
			AND status IN ('pending', 'processing', 'completed') AND already_unlocked > 0`
	rows, err := tx.QueryContext(ctx, q, e.Workspace, db.Time(since.Add(-clockSkewMax)), seq)
	if err != nil {
		return company.Set{}, fmt.Errorf("read other exports than %s: %w", e.ID, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() && !left.IsEmpty() {
		var other id.Export
		var packed []byte
		if err := rows.Scan(&other, &packed); err != nil {
			return company.Set{}, fmt.Errorf("read other exports than %s: %w", e.ID, err)
		}
		numbers, err := company.UnpackNumbers(packed)
		if err != nil {
			return company.Set{}, fmt.Errorf("read selection of export %s: %w", other, err)
		}
		left = left.Minus(company.SetOf(numbers...))
	}
	return left, rows.Err()
}

// giveBack locks the companies of a debt again and refunds one credit for each to the export that paid for them.
func (x *Exports) giveBack(ctx context.Context, tx *db.Tx, e Export, d debt, actor string) (int64, error) {
	if d.companies.IsEmpty() {
		return 0, nil
	}
	taken, err := x.unlock.Remove(ctx, tx, e.Workspace, d.payer, d.companies)
	if err != nil || taken.IsEmpty() {
		return 0, err
	}
	n := int64(taken.Len())
	entry, err := x.credit.Refund(ctx, tx, e.Workspace, n, refundReference(d.payer, e.ID), actor)
	if err != nil {
		return 0, err
	}
	const q = `UPDATE export SET credits_refunded = credits_refunded + $2, refund_id = COALESCE(refund_id, $3) WHERE id = $1`
	if _, err := tx.ExecContext(ctx, q, d.payer, n, entry.ID); err != nil {
		return 0, fmt.Errorf("refund export %s: %w", d.payer, err)
	}
	return n, event.Record(ctx, tx, e.Workspace, event.ExportRefunded, map[string]any{
		"export_id": d.payer, "credits_refunded": n, "transaction_id": entry.ID, "because_of": e.ID, "balance": entry.BalanceAfter,
	})
}

// refundReference returns the ledger reference of a refund to payer because ended has ended. Usually they are the same.
func refundReference(payer, ended id.Export) string {
	if payer == ended {
		return fmt.Sprintf("export:%s:refund", payer)
	}
	return fmt.Sprintf("export:%s:refund:%s", payer, ended)
}

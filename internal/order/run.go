package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// errStale undoes a run whose order has changed, or has run, since the run was planned.
var errStale = errors.New("the order has changed")

const (
	staleMax    = 10 // how often a run is planned again because its order keeps changing
	missedMax   = 1000
	followPoll  = 10 * time.Millisecond
	missedCode  = "MISSED"
	stoppedHint = " Resume the order to continue it in your name."
)

// occasion is why a run takes place, and what the order's schedule says after it.
type occasion struct {
	cause   Cause
	at      time.Time
	missed  int // earlier scheduled instants without a run
	next    *time.Time
	imports int64
	late    bool // so late that it counts as missed
}

// RunDue runs the orders whose time has come, until there are none left. It should be called about once a second, by any number of
// servers that have an index. What fails for a reason of the server is tried again later.
func (x *Orders) RunDue(ctx context.Context) error {
	for {
		o, some, err := x.claim(ctx)
		if err != nil || !some {
			return err
		}
		if err := x.runClaimed(ctx, o); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := x.delay(ctx, o, err); err != nil {
				return err
			}
		}
	}
}

// claim takes an order whose time has come, so that no other server runs it for the lease.
func (x *Orders) claim(ctx context.Context) (o Order, some bool, err error) {
	now, err := x.DB.Now(ctx)
	if err != nil {
		return o, false, err
	}
	imports, err := endedImports(ctx, x.DB.Read())
	if err != nil {
		return o, false, err
	}
	const due = `FROM standing_order WHERE (claimed_until IS NULL OR claimed_until <= $1) AND (asked_at IS NOT NULL
		OR paused_at IS NULL AND (next_at <= $1 OR cron = '' AND imports < $2 AND (ends_at IS NULL OR ends_at > $1)))`
	// Reading first keeps a server without due orders from taking the write lock.
	if err := x.DB.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 `+due+`)`, db.Time(now), imports).Scan(&some); err != nil || !some {
		return o, false, err
	}
	var order id.Order
	var ws id.Workspace
	err = x.DB.Tx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `WITH next AS MATERIALIZED (SELECT id `+due+` ORDER BY next_at, id LIMIT 1`+tx.SkipLocked()+`)
			UPDATE standing_order SET claimed_until = $3 FROM next WHERE standing_order.id = next.id
			RETURNING standing_order.id, workspace_id`, db.Time(now), imports, db.Time(now.Add(x.Options.Lease))).Scan(&order, &ws)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil // another server was faster
	}
	if err != nil {
		return o, false, fmt.Errorf("claim order: %w", err)
	}
	o, err = one(ctx, x.DB.Read(), ws, order, "")
	if fault.CodeOf(err) == fault.NotFound {
		return o, true, nil // deleted in the meantime; runClaimed finds nothing to do
	}
	return o, true, err
}

// runClaimed runs the order if its time has come. It returns an error if the run should be tried again.
func (x *Orders) runClaimed(ctx context.Context, o Order) error {
	for range staleMax {
		on, due, err := x.occasion(ctx, o)
		if err != nil || !due {
			return err
		}
		err = x.runOn(ctx, o, on)
		if !errors.Is(err, errStale) {
			return err
		}
		if o, err = x.Get(ctx, o.Workspace, o.ID); err != nil {
			if fault.CodeOf(err) == fault.NotFound {
				return nil
			}
			return err
		}
	}
	return errStale
}

// occasion returns why the order runs now; false if it does not.
func (x *Orders) occasion(ctx context.Context, o Order) (on occasion, due bool, err error) {
	if o.AskedAt != nil {
		return occasion{cause: OnRequest, at: *o.AskedAt}, true, nil
	}
	if o.ID.IsZero() || o.PausedAt != nil {
		return on, false, nil
	}
	now, err := x.DB.Now(ctx)
	if err != nil {
		return on, false, err
	}
	if o.Schedule.AfterImport() {
		ended, err := endedImports(ctx, x.DB.Read())
		due = ended > o.imports && (o.EndsAt == nil || now.Before(*o.EndsAt))
		return occasion{cause: OnImport, at: now, missed: int(ended-o.imports) - 1, imports: ended}, due, err
	}
	if o.NextAt == nil || o.NextAt.After(now) {
		return on, false, nil
	}
	schedule, errs := o.Schedule.read()
	if err := fault.Invalid(errs...); err != nil {
		return on, false, err
	}
	on = occasion{cause: OnSchedule, at: *o.NextAt, imports: o.imports, late: now.Sub(*o.NextAt) > x.Options.Grace}
	until := now
	if on.late && o.Missed == Skip {
		until = now.Add(-x.Options.Grace) // what came after that is not missed, and runs next
	}
	for at := *o.NextAt; on.missed < missedMax; on.missed++ {
		next, fires := schedule.next(at)
		if !fires || next.After(until) {
			break
		}
		at = next
	}
	on.next = o.nextAfter(schedule, until)
	return on, true, nil
}

// nextAfter returns the next run of the schedule after the time; nil if the order ends before.
func (o Order) nextAfter(schedule times, at time.Time) *time.Time {
	next, fires := schedule.next(at)
	if !fires || o.EndsAt != nil && !next.Before(*o.EndsAt) {
		return nil
	}
	return &next
}

// runOn makes the run. errStale if the order has changed.
func (x *Orders) runOn(ctx context.Context, o Order, on occasion) error {
	if on.late && o.Missed == Skip {
		message := fmt.Sprintf("No server ran at %s, and missed runs are skipped.", on.at.Format(time.RFC3339))
		return x.skip(ctx, plan{order: o}, on, missedCode, message)
	}
	caller, err := x.callerOf(ctx, o)
	if err != nil {
		code, message, refused := refusal(err)
		if !refused {
			return err
		}
		if on.cause == OnRequest {
			return x.skip(ctx, plan{order: o}, on, code, message)
		}
		o.PausedAt, o.PausedWhy, on.next = new(time.Now()), message+stoppedHint, nil
		return x.skip(ctx, plan{order: o}, on, code, "The order was paused. "+o.PausedWhy)
	}
	if err := x.follow(ctx); err != nil {
		return err
	}
	p, err := x.plan(ctx, caller, o)
	if err == nil {
		_, err = x.buy(ctx, caller, p, on)
	}
	if code, message, refused := refusal(err); refused {
		return x.skip(ctx, p, on, code, message)
	}
	return err
}

// follow waits until the index has what the catalog has now.
func (x *Orders) follow(ctx context.Context) error {
	seq, err := x.Catalog.Seq(ctx)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(x.Options.FollowMax); x.Index.Seq() < seq; {
		if time.Now().After(deadline) {
			return errors.New("the search index does not have all changes of the catalog yet")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followPoll):
		}
	}
	return nil
}

// buy exports what is planned, and records the run and what follows from it in the same transaction. Without anything to export it
// records that. errStale if the order has changed; the faults of export.Create, after which nothing was recorded.
func (x *Orders) buy(ctx context.Context, caller auth.Caller, p plan, on occasion, then ...db.Step[Run]) (Run, error) {
	var run Run
	_, _, err := x.Exports.Create(ctx, caller, p.request, func(ctx context.Context, tx *db.Tx, made export.Export) error {
		run = on.run(p.order, Exported, "", "")
		run.Export, run.ExportStatus = made.ID, made.Status
		run.Companies, run.Charged = made.Figures.Rows(), made.Figures.CreditsCharged
		sold, err := export.Selected(ctx, tx, made.ID)
		if err != nil {
			return err
		}
		return x.settle(ctx, tx, p, on, run, sold, then)
	})
	if fault.CodeOf(err) != fault.NoCandidates {
		return run, p.explain(err)
	}
	code, message, _ := refusal(err)
	run = on.run(p.order, NothingNew, code, message)
	return run, x.DB.Tx(ctx, func(tx *db.Tx) error { return x.settle(ctx, tx, p, on, run, company.Set{}, then) })
}

// skip records that the run bought nothing.
func (x *Orders) skip(ctx context.Context, p plan, on occasion, code, message string) error {
	return x.DB.Tx(ctx, func(tx *db.Tx) error {
		return x.settle(ctx, tx, p, on, on.run(p.order, Skipped, code, message), company.Set{}, nil)
	})
}

func (on occasion) run(o Order, s Status, code, message string) Run {
	return Run{
		ID: id.New[id.Run](), Order: o.ID, ScheduledAt: on.at, CreatedAt: db.FromTime(db.Time(time.Now())), Cause: on.cause,
		Status: s, Missed: on.missed, Code: code, Message: message,
	}
}

// settle records the run, what the order remembers after it, its next run, and an event. The steps run last.
func (x *Orders) settle(ctx context.Context, tx *db.Tx, p plan, on occasion, run Run, sold company.Set, then []db.Step[Run]) error {
	o := p.order
	now, err := one(ctx, tx, o.Workspace, o.ID, tx.ForUpdate())
	if fault.CodeOf(err) == fault.NotFound || err == nil && now.revision != o.revision {
		return errStale
	}
	if err != nil {
		return err
	}
	if run.Status == Exported && o.MaxCreditsTotal != nil {
		// The account is locked, so this cannot change until the commit.
		var spent int64
		if err := tx.QueryRowContext(ctx, `SELECT `+spentOf+` FROM standing_order o WHERE o.id = $1`, o.ID).Scan(&spent); err != nil {
			return fmt.Errorf("sum up what order %s has spent: %w", o.ID, err)
		}
		if run.Charged > 0 && spent+run.Charged > *o.MaxCreditsTotal {
			return errStale // another run or a refund came in between
		}
	}
	if err := insertRun(ctx, tx, run); err != nil {
		if x.DB.Duplicate(err) {
			return errStale
		}
		return fmt.Errorf("write run of order %s: %w", o.ID, err)
	}
	if run.Status != Skipped && o.Deliver != All {
		if err := p.after(sold).save(ctx, tx, o.ID); err != nil {
			return err
		}
		for _, undone := range p.undone {
			if _, err := tx.ExecContext(ctx, `UPDATE order_run SET taken_back = 1 WHERE id = $1`, undone); err != nil {
				return fmt.Errorf("write run of order %s: %w", o.ID, err)
			}
		}
	}
	if on.cause == OnRequest {
		_, err = tx.ExecContext(ctx, `UPDATE standing_order SET revision = revision + 1,
			delayed_why = CASE WHEN asked_at IS NULL THEN delayed_why ELSE '' END, asked_at = NULL, claimed_until = NULL WHERE id = $1`, o.ID)
	} else {
		o.NextAt, o.imports, o.DelayedWhy = on.next, on.imports, ""
		err = save(ctx, tx, o)
	}
	if err != nil {
		return err
	}
	if o.PausedAt != nil && on.cause != OnRequest {
		if err := record(ctx, tx, auditlog.OrderPaused, o, map[string]any{"because": o.PausedWhy}); err != nil {
			return err
		}
	}
	if err := report(ctx, tx, o, run); err != nil {
		return err
	}
	return db.Then(ctx, tx, run, then)
}

// report adds an event about the run to the log of its workspace.
func report(ctx context.Context, tx *db.Tx, o Order, r Run) error {
	data := map[string]any{
		"order_id": o.ID, "name": o.Name, "run_id": r.ID, "scheduled_at": r.ScheduledAt, "cause": string(r.Cause), "status": string(r.Status),
		"deliver": string(o.Deliver), "total_records": r.Companies, "credits_charged": r.Charged,
	}
	if r.Status == Exported {
		data["export_id"] = r.Export
	} else {
		data["code"], data["message"] = r.Code, r.Message
	}
	kind := event.OrderRan
	if r.Status == Skipped {
		kind, data["paused"] = event.OrderSkipped, o.PausedAt != nil
	}
	return event.Record(ctx, tx, o.Workspace, kind, data)
}

// delay leaves a run that failed for a reason of the server for a while, and says why.
func (x *Orders) delay(ctx context.Context, o Order, cause error) error {
	x.Log.WarnContext(ctx, "run of order delayed", "order_id", o.ID, "workspace_id", o.Workspace, "error", cause)
	why := "The run failed for a reason of the server, and is tried again."
	if f, ok := errors.AsType[*fault.Error](cause); ok {
		why = f.Message
	}
	now, err := x.DB.Now(ctx)
	if err != nil {
		return err
	}
	return x.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE standing_order SET claimed_until = $2, delayed_why = $3 WHERE id = $1`, o.ID, db.Time(now.Add(x.Options.Retry)), why)
		return err
	})
}

// Run runs the order now, in the name of the caller, beside its schedule. The steps run last in its transaction. Faults, after which
// nothing has changed: NotFound, and those of export.Create except NoCandidates, which is a run.
func (x *Orders) Run(ctx context.Context, caller auth.Caller, order id.Order, then ...db.Step[Run]) (Run, error) {
	for range staleMax {
		o, err := x.Get(ctx, caller.Workspace, order)
		if err != nil {
			return Run{}, err
		}
		p, err := x.plan(ctx, caller, o)
		if err != nil {
			return Run{}, err
		}
		on := occasion{cause: OnRequest, at: db.FromTime(db.Time(time.Now()))}
		run, err := x.buy(ctx, caller, p, on, then...)
		if !errors.Is(err, errStale) {
			return run, err
		}
	}
	return Run{}, errStale
}

// Ask has a server run the order as soon as one can, beside its schedule and in the name in which it buys, also while it is paused. What
// comes of it is a run with the cause OnRequest. Asking again before that changes nothing. Faults: NotFound.
func (x *Orders) Ask(ctx context.Context, ws id.Workspace, order id.Order) (o Order, err error) {
	err = x.DB.Tx(ctx, func(tx *db.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if o, err = one(ctx, tx, ws, order, tx.ForUpdate()); err != nil || o.AskedAt != nil {
			return err
		}
		o.AskedAt = new(db.FromTime(db.Time(now)))
		_, err = tx.ExecContext(ctx, `UPDATE standing_order SET asked_at = $2, revision = revision + 1, claimed_until = NULL WHERE id = $1`, o.ID, db.Time(now))
		if err != nil {
			return fmt.Errorf("ask for a run of order %s: %w", order, err)
		}
		return nil
	})
	return o, err
}

package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

const nameLengthMax = 200

// check returns the order with its defaults, and everything that is wrong with it but for its source and its file, which the package
// export checks.
func (o Order) check(now time.Time) (Order, []fault.FieldError) {
	var errs []fault.FieldError
	bad := func(field, message string) {
		if message != "" {
			errs = append(errs, fault.FieldError{Field: field, Message: message})
		}
	}
	name, complaint := text.Name(o.Name, nameLengthMax)
	bad("name", complaint)
	o.Name, o.Request.Name = name, name
	o.Request.Source, o.Request.Format = cmp.Or(o.Request.Source, export.SourceSearch), cmp.Or(o.Request.Format, format.CSV)
	o.Deliver, o.Missed, o.AboveCap = cmp.Or(o.Deliver, Added), cmp.Or(o.Missed, CatchUp), cmp.Or(o.AboveCap, SkipRun)
	bad("deliver", choiceFault(o.Deliver, Added, Changed, Left, All))
	bad("missed", choiceFault(o.Missed, CatchUp, Skip))
	bad("above_cap", choiceFault(o.AboveCap, SkipRun, Fill))
	bad("max_credits", creditsFault(o.MaxCredits))
	bad("max_credits_total", creditsFault(o.MaxCreditsTotal))
	ended := o.EndsAt != nil && !o.EndsAt.After(now)
	if ended {
		bad("ends_at", "must be in the future")
	}
	if o.Schedule.AfterImport() {
		o.NextAt = nil
		if o.Schedule.Zone != "" {
			bad("schedule.time_zone", "is only for a schedule with cron")
		}
		if o.Missed == Skip {
			bad("missed", "is only for a schedule with cron; one run follows all imports that have ended since the last")
		}
		return o, errs
	}
	schedule, more := o.Schedule.read()
	errs = append(errs, more...)
	// A run that is due stays due.
	if len(more) == 0 && o.PausedAt == nil && (o.NextAt == nil || o.EndsAt != nil && !o.NextAt.Before(*o.EndsAt)) {
		if o.NextAt = o.nextAfter(schedule, now); o.NextAt == nil && !ended {
			bad("ends_at", "is before the next run")
		}
	}
	return o, errs
}

// choiceFault returns what is wrong with a choice; empty if nothing is.
func choiceFault[T ~string](given T, of ...T) string {
	if slices.Contains(of, given) {
		return ""
	}
	names := make([]string, len(of))
	for i, name := range of {
		names[i] = string(name)
	}
	return "must be one of " + strings.Join(names, ", ")
}

// creditsFault returns what is wrong with a limit; empty if nothing is.
func creditsFault(limit *int64) string {
	if limit != nil && *limit < 0 {
		return "must be at least 0"
	}
	return ""
}

// checkSource returns what makes an export of the source possible, but not an order.
func (o Order) checkSource(baseline bool) (errs []fault.FieldError) {
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	const kept = "a match is kept for 15 minutes; put its companies on a list, and order the list"
	if o.Request.Source == export.SourceMatch {
		bad("source_type", kept)
	}
	for _, use := range o.Request.Query.Sets() {
		if use.Of.Kind == query.SetOfMatch {
			bad(use.Field, kept)
		}
	}
	switch {
	case o.Deliver == Left && o.Request.Terms.OnlyNew:
		bad("only_new", "leaves nothing of deliver left, which delivers companies that the workspace owns")
	case o.Deliver == All && baseline:
		bad("baseline", "is not for deliver all, which delivers everything in each run")
	}
	return errs
}

// Create creates an order that buys in the name of the caller, and returns it with what its first run would do now. With a baseline, and
// always for Left, it only delivers what comes later. The steps run last in the transaction. Faults: Validation, NotFound for a list
// of another workspace.
func (x *Orders) Create(ctx context.Context, caller auth.Caller, o Order, baseline bool, then ...db.Step[Order]) (Order, error) {
	now, err := x.DB.Now(ctx)
	if err != nil {
		return Order{}, err
	}
	o, errs := o.check(now)
	errs = append(errs, o.checkSource(baseline)...)
	o.ID, o.CreatedAt = id.New[id.Order](), db.FromTime(db.Time(now))
	o.Workspace, o.Token, o.Person = caller.Workspace, caller.Token, caller.Person
	if o.imports, err = endedImports(ctx, x.DB.Read()); err != nil {
		return Order{}, err
	}
	preset, err := x.Exports.WithPreset(ctx, caller, o.Request)
	if errs = append(errs, fault.Fields(err)...); err != nil && len(fault.Fields(err)) == 0 {
		return Order{}, err
	}
	o.Request, o.Request.Preset = preset, id.Preset{} // the order keeps the columns, whatever becomes of the preset
	m, next, err := x.first(ctx, caller, o, baseline || o.Deliver == Left)
	if err := fault.Invalid(and(errs, fault.Fields(err))...); err != nil {
		return Order{}, err
	}
	if err != nil {
		return Order{}, err
	}
	o.Next = &next
	err = x.DB.Tx(ctx, func(tx *db.Tx) error {
		// The row of the workspace is locked, so that two orders created at once are counted one after the other.
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM workspace WHERE id = $1`+tx.ForUpdate(), o.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create order: %w", err)
		}
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM standing_order WHERE workspace_id = $1`, o.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create order: %w", err)
		}
		if n >= PerWorkspaceMax {
			return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("The workspace has %d orders, the most that it may have. Delete one first.", n)})
		}
		if err := insert(ctx, tx, o); err != nil {
			return err
		}
		if o.Deliver != All {
			if err := m.save(ctx, tx, o.ID); err != nil {
				return err
			}
		}
		if baseline || o.Deliver == Left {
			if err := insertRun(ctx, tx, occasion{cause: OnCreation, at: o.CreatedAt}.run(o, Baseline, "", "")); err != nil {
				return fmt.Errorf("write run of order %s: %w", o.ID, err)
			}
		}
		if err := record(ctx, tx, auditlog.OrderCreated, o, o.terms()); err != nil {
			return err
		}
		return db.Then(ctx, tx, o, then)
	})
	return o, err
}

// and returns the errors with more of them, of each field only the first: the package export finds some of them again.
func and(errs, more []fault.FieldError) []fault.FieldError {
	for _, e := range more {
		if e.Field == "" || !slices.ContainsFunc(errs, func(f fault.FieldError) bool { return f.Field == e.Field }) {
			errs = append(errs, e)
		}
	}
	return errs
}

// first returns what a new order remembers, and what its first run would do now.
func (x *Orders) first(ctx context.Context, caller auth.Caller, o Order, baseline bool) (m memory, next Next, err error) {
	p := plan{order: o, request: o.Request}
	p.request.Terms.Order, p.request.Terms.Deliver = o.ID, string(o.Deliver)
	if err := x.limit(ctx, caller, &p); err != nil {
		return m, next, err
	}
	if next, err = x.nextOf(ctx, caller, p); err != nil || !baseline {
		return m, next, err
	}
	// The number is read first: what changes in the meantime is new to the order.
	if m.seq, err = x.Catalog.Seq(ctx); err != nil {
		return m, next, err
	}
	if o.Deliver == Left {
		m.companies, err = x.ownedMembers(ctx, caller, o.Request)
		p.request.Instead = new(company.Set{})
	} else {
		m.companies, err = x.Exports.Members(ctx, caller, o.Request, nil)
		p.request.Without = m.companies
	}
	if err == nil {
		next, err = x.nextOf(ctx, caller, p)
	}
	return m, next, err
}

// Change is what to change of an order; nil for what stays.
type Change struct {
	Name            *string
	Schedule        *Schedule
	Missed          *Missed
	AboveCap        *AboveCap
	MaxCredits      *int64
	MaxCreditsTotal *int64
	EndsAt          *time.Time
	Destination     *id.Destination
	Remove          []string // of removable
}

// removable are the names of what a Change can remove.
var removable = []string{"max_credits", "max_credits_total", "ends_at", "destination_id"}

func (c Change) apply(o Order) Order {
	set(&o.Name, c.Name)
	set(&o.Schedule, c.Schedule)
	if o.Schedule.AfterImport() {
		o.Missed = CatchUp // skipping is a choice for cron alone
	}
	set(&o.Missed, c.Missed)
	set(&o.AboveCap, c.AboveCap)
	for name, limit := range map[string]struct{ of, given **int64 }{
		"max_credits": {&o.MaxCredits, &c.MaxCredits}, "max_credits_total": {&o.MaxCreditsTotal, &c.MaxCreditsTotal},
	} {
		if *limit.given != nil {
			*limit.of = *limit.given
		}
		if slices.Contains(c.Remove, name) {
			*limit.of = nil
		}
	}
	if c.EndsAt != nil {
		o.EndsAt = c.EndsAt
	}
	if slices.Contains(c.Remove, "ends_at") {
		o.EndsAt = nil
	}
	set(&o.Request.Destination, c.Destination)
	if slices.Contains(c.Remove, "destination_id") {
		o.Request.Destination = id.Destination{}
	}
	return o
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (c Change) faults() (errs []fault.FieldError) {
	given := map[string]bool{
		"max_credits": c.MaxCredits != nil, "max_credits_total": c.MaxCreditsTotal != nil, "ends_at": c.EndsAt != nil,
		"destination_id": c.Destination != nil,
	}
	for i, name := range c.Remove {
		if given[name] {
			errs = append(errs, fault.FieldError{Field: name, Message: "is both set and removed"})
		}
		if !slices.Contains(removable, name) {
			errs = append(errs, fault.FieldError{Field: fmt.Sprintf("remove[%d]", i), Message: "must be one of " + strings.Join(removable, ", ")})
		}
	}
	return errs
}

// Update changes an order, which from then on buys in the name of the caller: nobody can spend by it what somebody else may. Faults:
// Validation, NotFound.
func (x *Orders) Update(ctx context.Context, caller auth.Caller, order id.Order, c Change) (Order, error) {
	if err := fault.Invalid(c.faults()...); err != nil {
		return Order{}, err
	}
	if c.Destination != nil {
		if err := x.Exports.CheckDestination(ctx, caller, *c.Destination); err != nil {
			return Order{}, err
		}
	}
	return x.change(ctx, caller, order, auditlog.OrderChanged, func(ctx context.Context, tx *db.Tx, o *Order, now time.Time) (err error) {
		if c.Schedule != nil && *c.Schedule != o.Schedule {
			o.NextAt = nil
			if o.imports, err = endedImports(ctx, tx); err != nil { // those before do not count
				return err
			}
		}
		var errs []fault.FieldError
		*o, errs = c.apply(*o).check(now)
		o.Token, o.Person = caller.Token, caller.Person
		return fault.Invalid(errs...)
	})
}

// Pause stops the schedule of an order; it can still be run by Run. Pausing it again changes nothing. Faults: NotFound.
func (x *Orders) Pause(ctx context.Context, caller auth.Caller, order id.Order, then ...db.Step[Order]) (Order, error) {
	return x.change(ctx, caller, order, auditlog.OrderPaused, func(_ context.Context, _ *db.Tx, o *Order, now time.Time) error {
		if o.PausedAt != nil {
			return errSame
		}
		o.PausedAt, o.PausedWhy, o.NextAt, o.DelayedWhy = &now, "It was paused on request.", nil, ""
		return nil
	}, then...)
}

// Resume continues the schedule of a paused order from now on, in the name of the caller, or in the same name as before if that is
// nobody: an operator. Runs that were scheduled while it was paused are not missed. Resuming an order that is not paused changes nothing.
// Faults: NotFound, Validation for an order that has ended.
func (x *Orders) Resume(ctx context.Context, caller auth.Caller, order id.Order, then ...db.Step[Order]) (Order, error) {
	return x.change(ctx, caller, order, auditlog.OrderResumed, func(ctx context.Context, tx *db.Tx, o *Order, now time.Time) (err error) {
		if o.PausedAt == nil {
			return errSame
		}
		var errs []fault.FieldError
		o.PausedAt, o.PausedWhy, o.NextAt = nil, "", nil
		if *o, errs = o.check(now); len(errs) > 0 {
			return fault.Invalid(errs...)
		}
		if !caller.Token.IsZero() || !caller.Person.IsZero() {
			o.Token, o.Person = caller.Token, caller.Person
		}
		o.imports, err = endedImports(ctx, tx)
		return err
	}, then...)
}

// errSame says that an order is as it should be already.
var errSame = errors.New("the order is the same")

func (x *Orders) change(
	ctx context.Context, caller auth.Caller, order id.Order, action auditlog.Action, fn func(context.Context, *db.Tx, *Order, time.Time) error, then ...db.Step[Order],
) (o Order, err error) {
	err = x.DB.Tx(ctx, func(tx *db.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if o, err = one(ctx, tx, caller.Workspace, order, tx.ForUpdate()); err != nil {
			return err
		}
		switch err := fn(ctx, tx, &o, now); {
		case errors.Is(err, errSame):
			return db.Then(ctx, tx, o, then)
		case err != nil:
			return err
		}
		if err := save(ctx, tx, o); err != nil {
			return err
		}
		if err := record(ctx, tx, action, o, o.terms()); err != nil {
			return err
		}
		return db.Then(ctx, tx, o, then)
	})
	return o, err
}

// Delete deletes an order with its runs. Their exports stay. Faults: NotFound.
func (x *Orders) Delete(ctx context.Context, ws id.Workspace, order id.Order) error {
	return x.DB.Tx(ctx, func(tx *db.Tx) error {
		o, err := one(ctx, tx, ws, order, tx.ForUpdate())
		if err != nil {
			return err
		}
		for _, q := range []string{
			`DELETE FROM order_run WHERE order_id = $1`, `DELETE FROM order_memory WHERE order_id = $1`, `DELETE FROM standing_order WHERE id = $1`,
		} {
			if _, err := tx.ExecContext(ctx, q, order); err != nil {
				return fmt.Errorf("delete order %s: %w", order, err)
			}
		}
		return record(ctx, tx, auditlog.OrderDeleted, o, nil)
	})
}

// terms returns what the audit log says of an order.
func (o Order) terms() map[string]any {
	details := map[string]any{"deliver": string(o.Deliver), "above_cap": string(o.AboveCap), "schedule": "after each import"}
	if !o.Schedule.AfterImport() {
		details["schedule"] = o.Schedule.Cron + " " + o.Schedule.Zone
	}
	for name, credits := range map[string]*int64{"max_credits": o.MaxCredits, "max_credits_total": o.MaxCreditsTotal} {
		if credits != nil {
			details[name] = *credits
		}
	}
	if o.EndsAt != nil {
		details["ends_at"] = *o.EndsAt
	}
	return details
}

func record(ctx context.Context, tx *db.Tx, action auditlog.Action, o Order, details map[string]any) error {
	return auditlog.Record(ctx, tx, auditlog.Event{Workspace: o.Workspace, Action: action, Subject: "order:" + o.ID.String(), Name: o.Name, Details: details})
}

package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Create buys the companies that the request and its terms select, and enqueues the job that writes their file. The steps
// run last in the same transaction: all of it happens, or nothing. Faults: Validation, NotFound for a list or a quote of
// another workspace, NoCandidates, InsufficientBalance, TokenBudgetExceeded, MaxCreditsExceeded, QuoteExpired,
// QuoteOutdated.
func (x *Exports) Create(
	ctx context.Context, caller auth.Caller, r Request, then ...db.Step[Export],
) (Export, Figures, error) {
	r, err := x.WithPreset(ctx, caller, r)
	if err == nil {
		r, err = r.checked(true)
	}
	if err != nil {
		return Export{}, Figures{}, err
	}
	if err := x.CheckDestination(ctx, caller, r.Destination); err != nil {
		return Export{}, Figures{}, err
	}
	if r.Terms.OnlyNew && r.Quote.IsZero() {
		// Many at once would all find the same companies, and all but one would have to find others.
		end, err := x.turns.take(ctx, caller.Workspace)
		if err != nil {
			return Export{}, Figures{}, err
		}
		defer end()
	}
	e, err := x.create(ctx, caller, r, then)
	// Another server may have sold them.
	for attempt := 1; errors.Is(err, errOvertaken) && attempt < attemptsMax; attempt++ {
		e, err = x.create(ctx, caller, r, then)
	}
	if errors.Is(err, errOvertaken) {
		err = fault.New(fault.ServiceUnavailable, "Other purchases of the workspace have bought the same companies, again and again. "+
			"Nothing was charged. Try again in a moment.").
			With("retry_after", overtakenRetrySeconds)
	}
	if err != nil {
		return Export{}, Figures{}, err
	}
	x.jobs.Notify()
	x.observe(Event{Status: StatusPending, Charged: e.Figures.CreditsCharged})
	x.log.InfoContext(ctx, "export created", "export_id", e.ID, "workspace_id", e.Workspace,
		"requested_count", e.Figures.RequestedCount, "credits_charged", e.Figures.CreditsCharged)
	return e, e.Figures, nil
}

// create finds the companies and buys them. errOvertaken if another purchase was faster.
func (x *Exports) create(ctx context.Context, caller auth.Caller, r Request, then []db.Step[Export]) (Export, error) {
	// Outside of the transaction: a search under the account's lock would make the workspace's other purchases wait.
	found, err := x.resolve(ctx, caller, r)
	if err != nil {
		return Export{}, err
	}
	if err := found.refuseWidened(caller); err != nil {
		return Export{}, err
	}
	var e Export
	err = x.db.Tx(ctx, func(tx *db.Tx) error {
		e = Export{
			ID: id.New[id.Export](), Workspace: caller.Workspace, Token: caller.Token, Person: caller.Person, Quote: found.Quote,
			Name: found.Name, Source: found.Source, List: found.List, Match: found.Match, Filters: found.Filters, Sort: found.sort, Terms: found.Terms,
			Format: found.Format, Options: found.Options, Status: StatusPending, CreatedAt: db.FromTime(db.Time(time.Now())),
			Warnings: found.warnings, Notify: r.Notify && !caller.Person.IsZero(), Destination: r.Destination,
		}
		return x.purchase(ctx, tx, caller, &e, found, then)
	})
	return e, err
}

// errOvertaken undoes a purchase of new companies alone, some of which another purchase has unlocked since they were found: there are
// others in their place.
var errOvertaken = errors.New("other purchases have unlocked some of the companies")

const (
	attemptsMax           = 50 // for a purchase that others overtake
	overtakenRetrySeconds = 1
)

// purchase unlocks the companies that are new to the workspace, charges for exactly these, and writes the export with its
// rows and its job. It sets what e lacks: figures, job and the catalog's sequence number.
func (x *Exports) purchase(
	ctx context.Context, tx *db.Tx, caller auth.Caller, e *Export, r resolved, then []db.Step[Export],
) error {
	// Lock the account: the workspace's purchases and refunds happen one after the other, on every node.
	balance, err := x.credit.Lock(ctx, tx, e.Workspace)
	if err != nil {
		return err
	}
	// Hold the catalog: companies may have been removed since they were found, and no more are until the commit.
	removed, seq, err := x.catalog.Hold(ctx, tx)
	if err != nil {
		return err
	}
	e.asOf = seq
	present, err := r.without(removed)
	if err != nil {
		return err
	}
	// Price what is left, by what the workspace owns now.
	split, err := x.unlock.Split(ctx, tx, e.Workspace, present.set)
	if err != nil {
		return err
	}
	if r.overtaken(present, split.Owned) {
		return errOvertaken
	}
	sold, figures, err := r.price(present, split.Owned, balance)
	if err != nil {
		return err
	}
	e.Figures = figures
	// Unlock the new companies.
	fresh, err := split.Add(ctx, tx, e.ID, sold.set)
	if err != nil {
		return err
	}
	if int64(fresh.Len()) != e.Figures.Cost {
		return fmt.Errorf("export %s unlocks %d companies for %d credits", e.ID, fresh.Len(), e.Figures.Cost)
	}
	// Charge for them. An export that costs nothing has no ledger entry.
	if cost := e.Figures.Cost; cost > 0 {
		if err := checkBudgets(ctx, tx, caller, cost, e.CreatedAt); err != nil {
			return err
		}
		entry, err := x.credit.Charge(ctx, tx, e.Workspace, cost, fmt.Sprintf("export:%s:create", e.ID), caller.Actor())
		if err != nil {
			return err
		}
		e.Figures.CreditsCharged, e.Figures.TransactionID = cost, entry.ID
	}
	// Write the job, the export and its rows.
	if e.Job, err = x.jobs.Enqueue(ctx, tx, JobKind, payload{e.ID.String()}); err != nil {
		return err
	}
	if err := insert(ctx, tx, e); err != nil {
		return err
	}
	if err := insertSelection(ctx, tx, e.ID, sold); err != nil {
		return err
	}
	if !e.Destination.IsZero() {
		if err := x.deliver.Bought(ctx, tx, *e); err != nil {
			return err
		}
	}
	if err := record(ctx, tx, event.ExportCreated, *e); err != nil {
		return err
	}
	// Last, what the caller adds: the answer for the request's Idempotency-Key.
	return db.Then(ctx, tx, *e, then)
}

// CheckDestination returns a Validation fault unless the destination is zero or one of the caller's workspace.
func (x *Exports) CheckDestination(ctx context.Context, caller auth.Caller, to id.Destination) error {
	if to.IsZero() {
		return nil
	}
	return x.deliver.Check(ctx, caller.Workspace, to)
}

// errBought undoes a purchase of a quote that has been bought in the meantime.
var errBought = errors.New("the quote was bought already")

// Buy creates the export of a quote, as Create does, but only once: buying a quote again returns its first export and
// charges nothing, even if both purchases run at the same time.
func (x *Exports) Buy(ctx context.Context, caller auth.Caller, r Request) (Export, error) {
	if r.Quote.IsZero() {
		return Export{}, fault.Invalid(fault.FieldError{Field: "quote_id", Message: "is required"})
	}
	e, err := boughtBy(ctx, x.db.Read(), caller.Workspace, r.Quote, id.Export{})
	if !errors.Is(err, sql.ErrNoRows) {
		return e, err
	}
	// The step runs under the account's lock, so no other purchase of the quote can be in progress.
	e, _, err = x.Create(ctx, caller, r, func(ctx context.Context, tx *db.Tx, made Export) error {
		switch _, err := boughtBy(ctx, tx, caller.Workspace, r.Quote, made.ID); {
		case err == nil:
			return errBought
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		return nil
	})
	if errors.Is(err, errBought) {
		return boughtBy(ctx, x.db.Read(), caller.Workspace, r.Quote, id.Export{})
	}
	return e, err
}

// boughtBy returns the first export of the quote other than except; sql.ErrNoRows if there is none.
func boughtBy(ctx context.Context, q db.Querier, ws id.Workspace, quote id.Quote, except id.Export) (Export, error) {
	e, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM export
		WHERE workspace_id = $1 AND quote_id = $2 AND id <> $3 ORDER BY created_at, id LIMIT 1`, ws, quote, except))
	if err != nil {
		return Export{}, fmt.Errorf("read export of quote %s: %w", quote, err)
	}
	return e, nil
}

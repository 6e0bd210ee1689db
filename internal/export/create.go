package export

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/token"
)

// Create buys the request's companies, as far as its terms go, and enqueues the writing of their file, with the steps:
// all of it, or none. Validation, NotFound for a list or a quote of another workspace, NoCandidates,
// InsufficientBalance, TokenBudgetExceeded, MaxCreditsExceeded, QuoteExpired, QuoteOutdated.
func (x *Exports) Create(
	ctx context.Context, caller auth.Caller, r Request, then ...db.Step[Export],
) (Export, Figures, error) {
	r, err := r.checked(true)
	if err != nil {
		return Export{}, Figures{}, err
	}
	// Outside of the transaction: searching under the workspace's lock would make its other purchases wait.
	o, err := x.order(ctx, caller, r)
	if err != nil {
		return Export{}, Figures{}, err
	}
	var e Export
	err = x.db.Tx(ctx, func(tx *db.Tx) error {
		e = o.export(caller)
		if err := x.buy(ctx, tx, &e, o); err != nil {
			return err
		}
		return db.Then(ctx, tx, e, then)
	})
	if err != nil {
		return Export{}, Figures{}, err
	}
	x.jobs.Notify()
	x.observe(Event{Status: StatusPending, Charged: e.Figures.CreditsCharged})
	x.log.InfoContext(ctx, "export created", "export_id", e.ID, "workspace_id", e.Workspace,
		"requested_count", e.Figures.RequestedCount, "credits_charged", e.Figures.CreditsCharged)
	return e, e.Figures, nil
}

// order is a request with what it resolved to.
type order struct {
	Request
	selection selection
	sort      string // as an export keeps it
	costMax   *int64 // what a quote has promised; nil without one
	warnings  []Warning
}

func (x *Exports) order(ctx context.Context, caller auth.Caller, r Request) (order, error) {
	if !r.Quote.IsZero() {
		return x.quoted(ctx, caller, r)
	}
	s, err := x.resolve(ctx, caller.Workspace, r)
	if err != nil {
		return order{}, err
	}
	warnings, err := index.Warnings(ctx, x.index, r.Query)
	if err != nil {
		return order{}, err
	}
	if len(s.numbers) == 0 {
		return order{}, noCandidates(r, warnings)
	}
	o := order{Request: r, selection: s, warnings: warnings}
	if r.Source == SourceSearch {
		o.sort = r.Sort.String()
	}
	return o, nil
}

func (o order) export(caller auth.Caller) Export {
	return Export{
		ID: id.New[id.Export](), Workspace: caller.Workspace, Token: caller.Token, Person: caller.Person, Quote: o.Quote,
		Name: o.Name, Source: o.Source, List: o.List, Filters: o.Filters, Sort: o.sort, Terms: o.Terms,
		Format: o.Format, Options: o.Options, Status: StatusPending, CreatedAt: db.FromTime(db.Time(time.Now())), Warnings: o.warnings,
	}
}

// buy is the charge: under the workspace's lock it unlocks what is new, charges for exactly that, and writes down the
// export with its rows and its job.
func (x *Exports) buy(ctx context.Context, tx *db.Tx, e *Export, o order) error {
	balance, err := x.credit.Lock(ctx, tx, e.Workspace)
	if err != nil {
		return err
	}
	removed, seq, err := x.catalog.Hold(ctx, tx)
	if err != nil {
		return err
	}
	e.asOf = seq
	if o.selection, err = o.present(removed); err != nil {
		return err
	}
	split, err := x.unlock.Split(ctx, tx, e.Workspace, o.selection.set)
	if err != nil {
		return err
	}
	kept, err := o.settle(e, split.Owned, balance)
	if err != nil {
		return err
	}
	fresh, err := split.Add(ctx, tx, e.ID, kept.set)
	if err != nil {
		return err
	}
	if int64(fresh.Len()) != e.Figures.Cost {
		return fmt.Errorf("export %s unlocks %d companies for %d credits", e.ID, fresh.Len(), e.Figures.Cost)
	}
	if err := x.charge(ctx, tx, e); err != nil {
		return err
	}
	if e.Job, err = x.jobs.Enqueue(ctx, tx, JobKind, payload{e.ID.String()}); err != nil {
		return err
	}
	if err := insert(ctx, tx, e); err != nil {
		return err
	}
	return insertSelection(ctx, tx, e.ID, kept.numbers)
}

// present returns the selection without the companies that were removed since they were found: an import may have been
// taken back. A quote is sold as a whole or not at all.
func (o order) present(removed company.Set) (selection, error) {
	gone := o.selection.set.AndLen(removed)
	switch {
	case gone == 0:
		return o.selection, nil
	case o.costMax != nil:
		return selection{}, withdrawn(gone)
	case gone == len(o.selection.numbers):
		return selection{}, noCandidates(o.Request, o.warnings)
	}
	return o.selection.without(removed), nil
}

// settle fills in the figures and gives the rows of the file, or says why it cannot be bought.
func (o order) settle(e *Export, owned company.Set, balance int64) (kept selection, err error) {
	terms := o.Terms
	if o.costMax != nil {
		terms = terms.settled()
	}
	kept, e.Figures, err = terms.price(o.selection, owned, balance)
	switch {
	case err != nil:
		return selection{}, err
	case o.costMax != nil && e.Figures.Cost > *o.costMax:
		return selection{}, outdated(e.Figures.Cost, *o.costMax)
	}
	return kept, terms.refusal(kept, e.Figures)
}

// charge takes the cost; what costs nothing leaves no entry.
func (x *Exports) charge(ctx context.Context, tx *db.Tx, e *Export) error {
	if e.Figures.Cost == 0 {
		return nil
	}
	if err := token.CheckBudget(ctx, tx, e.Token, e.Figures.Cost, e.CreatedAt); err != nil {
		return err // a person has no budget of their own
	}
	entry, err := x.credit.Charge(ctx, tx, e.Workspace, e.Figures.Cost, chargeReference(e.ID), e.actor())
	if err != nil {
		return err
	}
	e.Figures.CreditsCharged, e.Figures.TransactionID = e.Figures.Cost, entry.ID
	return nil
}

func chargeReference(export id.Export) string { return fmt.Sprintf("export:%s:create", export) }

// actor is how the ledger names who created the export.
func (e *Export) actor() string { return auth.Caller{Token: e.Token, Person: e.Person}.Actor() }

package order

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// plan is what a run of an order exports.
type plan struct {
	order   Order
	request export.Request
	memory  memory      // what the order remembers after the run, but for what it delivers
	now     company.Set // for Left: what is in the source and owned
	undone  []id.Run    // runs whose export failed or was cancelled, so that the order forgets that it delivered something

	leftOfTotal  *int64 // what is left of MaxCreditsTotal, if that is what limits the run
	leftOfBudget *int64 // what is left of a budget, if that is what limits the run
}

// plan returns what a run would export now. Faults: Validation and NotFound, if the source can no longer be used.
func (x *Orders) plan(ctx context.Context, caller auth.Caller, o Order) (plan, error) {
	p := plan{order: o}
	var err error
	if p.request, err = parsed(o.Request); err != nil {
		return p, err
	}
	p.request.Terms.Order, p.request.Terms.Deliver = o.ID, string(o.Deliver)
	if !caller.Person.IsZero() { // a person chooses once for all runs
		wanted, err := x.Workspaces.Notifications(ctx, o.Workspace, caller.Person)
		if err != nil {
			return p, err
		}
		p.request.Notify = wanted.Exports
	}
	if err := x.remember(ctx, caller, &p); err != nil {
		return p, err
	}
	err = x.limit(ctx, caller, &p)
	return p, err
}

// remember sets what the run leaves out because the order knows it.
func (x *Orders) remember(ctx context.Context, caller auth.Caller, p *plan) error {
	if p.order.Deliver == All {
		return nil
	}
	var err error
	if p.memory, err = readMemory(ctx, x.DB.Read(), p.order.ID); err != nil {
		return err
	}
	undelivered, err := x.undelivered(ctx, p)
	if err != nil {
		return err
	}
	switch p.order.Deliver {
	case Changed:
		// The number is read first: what changes in the meantime is delivered now and again, rather than never.
		seq, err := x.Catalog.Seq(ctx)
		if err != nil {
			return err
		}
		changed, err := x.Catalog.ChangedSince(ctx, catalog.Moment{Seq: p.memory.seq})
		if err != nil {
			return err
		}
		p.memory = memory{seq, p.memory.companies.Minus(changed).Minus(undelivered)}
		p.request.Without = p.memory.companies
	case Left:
		if p.now, err = x.ownedMembers(ctx, caller, p.request); err != nil {
			return err
		}
		owned, err := x.Unlock.Owned(ctx, p.order.Workspace)
		if err != nil {
			return err
		}
		p.memory.companies = p.memory.companies.Or(undelivered)
		p.request.Instead = new(p.memory.companies.Minus(p.now).And(owned))
		p.request.Terms.OnlyOwned = true
	case Added, All:
		p.memory.companies = p.memory.companies.Minus(undelivered)
		p.request.Without = p.memory.companies
	}
	return nil
}

// ownedMembers returns what is in the source and owned by the workspace.
func (x *Orders) ownedMembers(ctx context.Context, caller auth.Caller, r export.Request) (company.Set, error) {
	owned, err := x.Unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return company.Set{}, err
	}
	return x.Exports.Members(ctx, caller, r, &owned)
}

// undelivered returns what the exports of earlier runs did not deliver after all, and notes these runs in the plan.
func (x *Orders) undelivered(ctx context.Context, p *plan) (all company.Set, err error) {
	type ended struct {
		run    id.Run
		export id.Export
	}
	runs, err := db.Collect(ctx, x.DB.Read(), func(row db.Row) (e ended, err error) {
		err = row.Scan(&e.run, &e.export)
		return e, err
	}, `SELECT r.id, r.export_id FROM order_run r JOIN export e ON e.id = r.export_id
		WHERE r.order_id = $1 AND r.taken_back = 0 AND e.status IN ('failed', 'cancelled')`, p.order.ID)
	if err != nil {
		return all, fmt.Errorf("read failed runs of order %s: %w", p.order.ID, err)
	}
	for _, e := range runs {
		set, err := export.Selected(ctx, x.DB.Read(), e.export)
		if err != nil {
			return all, err
		}
		all, p.undone = all.Or(set), append(p.undone, e.run)
	}
	return all, nil
}

// limit sets how much the run may cost.
func (x *Orders) limit(ctx context.Context, caller auth.Caller, p *plan) error {
	o, terms := p.order, &p.request.Terms
	terms.MaxCredits, terms.Partial = o.MaxCredits, o.AboveCap == Fill
	if o.MaxCreditsTotal != nil {
		if left := max(0, *o.MaxCreditsTotal-o.Spent); terms.MaxCredits == nil || left < *terms.MaxCredits {
			terms.MaxCredits, p.leftOfTotal = &left, &left
		}
	}
	if !terms.Partial {
		return nil
	}
	// A budget refuses a purchase as a whole, so an order that fills up stays within it.
	budget, err := x.Exports.BudgetLeft(ctx, caller)
	if err == nil && budget != nil && (terms.MaxCredits == nil || *budget < *terms.MaxCredits) {
		terms.MaxCredits, p.leftOfTotal, p.leftOfBudget = budget, nil, budget
	}
	return err
}

// explain returns the error of a run. What limits it may be something else than max_credits, which the error names.
func (p plan) explain(err error) error {
	switch {
	case fault.CodeOf(err) != fault.MaxCreditsExceeded:
	case p.leftOfTotal != nil:
		return fault.New(fault.MaxCreditsExceeded, "The run costs more than what is left of the limit of all runs: %s of %s credits. Nothing was charged.",
			humanize.Comma(*p.leftOfTotal), humanize.Comma(*p.order.MaxCreditsTotal))
	case p.leftOfBudget != nil:
		return fault.New(fault.TokenBudgetExceeded, "The budget of the token or member in whose name the order buys leaves %s credits, which cover no company. "+
			"Nothing was charged.", humanize.Comma(*p.leftOfBudget))
	}
	return err
}

// after returns what the order remembers after a run that delivered the companies.
func (p plan) after(delivered company.Set) memory {
	m := p.memory
	if p.order.Deliver == Left {
		m.companies = m.companies.Minus(delivered).Or(p.now)
	} else {
		m.companies = m.companies.Or(delivered)
	}
	return m
}

// Preview returns the order with what its next run would do now.
func (x *Orders) Preview(ctx context.Context, o Order) (Order, error) {
	next, err := x.next(ctx, o)
	if err != nil {
		code, message, refused := refusal(err)
		if !refused {
			return o, err
		}
		next = Next{Status: Skipped, Code: code, Message: message}
	}
	o.Next = &next
	return o, nil
}

func (x *Orders) next(ctx context.Context, o Order) (Next, error) {
	caller, err := x.callerOf(ctx, o)
	if err != nil {
		return Next{}, err
	}
	p, err := x.plan(ctx, caller, o)
	if err != nil {
		return Next{}, err
	}
	return x.nextOf(ctx, caller, p)
}

func (x *Orders) nextOf(ctx context.Context, caller auth.Caller, p plan) (Next, error) {
	preview, err := x.Exports.Preview(ctx, caller, p.request)
	if err != nil {
		return Next{}, err
	}
	n := Next{Preview: preview, Status: Exported}
	if preview.Refusal != nil {
		n.Status = Skipped
		if fault.CodeOf(preview.Refusal) == fault.NoCandidates {
			n.Status = NothingNew
		}
		n.Code, n.Message, _ = refusal(p.explain(preview.Refusal))
	}
	return n, nil
}

package importer

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/workspace"
)

// UndoOptions are what Undo needs.
type UndoOptions struct {
	Catalog    *catalog.Store
	Workspaces *workspace.Store
	Unlocks    *unlock.Store
	Lists      *list.Store
}

// Undo undoes an import, except for companies that an export has delivered or will deliver to any workspace, or that are on
// a list. A concurrent purchase either commits first, and its companies stay, or it leaves out the removed companies and
// does not charge for them.
func Undo(ctx context.Context, o UndoOptions, number int64) (catalog.Undone, error) {
	touched, err := o.Catalog.Touched(ctx, number)
	if err != nil {
		return catalog.Undone{}, err
	}
	keep, err := o.keep(ctx, touched)
	if err != nil {
		return catalog.Undone{}, err
	}
	return o.Catalog.Undo(ctx, number, keep)
}

// keep returns a function that returns those of the companies that are in use, as its transaction sees it.
func (o UndoOptions) keep(ctx context.Context, touched company.Set) (func(context.Context, *db.Tx) (company.Set, error), error) {
	holders, err := o.Unlocks.Holders(ctx, touched)
	if err != nil {
		return nil, err
	}
	// The lists need no lock: being on one costs nothing, and a purchase from a list leaves out removed companies.
	listed, err := o.onLists(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *db.Tx) (company.Set, error) {
		held, err := holders.Held(ctx, tx)
		return held.Or(listed), err
	}, nil
}

// Split undoes one merge of an import. A company that an export has delivered or will deliver, or that is on a list, keeps its
// values; the row becomes a company of its own all the same.
func Split(ctx context.Context, o UndoOptions, number int64, position int) (catalog.Split, error) {
	touched, err := o.Catalog.Touched(ctx, number)
	if err != nil {
		return catalog.Split{}, err
	}
	keep, err := o.keep(ctx, touched)
	if err != nil {
		return catalog.Split{}, err
	}
	return o.Catalog.Split(ctx, number, position, keep)
}

// UndoPreview is what Undo would do.
type UndoPreview struct {
	Removed     int // companies
	Restored    int // companies, to their previous records
	Connections int // removed
	Kept        []Kept
}

// Kept are the companies that an undo keeps for one reason.
type Kept struct {
	Reason  string // follows "that": "an export has delivered or will deliver"
	Count   int
	Samples []*company.Company // the first few
}

const keptShown = 5

// PreviewUndo returns what Undo would do, and writes nothing.
func PreviewUndo(ctx context.Context, o UndoOptions, number int64) (UndoPreview, error) {
	touched, err := o.Catalog.Touched(ctx, number)
	if err != nil {
		return UndoPreview{}, err
	}
	holders, err := o.Unlocks.Holders(ctx, touched)
	if err != nil {
		return UndoPreview{}, err
	}
	held := holders.All()
	listed, err := o.onLists(ctx)
	if err != nil {
		return UndoPreview{}, err
	}
	found, err := o.Catalog.PreviewUndo(ctx, number, held.Or(listed))
	if err != nil {
		return UndoPreview{}, err
	}
	p := UndoPreview{Removed: found.Removed, Restored: found.Restored, Connections: found.Connections}
	for _, kept := range []struct {
		reason string
		set    company.Set
	}{
		{"an export has delivered or will deliver", found.InUse.And(held)},
		{"are on a list", found.InUse.Minus(held)},
		{"another import has changed since", found.Changed},
	} {
		if kept.set.IsEmpty() {
			continue
		}
		first := make([]company.Number, 0, keptShown)
		for n := range kept.set.All() {
			if first = append(first, n); len(first) == keptShown {
				break
			}
		}
		samples, err := o.Catalog.ByNumbers(ctx, first)
		if err != nil {
			return UndoPreview{}, err
		}
		p.Kept = append(p.Kept, Kept{kept.reason, kept.set.Len(), samples})
	}
	return p, nil
}

const listsPage = 200

func (o UndoOptions) onLists(ctx context.Context) (company.Set, error) {
	var all company.Set
	workspaces, err := o.Workspaces.List(ctx)
	if err != nil {
		return all, err
	}
	for _, w := range workspaces {
		set, err := o.listValue(ctx, w.ID)
		if err != nil {
			return all, err
		}
		all = all.Or(set)
	}
	return all, nil
}

func (o UndoOptions) listValue(ctx context.Context, ws id.Workspace) (company.Set, error) {
	var all company.Set
	var last id.List
	for {
		lists, err := o.Lists.List(ctx, ws, last, listsPage)
		if err != nil {
			return all, fmt.Errorf("lists of workspace %s: %w", ws, err)
		}
		for _, l := range lists {
			set, err := o.Lists.Companies(ctx, ws, l.ID)
			if err != nil {
				return all, err
			}
			all, last = all.Or(set), l.ID
		}
		if len(lists) < listsPage {
			return all, nil
		}
	}
}

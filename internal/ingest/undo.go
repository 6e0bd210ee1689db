package ingest

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/workspace"
)

// UndoOptions is what Undo works on.
type UndoOptions struct {
	Catalog    *catalog.Book
	Workspaces *workspace.Book
	Unlocks    *unlock.Book
	Lists      *list.Book
}

// Undo takes an import back, but for the companies that an export has delivered to any workspace, or that are on a list.
func Undo(ctx context.Context, o UndoOptions, number int64) (catalog.Undone, error) {
	return o.Catalog.Undo(ctx, number, o.used)
}

const listsPage = 200

// used are the companies that somebody has bought or listed.
func (o UndoOptions) used(ctx context.Context) (company.Set, error) {
	var used company.Set
	workspaces, err := o.Workspaces.List(ctx)
	if err != nil {
		return used, err
	}
	for _, w := range workspaces {
		owned, err := o.Unlocks.Owned(ctx, w.ID)
		if err != nil {
			return used, err
		}
		listed, err := o.listed(ctx, w.ID)
		if err != nil {
			return used, err
		}
		used = used.Or(owned).Or(listed)
	}
	return used, nil
}

func (o UndoOptions) listed(ctx context.Context, ws id.Workspace) (company.Set, error) {
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

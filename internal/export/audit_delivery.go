package export

import (
	"context"
	"errors"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// deliveries proves, of each workspace, that what it has paid for is what its exports deliver that neither failed nor
// were cancelled: nothing that no file holds, nothing that the catalog holds no more, and nothing for free.
func (a *auditor) deliveries(
	ctx context.Context, q db.Querier, owned func(id.Workspace) (company.Set, error), removed company.Set,
) error {
	workspaces, err := workspacesOf(ctx, q)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		paid, err := owned(ws)
		var delivers company.Set
		if err == nil {
			delivers, err = delivered(ctx, q, ws)
		}
		if errors.Is(err, company.ErrSet) || errors.Is(err, errSelection) {
			a.find(ws, id.Export{}, "what it has paid for cannot be compared with what its exports deliver: %v", err)
			continue
		}
		if err != nil {
			return err
		}
		if n := paid.Minus(delivers).Len(); n > 0 {
			a.find(ws, id.Export{}, "%d companies are paid for, but no export delivers them", n)
		}
		if n := paid.AndLen(removed); n > 0 {
			a.find(ws, id.Export{}, "%d companies are paid for, but were removed from the catalog", n)
		}
		if n := delivers.Minus(paid).Len(); n > 0 {
			a.find(ws, id.Export{}, "%d companies are delivered by exports, but not paid for", n)
		}
	}
	return nil
}

func workspacesOf(ctx context.Context, q db.Querier) (all []id.Workspace, err error) {
	rows, err := q.QueryContext(ctx, `SELECT workspace_id FROM export UNION SELECT workspace_id FROM unlock_delta`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var ws id.Workspace
		if err := rows.Scan(&ws); err != nil {
			return nil, err
		}
		all = append(all, ws)
	}
	return all, rows.Err()
}

// delivered is what the workspace's exports have delivered or will.
func delivered(ctx context.Context, q db.Querier, ws id.Workspace) (_ company.Set, err error) {
	rows, err := q.QueryContext(ctx, `SELECT companies FROM export JOIN export_selection ON export_id = export.id
		WHERE workspace_id = $1 AND status IN ('pending', 'processing', 'completed')`, ws)
	if err != nil {
		return company.Set{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := roaring.New()
	for rows.Next() {
		var packed []byte
		if err := rows.Scan(&packed); err != nil {
			return company.Set{}, err
		}
		numbers, err := unpackNumbers(packed)
		if err != nil {
			return company.Set{}, err
		}
		all.Or(company.SetOf(numbers...).Bitmap())
	}
	return company.SetFrom(all), rows.Err()
}

package export

import (
	"context"
	"errors"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// deliveries checks for each workspace that it has paid for exactly the companies that its exports deliver. Failed and
// cancelled exports deliver nothing. Nothing paid for may be missing from the catalog.
func (a *auditor) deliveries(
	ctx context.Context, q db.Querier, owned func(id.Workspace) (company.Set, error), removed company.Set,
) error {
	workspaces, err := db.Collect(ctx, q, db.Value[id.Workspace],
		`SELECT workspace_id FROM export UNION SELECT workspace_id FROM unlock_delta`)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		paid, err := owned(ws)
		var delivers company.Set
		if err == nil {
			delivers, err = delivered(ctx, q, ws)
		}
		if errors.Is(err, company.ErrSet) || errors.Is(err, company.ErrNumbers) {
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

// delivered returns the companies that the workspace's exports have delivered or will deliver.
func delivered(ctx context.Context, q db.Querier, ws id.Workspace) (company.Set, error) {
	all := roaring.New()
	err := db.Each(ctx, q, func(row db.Row) error {
		packed, err := db.Value[[]byte](row)
		if err != nil {
			return err
		}
		numbers, err := company.UnpackNumbers(packed)
		if err != nil {
			return err
		}
		all.Or(company.SetOf(numbers...).Bitmap())
		return nil
	}, `SELECT companies FROM export JOIN export_selection ON export_id = export.id
		WHERE workspace_id = $1 AND status IN ('pending', 'processing', 'completed')`, ws)
	return company.SetFrom(all), err
}

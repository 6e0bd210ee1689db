package unlock

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Add unlocks what the workspace does not have of selected, and gives exactly that: what is to be paid for. The
// workspace's account must be locked in tx. Nothing is written if nothing is fresh.
func (b *Book) Add(
	ctx context.Context, tx *db.Tx, ws id.Workspace, export id.Export, selected company.Set,
) (company.Set, error) {
	fresh, err := b.change(ctx, tx, ws, delta{change: adds, export: export, companies: selected})
	if err != nil {
		return company.Set{}, fmt.Errorf("unlock for export %s: %w", export, err)
	}
	return fresh, nil
}

// Within is what the workspace has of selected, as tx sees it. It writes nothing.
func (b *Book) Within(ctx context.Context, tx *db.Tx, ws id.Workspace, selected company.Set) (company.Set, error) {
	o, unseen, err := b.read(ctx, tx, ws)
	if err != nil {
		return company.Set{}, fmt.Errorf("read unlocks of workspace %s: %w", ws, err)
	}
	owned, _, err := o.within(selected, unseen)
	return owned, err
}

// Remove takes back what the workspace has of companies, on behalf of the export that is refunded, and gives exactly
// that; a second call finds nothing. The workspace's account must be locked in tx.
func (b *Book) Remove(
	ctx context.Context, tx *db.Tx, ws id.Workspace, export id.Export, companies company.Set,
) (company.Set, error) {
	taken, err := b.change(ctx, tx, ws, delta{change: takes, export: export, companies: companies})
	if err != nil {
		return company.Set{}, fmt.Errorf("take back unlocks of export %s: %w", export, err)
	}
	return taken, nil
}

// ByExport is what the export has unlocked and not given back, as q sees it.
func (b *Book) ByExport(ctx context.Context, q db.Querier, ws id.Workspace, export id.Export) (company.Set, error) {
	deltas, err := readExport(ctx, q, ws, export)
	if err != nil {
		return company.Set{}, fmt.Errorf("read unlocks of export %s: %w", export, err)
	}
	sum := roaring.New()
	for _, d := range deltas {
		d.applyTo(sum)
	}
	return company.SetFrom(sum), nil
}

// change appends the delta, reduced to the companies that it does change, and gives these. The sum in memory follows
// after the commit; a transaction that is rolled back leaves it alone.
func (b *Book) change(ctx context.Context, tx *db.Tx, ws id.Workspace, d delta) (company.Set, error) {
	o, unseen, err := b.read(ctx, tx, ws)
	if err != nil {
		return company.Set{}, err
	}
	owned, seq, err := o.within(d.companies, unseen)
	if err != nil {
		return company.Set{}, err
	}
	if d.change == takes {
		d.companies = owned
	} else {
		d.companies = d.companies.Minus(owned)
	}
	if d.companies.IsEmpty() {
		return company.Set{}, nil
	}
	d.seq, d.createdAt = seq+1, db.FromTime(db.Time(time.Now()))
	if err := appendDelta(ctx, tx, ws, d); err != nil {
		return company.Set{}, err
	}
	tx.OnCommit(func() { b.committed(o, append(unseen, d)) })
	return d.companies, nil
}

func (b *Book) committed(o *owned, seen []delta) {
	if err := o.absorb(seen); err != nil {
		b.cache.drop(o) // the next reader starts from the database
		return
	}
	b.cache.settle(o)
}

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

// Split is a selection compared with what the workspace owns, as one transaction sees it.
type Split struct {
	Owned company.Set // the part of the selection that the workspace owns

	store     *Store
	workspace id.Workspace
	selected  company.Set
	sum       *owned
	unseen    []delta
	seq       int64
}

// Split finds which of the selected companies the workspace owns, for purchases that need to know before they buy. The
// workspace's account must be locked in tx.
func (s *Store) Split(ctx context.Context, tx *db.Tx, ws id.Workspace, selected company.Set) (Split, error) {
	split := Split{store: s, workspace: ws, selected: selected}
	var err error
	if split.sum, split.unseen, err = s.read(ctx, tx, ws); err == nil {
		split.Owned, split.seq, err = split.sum.within(selected, split.unseen)
	}
	if err != nil {
		return Split{}, fmt.Errorf("split selection of workspace %s: %w", ws, err)
	}
	return split, nil
}

// Add unlocks the companies of kept that the workspace does not own and returns exactly these: the ones to pay for. kept
// must be the selection or a part of it. Add writes nothing for an empty set. It can be called once, in the transaction
// of Split.
func (s Split) Add(ctx context.Context, tx *db.Tx, export id.Export, kept company.Set) (company.Set, error) {
	fresh := kept.And(s.selected).Minus(s.Owned)
	if err := s.append(ctx, tx, delta{change: adds, export: export, companies: fresh}); err != nil {
		return company.Set{}, fmt.Errorf("unlock for export %s: %w", export, err)
	}
	return fresh, nil
}

// append writes the delta unless it is empty. The sum in memory changes after the commit, and not at all if the
// transaction is rolled back.
func (s Split) append(ctx context.Context, tx *db.Tx, d delta) error {
	if d.companies.IsEmpty() {
		return nil
	}
	d.seq, d.createdAt = s.seq+1, db.FromTime(db.Time(time.Now()))
	if err := appendDelta(ctx, tx, s.workspace, d); err != nil {
		return err
	}
	tx.OnCommit(func() { s.store.committed(s.sum, append(s.unseen, d)) })
	return nil
}

// Add is Split followed by Split.Add for all selected companies.
func (s *Store) Add(
	ctx context.Context, tx *db.Tx, ws id.Workspace, export id.Export, selected company.Set,
) (company.Set, error) {
	split, err := s.Split(ctx, tx, ws, selected)
	if err != nil {
		return company.Set{}, err
	}
	return split.Add(ctx, tx, export, selected)
}

// Remove takes back the companies that the workspace owns, on behalf of the export that is refunded, and returns exactly
// these. A second call finds none. The workspace's account must be locked in tx.
func (s *Store) Remove(
	ctx context.Context, tx *db.Tx, ws id.Workspace, export id.Export, companies company.Set,
) (company.Set, error) {
	split, err := s.Split(ctx, tx, ws, companies)
	if err != nil {
		return company.Set{}, err
	}
	if err := split.append(ctx, tx, delta{change: takes, export: export, companies: split.Owned}); err != nil {
		return company.Set{}, fmt.Errorf("take back unlocks of export %s: %w", export, err)
	}
	return split.Owned, nil
}

// ByExport returns what the export has unlocked and not given back, as q sees it.
func (s *Store) ByExport(ctx context.Context, q db.Querier, ws id.Workspace, export id.Export) (company.Set, error) {
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

func (s *Store) committed(o *owned, seen []delta) {
	if err := o.absorb(seen); err != nil {
		s.cache.drop(o) // the next reader starts from the database
		return
	}
	s.cache.settle(o)
}

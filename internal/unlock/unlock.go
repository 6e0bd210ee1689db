// Package unlock knows which companies a workspace has paid for: an append-only log of sets, and their sum in memory.
// It knows neither prices nor what an export delivers.
package unlock

import (
	"cmp"
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Options are the settings of a Store; the zero value has good defaults.
type Options struct {
	CacheBytesMax int64 // of the sets kept in memory; the least recently used are dropped first. Defaults to 256 MiB
	SnapshotEvery int64 // deltas between two snapshots of a workspace. Defaults to 200
}

// Store keeps what each workspace has unlocked. Safe for concurrent use, also by several processes on one database.
type Store struct {
	db            *db.DB
	cache         *cache
	snapshotEvery int64
}

// New returns a store on d; it reads nothing yet.
func New(d *db.DB, o Options) *Store {
	return &Store{
		db:            d,
		cache:         newCache(cmp.Or(o.CacheBytesMax, 256<<20)),
		snapshotEvery: cmp.Or(o.SnapshotEvery, 200),
	}
}

// Owned returns the companies that the workspace has unlocked at the time of the call or later, on any node.
func (s *Store) Owned(ctx context.Context, ws id.Workspace) (company.Set, error) {
	set, _, err := s.owned(ctx, ws)
	return set, err
}

// Delivered returns what Owned returns, without the companies that an unfinished export has unlocked: until its file is complete,
// the export can be cancelled, and its companies are given back.
func (s *Store) Delivered(ctx context.Context, ws id.Workspace) (company.Set, error) {
	before, err := s.unfinished(ctx, ws)
	if err != nil {
		return company.Set{}, err
	}
	owned, err := s.Owned(ctx, ws)
	if err != nil {
		return company.Set{}, err
	}
	// Asked again, because an export may have begun in the meantime; one that was cancelled since is in before.
	after, err := s.unfinished(ctx, ws)
	return owned.Minus(before).Minus(after), err
}

// unfinished returns what the unfinished exports of the workspace have unlocked.
func (s *Store) unfinished(ctx context.Context, ws id.Workspace) (company.Set, error) {
	const query = `SELECT ` + deltaColumns + ` FROM unlock_delta WHERE workspace_id = $1 AND change = 1
		AND export_id IN (SELECT id FROM export WHERE workspace_id = $1 AND status IN ('pending', 'processing'))`
	deltas, err := db.Collect(ctx, s.db.Read(), scan, query, ws)
	if err != nil {
		return company.Set{}, fmt.Errorf("read unlocks of unfinished exports of workspace %s: %w", ws, err)
	}
	var all company.Set
	for _, d := range deltas {
		all = all.Or(d.companies)
	}
	return all, nil
}

// owned also returns the number of the last delta in the set.
func (s *Store) owned(ctx context.Context, ws id.Workspace) (company.Set, int64, error) {
	o, unseen, err := s.read(ctx, s.db.Read(), ws)
	if err != nil {
		return company.Set{}, 0, fmt.Errorf("read unlocks of workspace %s: %w", ws, err)
	}
	if err := o.absorb(unseen); err != nil {
		return company.Set{}, 0, err
	}
	s.cache.settle(o)
	set, seq := o.view()
	return set, seq, nil
}

// read returns the cached set and the deltas that q sees beyond it. It holds no mutex while it queries the database: on
// PostgreSQL every connection may be waiting for the lock of the caller's transaction.
func (s *Store) read(ctx context.Context, q db.Querier, ws id.Workspace) (*owned, []delta, error) {
	o := s.cache.get(ws)
	if !o.isLoaded() {
		snapshot, err := readSnapshot(ctx, q, ws)
		if err != nil {
			return nil, nil, err
		}
		o.load(snapshot)
	}
	unseen, err := readDeltas(ctx, q, ws, o.position())
	return o, unseen, err
}

// Package unlock knows which companies a workspace has paid for: an append-only log of sets, and their sum in memory.
// It knows neither prices nor what an export delivers.
package unlock

import (
	"cmp"
	"context"
	"fmt"
	"time"

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

// Delivered returns the companies that the workspace owns and that a completed export delivers. Until its file is complete, an export
// can be cancelled, and its companies are given back.
func (s *Store) Delivered(ctx context.Context, ws id.Workspace) (company.Set, error) {
	before, err := s.undelivered(ctx, ws)
	if err != nil {
		return company.Set{}, err
	}
	owned, err := s.Owned(ctx, ws)
	if err != nil {
		return company.Set{}, err
	}
	// Asked again, because an export may have begun in the meantime; one that was cancelled since is in before.
	after, err := s.undelivered(ctx, ws)
	return owned.Minus(before).Minus(after), err
}

// undelivered returns the companies that unfinished exports will deliver, and that no completed export has paid for or delivered. Who
// paid matters, because a company can be bought by one export and delivered by another, which got it for free, after the first was
// cancelled.
func (s *Store) undelivered(ctx context.Context, ws id.Workspace) (company.Set, error) {
	// One statement, so that each export is in one state for both of its parts.
	const query = `
		SELECT d.seq, d.change, d.created_at, d.companies FROM unlock_delta d JOIN export e ON e.id = d.export_id
		WHERE d.workspace_id = $1 AND e.status <> 'completed'
			AND EXISTS (SELECT 1 FROM export WHERE workspace_id = $1 AND status IN ('pending', 'processing'))
		UNION ALL
		SELECT 0, 0, 0, s.companies FROM export_selection s JOIN export e ON e.id = s.export_id
		WHERE e.workspace_id = $1 AND e.status IN ('pending', 'processing')
		ORDER BY 1`
	var paid, promised company.Set
	var added []delta
	err := db.Each(ctx, s.db.Read(), func(row db.Row) error {
		var d delta
		var created int64
		var packed []byte
		if err := row.Scan(&d.seq, &d.change, &created, &packed); err != nil {
			return err
		}
		if d.change == 0 {
			numbers, err := company.UnpackNumbers(packed)
			promised = promised.Or(company.SetOf(numbers...))
			return err
		}
		var err error
		if d.companies, err = company.ParseSet(packed); err != nil {
			return err
		}
		if d.createdAt = db.FromTime(created); d.change == takes {
			paid = paid.Minus(d.companies)
			return nil
		}
		paid, added = paid.Or(d.companies), append(added, d)
		return nil
	}, query, ws)
	if err != nil {
		return company.Set{}, fmt.Errorf("read unlocks of unfinished exports of workspace %s: %w", ws, err)
	}
	left := paid.And(promised)
	for _, d := range added { // the first ones are the oldest
		if d.companies.AndLen(left) > 0 {
			return s.withoutCompleted(ctx, ws, d, left)
		}
	}
	return left, nil
}

// clockSkewMax is how far apart the clocks of two servers may be. If it is more, a company may be shown late.
const clockSkewMax = 5 * time.Minute

// withoutCompleted leaves out what completed exports have delivered that got it for free after the oldest of the companies was bought.
func (s *Store) withoutCompleted(ctx context.Context, ws id.Workspace, oldest delta, left company.Set) (company.Set, error) {
	const query = `SELECT s.companies FROM export e JOIN export_selection s ON s.export_id = e.id
		WHERE e.workspace_id = $1 AND e.status = 'completed' AND e.already_unlocked > 0
			AND e.created_at >= $2 AND (e.unlock_seq >= $3 OR e.unlock_seq = 0)`
	err := db.Each(ctx, s.db.Read(), func(row db.Row) error {
		var packed []byte
		if err := row.Scan(&packed); err != nil {
			return err
		}
		numbers, err := company.UnpackNumbers(packed)
		left = left.Minus(company.SetOf(numbers...))
		return err
	}, query, ws, db.Time(oldest.createdAt.Add(-clockSkewMax)), oldest.seq)
	if err != nil {
		return company.Set{}, fmt.Errorf("read what completed exports of workspace %s deliver: %w", ws, err)
	}
	return left, nil
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

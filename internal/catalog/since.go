package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
)

// Moment is a point in the catalog's sequence: what has a higher sequence number came later.
type Moment struct {
	Seq    uint64
	number int64 // the first number that a later company can have; 0 if that is not known
}

// MomentAt returns the moment before the first change at the time or later. Validation for a time before the catalog began to keep
// times, which is when a catalog of an older version was upgraded.
func (s *Store) MomentAt(ctx context.Context, t time.Time) (Moment, error) {
	const q = `SELECT seq, next_number, moments_after, moments_from,
		(SELECT MIN(seq) FROM catalog_moment WHERE at >= $1), (SELECT MIN(number) FROM catalog_moment WHERE at >= $1)
		FROM catalog_state WHERE id = 1`
	var now, next, after, from int64
	var first, number sql.NullInt64
	if err := s.db.Read().QueryRowContext(ctx, q, db.Time(t)).Scan(&now, &next, &after, &from, &first, &number); err != nil {
		return Moment{}, fmt.Errorf("find moment of the catalog: %w", err)
	}
	switch {
	case after > 0 && db.Time(t) < from:
		return Moment{}, fault.Invalid(fault.FieldError{Message: "is before " + db.FromTime(from).Format(time.RFC3339) + ", from which on the catalog keeps times"})
	case !first.Valid:
		return Moment{uint64(now), next}, nil //nolint:gosec // counts from 0
	}
	return Moment{uint64(first.Int64 - 1), number.Int64}, nil //nolint:gosec // counts from 1
}

// MomentOf returns the moment of a sequence number.
func (s *Store) MomentOf(ctx context.Context, seq uint64) (Moment, error) {
	const q = `SELECT next_number, moments_after, (SELECT number FROM catalog_moment WHERE seq > $1 ORDER BY seq LIMIT 1)
		FROM catalog_state WHERE id = 1`
	var next, after int64
	var number sql.NullInt64
	if err := s.db.Read().QueryRowContext(ctx, q, seq).Scan(&next, &after, &number); err != nil {
		return Moment{}, fmt.Errorf("find moment of the catalog: %w", err)
	}
	switch {
	case seq < uint64(after): //nolint:gosec // counts from 0
		return Moment{Seq: seq}, nil
	case !number.Valid:
		return Moment{seq, next}, nil
	}
	return Moment{seq, number.Int64}, nil
}

// AddedSince returns the companies that came into the catalog after the moment. Validation if it is before the catalog began to keep
// times.
func (s *Store) AddedSince(ctx context.Context, m Moment) (company.Set, error) {
	if m.number == 0 {
		return company.Set{}, fault.Invalid(fault.FieldError{Message: "is too old: the catalog did not keep times then"})
	}
	_, next, err := state(ctx, s.db.Read(), "")
	if err != nil {
		return company.Set{}, err
	}
	added := roaring.New()
	added.AddRange(uint64(m.number), next) //nolint:gosec // counts from 1
	return company.SetFrom(added), nil
}

// ChangedSince returns the companies that were added after the moment, or whose data or connections changed after it.
func (s *Store) ChangedSince(ctx context.Context, m Moment) (company.Set, error) {
	seq, next, err := state(ctx, s.db.Read(), "")
	if err != nil {
		return company.Set{}, err
	}
	known := s.changed.get(m.Seq)
	if known.upTo == seq {
		return known.companies, nil
	}
	var unchanged bool
	const older = `SELECT EXISTS (SELECT 1 FROM company WHERE seq <= $1)`
	if err := s.db.Read().QueryRowContext(ctx, older, m.Seq).Scan(&unchanged); err != nil {
		return company.Set{}, fmt.Errorf("find changed companies: %w", err)
	}
	changed := roaring.New()
	if unchanged {
		// Without an upper bound: a company that changes again in the meantime must not be missed.
		const q = `SELECT number FROM company WHERE seq > $1`
		err = db.Each(ctx, s.db.Read(), func(row db.Row) error {
			var n uint32
			err := row.Scan(&n)
			changed.Add(n)
			return err
		}, q, max(m.Seq, known.upTo))
	} else {
		changed.AddRange(1, next)
	}
	if err != nil {
		return company.Set{}, fmt.Errorf("find changed companies: %w", err)
	}
	found := changedSet{from: m.Seq, upTo: seq, companies: known.companies.Or(company.SetFrom(changed))}
	s.changed.put(found)
	return found.companies, nil
}

// changedCache holds the companies that changed after some moments, the latest asked for first, so that pages of a search need not
// read all of them again.
type changedCache struct {
	mu     sync.Mutex
	recent []changedSet
}

// changedSet is what changed after from, up to upTo.
type changedSet struct {
	from, upTo uint64
	companies  company.Set
}

const changedSetsMax = 16

// get returns what is known of the changes after from.
func (c *changedCache) get(from uint64) changedSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.recent, func(one changedSet) bool { return one.from == from }); i >= 0 {
		return c.recent[i]
	}
	return changedSet{from: from, upTo: from}
}

func (c *changedCache) put(found changedSet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = slices.DeleteFunc(c.recent, func(one changedSet) bool { return one.from == found.from })
	c.recent = slices.Insert(c.recent, 0, found)
	c.recent = c.recent[:min(len(c.recent), changedSetsMax)]
}

package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencapi/capi/internal/db"
)

// Loader adds the batches of an import. If the catalog was empty, it knows which keys the companies have, and does not look for others.
// While nobody else needs the database, it stores the keys of new companies later, in the order of the keys: those of a batch are all over
// the table, so that each batch would write most of its pages again. Not safe for concurrent use.
type Loader struct {
	store   *Store
	seq     uint64       // of the catalog after the last batch; with another one, somebody else has changed the catalog
	known   *keyFilter   // has the keys of all companies; nil if the catalog was not empty
	waiting *waitingKeys // nil if all keys are stored
	direct  bool         // whether all keys are stored at once, because batches look for many of them in the database
	most    int          // of waiting keys
}

// waitingMax is the number of keys of about a million companies, in 48 MB.
const waitingMax = 3_000_000

// NewLoader returns a loader. Its Settle must be called after the last batch.
func (s *Store) NewLoader() *Loader { return &Loader{store: s, seq: noSeq, most: waitingMax} }

// Put is Store.Put. alone says that nobody else needs the database at the moment.
func (l *Loader) Put(ctx context.Context, source *Source, batch []Incoming, alone bool) (Report, error) {
	if !alone {
		if err := l.Settle(ctx, alone); err != nil {
			return Report{}, err
		}
	}
	p, err := l.store.put(ctx, source, batch, func(p *put) error { return l.prepare(ctx, p, alone) })
	if err != nil {
		return Report{}, err
	}
	l.add(p)
	l.direct = l.direct || p.crowded
	others := p.waiting == nil && p.after != allKeys // have left keys
	if others || l.waiting != nil && (l.direct || l.waiting.size >= l.most) {
		err = l.Settle(ctx, alone)
	}
	return p.report, err
}

// prepare tells a Put what the loader knows, and whether to store the keys later.
func (l *Loader) prepare(ctx context.Context, p *put, alone bool) (err error) {
	if p.after, err = keysAfter(ctx, p.tx, p.tx.Dialect); err != nil {
		return err
	}
	switch {
	case p.next == 1:
		p.known = &keyFilter{}
	case p.seq-1 == l.seq:
		p.known = l.known
		if w := l.waiting; w != nil && w.after == p.after {
			p.waiting = w
		}
	}
	if !alone || l.direct || p.tx.Name() != "sqlite" {
		return nil
	}
	if p.waiting == nil && p.after == allKeys {
		// Connections that wait for a company look for it in the database.
		if l.direct, err = isPending(ctx, p.tx); l.direct || err != nil {
			return err
		}
		p.waiting = &waitingKeys{after: int64(p.next) - 1} //nolint:gosec // a number has 32 bits
	}
	p.later = p.waiting != nil
	return nil
}

// add records which keys the batch has added.
func (l *Loader) add(p *put) {
	l.seq, l.known, l.waiting = p.seq-1, p.known, p.waiting
	if p.dirty {
		l.seq = p.seq
	}
	var added, changed []companyKey
	for _, e := range p.toWrite {
		if p.isNew(&e.row) {
			added = appendKeys(added, &e.row)
			continue
		}
		changed = appendKeys(changed, &e.row)
		if n := int64(e.row.number); l.waiting != nil && n > l.waiting.after {
			l.waiting.changed = append(l.waiting.changed, n)
		}
	}
	if l.known != nil {
		l.known.add(added)
		l.known.add(changed)
	}
	if p.later {
		l.waiting.add(added)
	}
	if l.waiting != nil && l.waiting.size == 0 {
		l.waiting = nil
	}
}

// Settle stores the keys that wait. alone is as for Put.
func (l *Loader) Settle(ctx context.Context, alone bool) error {
	if l.seq == noSeq {
		return nil // it has put nothing
	}
	w := l.waiting
	l.waiting = nil
	if w != nil {
		if err := l.storeWaiting(ctx, w, alone); err != nil && !errors.Is(err, errOtherWriter) {
			return fmt.Errorf("store keys: %w", err)
		}
	}
	_, err := l.store.StoreKeys(ctx, alone)
	return err
}

var errOtherWriter = errors.New("another writer has changed the catalog")

// storeWaiting stores the keys in order, in several transactions. If another writer interferes, StoreKeys has to store the rest.
func (l *Loader) storeWaiting(ctx context.Context, w *waitingKeys, alone bool) error {
	step := func(fn func(*db.Tx) error) error {
		return l.store.step(ctx, alone, func(tx *db.Tx) error {
			seq, _, err := state(ctx, tx, "")
			if err != nil {
				return err
			}
			after, err := keysAfter(ctx, tx, tx.Dialect)
			if err != nil {
				return err
			}
			if seq != l.seq || after != w.after {
				return errOtherWriter
			}
			return fn(tx)
		})
	}
	changed := distinct(w.changed)
	for part := range w.parts(stepKeys(alone)) {
		part = slices.DeleteFunc(part, func(k companyKey) bool {
			_, found := slices.BinarySearch(changed, int64(k.number))
			return found
		})
		if err := step(func(tx *db.Tx) error { return insertKeys(ctx, tx, "company_key_old", part) }); err != nil {
			return err
		}
	}
	for part := range chunks(changed, stepKeys(alone)/stepShare) {
		if err := step(func(tx *db.Tx) error { return storeKeysOf(ctx, tx, `number `+tx.InNumbers("$1"), numberArray(part)) }); err != nil {
			return err
		}
	}
	return step(func(tx *db.Tx) error { return setKeysAfter(ctx, tx, allKeys) })
}

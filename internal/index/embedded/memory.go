package embedded

import (
	"slices"
	"sync"
	"time"
)

// memory keeps the snapshots that cursors name.
type memory struct {
	mu    sync.Mutex
	kept  map[uint64]*kept
	order []*kept // by the moment of the first cursor, oldest first
}

type kept struct {
	snapshot *snapshot
	until    time.Time
}

// keep remembers the snapshot for as long as the options say, and forgets the oldest if it is one too many.
func (m *memory) keep(s *snapshot, now time.Time, o Options) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[uint64]*kept{}
	}
	if k := m.kept[s.id]; k != nil {
		k.until = now.Add(o.Remember)
	} else {
		k = &kept{s, now.Add(o.Remember)}
		m.kept[s.id] = k
		m.order = append(m.order, k)
	}
	if len(m.kept) > o.RememberMax {
		m.forgetOldest(now)
	}
}

func (m *memory) forgetOldest(now time.Time) {
	oldest := slices.MinFunc(m.order, func(a, b *kept) int { return a.until.Compare(b.until) })
	oldest.until = now
	m.drop(now)
}

// forget lets go of what is over.
func (m *memory) forget(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.order) > 0 && m.order[0].until.Before(now) {
		m.drop(now)
	}
}

// drop removes what is over by now.
func (m *memory) drop(now time.Time) {
	rest := m.order[:0]
	for _, k := range m.order {
		if k.until.After(now) {
			rest = append(rest, k)
		} else {
			delete(m.kept, k.snapshot.id)
		}
	}
	clear(m.order[len(rest):])
	m.order = rest
}

// recall is the snapshot, nil if it is forgotten.
func (m *memory) recall(id uint64, now time.Time) *snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.kept[id]; k != nil && k.until.After(now) {
		return k.snapshot
	}
	return nil
}

func (m *memory) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.kept)
	m.order = nil
}

package embedded

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// A cursor consists of: version, the index's instance, the snapshot's id, the sort, the last entry's number and key; for
// names also the name's first bytes, for relevance the statistics and weights that the first page was ranked with; a CRC-32C
// of all that.
// Versions: 1; 2 adds the statistics and weights.
const (
	cursorVersion  = 2
	cursorSize     = 1 + 16 + 8 + 1 + 1 + 4 + 8
	cursorNameMax  = 255 // bytes; names that only differ beyond may repeat once the snapshot was evicted
	cursorChecksum = 4
)

func (ix *Index) newCursor(s *snapshot, o *order, of page) []byte {
	by := o.sort
	last := of.numbers[len(of.numbers)-1]
	p := append(make([]byte, 0, cursorSize+cursorChecksum), cursorVersion)
	p = append(p, ix.instance[:]...)
	p = binary.BigEndian.AppendUint64(p, s.id)
	p = append(p, byte(by.By), 0)
	if by.Desc {
		p[len(p)-1] = 1
	}
	p = binary.BigEndian.AppendUint32(p, uint32(last))
	p = binary.BigEndian.AppendUint64(p, of.lastKey)
	if by.By == query.ByName {
		name := s.nameOf(uint32(last))
		p = append(p, name[:min(len(name), cursorNameMax)]...)
	}
	if by.By == query.ByRelevance {
		p = o.ranking.append(p)
	}
	return binary.BigEndian.AppendUint32(p, crc32.Checksum(p, castagnoli))
}

// resume returns the snapshot to search and the position after which to continue. The snapshot is the newest one if there is
// no cursor or the cursor's snapshot was evicted.
func (ix *Index) resume(r index.Request) (*snapshot, *position, error) {
	cursor, by := r.Cursor, r.Sort
	if len(cursor) == 0 {
		return ix.current.Load(), nil, nil
	}
	body := len(cursor) - cursorChecksum
	if body < cursorSize || cursor[0] != cursorVersion ||
		crc32.Checksum(cursor[:body], castagnoli) != binary.BigEndian.Uint32(cursor[body:]) {
		return nil, nil, fmt.Errorf("read cursor: %w", index.ErrCursor)
	}
	if query.SortKey(cursor[25]) != by.By || (cursor[26] == 1) != by.Desc {
		return nil, nil, fmt.Errorf("cursor has another sort order: %w", index.ErrCursor)
	}
	pos := &position{
		number: binary.BigEndian.Uint32(cursor[27:]),
		key:    binary.BigEndian.Uint64(cursor[31:]),
		name:   cursor[cursorSize:body],
	}
	if by.By == query.ByRelevance {
		var ok bool
		if pos.ranking, ok = readRanking(cursor[cursorSize:body], rankedTerms(r.Query.Root)); !ok {
			return nil, nil, fmt.Errorf("cursor belongs to another query: %w", index.ErrCursor)
		}
	}
	if bytes.Equal(cursor[1:17], ix.instance[:]) {
		if s := ix.snapshots.get(binary.BigEndian.Uint64(cursor[17:]), time.Now()); s != nil {
			pos.nameInSnapshot = by.By == query.ByName
			return s, pos, nil
		}
	}
	return ix.current.Load(), pos, nil
}

// nameOf returns the company's folded name in the snapshot, or nil if it has no such company.
func (s *snapshot) nameOf(number uint32) []byte {
	in, slot, ok := s.find(company.Number(number))
	if !ok || s.parts[in].verify(groupSet(groupNames)) != nil { // the search reports the damage
		return nil
	}
	return s.parts[in].names.name(slot)
}

// snapshotCache keeps the snapshots that cursors refer to.
type snapshotCache struct {
	mu   sync.Mutex
	byID map[uint64]*cachedSnapshot
	list []*cachedSnapshot // by the time of the first cursor, oldest first
}

type cachedSnapshot struct {
	snapshot *snapshot
	expires  time.Time
}

// keep keeps the snapshot for Options.Remember from now on, and evicts the one that expires first if there are too many.
func (m *snapshotCache) keep(s *snapshot, now time.Time, o Options) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = map[uint64]*cachedSnapshot{}
	}
	if k := m.byID[s.id]; k != nil {
		k.expires = now.Add(o.Remember)
	} else {
		k = &cachedSnapshot{s, now.Add(o.Remember)}
		m.byID[s.id] = k
		m.list = append(m.list, k)
	}
	if len(m.byID) > o.RememberMax {
		next := slices.MinFunc(m.list, func(a, b *cachedSnapshot) int { return a.expires.Compare(b.expires) })
		next.expires = now
		m.evictExpired(now)
	}
}

// removeExpired evicts the expired snapshots. It only looks at the oldest, because it runs on every Apply.
func (m *snapshotCache) removeExpired(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.list) > 0 && m.list[0].expires.Before(now) {
		m.evictExpired(now)
	}
}

// evictExpired evicts all snapshots that have expired.
func (m *snapshotCache) evictExpired(now time.Time) {
	rest := m.list[:0]
	for _, k := range m.list {
		if k.expires.After(now) {
			rest = append(rest, k)
		} else {
			delete(m.byID, k.snapshot.id)
		}
	}
	clear(m.list[len(rest):])
	m.list = rest
}

// get returns the snapshot, or nil if it was evicted.
func (m *snapshotCache) get(id uint64, now time.Time) *snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.byID[id]; k != nil && k.expires.After(now) {
		return k.snapshot
	}
	return nil
}

func (m *snapshotCache) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.byID)
	m.list = nil
}

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

// A cursor is: version, the index's instance, the snapshot's id, the sort, then the last entry's number and key; for
// names the name's head, for relevance the figures that the first page was ranked with; a CRC-32C of all that at the
// end. History: 1; 2 has the figures.
const (
	cursorVersion  = 2
	cursorSize     = 1 + 16 + 8 + 1 + 1 + 4 + 8
	cursorNameMax  = 255 // bytes; names that differ only behind them may repeat once the snapshot is forgotten
	cursorChecksum = 4
)

func (ix *Index) cursor(s *snapshot, o *order, of page) []byte {
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

// resume is the snapshot to search and the place behind which to go on. Without a cursor, or if the cursor's snapshot
// is forgotten, it is the newest one.
func (ix *Index) resume(r index.Request) (*snapshot, *after, error) {
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
		return nil, nil, fmt.Errorf("cursor of another sort: %w", index.ErrCursor)
	}
	place := &after{
		number: binary.BigEndian.Uint32(cursor[27:]),
		key:    binary.BigEndian.Uint64(cursor[31:]),
		name:   cursor[cursorSize:body],
	}
	if by.By == query.ByRelevance {
		var ok bool
		if place.ranking, ok = readRanking(cursor[cursorSize:body], rankedWords(r.Query.Root)); !ok {
			return nil, nil, fmt.Errorf("cursor of another query: %w", index.ErrCursor)
		}
	}
	if bytes.Equal(cursor[1:17], ix.instance[:]) {
		if s := ix.memory.recall(binary.BigEndian.Uint64(cursor[17:]), time.Now()); s != nil {
			place.remembered = by.By == query.ByName
			return s, place, nil
		}
	}
	return ix.current.Load(), place, nil
}

// nameOf is the company's folded name at this moment, nil if it is not there.
func (s *snapshot) nameOf(number uint32) []byte {
	in, slot, ok := s.find(company.Number(number))
	if !ok || s.parts[in].need(only(groupNames)) != nil { // the search will notice
		return nil
	}
	return s.parts[in].names.name(slot)
}

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

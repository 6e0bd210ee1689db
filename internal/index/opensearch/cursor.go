package opensearch

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// A cursor consists of: version; a hash of the alias; the sort; the last entry's number; its key as JSON, of a name only the first
// bytes; by relevance the weights that the first page was ranked with; the point in time; a CRC-32C of all that. Each part
// of unknown length has it in front.
// Versions: 1.
const (
	cursorVersion  = 1
	cursorFixed    = 1 + 8 + 1 + 1 + 4
	cursorKeyMax   = 255 // bytes of a name; names that only differ beyond may repeat once the snapshot was closed
	cursorChecksum = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// position is where a cursor continues.
type position struct {
	pit     string
	number  company.Number
	key     json.RawMessage // null for an unknown value
	cut     bool            // key is only the beginning of a name
	weights []uint16
}

// aliasHash tells the cursors of different indexes apart.
func (ix *Index) aliasHash() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(ix.target()))
	return h.Sum64()
}

func (ix *Index) newCursor(s *snapshot, o order, last []json.RawMessage) ([]byte, error) {
	number, err := strconv.ParseUint(string(last[len(last)-1]), 10, 32)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read a number: %w", err))
	}
	key, cut, err := cursorKey(o.by.By, last[0])
	if err != nil {
		return nil, err
	}
	p := binary.BigEndian.AppendUint64([]byte{cursorVersion}, ix.aliasHash())
	p = append(p, byte(o.by.By), 0)
	if o.by.Desc {
		p[len(p)-1] |= 1
	}
	if cut {
		p[len(p)-1] |= 2
	}
	p = binary.BigEndian.AppendUint32(p, uint32(number))
	for _, part := range [][]byte{key, weightBytes(o.weights), []byte(s.pit)} {
		p = append(binary.BigEndian.AppendUint16(p, uint16(len(part))), part...)
	}
	return binary.BigEndian.AppendUint32(p, crc32.Checksum(p, castagnoli)), nil
}

// cursorKey returns the sort value for a cursor, and whether it was cut.
func cursorKey(by query.SortKey, key json.RawMessage) (json.RawMessage, bool, error) {
	if by != query.ByName || len(key) <= cursorKeyMax {
		return key, false, nil
	}
	var name string
	if err := json.Unmarshal(key, &name); err != nil {
		return nil, false, unavailable(fmt.Errorf("read a name: %w", err))
	}
	short, err := json.Marshal(whole(name[:min(len(name), cursorKeyMax)]))
	return short, true, err
}

func weightBytes(weights []uint16) (p []byte) {
	for _, w := range weights {
		p = binary.BigEndian.AppendUint16(p, w)
	}
	return p
}

// readCursor returns where the cursor of a request continues. The error is index.ErrCursor for anything but a cursor of the same
// search.
func (ix *Index) readCursor(r index.Request) (*position, error) {
	body := len(r.Cursor) - cursorChecksum
	if body < cursorFixed || r.Cursor[0] != cursorVersion ||
		crc32.Checksum(r.Cursor[:body], castagnoli) != binary.BigEndian.Uint32(r.Cursor[body:]) {
		return nil, fmt.Errorf("read cursor: %w", index.ErrCursor)
	}
	sort, flags := r.Cursor[9], r.Cursor[10]
	if query.SortKey(sort) != r.Sort.By || flags&1 == 1 != r.Sort.Desc {
		return nil, fmt.Errorf("cursor has another sort order: %w", index.ErrCursor)
	}
	pos := &position{number: company.Number(binary.BigEndian.Uint32(r.Cursor[11:])), cut: flags&2 == 2}
	var weights, pit []byte
	rest := r.Cursor[cursorFixed:body]
	for _, to := range []*[]byte{(*[]byte)(&pos.key), &weights, &pit} {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("read cursor: %w", index.ErrCursor)
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		*to, rest = rest[2:end:end], rest[end:]
	}
	for ; len(weights) >= 2; weights = weights[2:] {
		pos.weights = append(pos.weights, binary.BigEndian.Uint16(weights))
	}
	if !json.Valid(pos.key) || !utf8.Valid(pit) {
		return nil, fmt.Errorf("read cursor: %w", index.ErrCursor)
	}
	if r.Sort.By == query.ByRelevance && len(pos.weights) != len(rankedTerms(r.Query.Root)) {
		return nil, fmt.Errorf("cursor belongs to another query: %w", index.ErrCursor)
	}
	if binary.BigEndian.Uint64(r.Cursor[1:]) == ix.aliasHash() {
		pos.pit = string(pit)
	}
	return pos, nil
}

// snapshotOf returns the snapshot that a cursor continues in, to be released; nil if it is not known to be open. It may be one that
// another server has opened, or this one before a restart: OpenSearch knows whether it is still open.
func (ix *Index) snapshotOf(pos *position) *snapshot {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if pos.pit == "" || ix.current.broken != nil {
		return nil
	}
	i := slices.IndexFunc(ix.open, func(s *snapshot) bool { return s.pit == pos.pit })
	if i < 0 {
		return &snapshot{pit: pos.pit, users: 1} // not in open, so that it is never closed here
	}
	ix.open[i].users++
	return ix.open[i]
}

// sortValues returns the sort values after which a search continues. A long name is read from the snapshot again.
func (ix *Index) sortValues(ctx context.Context, s *snapshot, by query.Sort, pos *position) ([]json.RawMessage, error) {
	values := []json.RawMessage{pos.key, json.RawMessage(strconv.FormatUint(uint64(pos.number), 10))}
	if !pos.cut {
		return values, nil
	}
	a, err := ix.search(ctx, s, object{"size": 1, "query": object{"term": object{"n": pos.number}}, "sort": order{by: by}.sort()})
	if err != nil {
		return nil, err
	}
	if len(a.Hits.Hits) == 1 && !bytes.Equal(a.Hits.Hits[0].Sort[0], []byte("null")) {
		values[0] = a.Hits.Hits[0].Sort[0]
	}
	return values, nil
}

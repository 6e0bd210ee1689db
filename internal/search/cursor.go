package search

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/opencapi/capi/internal/fault"
)

// A cursor is base64url of: version, what it belongs to, the index's own cursor, CRC-32 of all before.
// Versions: 1.
const (
	cursorVersion  = 1
	ownerSize      = 16 + 2
	cursorHeadSize = 1 + ownerSize
	cursorTailSize = 4
)

var (
	errCursor = fault.New(fault.InvalidCursor,
		"The cursor cannot be read. Send next_cursor of the page before as it came, or null for the first page.")
	errForeignCursor = fault.New(fault.InvalidCursor,
		"The cursor belongs to another query. Send it with the filters and the sort that it came from.")
)

// owner is what a cursor of the request belongs to: query and sort.
func (r Request) owner() [ownerSize]byte {
	var o [ownerSize]byte
	of := r.Query.Fingerprint()
	copy(o[:], of[:])
	o[16] = byte(r.Sort.By)
	if r.Sort.Desc {
		o[17] = 1
	}
	return o
}

func writeCursor(r Request, place []byte) string {
	if place == nil {
		return ""
	}
	of := r.owner()
	p := append([]byte{cursorVersion}, of[:]...)
	p = append(p, place...)
	p = binary.LittleEndian.AppendUint32(p, crc32.ChecksumIEEE(p))
	return base64.RawURLEncoding.EncodeToString(p)
}

// readCursor is the index's part of the request's cursor; nil for the first page.
func readCursor(r Request) ([]byte, error) {
	if r.Cursor == "" {
		return nil, nil
	}
	p, err := base64.RawURLEncoding.DecodeString(r.Cursor)
	if err != nil {
		return nil, errCursor.Because(err)
	}
	body := len(p) - cursorTailSize
	if body <= cursorHeadSize || crc32.ChecksumIEEE(p[:body]) != binary.LittleEndian.Uint32(p[body:]) || p[0] != cursorVersion {
		return nil, errCursor
	}
	if [ownerSize]byte(p[1:cursorHeadSize]) != r.owner() {
		return nil, errForeignCursor
	}
	return p[cursorHeadSize:body], nil
}

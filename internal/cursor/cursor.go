// Package cursor encodes where a page of results ends, so that the next page can go on from there.
// A cursor is opaque to clients and checked against changes and mix-ups; it is neither secret nor proof of who made it.
package cursor

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/opencapi/capi/internal/fault"
)

// A cursor is base64url of: version, scope, position, CRC-32 of all before.
// Versions: 1, of searches only, whose scope was 18 bytes; 2.
const (
	version  = 2
	headSize = 1 + scopeSize
	tailSize = 4
)

const scopeSize = 16

var (
	errUnreadable = fault.New(fault.InvalidCursor,
		"The cursor cannot be read. Send next_cursor of the previous page unchanged, or leave it out for the first page.")
	errForeign = fault.New(fault.InvalidCursor,
		"The cursor belongs to another query. Send it with the filters and the sort of the page that it came from.")
)

// Scope is what a cursor belongs to. A cursor of one Scope cannot be read with another.
type Scope [scopeSize]byte

// NewScope returns the scope of a listing and of everything that decides which items it has in which order, such as its
// workspace, filters and sort. Every part must print as a text that identifies it.
func NewScope(listing string, parts ...any) Scope {
	h := sha256.New()
	for _, part := range append([]any{listing}, parts...) {
		text := fmt.Sprint(part)
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return Scope(h.Sum(nil)[:scopeSize])
}

// Encode returns the cursor that continues after the position.
func (s Scope) Encode(position []byte) string {
	p := append([]byte{version}, s[:]...)
	p = append(p, position...)
	p = binary.LittleEndian.AppendUint32(p, crc32.ChecksumIEEE(p))
	return base64.RawURLEncoding.EncodeToString(p)
}

// Decode returns the position in a cursor that Encode made, and nil for the empty cursor, which is the first page's.
// InvalidCursor for anything else, and for a cursor of another scope.
func (s Scope) Decode(cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	p, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, errUnreadable.Because(err)
	}
	body := len(p) - tailSize
	if body < headSize || crc32.ChecksumIEEE(p[:body]) != binary.LittleEndian.Uint32(p[body:]) || p[0] != version {
		return nil, errUnreadable
	}
	if Scope(p[1:headSize]) != s {
		return nil, errForeign
	}
	return p[headSize:body], nil
}

// Unreadable is the error for a cursor whose position makes no sense to the listing that it belongs to.
func Unreadable(cause error) error { return errUnreadable.Because(cause) }

package catalog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// connectionsVersion is the first byte of encoded connections.
//
//	1: count, then for each category, number, 16 bytes of id if the number is not 0, name, domain; counts, numbers and
//	   the lengths before texts as uvarints
const connectionsVersion = 1

var errConnections = errors.New("damaged connections")

// encodeConnections returns nil for an empty list.
func encodeConnections(cs []company.Connection) []byte {
	if len(cs) == 0 {
		return nil
	}
	p := binary.AppendUvarint([]byte{connectionsVersion}, uint64(len(cs)))
	for i := range cs {
		c := &cs[i]
		p = appendText(p, c.Category)
		p = binary.AppendUvarint(p, uint64(c.Number))
		if c.Number != 0 {
			p = append(p, c.ID.UUID[:]...)
		}
		p = appendText(p, c.Name)
		p = appendText(p, c.Domain)
	}
	return p
}

func appendText(p []byte, s string) []byte {
	return append(binary.AppendUvarint(p, uint64(len(s))), s...)
}

// decodeConnections decodes the result of encodeConnections. Damaged bytes are an error.
func decodeConnections(p []byte) ([]company.Connection, error) {
	if len(p) == 0 {
		return nil, nil
	}
	if p[0] != connectionsVersion {
		return nil, fmt.Errorf("%w: version %d", errConnections, p[0])
	}
	d := decoder{rest: p[1:]}
	count := d.uvarint()
	if count > uint64(len(d.rest)) { // each takes more than a byte
		return nil, errConnections
	}
	cs := make([]company.Connection, count)
	for i := range cs {
		c := &cs[i]
		c.Category = d.text()
		c.Number = company.Number(d.uvarint())
		if c.Number != 0 {
			c.ID = d.id()
		}
		c.Name, c.Domain = d.text(), d.text()
	}
	if d.damaged || len(d.rest) > 0 {
		return nil, errConnections
	}
	return cs, nil
}

// decoder reads values from the front of rest. After the first missing value it is damaged and returns zeros.
type decoder struct {
	rest    []byte
	damaged bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.damaged, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.damaged, d.rest = true, nil
		return nil
	}
	p := d.rest[:n]
	d.rest = d.rest[n:]
	return p
}

func (d *decoder) text() string { return string(d.bytes(d.uvarint())) }

func (d *decoder) id() id.Company {
	var u uuid.UUID
	copy(u[:], d.bytes(uint64(len(u))))
	return id.Company{UUID: u}
}

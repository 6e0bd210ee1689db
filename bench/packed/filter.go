package packed

import (
	"encoding/binary"

	"github.com/opencapi/capi/bench/workload"
)

// Filter checks packed rows for values of list fields: if most rows of a statement pass,
// this is faster than a semi-join with millions of members.
type Filter struct {
	marks  []uint8 // by id: a bit for each list of which a row needs one, and unwanted
	wanted uint8
}

const unwanted = 1 << 7

// NewFilter returns the filter of an operation; nil if every row passes.
func NewFilter(d *Dictionary, op workload.Op) *Filter {
	if !HasLists(op) {
		return nil
	}
	f := &Filter{marks: make([]uint8, 1<<16)}
	for i, values := range [...][]string{op.Filters.Industries, op.Filters.Technologies, op.Filters.TechnologyCategories} {
		if len(values) == 0 {
			continue
		}
		f.wanted |= 1 << i
		for _, id := range d.IDs(Industry+i, values) {
			f.marks[id] |= 1 << i
		}
	}
	for _, id := range d.IDs(Industry, op.Filters.ExcludeIndustries) {
		f.marks[id] |= unwanted
	}
	return f
}

// Passes reports whether the row has a value of each wanted list and no unwanted value.
func (f *Filter) Passes(row []byte) bool {
	if f == nil {
		return true
	}
	marks := uint8(0)
	for ; len(row) >= 2; row = row[2:] {
		marks |= f.marks[binary.LittleEndian.Uint16(row)]
	}
	return marks == f.wanted
}

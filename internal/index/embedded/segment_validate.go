package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
)

// validate checks everything that the code relies on when it follows a number from one section into another. A segment that
// passes never causes a panic, however its file was written. It reads all sections.
func (s *segment) validate() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil { // an index that is out of range before it was checked
			err = s.invalid("segment", fmt.Errorf("%v", r))
		}
	}()
	if s.numbers != nil && !ascending(s.numbers, true) {
		return s.invalid("numbers", errUnsorted)
	}
	for f := range s.values {
		v := &s.values[f]
		if err := errors.Join(v.dict.validate(), v.postings.validate(), v.spellings.validate()); err != nil {
			return s.invalid(field(f).String(), err)
		}
	}
	if err := s.validateBands(); err != nil {
		return s.invalid("bands", err)
	}
	for name, err := range map[string]error{
		"words": s.words.validate(), "links": s.links.validate(s), "names": s.names.validate(), "domains": s.domains.validate(), "rows": s.rows.validate(),
	} {
		if err != nil {
			return s.invalid(name, err)
		}
	}
	for f := range s.ints {
		if c := &s.ints[f]; !below(c.order, s.slots) || !c.isSorted() {
			return s.invalid(intField(f).String(), errUnsorted)
		}
	}
	return nil
}

// validateBands checks the keys of bands and decades.
func (s *segment) validateBands() error {
	bands, decades := &s.values[fieldBand], &s.values[fieldDecade]
	for k := range bands.len() {
		if !slices.Contains(bandKeys[:], string(bands.key(k))) {
			return errOutOfRange
		}
	}
	for k := range decades.len() {
		if len(decades.key(k)) != len(decadeKey(0)) {
			return errOutOfRange
		}
	}
	return nil
}

func (s *segment) invalid(section string, err error) error {
	return &DamageError{s.file.name, section, err.Error()}
}

var (
	errUnsorted   = errors.New("out of order")
	errOutOfRange = errors.New("out of range")
)

func ascending(all []uint32, strictly bool) bool {
	for i := 1; i < len(all); i++ {
		if all[i] < all[i-1] || strictly && all[i] == all[i-1] {
			return false
		}
	}
	return true
}

// below reports whether all numbers are below n.
func below(all []uint32, n int) bool {
	for _, v := range all {
		if int(v) >= n {
			return false
		}
	}
	return true
}

// endAt reports whether the ends ascend to exactly n.
func endAt(ends []uint32, n int) bool {
	last := 0
	if len(ends) > 0 {
		last = int(ends[len(ends)-1])
	}
	return ascending(ends, false) && last == n
}

func (d *dict) validate() error {
	if !endAt(d.ends, len(d.bytes)) {
		return errOutOfRange
	}
	for i := 1; i < d.len(); i++ {
		if string(d.key(i-1)) >= string(d.key(i)) {
			return errUnsorted
		}
	}
	return nil
}

func (p *postings) validate() error {
	if len(p.starts) == 0 || p.starts[0] != 0 || !ascending(p.starts, true) && len(p.offsets) > 0 {
		return errUnsorted
	}
	for k := range p.offsets {
		if p.count(k) > p.slots {
			return errOutOfRange
		}
		if p.dense(k) {
			set := p.set(k)
			if set.count() != p.count(k) {
				return errors.New("a set has the wrong size")
			}
			if over := p.slots % 64; over != 0 && set[len(set)-1]>>over != 0 {
				return errOutOfRange
			}
			continue
		}
		if list := p.list(k); !ascending(list, true) || !below(list, p.slots) {
			return errUnsorted
		}
	}
	return nil
}

func (s *spellings) validate() error {
	if !endAt(s.ends, len(s.bytes)) {
		return errOutOfRange
	}
	if len(s.starts) > 0 && (s.starts[0] != 0 || !ascending(s.starts, true) || !endAt(s.starts, len(s.counts))) {
		return errUnsorted
	}
	return nil
}

func (w *words) validate() error {
	if err := errors.Join(w.dict.validate(), w.postings.validate()); err != nil {
		return err
	}
	if len(w.occurrences) != int(w.starts[len(w.starts)-1]) || !endAt(w.ends, len(w.stream)) {
		return errOutOfRange
	}
	for _, t := range w.stream {
		if t != none && int(t) >= w.len() {
			return errOutOfRange
		}
	}
	return nil
}

func (l *links) validate(s *segment) error {
	if err := l.targets.validate(); err != nil {
		return err
	}
	if !endAt(l.starts, len(l.slots)) || l.starts[0] != 0 || !below(l.slots, s.slots) || !below(l.byID, l.targets.len()) ||
		!l.categoriesBelow(s.values[fieldConnectionCategory].len()) {
		return errOutOfRange
	}
	for t := range l.targets.len() {
		key := l.targets.key(t)
		if n := len(targetID(key)); bytes.IndexByte(key, 0) < 0 || n > 0 && n != idLen {
			return errors.New("a target has an invalid id")
		}
	}
	return nil
}

func (l *links) categoriesBelow(n int) bool {
	for i := range l.slots {
		if int(l.category(uint32(i))) >= n {
			return false
		}
	}
	return true
}

func (n *names) validate() error {
	if !endAt(n.ends, len(n.bytes)) || !below(n.order, len(n.ends)) {
		return errOutOfRange
	}
	again := names{bytes: n.bytes, ends: n.ends, order: n.order}
	if again.setValueStarts(); !slices.Equal(n.valueStarts, again.valueStarts) {
		return errUnsorted
	}
	for i := 1; i < len(n.order); i++ {
		if string(n.name(n.order[i-1])) > string(n.name(n.order[i])) {
			return errUnsorted
		}
	}
	return nil
}

// isSorted reports whether the order is by value, then slot.
func (c *ints) isSorted() bool {
	for i := 1; i < len(c.order); i++ {
		a, b := c.order[i-1], c.order[i]
		if c.values[a] > c.values[b] || c.values[a] == c.values[b] && a >= b {
			return false
		}
	}
	return slices.Equal(c.valueStarts, orderedInts(c.values, c.order).valueStarts)
}

func (r *rows) validate() error {
	if !below(r.city, len(r.cityTotals)) || !ascending(r.overflow.slots, true) || !below(r.overflow.slots, len(r.city)) ||
		!endAt(r.overflow.ends, len(r.overflow.words)) {
		return errOutOfRange
	}
	width, ids := r.width(), r.bitWords()
	for at := 0; at < len(r.cells); at += width {
		if over := len(r.frequent) % 64; over != 0 && r.cells[at+ids-1]>>over != 0 {
			return errOutOfRange
		}
		if !r.validIDs(r.cells[at+ids : at+width]) {
			return errOutOfRange
		}
	}
	if !r.validIDs(r.overflow.words) {
		return errOutOfRange
	}
	return nil
}

// validIDs reports whether all ids in the words exist.
func (r *rows) validIDs(words []uint64) bool {
	for _, w := range words {
		for ; w != 0; w >>= r.idBits() {
			if w&(1<<r.idBits()-1) >= uint64(r.ids()) {
				return false
			}
		}
	}
	return true
}

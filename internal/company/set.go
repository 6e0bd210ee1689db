package company

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Set is an immutable set of companies by number. The zero Set is empty. Safe for concurrent use.
type Set struct{ bits *roaring.Bitmap }

// denseShare is the share of numbers, up to the highest, above which a set is built with one bit per number: for many
// unsorted numbers this is ten times as fast.
const denseShare = 1024

// SetOf returns a set of the numbers; their order and duplicates do not matter.
func SetOf(numbers ...Number) Set {
	if len(numbers) > denseShare {
		if highest := slices.Max(numbers); int(highest)/denseShare < len(numbers) {
			bits := make([]uint64, highest/64+1)
			for _, n := range numbers {
				bits[n/64] |= 1 << (n % 64)
			}
			return Set{roaring.FromDense(bits, true)}
		}
	}
	b := roaring.New()
	raw := make([]uint32, len(numbers))
	for i, n := range numbers {
		raw[i] = uint32(n)
	}
	b.AddMany(raw)
	return Set{b}
}

// Span returns the set of the numbers from first to last, both included.
func Span(first, last Number) Set {
	b := roaring.New()
	b.AddRange(uint64(first), uint64(last)+1)
	return Set{b}
}

// SetFrom returns a set that takes over the bitmap; it must not be changed afterwards.
func SetFrom(b *roaring.Bitmap) Set { return Set{b} }

// ErrSet is returned by ParseSet for damaged bytes.
var ErrSet = errors.New("damaged set")

// ParseSet parses the output of Bytes. Damaged bytes are ErrSet, never a panic.
func ParseSet(p []byte) (Set, error) {
	b := roaring.New()
	if len(p) == 0 {
		return Set{b}, nil
	}
	if err := b.UnmarshalBinary(p); err != nil {
		return Set{}, fmt.Errorf("%w: %w", ErrSet, err)
	}
	if err := b.Validate(); err != nil {
		return Set{}, fmt.Errorf("%w: %w", ErrSet, err)
	}
	return Set{b}, nil
}

// Bytes returns the set in the portable format of roaring bitmaps.
func (s Set) Bytes() []byte {
	b := s.bitmap()
	if !b.HasRunCompression() {
		b = b.Clone()
		b.RunOptimize()
	}
	p, err := b.ToBytes()
	if err != nil {
		panic(err) // writing to memory does not fail
	}
	return p
}

// Bitmap returns the set's own bitmap, which must not be changed.
func (s Set) Bitmap() *roaring.Bitmap { return s.bitmap() }

func (s Set) bitmap() *roaring.Bitmap {
	if s.bits == nil {
		return roaring.New()
	}
	return s.bits
}

// Len returns the number of companies.
func (s Set) Len() int { return int(s.bitmap().GetCardinality()) }

// IsEmpty reports whether the set has no companies.
func (s Set) IsEmpty() bool { return s.bitmap().IsEmpty() }

// Has reports whether the company is in the set.
func (s Set) Has(n Number) bool { return s.bitmap().Contains(uint32(n)) }

// And returns the intersection.
func (s Set) And(o Set) Set { return Set{roaring.And(s.bitmap(), o.bitmap())} }

// AndLen returns the size of the intersection without building it.
func (s Set) AndLen(o Set) int { return int(s.bitmap().AndCardinality(o.bitmap())) }

// Minus returns the companies of s that are not in o.
func (s Set) Minus(o Set) Set { return Set{roaring.AndNot(s.bitmap(), o.bitmap())} }

// Or returns the union.
func (s Set) Or(o Set) Set { return Set{roaring.Or(s.bitmap(), o.bitmap())} }

// Equal reports whether both sets have the same companies.
func (s Set) Equal(o Set) bool { return s.bitmap().Equals(o.bitmap()) }

// All yields the numbers in ascending order.
func (s Set) All() iter.Seq[Number] {
	return func(yield func(Number) bool) {
		for it := s.bitmap().Iterator(); it.HasNext(); {
			if !yield(Number(it.Next())) {
				return
			}
		}
	}
}

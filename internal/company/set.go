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

// denseShare is the share of all numbers up to the highest from which a set is made by way of one bit for each: many
// numbers in no order are put in their places ten times as fast that way.
const denseShare = 1024

// SetOf makes a set; the order and repetition of numbers do not matter.
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

// SetFrom takes over the bitmap, which nobody may change afterwards.
func SetFrom(b *roaring.Bitmap) Set { return Set{b} }

// ErrSet is what ParseSet says of damaged bytes.
var ErrSet = errors.New("damaged set")

// ParseSet reads what Bytes wrote; damaged bytes are ErrSet, never a panic.
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

// Bytes is the set in the portable format of roaring bitmaps.
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

// Bitmap is the set's own bitmap, for reading only.
func (s Set) Bitmap() *roaring.Bitmap { return s.bitmap() }

func (s Set) bitmap() *roaring.Bitmap {
	if s.bits == nil {
		return roaring.New()
	}
	return s.bits
}

// Len is the number of companies.
func (s Set) Len() int { return int(s.bitmap().GetCardinality()) }

// IsEmpty holds for a set without companies.
func (s Set) IsEmpty() bool { return s.bitmap().IsEmpty() }

// Has holds if the company is in the set.
func (s Set) Has(n Number) bool { return s.bitmap().Contains(uint32(n)) }

// And is the intersection.
func (s Set) And(o Set) Set { return Set{roaring.And(s.bitmap(), o.bitmap())} }

// AndLen is the size of the intersection; it builds no set.
func (s Set) AndLen(o Set) int { return int(s.bitmap().AndCardinality(o.bitmap())) }

// Minus is what s holds and o does not.
func (s Set) Minus(o Set) Set { return Set{roaring.AndNot(s.bitmap(), o.bitmap())} }

// Or is the union.
func (s Set) Or(o Set) Set { return Set{roaring.Or(s.bitmap(), o.bitmap())} }

// Equal holds for sets of the same companies.
func (s Set) Equal(o Set) bool { return s.bitmap().Equals(o.bitmap()) }

// All yields the numbers, ascending.
func (s Set) All() iter.Seq[Number] {
	return func(yield func(Number) bool) {
		for it := s.bitmap().Iterator(); it.HasNext(); {
			if !yield(Number(it.Next())) {
				return
			}
		}
	}
}

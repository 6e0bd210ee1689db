package embedded

import (
	"context"
	"fmt"
	"runtime"

	"github.com/opencapi/capi/internal/index"
)

// compared is a part whose companies are counted by the sets that they are in.
type compared struct {
	*part
	scratch *arena
	// regions counts by the bits of the sets; the bit ownedBit is set for the owned companies.
	regions  [2 * ownedBit]int
	excluded int
}

func (c *compared) shard() *arena { return c.scratch }

const ownedBit = 1 << index.ComparedMax

// Compare implements index.Index.
func (ix *Index) Compare(ctx context.Context, c index.Comparison) (found *index.Compared, err error) {
	for _, q := range c.Sets {
		if err := q.Unresolved(); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
	}
	var read *snapshot
	err = ix.answerComplete(ctx, &read, func() (err error) {
		read = ix.current.Load()
		scratch := borrowArena()
		found, err = read.compare(ctx, scratch, c)
		scratch.close() // not after a panic, which may leave it in an unknown state
		return err
	})
	return found, err
}

func (s *snapshot) compare(ctx context.Context, scratch *arena, c index.Comparison) (*index.Compared, error) {
	defer runtime.KeepAlive(s)
	var need groups
	for _, q := range c.Sets {
		need |= groupsOf(q.Root)
	}
	all := make([]compared, len(s.parts))
	for i, shard := range s.assignShards(scratch) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if err := s.parts[i].verify(need); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		all[i] = compared{part: &s.parts[i], scratch: shard}
	}
	eachShard(all, func(one *compared) { one.count(c) })
	found := &index.Compared{Regions: make([]index.Region, 1<<len(c.Sets))}
	for i := range all {
		found.Excluded += all[i].excluded
		for in := range found.Regions {
			owned := all[i].regions[ownedBit|in]
			found.Regions[in].Count += all[i].regions[in] + owned
			found.Regions[in].Owned += owned
		}
	}
	found.Regions[0] = index.Region{} // companies in no set
	return found, nil
}

func (c *compared) count(of index.Comparison) {
	e := evaluator{c.part, c.scratch, &formsIn{words: &c.words}}
	sets := make([]bitset, len(of.Sets))
	either := e.bits(e.slots)
	for i, q := range of.Sets {
		sets[i] = e.matches(q.Root)
		either.or(sets[i])
	}
	before := either.count()
	for _, excluded := range of.Excluded {
		e.removeSet(either, excluded)
	}
	left := either.count()
	c.excluded = before - left
	if left == 0 {
		return
	}
	owned := e.bits(e.slots)
	if !of.Owned.IsEmpty() {
		e.addSet(owned, of.Owned)
	}
	for w, kept := range either {
		if kept == 0 {
			continue
		}
		for shift := 0; shift < 64; shift += 8 {
			var rows uint64 // byte i has eight companies' bits of set i
			for i, set := range sets {
				rows |= (set[w] & kept) >> shift & 0xff << (8 * i)
			}
			if rows == 0 {
				continue
			}
			inSets, mine := transpose(rows), owned[w]>>shift
			for range 8 {
				c.regions[inSets&0xff|mine&1<<index.ComparedMax]++
				inSets, mine = inSets>>8, mine>>1
			}
		}
	}
}

// transpose swaps the rows and the columns of a matrix of 8 by 8 bits, one byte a row (Warren, Hacker's Delight, 7-3).
func transpose(x uint64) uint64 {
	for _, step := range [3]struct{ shift, mask uint64 }{{7, 0x00AA00AA00AA00AA}, {14, 0x0000CCCC0000CCCC}, {28, 0x00000000F0F0F0F0}} {
		t := (x ^ x>>step.shift) & step.mask
		x ^= t ^ t<<step.shift
	}
	return x
}

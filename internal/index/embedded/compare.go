package embedded

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/opencapi/capi/internal/index"
)

// compared is a part whose companies are counted by the sets that they are in.
type compared struct {
	*part
	scratch *arena
	second  bool // whether a second goroutine may use scratch's second arena
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
		release, err := awaitCore(ctx)
		if err != nil {
			return fmt.Errorf("compare: %w", err)
		}
		defer release()
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
	shards := s.assignShards(scratch)
	oneShard := !slices.ContainsFunc(shards, func(a *arena) bool { return a != scratch })
	for i, shard := range shards {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if err := s.parts[i].verify(need); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		all[i] = compared{part: &s.parts[i], scratch: shard, second: oneShard && s.parts[i].slots >= shardMin && multicore()}
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
	sets := c.matches(of)
	either := e.bits(e.slots)
	for _, set := range sets {
		either.or(set)
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
	if !c.second {
		countRegions(&c.regions, sets, either, owned, 0, len(either))
		return
	}
	var others [2 * ownedBit]int
	middle := either.midpoint()
	runBoth(func() { countRegions(&c.regions, sets, either, owned, 0, middle) },
		func() { countRegions(&others, sets, either, owned, middle, len(either)) })
	for i, n := range others {
		c.regions[i] += n
	}
}

// matches returns the companies of each set.
func (c *compared) matches(of index.Comparison) []bitset {
	sets := make([]bitset, len(of.Sets))
	var next atomic.Int32
	work := func(scratch *arena) func() {
		return func() {
			e := evaluator{c.part, scratch, &formsIn{words: &c.words}}
			for i := next.Add(1) - 1; int(i) < len(sets); i = next.Add(1) - 1 {
				sets[i] = e.matches(of.Sets[i].Root)
			}
		}
	}
	if c.second {
		runBoth(work(c.scratch), work(c.scratch.second()))
	} else {
		work(c.scratch)()
	}
	return sets
}

// countRegions counts the kept companies of the words from low to high by the sets that they are in.
func countRegions(regions *[2 * ownedBit]int, sets []bitset, kept, owned bitset, low, high int) {
	// Neighbours are often in one region. With a counter each they need not wait for each other.
	var counts [8][2 * ownedBit]uint32
	for w := low; w < high; w++ {
		if kept[w] == 0 {
			continue
		}
		for shift := 0; shift < 64; shift += 8 {
			var rows uint64 // byte i has eight companies' bits of set i
			for i, set := range sets {
				rows |= (set[w] & kept[w]) >> shift & 0xff << (8 * i)
			}
			if rows == 0 {
				continue
			}
			inSets, mine := transpose(rows), owned[w]>>shift<<index.ComparedMax
			for i := range counts {
				counts[i][inSets&0xff|mine&ownedBit]++
				inSets, mine = inSets>>8, mine>>1
			}
		}
	}
	for i := range counts {
		for in, n := range counts[i] {
			regions[in] += int(n)
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

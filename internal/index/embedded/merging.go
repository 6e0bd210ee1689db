package embedded

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"

	"github.com/opencapi/capi/internal/company"
)

// merger merges segments in the background: those of about one size once there are MergeWidth of them, and one that
// has lost a quarter of its companies.
type merger struct {
	signal chan struct{}
	quit   chan struct{}
	once   sync.Once
	done   sync.WaitGroup
}

func (m *merger) start(ix *Index) {
	m.signal, m.quit = make(chan struct{}, 1), make(chan struct{})
	m.done.Go(func() {
		for {
			select {
			case <-m.quit:
				return
			case <-m.signal:
				ix.mergeDue(m.quit)
			}
		}
	})
}

func (m *merger) wake() {
	select {
	case m.signal <- struct{}{}:
	default:
	}
}

func (m *merger) stop() {
	m.once.Do(func() { close(m.quit) })
	m.done.Wait()
}

// mergeDue merges until nothing is due.
func (ix *Index) mergeDue(quit <-chan struct{}) {
	for {
		select {
		case <-quit:
			return
		default:
		}
		if !ix.mergeSome(func(s *snapshot) []part { return s.due(ix.options.MergeWidth) }) {
			return
		}
	}
}

// MergeAll merges all segments of the moment into one and returns when that is done.
func (ix *Index) MergeAll() {
	ix.mergeSome(func(s *snapshot) []part { return s.parts })
}

// mergeSome replaces the chosen parts by one; it does not hold if none was chosen. Deaths that come meanwhile are
// carried over. If a part dies out meanwhile, the work is dropped: the next choice will be another.
func (ix *Index) mergeSome(choose func(*snapshot) []part) bool {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	old := choose(ix.current.Load())
	if len(old) == 0 {
		return false
	}
	merged := merge(old)
	if merged != nil {
		ix.registry.adopt(merged)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if next, ok := ix.current.Load().merged(old, merged); ok {
		ix.replace(next)
	}
	return true
}

// merged is the moment with the old parts replaced; it does not hold if one of them is no longer there.
func (s *snapshot) merged(old []part, into *segment) (*snapshot, bool) {
	next := &snapshot{seq: s.seq, companies: s.companies}
	replaced := 0
	fresh := part{segment: &segment{}}
	if into != nil {
		fresh = newPart(into)
	}
	for _, p := range s.parts {
		i := slices.IndexFunc(old, func(o part) bool { return o.segment == p.segment })
		if i < 0 {
			next.parts = append(next.parts, p)
			continue
		}
		replaced++
		for _, slot := range p.dead[len(old[i].dead):] {
			fresh.kill(company.Number(p.number(slot)))
		}
	}
	if fresh.companies() > 0 {
		next.parts = slices.Insert(next.parts, 0, fresh)
	}
	return next, replaced == len(old)
}

// due chooses what to merge next: the lowest tier that is full, together with all below it, or a segment full of dead.
func (s *snapshot) due(width int) []part {
	sorted := slices.Clone(s.parts)
	slices.SortFunc(sorted, func(a, b part) int { return cmp.Compare(a.companies(), b.companies()) })
	for i := 0; i < len(sorted); {
		tier := tierOf(sorted[i].companies())
		end := i
		for end < len(sorted) && tierOf(sorted[end].companies()) == tier {
			end++
		}
		if end-i >= width {
			return sorted[:end]
		}
		i = end
	}
	for i := range sorted {
		if p := &sorted[i]; (len(p.dead)-len(p.holes))*4 > p.segment.companies() && p.slots > minTier {
			return sorted[i : i+1]
		}
	}
	return nil
}

// minTier is the size up to which all segments count as one size.
const minTier = 512

// tierOf puts sizes that differ by less than a factor of 8 in one tier.
func tierOf(companies int) int { return bits.Len(uint(companies/minTier)) / 3 }

package embedded

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencapi/capi/internal/company"
)

// merger merges segments in the background: those of about one size once there are MergeWidth of them, and one that
// has lost a quarter of its companies.
type merger struct {
	signal chan struct{}
	ctx    context.Context // ends with stop
	cancel context.CancelFunc
	done   sync.WaitGroup

	merges  atomic.Uint64 // that were done
	merging atomic.Bool
}

func (m *merger) start(ix *Index) {
	m.signal = make(chan struct{}, 1)
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.done.Go(func() {
		clock := time.NewTicker(time.Second)
		defer clock.Stop()
		for {
			select {
			case <-m.ctx.Done():
				return
			case <-m.signal:
			case <-clock.C:
			}
			ix.noteDamage(ix.recoverFaults(nil, func() error {
				ix.maintain(m.ctx)
				return nil
			}))
		}
	})
	m.every(time.Second, ix.checkSizes) // beside the merger, which may be busy for long
	m.every(ix.options.ScrubEvery, func() { ix.scrubAll(m.ctx.Done()) })
}

func (m *merger) every(period time.Duration, do func()) {
	m.done.Go(func() {
		clock := time.NewTicker(period)
		defer clock.Stop()
		for {
			select {
			case <-m.ctx.Done():
				return
			case <-clock.C:
			}
			do()
		}
	})
}

// tend does what is due in the background: gives up damaged segments, merges, saves.
func (ix *Index) maintain(ctx context.Context) {
	ix.dropDamaged(ctx)
	ix.mergeDue(ctx.Done())
	if ix.saveDue() {
		if err := ix.Save(ctx); err != nil && ctx.Err() == nil { // Close saves once more
			ix.options.Log.ErrorContext(ctx, "index cannot be saved; it goes on in memory", "error", err)
		}
	}
}

func (m *merger) wake() {
	select {
	case m.signal <- struct{}{}:
	default:
	}
}

func (m *merger) stop() {
	m.cancel()
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
		if !ix.mergeNext(func(s *snapshot) []part { return s.dueForMerge(ix.options.MergeWidth, ix.options.SegmentMax) }) {
			return
		}
	}
}

// MergeAll merges the segments of the moment into as few as SegmentMax allows and returns when that is done.
func (ix *Index) MergeAll() {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	var groups [][]part
	ix.noteDamage(ix.recoverFaults(nil, func() error {
		groups = packParts(ix.current.Load().parts, ix.options.SegmentMax)
		return nil
	}))
	for _, group := range groups {
		if len(group) > 1 || len(group[0].deleted) > len(group[0].holes) {
			ix.mergeOrLog(group)
		}
	}
}

// mergeSome replaces the chosen parts by one; it does not hold if none was chosen, or if it could not be done.
func (ix *Index) mergeNext(choose func(*snapshot) []part) bool {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if time.Now().Before(ix.mergeAfter) {
		return false
	}
	old := choose(ix.current.Load())
	return len(old) > 0 && ix.mergeOrLog(old)
}

// mergeRetry is how long merging waits after it could not write.
const mergeRetry = time.Minute

func (ix *Index) mergeOrLog(old []part) bool {
	companies, onDisk := 0, false
	for i := range old {
		companies += old[i].companies()
		onDisk = onDisk || old[i].file != nil
	}
	ix.merger.merging.Store(true)
	defer ix.merger.merging.Store(false)
	_, err := ix.mergeInto(old, onDisk || companies >= mergeToDiskMin)
	if err == nil {
		ix.merger.merges.Add(1)
		return true
	}
	ix.mergeAfter = time.Now().Add(mergeRetry)
	if !ix.noteDamage(err) {
		ix.options.Log.Error("index segments cannot be merged", "error", err)
	}
	return false
}

// fileFrom is the number of companies from which a merged segment is written to disk, if there is one.
const mergeToDiskMin = 8192

// mergeInto replaces the parts by one, which it gives; nil if nothing was alive. Deaths that come meanwhile are carried
// over. ix.merging is held.
func (ix *Index) mergeInto(old []part, onDisk bool) (merged *segment, err error) {
	var to *fileWriter
	read := &snapshot{parts: slices.Clone(old)}
	err = ix.recoverFaults(&read, func() (err error) {
		if err = verifyParts(old); err != nil {
			return err
		}
		if onDisk {
			if to, err = ix.disk.newFileWriter(); err != nil {
				return err
			}
		}
		if merged, err = merge(old, to); err != nil {
			return err
		}
		if merged != nil {
			read.parts = append(read.parts, part{segment: merged})
			ix.registry.register(merged)
		}
		if err = verifyParts(old); err != nil { // what was damaged meanwhile must not get a fresh checksum
			return err
		}
		ix.mu.Lock()
		defer ix.mu.Unlock()
		ix.publish(ix.current.Load().withMerged(old, merged))
		return nil
	})
	if err != nil {
		_ = to.discard() // most errors leave nothing to take away
		return nil, err
	}
	return merged, nil
}

// compare checks all bytes of the parts' files.
func verifyParts(parts []part) error {
	for i := range parts {
		if f := parts[i].file; f != nil {
			if err := f.verifyAll(time.Now(), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// merged is the moment with the old parts replaced.
func (s *snapshot) withMerged(old []part, into *segment) *snapshot {
	next := &snapshot{seq: s.seq, companies: s.companies}
	fresh := part{segment: &segment{}}
	if into != nil {
		fresh = newPart(into)
	}
	for _, p := range s.parts {
		if !slices.ContainsFunc(old, p.sameSegment) {
			next.parts = append(next.parts, p)
		}
	}
	for i := range old {
		o := &old[i]
		at := slices.IndexFunc(s.parts, o.sameSegment)
		if at < 0 { // it has died out
			for _, slot := range liveSlots(o) {
				fresh.markDeleted(company.Number(o.number(slot)))
			}
			continue
		}
		for _, slot := range s.parts[at].deleted[len(o.deleted):] {
			fresh.markDeleted(company.Number(o.number(slot)))
		}
	}
	if fresh.companies() > 0 {
		next.parts = slices.Insert(next.parts, 0, fresh)
	}
	return next
}

func (p part) sameSegment(o part) bool { return p.segment == o.segment }

// packed puts parts into groups of neighbours that hold at most so many companies, unless one alone holds more.
func packParts(parts []part, limit int) (groups [][]part) {
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, func(a, b part) int { return cmp.Compare(a.number(0), b.number(0)) })
	for len(sorted) > 0 {
		end, sum := 1, sorted[0].companies()
		for end < len(sorted) && sum+sorted[end].companies() <= limit {
			sum += sorted[end].companies()
			end++
		}
		groups = append(groups, sorted[:end])
		sorted = sorted[end:]
	}
	return groups
}

// due chooses what to merge next: the lowest tier that is full, together with all below it, or a segment full of dead.
// What a merge makes holds at most limit companies, which bounds its time and memory; segments of more than half of that
// are not merged with others any more.
func (s *snapshot) dueForMerge(width, limit int) []part {
	sorted := slices.DeleteFunc(slices.Clone(s.parts), func(p part) bool { return p.companies() > limit/2 })
	slices.SortStableFunc(sorted, func(a, b part) int { return cmp.Compare(a.companies(), b.companies()) })
	for i := 0; i < len(sorted); {
		tier := tierOf(sorted[i].companies())
		end := i
		for end < len(sorted) && tierOf(sorted[end].companies()) == tier {
			end++
		}
		if end-i >= width {
			return prefixWithin(sorted[:end], limit)
		}
		i = end
	}
	for i := range s.parts {
		if p := &s.parts[i]; (len(p.deleted)-len(p.holes))*4 > p.segment.companies() && p.slots > minTier {
			return s.parts[i : i+1]
		}
	}
	return nil
}

// fitting is as many of the parts, from the smallest on, as have no more than limit companies.
func prefixWithin(sorted []part, limit int) []part {
	sum := 0
	for i := range sorted {
		if sum += sorted[i].companies(); sum > limit {
			return sorted[:i]
		}
	}
	return sorted
}

// minTier is the size up to which all segments count as one size.
const minTier = 512

// tierOf puts sizes that differ by less than a factor of 8 in one tier.
func tierOf(companies int) int { return bits.Len(uint(companies/minTier)) / 3 }

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

// merger merges segments in the background: MergeWidth segments of about the same size, or one of whose companies more than
// a quarter were deleted. It also saves the index and verifies its files.
type merger struct {
	signal chan struct{}
	ctx    context.Context // canceled by stop
	cancel context.CancelFunc
	done   sync.WaitGroup

	merges  atomic.Uint64 // completed since start
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
	m.every(time.Second, ix.checkSizes) // separate, because a merge may take long
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

// maintain does what is due in the background: drops damaged segments, merges, saves.
func (ix *Index) maintain(ctx context.Context) {
	ix.dropDamaged(ctx)
	ix.mergeDue(ctx.Done())
	if ix.saveDue() {
		if err := ix.Save(ctx); err != nil && ctx.Err() == nil { // Close will save again
			ix.options.Log.ErrorContext(ctx, "index cannot be saved; it continues in memory", "error", err)
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

// MergeAll merges the current segments into as few as SegmentMax allows, and returns when that is done.
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

// mergeNext replaces the parts that choose returns by one. It returns false if there were none or the merge failed.
func (ix *Index) mergeNext(choose func(*snapshot) []part) bool {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if time.Now().Before(ix.mergeAfter) {
		return false
	}
	old := choose(ix.current.Load())
	return len(old) > 0 && ix.mergeOrLog(old)
}

// mergeRetry is how long merging pauses after a failed merge.
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

// mergeToDiskMin is the number of companies from which a merged segment is written to disk, if the index has a directory.
const mergeToDiskMin = 8192

// mergeInto replaces the parts by one, which it returns; nil if no company was live. Companies that were deleted during the
// merge are deleted in the new part too. Must be called with ix.merging held.
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
		if err = verifyParts(old); err != nil { // damage that occurred during the merge must not be sealed with a new checksum
			return err
		}
		ix.mu.Lock()
		defer ix.mu.Unlock()
		ix.publish(ix.current.Load().withMerged(old, merged))
		return nil
	})
	if err != nil {
		_ = to.discard() // after most errors there is no file to remove
		return nil, err
	}
	return merged, nil
}

// verifyParts verifies all bytes of the parts' files.
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

// withMerged returns the next snapshot, with the old parts replaced by the merged segment.
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
		if at < 0 { // all of its companies were deleted
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

// packParts groups neighbouring parts so that each group has at most limit companies, unless a single part has more.
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

// dueForMerge returns the parts to merge next: all parts of the lowest full tier and of the tiers below it, or a part with
// many deleted slots. A merged segment has at most limit companies, which bounds the time and memory of a merge. Segments
// with more than half of that are no longer merged with others.
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

// prefixWithin returns the longest prefix of the parts with at most limit companies in total.
func prefixWithin(sorted []part, limit int) []part {
	sum := 0
	for i := range sorted {
		if sum += sorted[i].companies(); sum > limit {
			return sorted[:i]
		}
	}
	return sorted
}

// minTier is the size up to which all segments are in one tier.
const minTier = 512

// tierOf returns the tier of a size; sizes in one tier differ by less than a factor of 8.
func tierOf(companies int) int { return bits.Len(uint(companies/minTier)) / 3 }

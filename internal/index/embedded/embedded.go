// Package embedded is an index within the process: immutable segments of bitmaps, lists and columns. It does not store
// records; those stay in the catalog. README.md describes the format and the invariants.
package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// Options configures an Index.
type Options struct {
	// Remember is how long a snapshot is kept after a cursor of it was returned last. Defaults to 15m.
	Remember time.Duration
	// RememberMax is the maximum number of snapshots kept for cursors; the oldest are evicted first. Defaults to 4096.
	RememberMax int
	// MergeWidth is the number of segments of about the same size that are merged into one. Defaults to 8.
	MergeWidth int
	// SegmentMax is the maximum number of companies in a merged segment. It bounds the time and the memory of a merge.
	// Defaults to 1,048,576; at least 1,024.
	SegmentMax int
	// SaveEvery is the longest time that a change is only in memory, once Attach was called. Defaults to 30s.
	SaveEvery time.Duration
	// SaveFrom is the number of companies only in memory from which they are saved earlier. Defaults to 20,000.
	SaveFrom int
	// ScrubEvery is how often the checksums of all files are verified again. Defaults to 6h.
	ScrubEvery time.Duration
	// Answers is the number of answers that are kept for searches that are asked again while nothing changes. 0 for none.
	Answers int
	// Log receives damage and errors of background work. Defaults to no logging.
	Log *slog.Logger
}

func (o *Options) setDefaults() {
	if o.Remember <= 0 {
		o.Remember = 15 * time.Minute
	}
	if o.RememberMax <= 0 {
		o.RememberMax = 4096
	}
	if o.MergeWidth < 2 {
		o.MergeWidth = 8
	}
	if o.SegmentMax <= 0 {
		o.SegmentMax = 1 << 20
	}
	o.SegmentMax = max(o.SegmentMax, 1024)
	if o.SaveEvery <= 0 {
		o.SaveEvery = 30 * time.Second
	}
	if o.SaveFrom <= 0 {
		o.SaveFrom = 20_000
	}
	if o.ScrubEvery <= 0 {
		o.ScrubEvery = 6 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Index is the embedded implementation of index.Index. Readers never wait for Apply or merges.
type Index struct {
	options   Options
	instance  uuid.UUID // distinguishes cursors of this index from those of other indexes and of earlier processes
	registry  registry
	snapshots snapshotCache
	answers   answerCache

	applying sync.Mutex // held during Apply
	merging  sync.Mutex // held during merges and saves
	mu       sync.Mutex // guards the replacement of current
	current  atomic.Pointer[snapshot]

	merger merger

	disk       *disk     // nil while the index is only in memory; guarded by merging
	mergeAfter time.Time // no merge before this time, because one failed; guarded by merging

	lost    atomic.Bool   // companies are missing because a segment was damaged; written under mu
	losses  atomic.Uint64 // number of times that segments were lost; written under mu
	scan    catalogScan   // guarded by applying
	damages damageQueue

	lastCleanPanic atomic.Int64 // when a panic was last found not to be caused by damage, in Unix nanoseconds
}

var _ index.Index = (*Index)(nil)

// matchRoom is the memory for the matches of kept answers: those of 12 searches that each match most of ten million companies. There
// are two generations of answers.
const matchRoom = 16 << 20

// Open returns an empty index in memory and starts its background work, which runs until Close. Attach connects it to a
// directory.
func Open(options Options) *Index {
	options.setDefaults()
	ix := &Index{options: options, instance: uuid.New(), answers: answerCache{most: options.Answers, room: matchRoom}}
	ix.current.Store(&snapshot{id: 1})
	ix.merger.start(ix)
	return ix
}

// Close stops the background work, saves the last changes and detaches the index from its directory. Searches still work. A
// second call does nothing.
func (ix *Index) Close() error {
	ix.merger.stop()
	err := ix.Save(context.Background())
	ix.merging.Lock()
	defer ix.merging.Unlock()
	ix.disk = nil
	return err
}

// Seq implements index.Index.
func (ix *Index) Seq() uint64 {
	if ix.lost.Load() {
		return 0
	}
	return ix.current.Load().seq
}

// Len returns the number of companies.
func (ix *Index) Len() int { return ix.current.Load().companies }

// Apply implements index.Index. The changes become a new segment, or one per core if there are many.
func (ix *Index) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	ix.applying.Lock()
	defer ix.applying.Unlock()
	err := ctx.Err()
	if err == nil {
		err = ix.recoverFaults(nil, func() error { return ix.apply(changes, seq) })
	}
	if ix.noteDamage(err) {
		ix.dropDamaged(ctx)
		err = index.ErrRepairing
	}
	if err != nil {
		return fmt.Errorf("apply %d changes: %w", len(changes), err)
	}
	ix.merger.wake()
	return nil
}

func (ix *Index) apply(changes []index.Change, seq uint64) error {
	ix.snapshots.removeExpired(time.Now())
	if ix.backlog() {
		ix.mergeDue(nil)
	}
	changes = latestChanges(changes)
	if seq == 0 && !ix.scan.startOrContinue(ix.losses.Load()) {
		return index.ErrRepairing
	}
	if ix.lost.Load() && ix.current.Load().seq > 0 {
		changes = ix.missingChanges(changes)
	}
	fresh := ix.buildSegments(companiesOf(changes))
	if !ix.commit(changes, fresh, seq) {
		return index.ErrRepairing
	}
	return nil
}

// commit publishes the snapshot with the changes. It returns false if companies are lost and no complete scan of the catalog
// has restored them.
func (ix *Index) commit(changes []index.Change, fresh []*segment, seq uint64) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	lost, whole, ends := ix.lost.Load(), ix.scan.complete(ix.losses.Load()), seq > 0
	if ends {
		ix.scan = catalogScan{} // the scan has ended
	}
	switch {
	case !lost:
		ix.publish(ix.current.Load().withChanges(changes, fresh, seq))
		return true
	case ends && !whole:
		return false
	}
	current := ix.current.Load()
	if current.seq > 0 {
		seq = current.seq // the rest of the index is still at this sequence number
	}
	ix.publish(current.withChanges(changes, fresh, seq))
	ix.lost.Store(!ends)
	return true
}

// backlog reports whether enough segments in memory are due for a merge that Apply should help. This bounds the memory of a
// build that is faster than the merger.
func (ix *Index) backlog() bool {
	n := 0
	for _, p := range ix.current.Load().parts {
		if p.file == nil {
			n++
		}
	}
	return n > 3*ix.options.MergeWidth
}

// companiesOf returns the companies of the changes that are not removals.
func companiesOf(changes []index.Change) []*company.Company {
	companies := make([]*company.Company, 0, len(changes))
	for _, c := range changes {
		if c.Company == nil {
			continue
		}
		if c.Company.Number != c.Number {
			renumbered := *c.Company
			renumbered.Number = c.Number
			c.Company = &renumbered
		}
		companies = append(companies, c.Company)
	}
	return companies
}

// parallelBuildMin is the number of companies from which building on all cores is worth having more segments.
const parallelBuildMin = 8192

// buildSegments builds the segments of the companies: one, or one per core if there are many.
func (ix *Index) buildSegments(companies []*company.Company) []*segment {
	if len(companies) == 0 {
		return nil
	}
	size := len(companies)
	if size >= parallelBuildMin {
		cores := runtime.GOMAXPROCS(0)
		size = (size + cores - 1) / cores
	}
	var chunks [][]*company.Company
	for chunk := range slices.Chunk(companies, size) {
		chunks = append(chunks, chunk)
	}
	segments := make([]*segment, len(chunks))
	var builders sync.WaitGroup
	for i, chunk := range chunks {
		builders.Go(func() { segments[i] = build(chunk) })
	}
	builders.Wait()
	for _, s := range segments {
		ix.registry.register(s)
	}
	return segments
}

// publish makes next the current snapshot. Must be called with ix.mu held.
func (ix *Index) publish(next *snapshot) {
	next.id = ix.current.Load().id + 1
	next.keys = ix.registry.keysets()
	ix.current.Store(next)
}

// latestChanges returns the changes sorted by number, only the last one of each number.
func latestChanges(changes []index.Change) []index.Change {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b index.Change) int { return int(int64(a.Number) - int64(b.Number)) })
	kept := sorted[:0]
	for i, c := range sorted {
		if i+1 == len(sorted) || sorted[i+1].Number != c.Number {
			kept = append(kept, c)
		}
	}
	return kept
}

// Stats returns the index's current stats.
func (ix *Index) Stats() RuntimeStats {
	s := ix.current.Load()
	f := RuntimeStats{
		Companies: s.companies, Segments: len(s.parts),
		Merges: ix.merger.merges.Load(), Merging: ix.merger.merging.Load(), Lost: ix.lost.Load(),
	}
	for i := range s.parts {
		if s.parts[i].file == nil {
			f.SegmentsInMemory++
		}
	}
	return f
}

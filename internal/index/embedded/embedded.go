// Package embedded is the index in the process itself: immutable segments of bitmaps, lists and columns.
// It is not a store: records stay in the catalog. README.md tells its invariants.
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

// Options of an Index.
type Options struct {
	// Remember is how long a cursor's moment is kept after the cursor was given out. Defaults to 15m.
	Remember time.Duration
	// RememberMax bounds the moments kept, the oldest go first. Defaults to 4096.
	RememberMax int
	// MergeWidth is the number of segments of about one size that are merged into one. Defaults to 8.
	MergeWidth int
	// SegmentMax is the number of companies that a merged segment holds at most; it bounds the time and the memory of a
	// merge. Defaults to 1,048,576, at least 1,024.
	SegmentMax int
	// SaveEvery is how long a change is in memory only, at most, once Attach was called. Defaults to 30s.
	SaveEvery time.Duration
	// SaveFrom is the number of companies in memory only that are saved earlier. Defaults to 20,000.
	SaveFrom int
	// ScrubEvery is how often all files are compared with their checksums again. Defaults to 6h.
	ScrubEvery time.Duration
	// Log is told of damage and of what fails in the background. Defaults to none.
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

// Index is the embedded index.Index. Readers never wait for Apply or merges.
type Index struct {
	options   Options
	instance  uuid.UUID // tells cursors of this index from those of others, and of this one before a restart
	registry  registry
	snapshots snapshotCache

	applying sync.Mutex // one Apply at a time
	merging  sync.Mutex // one merge at a time
	mu       sync.Mutex // guards the replacement of current
	current  atomic.Pointer[snapshot]

	merger merger

	disk       *disk     // nil while the index is in memory only; guarded by merging
	mergeAfter time.Time // no merging before, because it has failed; guarded by merging

	lost    atomic.Bool   // companies are missing: a segment was damaged; written under mu
	losses  atomic.Uint64 // how often that was found; written under mu
	scan    catalogScan   // guarded by applying
	damages damageQueue

	lastCleanPanic atomic.Int64 // when, in nanoseconds since 1970, no damage was found behind a panic
}

var _ index.Index = (*Index)(nil)

// Open makes an empty index in memory and starts its merging in the background, until Close. Attach gives it a place on
// disk.
func Open(options Options) *Index {
	options.setDefaults()
	ix := &Index{options: options, instance: uuid.New()}
	ix.current.Store(&snapshot{id: 1})
	ix.merger.start(ix)
	return ix
}

// Close ends the merging, saves the last changes and lets go of the directory; searches go on as they would. A second
// call does nothing.
func (ix *Index) Close() error {
	ix.merger.stop()
	err := ix.Save(context.Background())
	ix.merging.Lock()
	defer ix.merging.Unlock()
	ix.disk = nil
	return err
}

// Seq is the catalog's sequence number up to which the index holds every change; 0 while companies are lost.
func (ix *Index) Seq() uint64 {
	if ix.lost.Load() {
		return 0
	}
	return ix.current.Load().seq
}

// Len is the number of companies.
func (ix *Index) Len() int { return ix.current.Load().companies }

// Apply brings the changes in as a new segment, or one a core; the companies' older states die in theirs.
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
	if seq == 0 && !ix.scan.continues(ix.losses.Load()) {
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

// bring makes the changes the next moment; it does not hold while companies are lost that no scan has brought back.
func (ix *Index) commit(changes []index.Change, fresh []*segment, seq uint64) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	lost, whole, ends := ix.lost.Load(), ix.scan.complete(ix.losses.Load()), seq > 0
	if ends {
		ix.scan = catalogScan{} // the next one counts
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
		seq = current.seq // what is not lost is as old as it was
	}
	ix.publish(current.withChanges(changes, fresh, seq))
	ix.lost.Store(!ends)
	return true
}

// backlog holds if so much waits in memory to be merged that Apply had better help: it bounds the memory of a build that is
// faster than the merger.
func (ix *Index) backlog() bool {
	n := 0
	for _, p := range ix.current.Load().parts {
		if p.file == nil {
			n++
		}
	}
	return n > 3*ix.options.MergeWidth
}

// companiesOf are the companies that the changes bring.
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

// splitFrom is the number of companies from which building on all cores is worth more segments.
const parallelBuildMin = 8192

// segmentsOf builds the segments of the companies: one, or one for each core if they are many.
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

// replace publishes the next snapshot; ix.mu is held.
func (ix *Index) publish(next *snapshot) {
	next.id = ix.current.Load().id + 1
	next.keys = ix.registry.keysets()
	ix.current.Store(next)
}

// latest sorts changes by number and keeps the last of each.
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

// RuntimeStats describe a running index.
type RuntimeStats struct {
	Companies        int
	Segments         int
	SegmentsInMemory int    // segments that are not on disk yet
	Merges           uint64 // since Open
	Merging          bool   // a merge is running now
	Lost             bool   // companies are missing because a segment was damaged; they are being indexed again
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

package embedded

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/opencapi/capi/internal/index"
)

// damageQueue holds damage that was found and not yet handled.
type damageQueue struct {
	mu    sync.Mutex
	found []*DamageError
}

// noteDamage reports whether the error is damage. If so, it has the merger drop the segment.
func (ix *Index) noteDamage(err error) bool {
	damage, ok := errors.AsType[*DamageError](err)
	if !ok {
		return false
	}
	ix.damages.add(damage)
	ix.merger.wake()
	return true
}

// add queues the damage unless its segment is already queued: waiting searches find the same damage again and again.
func (d *damageQueue) add(damage *DamageError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.ContainsFunc(d.found, func(f *DamageError) bool { return f.Segment == damage.Segment }) {
		d.found = append(d.found, damage)
	}
}

func (d *damageQueue) take() []*DamageError {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.found
	d.found = nil
	return found
}

// dropDamaged removes the damaged segments from the index. Their companies are lost until the catalog is applied again.
func (ix *Index) dropDamaged(ctx context.Context) {
	found := ix.damages.take()
	if len(found) == 0 {
		return
	}
	if err := ix.dropSegments(ctx, found); err != nil {
		ix.options.Log.ErrorContext(ctx, "index cannot record its damage", "error", err)
	}
}

func (ix *Index) dropSegments(ctx context.Context, found []*DamageError) error {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.snapshots.clear() // even if only an older snapshot has the segment
	s := ix.current.Load()
	next := &snapshot{seq: s.seq}
	for _, p := range s.parts {
		i := slices.IndexFunc(found, func(d *DamageError) bool { return p.file != nil && p.file.name == d.Segment })
		if i >= 0 {
			logDamage(ctx, ix.options.Log, found[i])
			continue
		}
		next.parts = append(next.parts, p)
		next.companies += p.companies()
	}
	if len(next.parts) == len(s.parts) {
		return nil // already dropped
	}
	ix.publishLoss(next)
	if ix.disk == nil { // closed; the next start will find the damage
		return nil
	}
	return ix.disk.recordLoss(next.parts)
}

// publishLoss publishes a snapshot that lacks companies. Must be called with ix.mu held. It sets lost before it increments
// losses, so that an answer that has read the new number of losses also sees that companies are lost.
func (ix *Index) publishLoss(next *snapshot) {
	ix.lost.Store(true)
	ix.losses.Add(1)
	ix.publish(next)
}

// catalogScan is a scan of the whole catalog: from an Apply with seq 0 to the next one with the catalog's seq.
type catalogScan struct {
	started bool
	losses  uint64 // Index.losses when it started
}

// startOrContinue starts a scan or continues the current one. It returns false if companies were lost since the scan
// started: it is then void and need not be finished.
func (s *catalogScan) startOrContinue(losses uint64) bool {
	if s.started && s.losses != losses {
		*s = catalogScan{}
		return false
	}
	*s = catalogScan{true, losses}
	return true
}

// complete reports whether nothing was lost since the scan started. Companies that it brought before a loss may have been in
// the lost segment.
func (s catalogScan) complete(losses uint64) bool { return s.started && s.losses == losses }

// missingChanges returns the changes whose companies are not in the index.
func (ix *Index) missingChanges(changes []index.Change) []index.Change {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	parts := ix.current.Load().parts
	return slices.DeleteFunc(changes, func(c index.Change) bool {
		return slices.ContainsFunc(parts, func(p part) bool {
			slot, held := p.slot(c.Number)
			return held && p.live.has(slot)
		})
	})
}

const (
	repairWait = 5 * time.Second // how long an answer waits for lost companies
	repairPoll = 10 * time.Millisecond
)

// answerComplete calls answer on an index without lost companies; read is as for recoverFaults. If companies are lost, or
// answer finds damage, it waits until they are restored and tries again. The error is ErrRepairing if that takes too long.
func (ix *Index) answerComplete(ctx context.Context, read **snapshot, answer func() error) error {
	if ok, err := ix.tryAnswer(read, answer); ok {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, repairWait, index.ErrRepairing)
	defer cancel()
	clock := time.NewTicker(repairPoll)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for index repair: %w", context.Cause(ctx))
		case <-clock.C:
		}
		if ok, err := ix.tryAnswer(read, answer); ok {
			return err
		}
	}
}

// tryAnswer calls answer if no companies are lost. It reports whether the answer is valid, because none were lost during the
// call.
func (ix *Index) tryAnswer(read **snapshot, answer func() error) (ok bool, err error) {
	before := ix.losses.Load()
	if ix.lost.Load() {
		return false, nil
	}
	err = ix.recoverFaults(read, answer)
	return !ix.noteDamage(err) && ix.losses.Load() == before, err
}

// scrub verifies in the background all groups that were not verified yet, the most used ones first. This also loads the
// files into the page cache.
func (m *merger) scrub(ix *Index, parts []part) {
	m.done.Go(func() {
		for g := range groupCount {
			for i := range parts {
				select {
				case <-m.ctx.Done():
					return
				default:
				}
				ix.noteDamage(parts[i].verify(groupSet(g)))
			}
		}
	})
}

// checkSizes looks for truncated files. Reading the rest of the last page of a truncated file returns zeros, not a fault, so
// only the size shows it.
func (ix *Index) checkSizes() {
	for _, p := range ix.current.Load().parts {
		if p.file != nil {
			ix.noteDamage(p.file.checkSize())
		}
	}
}

// scrubAll verifies the checksums of all files, one after another, to find damage that occurred after the first verification
// and that no query ran into.
func (ix *Index) scrubAll(quit <-chan struct{}) {
	for _, p := range ix.current.Load().parts {
		if p.file != nil {
			ix.noteDamage(p.file.verifyAll(time.Now(), quit))
		}
	}
}

// recoverFaults calls fn, which reads mapped files. If a file was truncated or changed after its verification, that may
// cause a fault or a panic anywhere; it is returned as damage. Any other panic is a bug and continues.
// read is the snapshot that fn reads in addition to the current one; nil for background work. A bug may make many queries
// panic per second, so for them the files are verified at most once a minute; a panic in the background ends the process, so
// there they always are.
func (ix *Index) recoverFaults(read **snapshot, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			parts := ix.current.Load().parts
			if read != nil && *read != nil {
				parts = slices.Concat((*read).parts, parts)
			}
			lastClean := time.Unix(0, ix.lastCleanPanic.Load())
			if _, fault := faultAddress(r); read != nil && !fault && time.Since(lastClean) < time.Minute {
				panic(r)
			}
			if err = ix.findDamage(r, parts); err == nil {
				ix.lastCleanPanic.Store(time.Now().UnixNano())
				panic(r)
			}
		}
	}()
	return fn()
}

// findDamage returns damage of the parts' files that may have caused the panic, nil if the files are undamaged. It queues
// all damage it finds.
func (ix *Index) findDamage(panicked any, parts []part) (err error) {
	now := time.Now()
	for _, p := range parts {
		if p.file == nil {
			continue
		}
		damage := p.file.verifyAll(now, nil)
		if damage == nil && p.file.mapping.containsFault(panicked) {
			damage = unreadableError(p.file.name, "file")
		}
		if ix.noteDamage(damage) {
			err = damage
		}
	}
	return err
}

func unreadableError(segment, section string) error {
	return &DamageError{segment, section, "cannot be read: the file was truncated or its disk is failing"}
}

// guardRead calls fn, which reads the mapping. If that faults, it returns the section as damaged.
func (m mapping) guardRead(segment, section string, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if !m.containsFault(r) {
				panic(r)
			}
			err = unreadableError(segment, section)
		}
	}()
	return fn()
}

// containsFault reports whether the panic is a memory fault at an address in the mapping.
func (m mapping) containsFault(panicked any) bool {
	at, fault := faultAddress(panicked)
	first := uintptr(unsafe.Pointer(unsafe.SliceData(m.bytes)))
	return fault && at >= first && at-first < uintptr(len(m.bytes))
}

// faultAddress returns the address of a memory fault that caused the panic; fault is false if it was none (see
// debug.SetPanicOnFault).
func faultAddress(panicked any) (at uintptr, fault bool) {
	err, _ := panicked.(error)
	f, fault := errors.AsType[interface {
		error
		Addr() uintptr
	}](err)
	if !fault {
		return 0, false
	}
	return f.Addr(), true
}

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

// damages are those found and not yet acted upon.
type damageQueue struct {
	mu    sync.Mutex
	found []*DamageError
}

// noticed tells whether the error is a damage, and has the merger give up its segment.
func (ix *Index) noteDamage(err error) bool {
	damage, ok := errors.AsType[*DamageError](err)
	if !ok {
		return false
	}
	ix.damages.add(damage)
	ix.merger.wake()
	return true
}

// add keeps the damage, unless one of its segment is kept: every search that waits finds it every time it looks.
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

// giveUpDamaged takes the damaged segments out of the index, which has lost companies from then on, until it is given
// the catalog.
func (ix *Index) dropDamaged(ctx context.Context) {
	found := ix.damages.take()
	if len(found) == 0 {
		return
	}
	if err := ix.dropSegments(ctx, found); err != nil {
		ix.options.Log.ErrorContext(ctx, "index cannot note its damage", "error", err)
	}
}

func (ix *Index) dropSegments(ctx context.Context, found []*DamageError) error {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.snapshots.clear() // also where only an earlier moment has the segment
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
		return nil // told twice
	}
	ix.publishLoss(next)
	if ix.disk == nil { // Close has let go of the directory; the next start will find the damage
		return nil
	}
	return ix.disk.recordLoss(next.parts)
}

// lose makes a moment that lacks companies the next one; ix.mu is held. Who has seen the loss counted sees that companies
// are lost: between the two, the other way round, an answer could begin that notices neither.
func (ix *Index) publishLoss(next *snapshot) {
	ix.lost.Store(true)
	ix.losses.Add(1)
	ix.publish(next)
}

// scan is a reading of the whole catalog: from an Apply with seq 0 to the next with the catalog's.
type catalogScan struct {
	started bool
	losses  uint64 // Index.losses when it began
}

// goOn begins a scan or goes on with the one under way; it does not hold where something was lost meanwhile: that scan
// is over, and need not be read to its end.
func (s *catalogScan) continues(losses uint64) bool {
	if s.started && s.losses != losses {
		*s = catalogScan{}
		return false
	}
	*s = catalogScan{true, losses}
	return true
}

// sawAll holds if nothing was lost since the scan began: what it brought before a loss may be in the lost segment.
func (s catalogScan) complete(losses uint64) bool { return s.started && s.losses == losses }

// lacking are the changes whose companies the index does not hold.
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

// whole answers from an index that lacks nothing; read is as in surviving. Where it finds damage, or finds it found, it
// waits for the companies to be back, and gives ErrRepairing if that takes long.
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
			return fmt.Errorf("answer: %w", context.Cause(ctx))
		case <-clock.C:
		}
		if ok, err := ix.tryAnswer(read, answer); ok {
			return err
		}
	}
}

// undamaged answers if nothing is lost, and if nothing was lost meanwhile.
func (ix *Index) tryAnswer(read **snapshot, answer func() error) (ok bool, err error) {
	before := ix.losses.Load()
	if ix.lost.Load() {
		return false, nil
	}
	err = ix.recoverFaults(read, answer)
	return !ix.noteDamage(err) && ix.losses.Load() == before, err
}

// scrub checks in the background all that was not yet asked for, what is asked for most first. Then the file's pages are
// in memory, too.
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

// noticeCut looks for files that were cut, of which a look at their size tells: what the last page of a cut one has lost
// reads as zeros, without a fault.
func (ix *Index) checkSizes() {
	for _, p := range ix.current.Load().parts {
		if p.file != nil {
			ix.noteDamage(p.file.checkSize())
		}
	}
}

// scrubAgain compares all files with their checksums, one after another: for damage that has come since and that no
// answer has stumbled over.
func (ix *Index) scrubAll(quit <-chan struct{}) {
	for _, p := range ix.current.Load().parts {
		if p.file != nil {
			ix.noteDamage(p.file.verifyAll(time.Now(), quit))
		}
	}
}

// surviving calls fn, which reads mapped files. Where one was cut or changed after its checksums were compared, that
// may be a fault or a panic anywhere: it is given as the damage. Any other panic goes on, it is a mistake of the code.
// read is the moment that fn reads besides the newest, if it is not nil. Of the answers, which give it, a mistake may spoil
// many a second, and not each has all files read; what runs in the background, and would end the process, always has.
func (ix *Index) recoverFaults(read **snapshot, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			parts := ix.current.Load().parts
			if read != nil && *read != nil {
				parts = slices.Concat((*read).parts, parts)
			}
			if _, fault := faultAddress(r); read != nil && !fault && ix.recentCleanPanic() {
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

// lookedInVain holds if no damage was found behind a panic of the last minute.
func (ix *Index) recentCleanPanic() bool {
	return time.Since(time.Unix(0, ix.lastCleanPanic.Load())) < time.Minute
}

// damageBehind is a damage of the parts' files that may have led to the panic; nil if they have none. All are noticed.
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
	return &DamageError{segment, section, "cannot be read: the file is cut, or its disk fails"}
}

// reading calls fn, which reads the mapping; where that cannot be read, the section is damaged.
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

// faulted holds if the panic is a fault of an address in the mapping.
func (m mapping) containsFault(panicked any) bool {
	at, fault := faultAddress(panicked)
	first := uintptr(unsafe.Pointer(unsafe.SliceData(m.bytes)))
	return fault && at >= first && at-first < uintptr(len(m.bytes))
}

// addressOf is the address whose reading gave the panic, if that is a fault (see debug.SetPanicOnFault).
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

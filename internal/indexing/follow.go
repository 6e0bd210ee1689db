// Package indexing keeps an index up to date with the catalog: it builds the index, follows the catalog's changes, and audits
// one against the other. It contains no SQL and knows no index implementation.
package indexing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// FollowOptions are what a Follower needs.
type FollowOptions struct {
	Catalog *catalog.Store
	Index   index.Index
	Log     *slog.Logger  // Defaults to no logging.
	Poll    time.Duration // How often the catalog is asked for changes. Defaults to 200ms.

	// Lead returns nil while another server applies the changes to the index that both use, and otherwise a context that ends when
	// this server may not do so any more. Defaults to always.
	Lead func() context.Context

	// Progress is called during Build with the number of companies in the index, and the total. May be nil.
	Progress func(done, total int)
}

// Follower keeps an index up to date with the catalog.
type Follower struct {
	FollowOptions
	notify chan struct{}
	behind atomic.Int64 // microseconds since 1970 when the index was first seen behind the catalog; 0 if it is not behind

	building sync.Mutex // one build at a time, because a scan must not miss the changes of another one
	from     uint64     // the catalog's sequence number, at least 1, before the first unfinished scan; 0 if there was no such scan

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

const (
	buildBatch  = 50_000
	changeBatch = 10_000
	retryMax    = time.Second // between two attempts to change an index that is away
)

// NewFollower returns a follower. Call Build, then Start.
func NewFollower(o FollowOptions) *Follower {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Poll <= 0 {
		o.Poll = 200 * time.Millisecond
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if o.Lead == nil {
		always := context.Background()
		o.Lead = func() context.Context { return always }
	}
	return &Follower{FollowOptions: o, notify: make(chan struct{}, 1)}
}

// Build brings the index up to the catalog's current state: an empty index by a scan of the whole catalog, any other by the
// changes since its state. If the index loses companies during that, is replaced, or is away, Build starts again until it has
// succeeded. While another server applies the changes, Build waits until that one has done so.
func (f *Follower) Build(ctx context.Context) error {
	var target uint64 // the catalog's state when another server was first found to apply the changes
	wait, logged := f.Poll, false
	for {
		err := f.lead(ctx)
		if !errors.Is(err, index.ErrRepairing) {
			wait = f.Poll
		}
		switch {
		case errors.Is(err, index.ErrRepairing):
			f.behind.CompareAndSwap(0, time.Now().UnixMicro())
			if !logged { // not several times a second
				logged = true
				f.Log.InfoContext(ctx, "index cannot be changed now; trying until it can", "reason", err)
			}
			wait = min(2*wait, retryMax)
		case errors.Is(err, index.ErrReplaced):
			f.behind.CompareAndSwap(0, time.Now().UnixMicro())
			f.Log.InfoContext(ctx, "index was replaced while changes were applied; continuing with the new one")
		case errors.Is(err, errLed):
			if current, err := f.isCurrent(ctx); err != nil || current {
				return err
			}
			if target == 0 {
				if target, err = f.Catalog.Seq(ctx); err != nil {
					return err
				}
			}
			if known := f.Index.Seq(); known > 0 && known >= target {
				return nil // others may change companies faster than the index follows
			}
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// errLed is returned where another server applies the changes.
var errLed = errors.New("another server applies the changes to the index")

// lead is build for as long as this server may apply changes; errLed if it may not, or may not any more.
func (f *Follower) lead(ctx context.Context) error {
	lead := f.Lead()
	if lead == nil {
		return errLed
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(lead, cancel)()
	err := f.build(within)
	if err != nil && lead.Err() != nil && ctx.Err() == nil {
		f.Log.WarnContext(ctx, "this server stops applying changes to the index, because it lost the lease", "error", err)
		return errLed
	}
	return err
}

// isCurrent reports whether the index has the catalog's current state, which another server brings it to.
func (f *Follower) isCurrent(ctx context.Context) (bool, error) {
	seq, err := f.Catalog.Seq(ctx)
	if err != nil {
		return false, err
	}
	if known := f.Index.Seq(); known == 0 || known < seq {
		f.behind.CompareAndSwap(0, time.Now().UnixMicro())
		return false, nil
	}
	f.behind.Store(0)
	return true, nil
}

func (f *Follower) build(ctx context.Context) error {
	f.building.Lock()
	defer f.building.Unlock()
	if f.Index.Seq() == 0 {
		if err := f.scan(ctx); err != nil {
			return fmt.Errorf("build index: %w", err)
		}
	}
	return f.catchUp(ctx)
}

// scan reads the whole catalog and applies it to the index concurrently. It also runs for an empty catalog, because the index
// may have to forget what it had. Companies that an earlier, unfinished scan applied may have been removed since. So the index
// gets the sequence number from before that scan, and the changes since then remove them.
func (f *Follower) scan(ctx context.Context) error {
	if f.from == 0 {
		seq, err := f.Catalog.Seq(ctx)
		if err != nil {
			return err
		}
		f.from = max(seq, 1) // the first change never removes a company
	}
	total, err := f.Catalog.Len(ctx)
	if err != nil {
		return err
	}
	if err := f.Index.Apply(ctx, nil, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan []index.Change, 1)
	var feeding sync.WaitGroup
	feeding.Go(func() {
		done := 0
		for batch := range batches {
			if err := f.Index.Apply(ctx, batch, 0); err != nil {
				cancel(err)
				return
			}
			done += len(batch)
			f.Progress(done, total)
		}
	})
	seq, err := f.read(ctx, batches)
	close(batches)
	feeding.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	if err := f.Index.Apply(ctx, nil, min(f.from, seq)); err != nil {
		return err
	}
	f.from = 0
	return nil
}

// read sends the catalog's companies in batches, and returns the sequence number of what it read.
func (f *Follower) read(ctx context.Context, batches chan<- []index.Change) (seq uint64, err error) {
	var batch []index.Change
	send := func() error {
		select {
		case batches <- batch:
			batch = make([]index.Change, 0, buildBatch)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	seq, err = f.Catalog.Scan(ctx, func(c *company.Company) error {
		batch = append(batch, index.Change{Number: c.Number, Company: c})
		if len(batch) < buildBatch {
			return nil
		}
		return send()
	})
	if err == nil && len(batch) > 0 {
		err = send()
	}
	return seq, err
}

// catchUp applies changes until the index has all of them.
func (f *Follower) catchUp(ctx context.Context) error {
	for {
		after := f.Index.Seq()
		changes, upTo, more, err := f.Catalog.Changes(ctx, after, changeBatch)
		if err != nil {
			return err
		}
		if upTo == after {
			f.behind.Store(0)
			return nil
		}
		f.behind.CompareAndSwap(0, time.Now().UnixMicro())
		applied := make([]index.Change, len(changes))
		for i, c := range changes {
			applied[i] = index.Change{Number: c.Number, Company: c.Company}
		}
		if err := f.Index.Apply(ctx, applied, upTo); err != nil {
			return fmt.Errorf("apply changes up to %d: %w", upTo, err)
		}
		if !more {
			f.behind.Store(0)
			return nil
		}
	}
}

// Start follows the catalog until Stop. ctx's cancellation is ignored. A second call does nothing.
func (f *Follower) Start(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done != nil {
		return
	}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.done = make(chan struct{})
	go f.run(ctx, f.done)
}

// Stop stops following and waits until that is done. A second call does nothing. Start continues.
func (f *Follower) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		return
	}
	f.cancel()
	<-f.done
	f.done = nil
}

// Notify makes the follower check the catalog now instead of at its next poll.
func (f *Follower) Notify() {
	select {
	case f.notify <- struct{}{}:
	default: // a notification is pending
	}
}

// Lag returns for how long the index has been behind the catalog; 0 if it is not.
func (f *Follower) Lag() time.Duration {
	since := f.behind.Load()
	if since == 0 {
		return 0
	}
	return time.Since(time.UnixMicro(since))
}

func (f *Follower) run(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	ticker := time.NewTicker(f.Poll)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-f.notify:
		}
		err := f.follow(ctx)
		switch {
		case err == nil:
			failing = false
		case errors.Is(err, context.Canceled):
			return
		case !failing: // log once, not five times a second
			failing = true
			f.behind.CompareAndSwap(0, time.Now().UnixMicro())
			f.Log.ErrorContext(ctx, "index cannot follow the catalog", "error", err)
		}
	}
}

// follow applies new changes. It reads the catalog's sequence number first, which is cheap.
func (f *Follower) follow(ctx context.Context) error {
	known := f.Index.Seq() // before the catalog's, which can only be higher then
	seq, err := f.Catalog.Seq(ctx)
	switch {
	case err != nil:
		return err
	case seq < known:
		return fmt.Errorf("catalog is at %d, index at %d: %w", seq, known, catalog.ErrRestored)
	case seq == known:
		return nil
	}
	return f.Build(ctx) // not catchUp: an index that found damage in itself is at 0 again
}

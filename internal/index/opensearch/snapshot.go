package opensearch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// snapshot is a state of the index that does not change: a point in time that OpenSearch keeps. It contains either all of what an
// Apply wrote or nothing of it.
type snapshot struct {
	pit       string // empty for an index that does not exist
	index     string // the index that the alias stood for
	state     state
	companies int
	broken    error // why it cannot be searched: it has a part of what an Apply wrote

	// Guarded by Index.mu.
	users     int
	keepUntil time.Time // for cursors

	known known
}

// known is what was looked up in a snapshot.
type known struct {
	mu     sync.Mutex
	counts map[string]int          // of ranked terms
	values map[string][]valueCount // by name of the field
}

func (ix *Index) keepAlive() string {
	return fmt.Sprintf("%ds", int((ix.options.Remember + time.Minute).Seconds()))
}

// acquire returns the current snapshot; release must be called once it is not needed any more.
func (ix *Index) acquire() *snapshot {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.current.users++
	return ix.current
}

func (ix *Index) release(s *snapshot) {
	ix.mu.Lock()
	s.users--
	gone := ix.expired(time.Now())
	ix.mu.Unlock()
	ix.closeAll(gone)
}

// keep keeps the snapshot for a cursor.
func (ix *Index) keep(s *snapshot) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	s.keepUntil = time.Now().Add(ix.options.Remember)
}

// adopt makes the snapshot the current one.
func (ix *Index) adopt(s *snapshot) {
	ix.mu.Lock()
	ix.current = s
	if s.pit != "" {
		ix.open = append(ix.open, s)
	}
	gone := ix.expired(time.Now())
	ix.mu.Unlock()
	ix.closeAll(gone)
}

// expired removes and returns the snapshots that nothing needs, and the oldest if there are too many. It must be called with mu.
func (ix *Index) expired(now time.Time) (gone []*snapshot) {
	kept := 0
	for _, s := range ix.open {
		if s != ix.current && s.users == 0 && s.keepUntil.After(now) {
			kept++
		}
	}
	ix.open = slices.DeleteFunc(ix.open, func(s *snapshot) bool {
		if s == ix.current || s.users > 0 {
			return false
		}
		if s.keepUntil.After(now) {
			if kept <= ix.options.RememberMax {
				return false
			}
			kept-- // in the order in which they were opened
		}
		gone = append(gone, s)
		return true
	})
	return gone
}

// closeKept closes the snapshots that are kept for cursors only, because OpenSearch keeps no more. It reports whether there were any.
func (ix *Index) closeKept(ctx context.Context) bool {
	ix.mu.Lock()
	for _, s := range ix.open {
		s.keepUntil = time.Time{}
	}
	gone := ix.expired(time.Now())
	ix.mu.Unlock()
	if len(gone) == 0 {
		return false
	}
	ix.options.Log.WarnContext(ctx, "OpenSearch keeps no more points in time; older cursors continue in the newest state of the index",
		"setting", "search.max_open_pit_context", "closed", len(gone))
	return ix.closeNow(ctx, gone) == nil
}

// closeAll closes points in time, in the background: one that is not closed expires.
func (ix *Index) closeAll(snapshots []*snapshot) {
	if !slices.ContainsFunc(snapshots, func(s *snapshot) bool { return s.pit != "" }) {
		return
	}
	ix.inBackground(func() {
		ctx, cancel := context.WithTimeout(context.Background(), ix.options.Timeout)
		defer cancel()
		if err := ix.closeNow(ctx, snapshots); err != nil {
			ix.options.Log.DebugContext(ctx, "points in time were not closed; they expire", "error", err)
		}
	})
}

func (ix *Index) closeNow(ctx context.Context, snapshots []*snapshot) error {
	var ids []string
	for _, s := range snapshots {
		if s.pit != "" {
			ids = append(ids, s.pit)
		}
	}
	err := ix.client.do(ctx, http.MethodDelete, "/_search/point_in_time", object{"pit_id": ids}, nil)
	if isMissing(err) {
		return nil
	}
	return err
}

// inBackground runs fn in a goroutine that Close waits for. After Close it does nothing.
func (ix *Index) inBackground(fn func()) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if !ix.closing {
		ix.background.Go(fn)
	}
}

// answered calls fn with the current snapshot, and once more with a new one if OpenSearch has lost it, as after a restart.
func (ix *Index) answered(ctx context.Context, fn func(*snapshot) error) error {
	for again := false; ; again = true {
		s := ix.acquire()
		err := fn(s)
		ix.release(s)
		if err == nil || again || !isLost(err) {
			return asFault(err)
		}
		if err := ix.reload(ctx, s); err != nil {
			return asFault(err)
		}
	}
}

// openTries is how often a snapshot is opened while another server makes changes visible, shard by shard.
const openTries = 20

// loading lets one goroutine at a time open a snapshot that others wait for.
type loading struct {
	turn *semaphore.Weighted // guards what follows

	began time.Time
	err   error // of the snapshot that was begun then
}

func newLoading() *loading { return &loading{turn: semaphore.NewWeighted(1)} }

// reload makes a new snapshot the current one, unless another goroutine has done so since old was the current one. If another one tries and
// fails while this one waits, its error is returned: while OpenSearch does not answer, every search comes here, and each would
// otherwise wait for the attempts of all before it.
func (ix *Index) reload(ctx context.Context, old *snapshot) error {
	asked, l := time.Now(), ix.loading
	if err := l.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer l.turn.Release(1)
	ix.mu.Lock()
	done := old != nil && ix.current != old
	ix.mu.Unlock()
	switch {
	case done:
		return nil
	case l.err != nil && l.began.After(asked):
		return l.err
	}
	began := time.Now()
	err := ix.load(ctx)
	l.began, l.err = began, err
	if ctx.Err() != nil {
		l.err = nil // the others need not care
	}
	return err
}

func (ix *Index) load(ctx context.Context) error {
	fresh, err := ix.openSnapshot(ctx, ix.newest())
	if err != nil {
		return err
	}
	if fresh.broken != nil {
		return fresh.broken
	}
	ix.adopt(fresh)
	return nil
}

// newest returns the state of the current snapshot and the index that it is of. A copy that lags behind may have an older one.
func (ix *Index) newest() stateOf {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return stateOf{ix.current.index, ix.current.state.apply}
}

// stateOf is how often changes were applied to an index.
type stateOf struct {
	index string
	apply uint64
}

// openSnapshot opens a point in time of what the alias stands for, not before a known state. It is an empty snapshot if there is no
// index, and a broken one if an Apply was interrupted.
func (ix *Index) openSnapshot(ctx context.Context, atLeast stateOf) (*snapshot, error) {
	var err error
	var last *snapshot
	for try := range openTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(try) * 5 * time.Millisecond):
			}
		}
		preference := ""
		if try%4 == 3 { // a copy may lag behind
			preference = "&preference=_primary"
		}
		var s *snapshot
		s, err = ix.openOnce(ctx, preference, atLeast)
		if tooManySnapshots(err) && ix.closeKept(ctx) {
			s, err = ix.openOnce(ctx, preference, atLeast)
		}
		if !errors.Is(err, errInconsistent) {
			return s, err
		}
		last = s
	}
	last.broken = unavailable(err)
	return last, nil
}

func (ix *Index) openOnce(ctx context.Context, preference string, atLeast stateOf) (*snapshot, error) {
	var opened struct {
		ID string `json:"pit_id"`
	}
	path := "/" + ix.target() + "/_search/point_in_time?allow_partial_pit_creation=false&keep_alive=" + ix.keepAlive() + preference
	err := ix.client.do(ctx, http.MethodPost, path, nil, &opened)
	if isMissing(err) {
		return &snapshot{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open a point in time: %w", err)
	}
	s := &snapshot{pit: opened.ID}
	err = ix.describe(ctx, s)
	if err == nil && s.index == atLeast.index && s.state.apply < atLeast.apply {
		err = errInconsistent
	}
	if err != nil {
		ix.closeAll([]*snapshot{{pit: s.pit}})
		return &snapshot{index: s.index, state: s.state}, err
	}
	return s, nil
}

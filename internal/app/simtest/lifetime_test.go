package simtest

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/db"
)

// errCrashed is what every step of a process gives that has died.
var errCrashed = errors.New("the process has died")

// life is how long a simulated process lives. Every step that changes something outside of the process goes through it:
// the begin, the statements and the commit of each write transaction, and what is done to files. It ends the process
// before one of them, after which no other ever happens. A step that only reads is none, since a death before it leaves
// what the death before the next one leaves; but the dead do not read either.
type lifetime struct {
	mu      sync.Mutex
	taken   int
	steps   []string // the last ones, for whoever looks into a failure
	crashAt int      // the process dies before this step; 0 for never
	crashed bool
	onCrash func() // called when it dies; nil for nobody

	hangUpAt int                // a client hangs up before this step
	hangUp   context.CancelFunc // nil if none does
}

// lastSteps is how many steps a life remembers.
const lastSteps = 40

// crashAfter lets the process take n more steps, and die before the next one.
func (l *lifetime) crashAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashAt = l.taken + n + 1
}

// crashAfterThen also tells of the death; then must not block.
func (l *lifetime) crashAfterThen(n int, then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashAt, l.onCrash = l.taken+n+1, then
}

func (l *lifetime) keepAlive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashAt = 0
}

// hangUpAfter ends the context n steps from now.
func (l *lifetime) hangUpAfter(n int, hangUp context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hangUpAt, l.hangUp = l.taken+n+1, hangUp
}

func (l *lifetime) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.crashed
}

func (l *lifetime) step(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.crashed {
		return errCrashed
	}
	l.taken++
	if len(l.steps) == lastSteps {
		l.steps = append(l.steps[:0], l.steps[1:]...)
	}
	if l.taken == l.crashAt {
		l.crashed = true
		l.steps = append(l.steps, "death before "+what)
		if l.onCrash != nil {
			l.onCrash()
		}
		return errCrashed
	}
	l.steps = append(l.steps, what)
	if l.hangUp != nil && l.taken == l.hangUpAt {
		l.hangUp()
		l.hangUp = nil
	}
	return nil
}

func (l *lifetime) guard(p db.GuardPoint) error {
	switch p {
	case db.Begin:
		return l.step("begin")
	case db.Statement:
		return l.step("statement")
	case db.Commit:
		return l.step("commit")
	case db.Committed:
		return l.step("word of the commit")
	case db.Read:
	}
	if l.isOver() {
		return errCrashed
	}
	return nil
}

// store is a blob.Store whose steps a life counts, and that can be made to fail.
type store struct {
	blob.Store
	life  *lifetime
	fault func() error // of a Put; nil for none
}

func (s *store) Put(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error) {
	if err := s.life.step("file begun"); err != nil {
		return blob.Info{}, err
	}
	if err := s.fault(); err != nil {
		return blob.Info{}, err
	}
	info, err := s.Store.Put(ctx, key, func(w io.Writer) error {
		if err := fn(&crashingWriter{w: w, life: s.life}); err != nil {
			return err
		}
		return s.life.step("file in place")
	})
	if err != nil {
		return blob.Info{}, err
	}
	return info, s.life.step("word of the file")
}

// crashingWriter may die after its first write.
type crashingWriter struct {
	w       io.Writer
	life    *lifetime
	written bool
}

func (d *crashingWriter) Write(p []byte) (int, error) {
	if d.written {
		return d.w.Write(p)
	}
	d.written = true
	n, err := d.w.Write(p)
	if err == nil {
		err = d.life.step("rest of the file")
	}
	return n, err
}

func (s *store) Delete(ctx context.Context, key string) error {
	if err := s.life.step("file deleted"); err != nil {
		return err
	}
	if err := s.Store.Delete(ctx, key); err != nil {
		return err
	}
	return s.life.step("word of the deletion")
}

func (s *store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if s.life.isOver() {
		return nil, errCrashed
	}
	return s.Store.Open(ctx, key)
}

package simtest

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/db"
)

// errCrashed is returned by every step of a process that has crashed.
var errCrashed = errors.New("the process has crashed")

// lifetime counts the steps of a simulated process and can crash it. Every step that changes something outside the process
// goes through it: the begin, the statements and the commit of each write transaction, and each operation on a file. After
// the crash every step fails. Reads are not counted as steps, since a crash before a read leaves the same data as a crash
// before the next step; but they fail after a crash, too.
type lifetime struct {
	mu      sync.Mutex
	taken   int
	steps   []string // the last ones, printed if the test fails
	crashAt int      // the process crashes before this step; 0 for never
	crashed bool
	onCrash func() // called at the crash, if not nil

	hangUpAt int                // a client hangs up before this step
	hangUp   context.CancelFunc // nil if no client does
}

// lastSteps is the number of steps that a lifetime keeps.
const lastSteps = 40

// crashAfter makes the process crash after n more steps.
func (l *lifetime) crashAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashAt = l.taken + n + 1
}

// crashAfterThen is like crashAfter, and calls then at the crash. then must not block.
func (l *lifetime) crashAfterThen(n int, then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashAt, l.onCrash = l.taken+n+1, then
}

// keepAlive cancels a planned crash.
func (l *lifetime) keepAlive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashAt = 0
}

// hangUpAfter calls hangUp after n more steps.
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
		l.steps = append(l.steps, "crash before "+what)
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
		return l.step("confirmation of the commit")
	case db.Read:
	}
	if l.isOver() {
		return errCrashed
	}
	return nil
}

// store is a blob.Store whose steps are counted by a lifetime, and that can be made to fail.
type store struct {
	blob.Store
	life  *lifetime
	fault func() error // returns the error of the next Put, or nil
}

func (s *store) Put(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error) {
	if err := s.life.step("creation of the file"); err != nil {
		return blob.Info{}, err
	}
	if err := s.fault(); err != nil {
		return blob.Info{}, err
	}
	info, err := s.Store.Put(ctx, key, func(w io.Writer) error {
		if err := fn(&crashingWriter{w: w, life: s.life}); err != nil {
			return err
		}
		return s.life.step("rename of the file")
	})
	if err != nil {
		return blob.Info{}, err
	}
	return info, s.life.step("confirmation of the file")
}

// crashingWriter may crash after its first write.
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
	if err := s.life.step("deletion of the file"); err != nil {
		return err
	}
	if err := s.Store.Delete(ctx, key); err != nil {
		return err
	}
	return s.life.step("confirmation of the deletion")
}

func (s *store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if s.life.isOver() {
		return nil, errCrashed
	}
	return s.Store.Open(ctx, key)
}

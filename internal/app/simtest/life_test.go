package simtest

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/db"
)

// errDead is what every step of a process gives that has died.
var errDead = errors.New("the process has died")

// life is how long a simulated process lives. Every step that changes something outside of the process goes through it:
// the begin, the statements and the commit of each write transaction, and what is done to files. It ends the process
// before one of them, after which no other ever happens. A step that only reads is none, since a death before it leaves
// what the death before the next one leaves; but the dead do not read either.
type life struct {
	mu    sync.Mutex
	taken int
	steps []string // the last ones, for whoever looks into a failure
	endAt int      // the process dies before this step; 0 for never
	dead  bool
	died  func() // called when it dies; nil for nobody

	cutAt int                // a client hangs up before this step
	cut   context.CancelFunc // nil if none does
}

// lastSteps is how many steps a life remembers.
const lastSteps = 40

// endAfter lets the process take n more steps, and die before the next one.
func (l *life) endAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endAt = l.taken + n + 1
}

// endAfterThen also tells of the death; then must not block.
func (l *life) endAfterThen(n int, then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endAt, l.died = l.taken+n+1, then
}

func (l *life) goOn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endAt = 0
}

// hangUpAfter ends the context n steps from now.
func (l *life) hangUpAfter(n int, cut context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutAt, l.cut = l.taken+n+1, cut
}

func (l *life) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

func (l *life) step(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	l.taken++
	if len(l.steps) == lastSteps {
		l.steps = append(l.steps[:0], l.steps[1:]...)
	}
	if l.taken == l.endAt {
		l.dead = true
		l.steps = append(l.steps, "death before "+what)
		if l.died != nil {
			l.died()
		}
		return errDead
	}
	l.steps = append(l.steps, what)
	if l.cut != nil && l.taken == l.cutAt {
		l.cut()
		l.cut = nil
	}
	return nil
}

func (l *life) guard(p db.GuardPoint) error {
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
		return errDead
	}
	return nil
}

// store is a blob.Store whose steps a life counts, and that can be made to fail.
type store struct {
	blob.Store
	life  *life
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
		if err := fn(&dyingWriter{w: w, life: s.life}); err != nil {
			return err
		}
		return s.life.step("file in place")
	})
	if err != nil {
		return blob.Info{}, err
	}
	return info, s.life.step("word of the file")
}

// dyingWriter may die after its first write.
type dyingWriter struct {
	w       io.Writer
	life    *life
	written bool
}

func (d *dyingWriter) Write(p []byte) (int, error) {
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
		return nil, errDead
	}
	return s.Store.Open(ctx, key)
}

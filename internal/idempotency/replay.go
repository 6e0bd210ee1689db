// Package idempotency keeps the first answer to each request that has an Idempotency-Key, in the transaction of what the
// answer tells of, so that a retry gets the same answer and changes nothing again.
// It does not know what the requests do.
package idempotency

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// KeyLengthMax is the number of characters that a key has at most.
const KeyLengthMax = 255

// KeyFault says what is wrong with a key: it has 1 to KeyLengthMax printable ASCII characters. Empty if nothing is.
func KeyFault(key string) string {
	if key == "" || len(key) > KeyLengthMax {
		return fmt.Sprintf("must have 1 to %d characters", KeyLengthMax)
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return "must consist of printable ASCII characters"
		}
	}
	return ""
}

// Options tune the book; the zero Options are good.
type Options struct {
	Kept time.Duration // how long an answer is kept at least. Defaults to 24h
}

// Store keeps the answers of all workspaces. Safe for concurrent use, by several processes on one database too.
type Store struct {
	db      *db.DB
	options Options

	mu      sync.Mutex
	flights map[string]*flight
}

// New opens the book.
func New(d *db.DB, o Options) *Store {
	return &Store{db: d, options: Options{Kept: cmp.Or(o.Kept, 24*time.Hour)}, flights: map[string]*flight{}}
}

// Request is a request that changes something.
type Request struct {
	Workspace id.Workspace // whose key it is
	Key       string       // empty without one: then no answer is kept
	Token     id.Token     // without a key, a twin of this token in flight is refused; zero allows twins
	Operation string
	SHA256    [32]byte // of operation, path and body: requests are twins if it is equal
	Status    int      // of success
}

// Answer is what a request was answered with.
type Answer struct {
	Status   int
	Body     []byte
	Replayed bool // the answer is of an earlier request
}

// Do gives the answer that is kept under the request's key, or has act make it: act must run the step that Last gives
// as the last of the transaction that does the work. An error of act keeps nothing, so a retry acts again.
//
// IdempotencyKeyReused for the key of another request; RequestInFlight while a twin is being answered by this process.
// Of twins on several nodes one acts and the others get its answer: the key is unique in the database.
func (s *Store) Do(ctx context.Context, r Request, act func(*Attempt) error) (Answer, error) {
	leave, err := s.enter(ctx, r)
	if err != nil {
		return s.afterFailure(ctx, r, err) // whose key it is decides what is kept, not who is in flight
	}
	defer leave()
	if kept, found, err := s.find(ctx, r); found || err != nil {
		return kept, err
	}
	a := &Attempt{request: r}
	if err := act(a); err != nil {
		return s.afterFailure(ctx, r, err)
	}
	if a.body == nil {
		return Answer{}, fmt.Errorf("%s has kept no answer", r.Operation)
	}
	return Answer{Status: r.Status, Body: a.body}, nil
}

// afterFailure looks again: a twin on another node may have come first, which is why this one found nothing left to
// do; or the commit was done, but the word of it was lost.
func (s *Store) afterFailure(ctx context.Context, r Request, failure error) (Answer, error) {
	kept, found, err := s.find(ctx, r)
	if found {
		return kept, err
	}
	return Answer{}, failure
}

// Attempt is a request that is being answered for the first time.
type Attempt struct {
	request Request
	body    []byte
}

// Last is the step that ends the transaction of an attempt: it keeps what render makes of the thing that was made.
func Last[T any](a *Attempt, render func(T) ([]byte, error)) db.Step[T] {
	return func(ctx context.Context, tx *db.Tx, made T) error {
		body, err := render(made)
		if err != nil {
			return err
		}
		if err := keep(ctx, tx, a.request, body); err != nil {
			return err
		}
		a.body = body // of the run that commits, which is the last one
		return nil
	}
}

// Package idempotency keeps the first answer to each request that has an Idempotency-Key, in the transaction that does the
// request's work, so that a retry gets the same answer and changes nothing again. It does not know what the requests do.
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

// KeyLengthMax is the maximum number of characters of a key.
const KeyLengthMax = 255

// KeyFault returns what is wrong with a key, which must have 1 to KeyLengthMax printable ASCII characters. It returns an
// empty string for a valid key.
func KeyFault(key string) string {
	if key == "" || len(key) > KeyLengthMax {
		return fmt.Sprintf("must have 1 to %d characters", KeyLengthMax)
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return "must contain only printable ASCII characters"
		}
	}
	return ""
}

// Options are the settings of a Store; the zero value has good defaults.
type Options struct {
	Kept time.Duration // how long an answer is kept at least. Defaults to 24h
}

// Store keeps the answers of all workspaces. Safe for concurrent use, also by several processes on one database.
type Store struct {
	db      *db.DB
	options Options

	mu       sync.Mutex
	inFlight map[string]*call // by callKey
}

// New returns a store on d.
func New(d *db.DB, o Options) *Store {
	return &Store{db: d, options: Options{Kept: cmp.Or(o.Kept, 24*time.Hour)}, inFlight: map[string]*call{}}
}

// Request is a request that changes something.
type Request struct {
	Workspace id.Workspace // the owner of the key
	Key       string       // empty for a request without one: then no answer is kept
	Token     id.Token     // without a key, a duplicate from this token is refused while one is in flight; zero allows duplicates
	Operation string
	SHA256    [32]byte // of operation, path and body: requests with an equal hash are duplicates
	Status    int      // of success
}

// Answer is the answer to a request.
type Answer struct {
	Status   int
	Body     []byte
	Replayed bool // whether this is the answer to an earlier request
}

// Do returns the answer that is kept under the request's key, or calls act to make it. act must run the step that Last
// returns as the last one of the transaction that does the work. If act returns an error nothing is kept, so a retry
// calls it again.
//
// The error is IdempotencyKeyReused if the key belongs to a different request, and RequestInFlight while this process
// is answering a duplicate. Of duplicates on several nodes one acts and the others get its answer: the key is unique in
// the database.
func (s *Store) Do(ctx context.Context, r Request, act func(*Attempt) error) (Answer, error) {
	leave, err := s.enter(ctx, r)
	if err != nil {
		return s.afterFailure(ctx, r, err) // the kept answer decides whose key it is, not the request in flight
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
		return Answer{}, fmt.Errorf("%s kept no answer: its transaction did not run the step of idempotency.Last", r.Operation)
	}
	return Answer{Status: r.Status, Body: a.body}, nil
}

// afterFailure looks for a kept answer again. A duplicate on another node may have been first, which left this one nothing
// to do; or the commit succeeded, but its confirmation was lost.
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

// Last returns the step that ends the transaction of an attempt: it keeps what render returns for the result.
func Last[T any](a *Attempt, render func(T) ([]byte, error)) db.Step[T] {
	return func(ctx context.Context, tx *db.Tx, made T) error {
		body, err := render(made)
		if err != nil {
			return err
		}
		if err := keep(ctx, tx, a.request, body); err != nil {
			return err
		}
		a.body = body // the transaction may run again; the run that commits is the last one
		return nil
	}
}

package idempotency

import (
	"context"

	"github.com/opencapi/capi/internal/fault"
)

// call is a request that this process is answering.
type call struct {
	sha256 [32]byte
	gone   <-chan struct{} // closed when the client no longer waits
	done   chan struct{}   // closed when the request is answered
}

// callKey returns the key under which only one request may be in flight; empty if there is no limit.
func (r Request) callKey() string {
	switch {
	case r.Key != "":
		return r.Workspace.String() + " " + r.Key
	case !r.Token.IsZero():
		return r.Token.String() + string(r.SHA256[:])
	}
	return ""
}

// enter registers the request as in flight until leave is called. A duplicate of a request whose client has gone is not
// refused but waits: the client that dropped its connection is the one that tries again.
func (s *Store) enter(ctx context.Context, r Request) (leave func(), err error) {
	key := r.callKey()
	if key == "" {
		return func() {}, nil
	}
	mine := &call{sha256: r.SHA256, gone: ctx.Done(), done: make(chan struct{})}
	for {
		other := s.register(key, mine)
		if other == nil {
			return func() { s.unregister(key, mine) }, nil
		}
		if other.sha256 != r.SHA256 {
			return nil, keyReused()
		}
		select {
		case <-other.gone:
		default:
			return nil, requestInFlight()
		}
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// register adds the call and returns nil, or returns the call that has the key already.
func (s *Store) register(key string, mine *call) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.inFlight[key]; other != nil {
		return other
	}
	s.inFlight[key] = mine
	return nil
}

func (s *Store) unregister(key string, mine *call) {
	s.mu.Lock()
	delete(s.inFlight, key)
	s.mu.Unlock()
	close(mine.done)
}

func requestInFlight() error {
	return fault.New(fault.RequestInFlight, "The same request is still being answered. Try again in a second.")
}

func keyReused() error {
	return fault.New(fault.IdempotencyKeyReused,
		"This Idempotency-Key belongs to another request. Use a new key for each new request, and the same one to retry.")
}

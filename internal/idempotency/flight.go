package idempotency

import (
	"context"

	"github.com/opencapi/capi/internal/fault"
)

// flight is a request that is being answered by this process.
type flight struct {
	sha256 [32]byte
	gone   <-chan struct{} // closed when its client no longer waits
	done   chan struct{}   // closed when it is answered
}

// name is what only one request in flight may have; empty for any number.
func (r Request) name() string {
	switch {
	case r.Key != "":
		return r.Workspace.String() + " " + r.Key
	case !r.Token.IsZero():
		return r.Token.String() + string(r.SHA256[:])
	}
	return ""
}

// enter begins a flight, which ends with leave. A twin whose client has gone is not refused but waited for: the client
// that dropped its connection and the one that tries again are the same.
func (s *Store) enter(ctx context.Context, r Request) (leave func(), err error) {
	name := r.name()
	if name == "" {
		return func() {}, nil
	}
	mine := &flight{sha256: r.SHA256, gone: ctx.Done(), done: make(chan struct{})}
	for {
		other := s.begin(name, mine)
		if other == nil {
			return func() { s.end(name, mine) }, nil
		}
		if other.sha256 != r.SHA256 {
			return nil, reused()
		}
		select {
		case <-other.gone:
		default:
			return nil, inFlight()
		}
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// begin registers the flight, or gives the one that is there.
func (s *Store) begin(name string, mine *flight) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.flights[name]; other != nil {
		return other
	}
	s.flights[name] = mine
	return nil
}

func (s *Store) end(name string, mine *flight) {
	s.mu.Lock()
	delete(s.flights, name)
	s.mu.Unlock()
	close(mine.done)
}

func inFlight() error {
	return fault.New(fault.RequestInFlight, "The same request is still being answered. Try again in a second.")
}

func reused() error {
	return fault.New(fault.IdempotencyKeyReused,
		"This Idempotency-Key belongs to another request. Use a new key for each new request, and the same one to retry.")
}

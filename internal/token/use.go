package token

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// useStale bounds the age of the stored time of last use while a token is in use.
const useStale = time.Minute

// use records that the token was used if the stored time is old enough. The request does not wait for the write.
func (s *Store) use(h holder, now time.Time) {
	if h.lastUsedAt.Valid && now.Sub(db.FromTime(h.lastUsedAt.Int64)) < useStale {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[h.Token] = now
}

// Start begins to write the times of last use. The context's cancellation is ignored; call Stop to end. A second call
// does nothing.
func (s *Store) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quit != nil {
		return nil
	}
	s.quit, s.done = make(chan struct{}), make(chan struct{})
	go s.writeUses(context.WithoutCancel(ctx), s.quit, s.done)
	return nil
}

// Stop writes the remaining uses and ends what Start began. It waits for that or until ctx ends. A second call, or one
// without Start, does nothing.
func (s *Store) Stop(ctx context.Context) error {
	s.mu.Lock()
	quit, done := s.quit, s.done
	s.quit, s.done = nil, nil
	s.mu.Unlock()
	if quit == nil {
		return nil
	}
	close(quit)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop writing uses of tokens: %w", ctx.Err())
	}
}

func (s *Store) writeUses(ctx context.Context, quit, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(s.usePeriod)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ticker.C:
		case <-quit:
			running = false
		}
		if err := s.flush(ctx); err != nil {
			s.log.WarnContext(ctx, "uses of tokens not written", "error", err)
		}
	}
}

// flush writes the uses that are not written yet. Those of a failed write are lost, which the next use repairs.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	used := s.used
	s.used = map[id.Token]time.Time{}
	s.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	tokens := make([]id.Token, 0, len(used))
	var last time.Time
	for token, at := range used {
		tokens = append(tokens, token)
		if at.After(last) {
			last = at
		}
	}
	list, err := json.Marshal(tokens)
	if err != nil {
		return fmt.Errorf("write uses of tokens: %w", err)
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		// One time for all of them: they differ by UsePeriod at most.
		_, err := tx.ExecContext(ctx, `
			UPDATE token SET last_used_at = $1
			WHERE id IN (SELECT value FROM `+tx.EachString("$2")+`)`, db.Time(last), string(list))
		if err != nil {
			return fmt.Errorf("write uses of tokens: %w", err)
		}
		return nil
	})
}

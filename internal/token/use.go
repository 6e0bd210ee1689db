package token

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// useStale is how old a stored time of last use may get while its token is in use.
const useStale = time.Minute

// use remembers that the token was used, if what is stored is old enough; the request does not wait for the write.
func (b *Store) use(h holder, now time.Time) {
	if h.lastUsedAt.Valid && now.Sub(db.FromTime(h.lastUsedAt.Int64)) < useStale {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used[h.Token] = now
}

// Start begins to write the times of last use; ctx gives its values, not its end. A second call changes nothing.
func (b *Store) Start(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quit != nil {
		return nil
	}
	b.quit, b.done = make(chan struct{}), make(chan struct{})
	go b.writeUses(context.WithoutCancel(ctx), b.quit, b.done)
	return nil
}

// Stop writes the last uses and ends what Start began; it waits until then or until ctx ends. A second call, or one
// without Start, changes nothing.
func (b *Store) Stop(ctx context.Context) error {
	b.mu.Lock()
	quit, done := b.quit, b.done
	b.quit, b.done = nil, nil
	b.mu.Unlock()
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

func (b *Store) writeUses(ctx context.Context, quit, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(b.usePeriod)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ticker.C:
		case <-quit:
			running = false
		}
		if err := b.flush(ctx); err != nil {
			b.log.WarnContext(ctx, "uses of tokens not written", "error", err)
		}
	}
}

// flush writes the uses that are not yet written; those of a failed write are lost, the next use makes up for them.
func (b *Store) flush(ctx context.Context) error {
	b.mu.Lock()
	used := b.used
	b.used = map[id.Token]time.Time{}
	b.mu.Unlock()
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
	return b.db.Tx(ctx, func(tx *db.Tx) error {
		// One time for all of them: they are apart by UsePeriod at most.
		_, err := tx.ExecContext(ctx, `
			UPDATE token SET last_used_at = $1
			WHERE id IN (SELECT value FROM `+tx.EachString("$2")+`)`, db.Time(last), string(list))
		if err != nil {
			return fmt.Errorf("write uses of tokens: %w", err)
		}
		return nil
	})
}

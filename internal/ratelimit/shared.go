package ratelimit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/db"
)

const (
	sharedTimeout = time.Second
	sharedPause   = time.Second // after a failure, for which the buckets in memory decide
)

// NewShared returns a limiter whose buckets are in the database, so that all servers on it count together. While the database does not
// answer, each server counts for itself.
func NewShared(d *db.DB, log *slog.Logger) *Limiter {
	l := New()
	l.shared = &shared{db: d, log: log, timeout: sharedTimeout}
	return l
}

// shared is the table rate_limit.
type shared struct {
	db      *db.DB
	log     *slog.Logger
	timeout time.Duration // of a question

	mu   sync.Mutex
	next time.Time // when the database is asked again after a failure
}

// take takes one request out of the key's bucket if it has one. It returns what is missing in the bucket after that, by the
// database's clock; ok is false if the database does not answer.
func (s *shared) take(key string, limit Limit) (missing time.Duration, taken, ok bool) {
	interval := limit.interval()
	size := interval * time.Duration(limit.Requests)
	now := s.db.Clock()
	ok = s.ask(func(ctx context.Context) error {
		var us int64
		// A bucket is never emptier than empty: after a limit was lowered, nobody waits longer than its period.
		err := s.db.Read().QueryRowContext(ctx, `
			WITH taken AS (
				INSERT INTO rate_limit AS r (bucket, full_at) VALUES ($1, `+now+` + $2)
				ON CONFLICT (bucket) DO UPDATE SET full_at = LEAST(GREATEST(r.full_at, `+now+`), `+now+` + $3) + $2
				WHERE GREATEST(r.full_at, `+now+`) + $2 <= `+now+` + $3
				RETURNING full_at
			)
			SELECT full_at - `+now+`, TRUE FROM taken
			UNION ALL
			SELECT LEAST(full_at - `+now+`, $3), FALSE FROM rate_limit WHERE bucket = $1 AND NOT EXISTS (SELECT 1 FROM taken)`,
			key, interval.Microseconds(), size.Microseconds()).Scan(&us, &taken)
		missing = max(time.Duration(us)*time.Microsecond, 0)
		return err
	})
	return missing, taken, ok
}

// give puts one request back into the key's bucket.
func (s *shared) give(key string, limit Limit) {
	s.ask(func(ctx context.Context) error {
		_, err := s.db.Read().ExecContext(ctx, `UPDATE rate_limit SET full_at = full_at - $2 WHERE bucket = $1`,
			key, limit.interval().Microseconds())
		return err
	})
}

// missing returns what is missing in the key's bucket; ok is false if the database does not answer.
func (s *shared) missing(key string) (missing time.Duration, ok bool) {
	ok = s.ask(func(ctx context.Context) error {
		var us int64
		err := s.db.Read().QueryRowContext(ctx,
			`SELECT COALESCE(MAX(full_at), 0) - `+s.db.Clock()+` FROM rate_limit WHERE bucket = $1`, key).Scan(&us)
		missing = max(time.Duration(us)*time.Microsecond, 0)
		return err
	})
	return missing, ok
}

// ask runs fn, and reports whether the database answered. It does not, right after it has not.
func (s *shared) ask(fn func(ctx context.Context) error) bool {
	s.mu.Lock()
	paused := time.Now().Before(s.next)
	s.mu.Unlock()
	if paused {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	err := fn(ctx)
	if err == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.next) {
		s.log.Warn("the database does not count requests: this server limits them by itself", "error", err)
	}
	s.next = time.Now().Add(sharedPause)
	return false
}

// Prune deletes the full buckets in the database.
func (l *Limiter) Prune(ctx context.Context) error {
	if l.shared == nil {
		return nil
	}
	return l.shared.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM rate_limit WHERE full_at < `+tx.Clock()); err != nil {
			return fmt.Errorf("prune rate limits: %w", err)
		}
		return nil
	})
}

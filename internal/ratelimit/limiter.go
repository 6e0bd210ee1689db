// Package ratelimit keeps one token bucket for each key, in memory or in a database that several servers share.
// It does not know endpoints or callers: the key and its limit come with each request.
package ratelimit

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/fault"
)

// Limit is the size of a bucket and the time in which an empty bucket fills up. The zero Limit allows everything.
type Limit struct {
	Requests int
	Per      time.Duration
}

// PerMinute returns a limit of requests in a minute.
func PerMinute(requests int) Limit { return Limit{Requests: requests, Per: time.Minute} }

// IsOff reports whether the limit allows everything.
func (l Limit) IsOff() bool { return l.Requests <= 0 || l.Per <= 0 }

// String returns the limit in words, such as 5 requests a minute.
func (l Limit) String() string {
	what := strconv.Itoa(l.Requests) + " requests"
	if l.Requests == 1 {
		what = "1 request"
	}
	switch l.Per {
	case time.Second:
		return what + " a second"
	case time.Minute:
		return what + " a minute"
	case time.Hour:
		return what + " an hour"
	case 24 * time.Hour:
		return what + " a day"
	default:
		return what + " in " + l.Per.String()
	}
}

// interval returns the time in which the bucket gains one request.
func (l Limit) interval() time.Duration { return max(l.Per/time.Duration(l.Requests), 1) }

// Decision is the answer to one request, with the state of the bucket after it.
type Decision struct {
	OK         bool
	Limit      int           // the bucket's size; 0 if the limit is off
	Remaining  int           // requests that would be allowed now
	ResetAfter time.Duration // until the bucket is full again
	RetryAfter time.Duration // until the next request is allowed; 0 if it is allowed now
}

// Err returns RateLimited for a request that is refused by the limit, nil for one that is allowed.
func (d Decision) Err(l Limit) error {
	if d.OK {
		return nil
	}
	wait := max(int(math.Ceil(d.RetryAfter.Seconds())), 1)
	return fault.New(fault.RateLimited, "The limit is %s for this token and endpoint. Try again in %d s.", l, wait).With("retry_after", wait)
}

// Limiter keeps the buckets. Safe for concurrent use. Create one with New; the zero Limiter is not usable.
type Limiter struct {
	mu        sync.Mutex
	full      map[string]time.Time // when the key's bucket is full again; a missing bucket is full
	nextPrune time.Time
	shared    *shared // nil if the buckets are in memory only
}

const prunePeriod = time.Minute

// New returns a limiter whose buckets are all full.
func New() *Limiter { return &Limiter{full: map[string]time.Time{}} }

// Allow takes one request out of the key's bucket if it has one. A request that is refused takes nothing.
//
// It is the generic cell rate algorithm (ITU-T I.371): a bucket is stored as the time at which it is full again.
func (l *Limiter) Allow(key string, limit Limit) Decision {
	if limit.IsOff() {
		return Decision{OK: true}
	}
	interval := limit.interval()
	size := interval * time.Duration(limit.Requests)
	missing, taken := l.take(key, interval, size)
	if l.shared != nil {
		// The bucket in memory has counted too, so that it is right as far as this server goes when the database is away.
		if there, ok, answered := l.shared.take(key, limit); answered {
			missing, taken = there, ok
		}
	}
	return Decision{
		OK: taken, Limit: limit.Requests, Remaining: int((size - missing) / interval), ResetAfter: missing,
		RetryAfter: max(missing+interval-size, 0),
	}
}

// take takes one request out of the bucket in memory if it has one, and returns what is missing in it after that.
func (l *Limiter) take(key string, interval, size time.Duration) (missing time.Duration, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.prune(now)
	missing = min(max(l.full[key].Sub(now), 0), size) // after a limit was lowered, nobody waits longer than its period
	if missing+interval > size {
		return missing, false
	}
	l.full[key] = now.Add(missing + interval)
	return missing + interval, true
}

// Return puts one request back into the key's bucket, for a request that turned out not to count.
func (l *Limiter) Return(key string, limit Limit) {
	if limit.IsOff() {
		return
	}
	if l.shared != nil {
		l.shared.give(key, limit)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.full[key]; ok {
		l.full[key] = full.Add(-limit.interval())
	}
}

// Left returns how many requests the key's bucket would allow now, and takes none.
func (l *Limiter) Left(key string, limit Limit) int {
	if limit.IsOff() {
		return 0
	}
	interval := limit.interval()
	size := interval * time.Duration(limit.Requests)
	l.mu.Lock()
	missing := time.Until(l.full[key])
	l.mu.Unlock()
	if l.shared != nil {
		if there, ok := l.shared.missing(key); ok {
			missing = there
		}
	}
	return int((size - min(max(missing, 0), size)) / interval)
}

// prune deletes the full buckets, once every prunePeriod.
func (l *Limiter) prune(now time.Time) {
	if now.Before(l.nextPrune) {
		return
	}
	l.nextPrune = now.Add(prunePeriod)
	for key, full := range l.full {
		if !full.After(now) {
			delete(l.full, key)
		}
	}
}

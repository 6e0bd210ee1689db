// Package ratelimit holds one token bucket a key, in memory.
// It knows no endpoint and no caller: the key and its limit come with each request.
package ratelimit

import (
	"sync"
	"time"
)

// Limit is the size of a bucket and the time in which an empty one fills up. The zero Limit allows everything.
type Limit struct {
	Requests int
	Per      time.Duration
}

// PerMinute is the usual kind of limit.
func PerMinute(requests int) Limit { return Limit{Requests: requests, Per: time.Minute} }

// IsOff holds for a limit that allows everything.
func (l Limit) IsOff() bool { return l.Requests <= 0 || l.Per <= 0 }

// interval is the time in which one request's worth flows back.
func (l Limit) interval() time.Duration { return max(l.Per/time.Duration(l.Requests), 1) }

// Decision is the answer to one request, and what the bucket holds after it.
type Decision struct {
	OK         bool
	Limit      int           // the bucket's size; 0 where the limit is off
	Remaining  int           // requests that would be allowed at this moment
	ResetAfter time.Duration // until the bucket is full again
	RetryAfter time.Duration // until the next request is allowed; 0 if that is now
}

// Limiter holds the buckets. Safe for concurrent use; the zero Limiter is not ready, New makes one.
type Limiter struct {
	mu        sync.Mutex
	full      map[string]time.Time // when the key's bucket is full again; absent is full
	nextPrune time.Time
}

const prunePeriod = time.Minute

// New makes a limiter whose buckets are all full.
func New() *Limiter { return &Limiter{full: map[string]time.Time{}} }

// Allow takes one request out of the key's bucket, if it holds one. A request that is refused takes nothing.
//
// It is the generic cell rate algorithm (ITU-T I.371): a bucket is the moment at which it is full again.
func (l *Limiter) Allow(key string, limit Limit) Decision {
	if limit.IsOff() {
		return Decision{OK: true}
	}
	interval := limit.interval()
	size := interval * time.Duration(limit.Requests)

	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.prune(now)
	missing := min(max(l.full[key].Sub(now), 0), size) // a limit that was lowered never locks anyone out for longer
	d := Decision{Limit: limit.Requests}
	if missing+interval <= size {
		d.OK = true
		missing += interval
		l.full[key] = now.Add(missing)
	}
	d.Remaining = int((size - missing) / interval)
	d.ResetAfter = missing
	d.RetryAfter = max(missing+interval-size, 0)
	return d
}

// prune forgets the buckets that are full, now and then.
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

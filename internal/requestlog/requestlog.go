// Package requestlog keeps the recent API requests of each token, and counts all of them by the hour, for a week. It has no
// bodies and no parameters. Writing never makes a request wait.
package requestlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Kept is how long requests and their counts are kept, and KeptMax how many requests of a token are.
const (
	Kept    = 7 * 24 * time.Hour
	KeptMax = 1000
)

// Request is an answered request.
type Request struct {
	ID      string // X-Request-Id; a client may choose it, so it may repeat
	Token   id.Token
	At      time.Time
	Method  string
	Route   string // the path with named parameters
	Status  int
	Took    time.Duration
	Credits int64 // charged; negative if refunded
}

// Hour are the counts of an hour.
type Hour struct {
	Begin    time.Time
	Requests int64
	Errors   int64 // with a status of 400 or more
	Credits  int64
}

// Options are the settings of a Store.
type Options struct {
	// Log gets the errors that occur outside of requests. Defaults to slog.DiscardHandler.
	Log *slog.Logger

	// Period is how often requests are written, in one batch. Defaults to 2s.
	Period time.Duration
}

// Store reads and writes the tables request_log and request_count. Safe for concurrent use.
type Store struct {
	db     *db.DB
	log    *slog.Logger
	period time.Duration

	mu      sync.Mutex
	pending []Request // not written yet
	counts  map[hourOf]Hour
	dropped int
	quit    chan struct{} // closed by Stop; nil while not started
	done    chan struct{} // closed after the last write
}

type hourOf struct {
	token id.Token
	begin int64
}

// pendingMax bounds the memory for requests that are not written yet. Beyond it they are counted, but not kept.
const pendingMax = 5000

// New returns a store on d.
func New(d *db.DB, o Options) *Store {
	s := &Store{db: d, log: o.Log, period: o.Period, counts: map[hourOf]Hour{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.period <= 0 {
		s.period = 2 * time.Second
	}
	return s
}

// Add keeps the request for the next batch. It does not wait.
func (s *Store) Add(r Request) {
	begin := r.At.UTC().Truncate(time.Hour)
	key := hourOf{r.Token, db.Time(begin)}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.counts[key]
	h.Requests, h.Credits = h.Requests+1, h.Credits+r.Credits
	if r.Status >= 400 {
		h.Errors++
	}
	s.counts[key] = h
	if len(s.pending) < pendingMax {
		s.pending = append(s.pending, r)
	} else {
		s.dropped++
	}
}

// Start begins to write. The context's cancellation is ignored; call Stop to end. A second call does nothing.
func (s *Store) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quit != nil {
		return nil
	}
	s.quit, s.done = make(chan struct{}), make(chan struct{})
	go s.write(context.WithoutCancel(ctx), s.quit, s.done)
	return nil
}

// Stop writes what is left and ends what Start began. It waits for that or until ctx ends. A second call, or one without
// Start, does nothing.
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
		return fmt.Errorf("stop writing requests: %w", ctx.Err())
	}
}

func (s *Store) write(ctx context.Context, quit, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(s.period)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ticker.C:
		case <-quit:
			running = false
		}
		if err := s.Flush(ctx); err != nil {
			s.log.WarnContext(ctx, "requests not written", "error", err)
		}
	}
}

// writeMax is how many requests one transaction writes, so that no purchase waits long for it.
const writeMax = 200

// Flush writes the requests that are not written yet. Those of a failed write are lost; their counts are written by the next.
func (s *Store) Flush(ctx context.Context) error {
	s.mu.Lock()
	requests, counts, dropped := s.pending, s.counts, s.dropped
	s.pending, s.counts, s.dropped = nil, map[hourOf]Hour{}, 0
	s.mu.Unlock()
	if dropped > 0 {
		s.log.WarnContext(ctx, "too many requests to keep them all; they are counted", "dropped", dropped)
	}
	if err := s.writeCounts(ctx, counts); err != nil {
		s.restore(counts)
		return err
	}
	for len(requests) > 0 {
		part := requests[:min(len(requests), writeMax)]
		requests = requests[len(part):]
		if err := s.db.Tx(ctx, func(tx *db.Tx) error { return insert(ctx, tx, part) }); err != nil {
			return fmt.Errorf("write requests: %w", err)
		}
	}
	return nil
}

// restore adds counts that could not be written to those of the next write.
func (s *Store) restore(counts map[hourOf]Hour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, h := range counts {
		now := s.counts[key]
		s.counts[key] = Hour{Requests: h.Requests + now.Requests, Errors: h.Errors + now.Errors, Credits: h.Credits + now.Credits}
	}
}

func (s *Store) writeCounts(ctx context.Context, counts map[hourOf]Hour) error {
	if len(counts) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		for key, h := range counts {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO request_count (token_id, hour, requests, errors, credits) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (token_id, hour) DO UPDATE SET requests = request_count.requests + excluded.requests,
					errors = request_count.errors + excluded.errors, credits = request_count.credits + excluded.credits`,
				key.token, key.begin, h.Requests, h.Errors, h.Credits)
			if err != nil {
				return fmt.Errorf("count requests of token %s: %w", key.token, err)
			}
		}
		return nil
	})
}

func insert(ctx context.Context, tx *db.Tx, requests []Request) error {
	for i := range requests {
		r := &requests[i]
		_, err := tx.ExecContext(ctx, `
			INSERT INTO request_log (id, token_id, request_id, at, method, route, status, took_us, credits)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			id.New[id.Request](), r.Token, r.ID, db.Time(r.At), r.Method, r.Route, r.Status, r.Took.Microseconds(), r.Credits)
		if err != nil {
			return err
		}
	}
	return nil
}

// Recent returns the newest requests of the token, newest first, and whether there are more. before is the id of the last one
// on the page before; zero for the first page.
func (s *Store) Recent(ctx context.Context, token id.Token, before id.Request, limit int) (page []Logged, more bool, err error) {
	from := ""
	if !before.IsZero() {
		from = before.String()
	}
	page, err = db.Collect(ctx, s.db.Read(), func(row db.Row) (l Logged, err error) {
		var at, took int64
		err = row.Scan(&l.Key, &l.ID, &at, &l.Method, &l.Route, &l.Status, &took, &l.Credits)
		l.Token, l.At, l.Took = token, db.FromTime(at), time.Duration(took)*time.Microsecond
		return l, err
	}, `SELECT id, request_id, at, method, route, status, took_us, credits FROM request_log
		WHERE token_id = $1 AND at > $2 AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4`,
		token, db.Time(time.Now().Add(-Kept)), from, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("read requests of token %s: %w", token, err)
	}
	if more = len(page) > limit; more {
		page = page[:limit]
	}
	return page, more, nil
}

// Logged is a request that was written.
type Logged struct {
	Key id.Request
	Request
}

// Hours returns the counts of the token's hours with requests in the last seven days, oldest first.
func (s *Store) Hours(ctx context.Context, token id.Token) ([]Hour, error) {
	hours, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (h Hour, err error) {
		var begin int64
		err = row.Scan(&begin, &h.Requests, &h.Errors, &h.Credits)
		h.Begin = db.FromTime(begin)
		return h, err
	}, `SELECT hour, requests, errors, credits FROM request_count WHERE token_id = $1 AND hour > $2 ORDER BY hour`,
		token, db.Time(time.Now().Add(-Kept)))
	if err != nil {
		return nil, fmt.Errorf("read counts of token %s: %w", token, err)
	}
	return hours, nil
}

// Prune deletes what is older than Kept, and all but the newest KeptMax requests of each token.
func (s *Store) Prune(ctx context.Context) error {
	old := db.Time(time.Now().Add(-Kept))
	for _, q := range []struct {
		text string
		arg  int64
	}{
		{`DELETE FROM request_log WHERE at <= $1`, old},
		{`DELETE FROM request_count WHERE hour <= $1`, old},
		{`DELETE FROM request_log WHERE id IN (SELECT id FROM
			(SELECT id, ROW_NUMBER() OVER (PARTITION BY token_id ORDER BY id DESC) AS n FROM request_log) AS numbered WHERE n > $1)`, KeptMax},
	} {
		err := s.db.Tx(ctx, func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, q.text, q.arg)
			return err
		})
		if err != nil {
			return fmt.Errorf("prune requests: %w", err)
		}
	}
	return nil
}

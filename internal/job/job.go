// Package job is a durable queue. Work that is enqueued in a transaction runs after the commit, is retried when it fails,
// and is resumed by another worker when its process crashes. The package knows nothing about the kinds of work.
//
// A job runs at least once. What a handler writes in the transaction that also calls Job.Complete is written exactly
// once: the transaction fails if another worker has taken the job over.
//
//	          claim                    success, or Complete in the handler's transaction
//	queued ───────────▶ running ─────────────────────────────────────────────────────────▶ done
//	   ▲                  │  │
//	   └──────────────────┘  └───────────▶ buried
//	   failure, shutdown,     discarded: last failure, Fatal
//	   lease ran out
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// ErrLost is why a handler's context ends, and why Complete fails, when the job no longer belongs to this worker: its
// lease ran out, and another worker has taken it or will.
var ErrLost = errors.New("job lost to another worker")

// ErrStopping is why a handler's context ends when the Runner stops and no longer waits for it.
var ErrStopping = errors.New("runner is stopping")

// Job is a unit of work that a worker has claimed.
type Job struct {
	ID          id.Job
	Kind        string
	Payload     json.RawMessage
	Attempt     int // counted from 1
	AttemptsMax int
	CreatedAt   time.Time

	worker string
	notes  *notes
}

// notes are the attributes that a handler adds to the log line of its run.
type notes struct{ attrs []any }

// Note sets an attribute of the job's log line. Only the goroutine of Run may call it.
func (j Job) Note(key string, value any) {
	if j.notes == nil {
		return
	}
	noted := slog.Any(key, value)
	at := slices.IndexFunc(j.notes.attrs, func(a any) bool { return a.(slog.Attr).Key == key }) //nolint:forcetypeassert // only Note adds
	if at < 0 {
		j.notes.attrs = append(j.notes.attrs, noted)
	} else {
		j.notes.attrs[at] = noted
	}
}

// Decode reads the payload into v. The error is Fatal if the payload does not fit.
func (j Job) Decode(v any) error {
	if err := json.Unmarshal(j.Payload, v); err != nil {
		return Fatal(fmt.Errorf("decode payload of job %s: %w", j.ID, err))
	}
	return nil
}

// Handler does the work of one kind.
type Handler struct {
	// Run does the work. It is called again after an error or a crash, so it must be idempotent. It must return soon
	// after ctx ends.
	Run func(ctx context.Context, j Job) error

	// OnDiscard, if set, is called in the transaction that discards a job after its last failure. An error rolls both
	// back, and they are tried again.
	OnDiscard func(ctx context.Context, tx *db.Tx, j Job, cause error) error
}

// Fatal marks an error after which another attempt is pointless: the job is discarded at once.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return &fatalError{err}
}

type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

// RetryAfter marks an error after which the job is tried again after the delay, instead of the Runner's own.
func RetryAfter(err error, delay time.Duration) error {
	if err == nil {
		return nil
	}
	return &delayedError{err, delay}
}

type delayedError struct {
	error
	delay time.Duration
}

func (e *delayedError) Unwrap() error { return e.error }

func isFatal(err error) bool {
	var f *fatalError
	return errors.As(err, &f)
}

// Options are the settings of a Queue and its Runners.
type Options struct {
	// Log gets one line for each run. Defaults to slog.DiscardHandler.
	Log *slog.Logger

	// Workers is how many jobs a Runner works on at once. Defaults to 2.
	Workers int

	// AttemptsMax is how often a job is tried before it is discarded. Defaults to 17, which the pauses below spread over
	// at least half an hour, so that a full disk or a volume being moved ends no job that is paid for.
	AttemptsMax int

	// Lease is how long after a worker's last heartbeat another worker may take its jobs. Defaults to 15s.
	Lease time.Duration

	// Poll is how often a Runner looks for jobs without being notified. Defaults to 250ms.
	Poll time.Duration

	// RetryDelay is the pause after the first failure. It doubles with each further one, plus or minus a quarter.
	// Defaults to 1s.
	RetryDelay time.Duration

	// RetryDelayMax bounds the pause. Defaults to 5m.
	RetryDelayMax time.Duration

	// HandBack is how long Stop waits for handlers after it has cancelled their contexts. Defaults to 5s.
	HandBack time.Duration

	// Kept is how long Prune keeps a finished job. Defaults to 168h, a week.
	Kept time.Duration

	// Alone says that no other process runs jobs of this database. The jobs that a crashed process left running then
	// resume at the start, without waiting for their leases. Defaults to false.
	Alone bool
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Workers, 2)
	setDefault(&o.AttemptsMax, 17)
	setDefault(&o.Lease, 15*time.Second)
	setDefault(&o.Poll, 250*time.Millisecond)
	setDefault(&o.RetryDelay, time.Second)
	setDefault(&o.RetryDelayMax, 5*time.Minute)
	setDefault(&o.HandBack, 5*time.Second)
	setDefault(&o.Kept, 7*24*time.Hour)
	return o
}

func setDefault[T int | time.Duration](setting *T, value T) {
	if *setting <= 0 {
		*setting = value
	}
}

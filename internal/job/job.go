// Package job is a durable queue: work that is enqueued in a transaction runs once that has committed, is tried again
// when it fails, and resumed by somebody else when its process dies. It knows no kind of work.
//
// A job runs at least once. What a handler writes in the transaction that also calls Job.Complete is written exactly
// once, whatever else happens: the transaction fails if the job has meanwhile been taken over.
//
//	          claim                    success, or Complete in the handler's transaction
//	queued ───────────▶ running ─────────────────────────────────────────────────────────▶ done
//	   ▲                  │  │
//	   └──────────────────┘  └───────────▶ buried
//	   failure, shutdown,     last failure, Fatal
//	   lease ran out
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// ErrLost is why a handler's context ends, and a Complete fails, when the job is no longer this worker's: its lease ran
// out, and somebody else has it or will take it.
var ErrLost = errors.New("job lost to another worker")

// ErrStopping is why a handler's context ends when the Runner stops and does not wait any longer.
var ErrStopping = errors.New("runner is stopping")

// Job is one piece of work in the hands of a worker.
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

// notes are what a handler adds to the log line of its run.
type notes struct{ attrs []any }

// Note puts an attribute on the job's log line; for the goroutine of Run alone.
func (j Job) Note(key string, value any) {
	if j.notes != nil {
		j.notes.attrs = append(j.notes.attrs, slog.Any(key, value))
	}
}

// Decode reads the payload into v; a payload that does not fit is Fatal.
func (j Job) Decode(v any) error {
	if err := json.Unmarshal(j.Payload, v); err != nil {
		return Fatal(fmt.Errorf("decode payload of job %s: %w", j.ID, err))
	}
	return nil
}

// Handler does the work of one kind.
type Handler struct {
	// Run does the work. It is called again after an error or a crash, so it has to end in the same result; it has
	// to return soon after ctx ends.
	Run func(ctx context.Context, j Job) error

	// OnBury, if set, is called in the transaction that buries a job which failed for good; an error undoes both, and
	// they are tried again.
	OnBury func(ctx context.Context, tx *db.Tx, j Job, cause error) error
}

// Fatal marks an error after which another attempt is pointless: the job is buried at once.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return &fatalError{err}
}

type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

func isFatal(err error) bool {
	var f *fatalError
	return errors.As(err, &f)
}

// Options are the settings of a Queue and its Runners.
type Options struct {
	// Log gets one line a run. Defaults to slog.DiscardHandler.
	Log *slog.Logger

	// Workers is how many jobs a Runner works on at once. Defaults to 2.
	Workers int

	// AttemptsMax is how often a job is tried before it is buried. Defaults to 17, which with the pauses below are
	// spread over half an hour at the very least: a full disk or a volume that is moved ends no job that is paid for.
	AttemptsMax int

	// Lease is how long a job of a worker that has fallen silent waits for another one. Defaults to 15s.
	Lease time.Duration

	// Poll is how often a Runner looks for jobs that it was not notified of. Defaults to 250ms.
	Poll time.Duration

	// RetryDelay is the pause after a first failure, doubled after each further one, give or take a quarter. Defaults to 1s.
	RetryDelay time.Duration

	// RetryDelayMax bounds the pause. Defaults to 5m.
	RetryDelayMax time.Duration

	// HandBack is how long Stop waits for handlers after it has ended their context. Defaults to 5s.
	HandBack time.Duration

	// Kept is how long Prune leaves a job that is over. Defaults to 168h, a week.
	Kept time.Duration

	// Alone says that no other process runs jobs of this database, so that what a dead one left running is taken up
	// at the start and not after its lease. Defaults to false.
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

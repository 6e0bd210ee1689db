package job

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/tracing"
)

var errPanic = errors.New("panic")

// work runs one job and records the outcome.
func (r *Runner) work(ctx context.Context, j Job) {
	j.notes = &notes{}
	began := time.Now()
	running, span := tracing.Begin(ctx, "job "+j.Kind, attribute.String("capi.job_id", j.ID.String()), attribute.Int("capi.attempt", j.Attempt))
	err := r.run(running, j)
	tracing.End(span, err)
	log := r.options.Log.With("job_id", j.ID, "kind", j.Kind, "attempt", j.Attempt).With(j.notes.attrs...)
	cause := context.Cause(ctx)
	// Record the outcome even if the handler's context has ended, but give up when another worker may take the job.
	outCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.options.Lease)
	defer cancel()
	result, outErr := r.conclude(outCtx, j, err, cause)
	if outErr != nil {
		log.ErrorContext(ctx, "job outcome not written", "result", result, "took", time.Since(began), "error", errors.Join(outErr, err))
		return
	}
	if err != nil {
		log.WarnContext(ctx, "job ended", "result", result, "took", time.Since(began), "error", err)
		return
	}
	log.InfoContext(ctx, "job ended", "result", result, "took", time.Since(began))
}

// run calls the handler and turns a panic into an error.
func (r *Runner) run(ctx context.Context, j Job) (err error) {
	if j.Attempt > j.AttemptsMax {
		return Fatal(fmt.Errorf("%d attempts ended without an outcome; the last ones may have ended their process", j.AttemptsMax))
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", errPanic, v)
			r.options.Log.ErrorContext(ctx, "job panicked", "job_id", j.ID, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	return r.handlers[j.Kind].Run(ctx, j)
}

// conclude records the outcome of the job and returns it as a word for the log.
func (r *Runner) conclude(ctx context.Context, j Job, err, cause error) (result string, outErr error) {
	switch {
	case err == nil:
		return "done", r.leave(ctx, j, "done", 0, nil)
	case errors.Is(cause, ErrStopping) && !isFatal(err):
		return "handed back", r.queue.db.Tx(ctx, func(tx *db.Tx) error { return j.handBack(ctx, tx) })
	case isFatal(err), j.Attempt >= j.AttemptsMax && !errors.Is(cause, ErrLost):
		return "buried", r.discard(ctx, j, err)
	}
	delay := r.retryDelay(j.Attempt)
	if own, ok := errors.AsType[*delayedError](err); ok {
		delay = own.delay
	}
	return "failed", r.leave(ctx, j, "queued", delay, err)
}

// leave releases the job in the given state. A job that no longer belongs to this worker is left alone.
func (r *Runner) leave(ctx context.Context, j Job, state string, delay time.Duration, cause error) error {
	err := r.queue.db.Tx(ctx, func(tx *db.Tx) error {
		return j.leave(ctx, tx, state, delay, cause)
	})
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}

// discard ends the job for good and calls its handler's OnDiscard. If that fails, the job is queued to try again.
func (r *Runner) discard(ctx context.Context, j Job, cause error) error {
	err := r.queue.db.Tx(ctx, func(tx *db.Tx) error {
		if err := j.leave(ctx, tx, "buried", 0, cause); err != nil {
			return err
		}
		onDiscard := r.handlers[j.Kind].OnDiscard
		if onDiscard == nil {
			return nil
		}
		return onDiscard(ctx, tx, j, cause)
	})
	if err == nil || errors.Is(err, ErrLost) {
		return nil
	}
	return errors.Join(fmt.Errorf("discard job %s: %w", j.ID, err), r.leave(ctx, j, "queued", r.retryDelay(j.Attempt), cause))
}

// retryDelay doubles with each attempt. A jitter of up to a quarter spreads jobs that failed together.
func (r *Runner) retryDelay(attempt int) time.Duration {
	delay := r.options.RetryDelay
	for i := 1; i < attempt && delay < r.options.RetryDelayMax; i++ {
		delay *= 2
	}
	delay = min(delay, r.options.RetryDelayMax)
	return delay*3/4 + rand.N(delay/2+1)
}

package job

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Queue reads and writes the table job. Safe for concurrent use.
type Queue struct {
	db      *db.DB
	options Options
	wake    chan struct{} // holds a token while there may be something to claim
}

// New opens the queue.
func New(d *db.DB, o Options) *Queue {
	return &Queue{db: d, options: o.withDefaults(), wake: make(chan struct{}, 1)}
}

// Enqueue adds a job that runs after the transaction has committed; call Notify after the commit. The payload is stored
// as JSON.
func (q *Queue) Enqueue(ctx context.Context, tx *db.Tx, kind string, payload any) (id.Job, error) {
	content, err := json.Marshal(payload)
	if err != nil {
		return id.Job{}, fmt.Errorf("enqueue %s: %w", kind, err)
	}
	job := id.New[id.Job]()
	now, err := tx.Now(ctx)
	if err != nil {
		return id.Job{}, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO job (id, kind, payload, state, run_at, attempt, attempts_max, error, created_at, updated_at)
		VALUES ($1, $2, $3, 'queued', $4, 0, $5, '', $4, $4)`,
		job, kind, string(content), db.Time(now), q.options.AttemptsMax)
	if err != nil {
		return id.Job{}, fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return job, nil
}

// Notify wakes a Runner of this process. Call it after the commit; without it the Runner finds the job at its next poll.
func (q *Queue) Notify() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Complete marks the job done in the handler's own transaction, so that its result and its end are one commit. It returns
// ErrLost if the job no longer belongs to this worker; the transaction must fail then. After the commit the handler must
// return nil.
func (j Job) Complete(ctx context.Context, tx *db.Tx) error {
	return j.leave(ctx, tx, "done", 0, nil)
}

// leave releases the job in the given state. It may run again after the delay. An ended job loses its payload, which may have what
// people typed, such as an email address.
func (j Job) leave(ctx context.Context, tx *db.Tx, state string, delay time.Duration, cause error) error {
	now, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `
		UPDATE job SET state = $1, run_at = $2, error = $3, updated_at = $4, worker = NULL, lease_until = NULL,
			payload = CASE WHEN $1 = 'queued' THEN payload ELSE 'null' END
		WHERE id = $5 AND state = 'running' AND worker = $6 AND attempt = $7`,
		state, db.Time(now.Add(delay)), message(cause), db.Time(now), j.ID, j.worker, j.Attempt)
	if err != nil {
		return fmt.Errorf("mark job %s %s: %w", j.ID, state, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrLost
	}
	return err
}

// handBack puts the job back into the queue without counting this attempt.
func (j Job) handBack(ctx context.Context, tx *db.Tx) error {
	now, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE job SET state = 'queued', attempt = attempt - 1, run_at = $1, updated_at = $1, worker = NULL, lease_until = NULL
		WHERE id = $2 AND state = 'running' AND worker = $3 AND attempt = $4`,
		db.Time(now), j.ID, j.worker, j.Attempt)
	if err != nil {
		return fmt.Errorf("hand back job %s: %w", j.ID, err)
	}
	return nil
}

// claim takes up to limit jobs of the kinds for the worker, oldest first: queued jobs that are due and running jobs whose
// lease ran out, except those this worker is still busy with.
func (q *Queue) claim(ctx context.Context, worker string, kinds []string, busy []id.Job, limit int) ([]Job, error) {
	at, err := q.db.Now(ctx) // by the clock that all workers share: a lease must not end early where a clock is fast
	if err != nil {
		return nil, err
	}
	now := db.Time(at)
	due := `(state = 'queued' AND run_at <= $1 OR state = 'running' AND lease_until < $1)
		AND kind IN (SELECT value FROM ` + q.db.EachString("$2") + `)
		AND id NOT IN (SELECT value FROM ` + q.db.EachString("$3") + `)`
	// Reading first keeps an idle queue from taking the write lock.
	var some bool
	err = q.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM job WHERE `+due+`)`,
		now, jsonList(kinds), jsonList(busy)).Scan(&some)
	if err != nil {
		return nil, fmt.Errorf("look for jobs: %w", err)
	}
	if !some {
		return nil, nil
	}
	var jobs []Job
	err = q.db.Tx(ctx, func(tx *db.Tx) (err error) {
		jobs, err = db.Collect(ctx, tx, func(row db.Row) (Job, error) {
			j := Job{worker: worker}
			var (
				payload string
				created int64
			)
			err := row.Scan(&j.ID, &j.Kind, &payload, &j.Attempt, &j.AttemptsMax, &created)
			j.Payload, j.CreatedAt = json.RawMessage(payload), db.FromTime(created)
			return j, err
		}, `
			WITH next AS MATERIALIZED (
				SELECT id FROM job WHERE `+due+`
				ORDER BY run_at, id LIMIT $4`+tx.SkipLocked()+`
			)
			UPDATE job SET state = 'running', attempt = attempt + 1, worker = $5, lease_until = $6, updated_at = $1
			FROM next WHERE job.id = next.id
			RETURNING job.id, kind, payload, attempt, attempts_max, created_at`,
			now, jsonList(kinds), jsonList(busy), limit, worker, now+q.options.Lease.Microseconds())
		if err != nil {
			return fmt.Errorf("claim jobs: %w", err)
		}
		return nil
	})
	return jobs, err
}

// renew extends the worker's leases from now on and returns the jobs that no longer belong to it.
func (q *Queue) renew(ctx context.Context, worker string, held []id.Job) (lost []id.Job, err error) {
	err = q.db.Tx(ctx, func(tx *db.Tx) error {
		lost = nil
		list := jsonList(held)
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			UPDATE job SET lease_until = $1
			WHERE id IN (SELECT value FROM `+tx.EachString("$2")+`) AND state = 'running' AND worker = $3`,
			db.Time(now.Add(q.options.Lease)), list, worker)
		if err != nil {
			return fmt.Errorf("renew leases: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || int(n) == len(held) {
			return err
		}
		// A job that its handler has just completed is done, not lost.
		lost, err = db.Collect(ctx, tx, db.Value[id.Job], `
			SELECT id FROM job
			WHERE id IN (SELECT value FROM `+tx.EachString("$1")+`)
			  AND NOT (state = 'done' OR state = 'running' AND worker = $2)`, list, worker)
		if err != nil {
			return fmt.Errorf("look for lost jobs: %w", err)
		}
		return nil
	})
	return lost, err
}

// putBack queues every running job of the kinds again. Only a process that runs alone may call it.
func (q *Queue) putBack(ctx context.Context, kinds []string) (n int64, err error) {
	err = q.db.Tx(ctx, func(tx *db.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			UPDATE job SET state = 'queued', run_at = $1, updated_at = $1, worker = NULL, lease_until = NULL
			WHERE state = 'running' AND kind IN (SELECT value FROM `+tx.EachString("$2")+`)`, db.Time(now), jsonList(kinds))
		if err != nil {
			return fmt.Errorf("put running jobs back: %w", err)
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func jsonList[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // cannot happen: ids and strings have a JSON form
	}
	return string(b)
}

const messageLengthMax = 4000

// message returns the text of an error as it is stored: bounded, and without what PostgreSQL's TEXT cannot hold.
func message(err error) string {
	if err == nil {
		return ""
	}
	s := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "")
	if len(s) <= messageLengthMax {
		return s
	}
	cut := messageLengthMax
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/opencapi/capi/internal/id"
)

// Runner claims jobs and calls their handlers. Safe for concurrent use. It cannot be started again after Stop.
type Runner struct {
	queue    *Queue
	options  Options
	handlers map[string]Handler
	kinds    []string
	worker   string // a unique name

	mu      sync.Mutex
	started bool
	held    map[id.Job]*hold

	quit     chan struct{} // closed when no more jobs are to be claimed
	quitOnce sync.Once
	loops    sync.WaitGroup // claims and heartbeats
	jobs     sync.WaitGroup
	freed    chan struct{} // holds a token when a worker has become free
	drained  chan struct{} // closed when no job runs and none will
	idle     chan struct{} // closed when the loops have ended too
}

// hold is a job that this runner works on.
type hold struct {
	job    Job
	cancel context.CancelCauseFunc
	until  time.Time // the lease as this runner knows it
}

// NewRunner returns a runner with a handler for each kind of work. It leaves jobs of other kinds alone.
func NewRunner(q *Queue, handlers map[string]Handler) *Runner {
	return &Runner{
		queue: q, options: q.options, handlers: handlers,
		kinds:  slices.Sorted(maps.Keys(handlers)),
		worker: uuid.NewString(),
		held:   map[id.Job]*hold{},
		quit:   make(chan struct{}), freed: make(chan struct{}, 1),
		drained: make(chan struct{}), idle: make(chan struct{}),
	}
}

// SetWorkers replaces Options.Workers for this Runner. It must not be called after Start.
func (r *Runner) SetWorkers(n int) { r.options.Workers = n }

// Start begins to run jobs. ctx bounds the start alone: call Stop to end. A second call does nothing.
func (r *Runner) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started || r.isStopping() {
		return nil
	}
	if r.options.Alone {
		n, err := r.queue.putBack(ctx, r.kinds)
		if err != nil {
			return fmt.Errorf("start runner: %w", err)
		}
		if n > 0 {
			r.options.Log.InfoContext(ctx, "jobs of a crashed process queued again", "jobs", n)
		}
	}
	r.started = true
	ctx = context.WithoutCancel(ctx)
	r.loops.Go(func() { r.claimLoop(ctx) })
	r.loops.Go(func() { r.heartbeatLoop(ctx) })
	return nil
}

// Stop claims no more jobs and waits for the running ones. If ctx ends first, it cancels their contexts and puts the jobs
// that stop unfinished back into the queue. It returns an error if handlers do not return even then. A second call waits
// too.
func (r *Runner) Stop(ctx context.Context) error {
	r.mu.Lock()
	started := r.started
	r.quitOnce.Do(func() {
		close(r.quit)
		go func() {
			r.loops.Wait()
			close(r.idle)
		}()
	})
	r.mu.Unlock()
	if !started {
		return nil
	}
	select {
	case <-r.idle:
		return nil
	case <-ctx.Done():
	}
	r.cancelAll()
	timeout := time.NewTimer(r.options.HandBack)
	defer timeout.Stop()
	select {
	case <-r.idle:
		return nil
	case <-timeout.C:
		return fmt.Errorf("stop runner: %d jobs did not stop; other workers take them over when their leases run out", len(r.busy()))
	}
}

func (r *Runner) isStopping() bool {
	select {
	case <-r.quit:
		return true
	default:
		return false
	}
}

func (r *Runner) cancelAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.held {
		h.cancel(ErrStopping)
	}
}

// claimLoop claims whenever there may be something to claim and a worker is free.
func (r *Runner) claimLoop(ctx context.Context) {
	poll := time.NewTicker(r.options.Poll)
	defer poll.Stop()
	for !r.isStopping() {
		r.claim(ctx)
		select {
		case <-r.quit:
		case <-r.queue.wake:
		case <-r.freed:
		case <-poll.C:
		}
	}
	r.jobs.Wait()
	close(r.drained)
}

func (r *Runner) claim(ctx context.Context) {
	busy := r.busy()
	free := r.options.Workers - len(busy)
	if free <= 0 {
		return
	}
	claimed := time.Now()
	jobs, err := r.queue.claim(ctx, r.worker, r.kinds, busy, free)
	if err != nil {
		r.options.Log.WarnContext(ctx, "jobs not claimed", "error", err)
		return
	}
	for _, j := range jobs {
		jobCtx, cancel := context.WithCancelCause(ctx)
		h := &hold{job: j, cancel: cancel, until: claimed.Add(r.options.Lease)}
		r.mu.Lock()
		r.held[j.ID] = h
		r.mu.Unlock()
		r.jobs.Go(func() {
			r.work(jobCtx, j)
			cancel(nil)
			r.release(j.ID)
		})
	}
}

func (r *Runner) busy() []id.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.held))
}

func (r *Runner) release(job id.Job) {
	r.mu.Lock()
	delete(r.held, job)
	r.mu.Unlock()
	select {
	case r.freed <- struct{}{}:
	default:
	}
}

// heartbeatLoop renews the leases of running jobs until all of them have ended.
func (r *Runner) heartbeatLoop(ctx context.Context) {
	period := r.options.Lease / 3
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-r.drained:
			return
		case <-ticker.C:
			tickCtx, cancel := context.WithTimeout(ctx, period)
			r.heartbeat(tickCtx)
			cancel()
		}
	}
}

// heartbeat renews the leases and cancels the contexts of lost jobs. If the database has not answered for a whole lease,
// all jobs are lost.
func (r *Runner) heartbeat(ctx context.Context) {
	held := r.busy()
	if len(held) == 0 {
		return
	}
	until := time.Now().Add(r.options.Lease) // no later than in the database, by this machine's clock
	lost, err := r.queue.renew(ctx, r.worker, held)
	if err != nil {
		r.options.Log.WarnContext(ctx, "leases of jobs not renewed", "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, job := range held {
		h, ok := r.held[job]
		switch {
		case !ok:
		case err == nil && !slices.Contains(lost, job):
			h.until = until
		case err == nil || time.Now().After(h.until):
			h.cancel(ErrLost)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

// changing is a contender that is searched while its companies change.
type changing interface {
	contender.Contender
	Skips(op workload.Op) bool
	// Change applies the companies, whose descriptions contain the word. Seen waits until a search for the word finds them all.
	Change(ctx context.Context, companies []*company.Company, word string) (seen func() (time.Duration, error), err error)
	PID() int
}

// within is the index in this process.
type within struct {
	*capi.Index
	seq uint64
}

func openWithin(ctx context.Context, w *workload.Workload, dir string) (changing, error) {
	ix, err := capi.Open(ctx, w, dir)
	if err != nil {
		return nil, err
	}
	return &within{ix, uint64(w.Len)}, nil
}

func (*within) Skips(workload.Op) bool { return false }
func (*within) PID() int               { return os.Getpid() }

// Change applies the companies; later searches see them.
func (x *within) Change(ctx context.Context, companies []*company.Company, word string) (func() (time.Duration, error), error) {
	q, err := query.Parse(query.Filters{Query: word})
	if err != nil {
		return nil, err
	}
	changes := make([]index.Change, len(companies))
	for i, c := range companies {
		changes[i] = index.Change{Number: c.Number, Company: c}
	}
	x.seq++
	start := time.Now()
	if err := x.Apply(ctx, changes, x.seq); err != nil {
		return nil, err
	}
	found, err := x.Search(ctx, index.Request{Query: q, Limit: 1})
	took := time.Since(start)
	if err == nil && found.Total != len(companies) {
		err = fmt.Errorf("a search finds %d of %d changed companies", found.Total, len(companies))
	}
	return func() (time.Duration, error) { return took, nil }, err
}

// changeMeasure is a measurement in progress.
type changeMeasure struct {
	changing
	workload *workload.Workload
	every    time.Duration
	batch    int // companies

	first, quiet, busy  []report.Times // by operation: the first phase without changes, all phases without, and with them
	batches             int            // applied
	changed             int
	changingTook        time.Duration
	anonymous, resident int64 // the most that was held

	mu                 sync.Mutex
	seen, seenSinceDue report.Times
}

// run measures without and with changes, alternately.
func (m *changeMeasure) run(ctx context.Context, phases int, last time.Duration) error {
	defer m.watchMemory()()
	for phase := range phases {
		fmt.Fprintf(os.Stderr, "phase %d of %d: searching\n", phase+1, phases)
		if err := m.ask(ctx, m.quiet, last); err != nil {
			return err
		}
		if phase == 0 {
			copy(m.first, m.quiet)
		}
		fmt.Fprintf(os.Stderr, "phase %d of %d: searching while companies change\n", phase+1, phases)
		if err := m.askChanging(ctx, last); err != nil {
			return err
		}
	}
	return nil
}

// watchMemory records the peak memory until it is stopped.
func (m *changeMeasure) watchMemory() (stop func()) {
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			m.anonymous = max(m.anonymous, contender.AnonymousBytes(m.PID()))
			m.resident = max(m.resident, contender.ResidentBytes(m.PID()))
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() { close(ended); watching.Wait() }
}

// ask runs all operations in turn until the time is up. It does not count those of the lead time.
func (m *changeMeasure) ask(ctx context.Context, times []report.Times, last time.Duration) error {
	counted := time.Now().Add(lead)
	for end := counted.Add(last); time.Now().Before(end); {
		count := time.Now().After(counted)
		for i, op := range m.workload.Ops {
			if m.Skips(op) {
				continue
			}
			start := time.Now()
			if _, err := m.Ask(ctx, op); err != nil {
				return err
			}
			took := time.Since(start)
			if o, ok := m.changing.(contender.Own); ok {
				took = o.Took()
			}
			if count {
				times[i] = append(times[i], took)
			}
		}
	}
	return nil
}

// askChanging does the same while companies change.
func (m *changeMeasure) askChanging(ctx context.Context, last time.Duration) error {
	until, stop := context.WithCancel(ctx)
	defer stop()
	var changer sync.WaitGroup
	var failed error
	changer.Go(func() {
		if failed = m.change(until, context.WithoutCancel(ctx)); failed != nil {
			fmt.Fprintln(os.Stderr, "changing has ended:", failed)
		}
	})
	err := m.ask(ctx, m.busy, last)
	stop()
	changer.Wait()
	return errors.Join(err, failed)
}

// change applies batches when they are due, or at once if it is behind, until the first context ends. Then it waits
// until all of them are visible.
func (m *changeMeasure) change(until, ctx context.Context) error {
	var seeing sync.WaitGroup
	defer seeing.Wait()
	var failed error // guarded by mu
	began := time.Now()
	for due := began; ; due = due.Add(m.every) {
		companies, word := m.nextBatch()
		select {
		case <-until.Done():
			m.changingTook += time.Since(began)
			seeing.Wait()
			return failed
		case <-time.After(time.Until(due)):
		}
		seen, err := m.Change(ctx, companies, word)
		if err != nil {
			return err
		}
		m.changed += len(companies)
		seeing.Go(func() {
			after, err := seen()
			sinceDue := time.Since(due)
			m.mu.Lock()
			defer m.mu.Unlock()
			failed = errors.Join(failed, err)
			if err == nil {
				m.seen, m.seenSinceDue = append(m.seen, after), append(m.seenSinceDue, sinceDue)
			}
		})
	}
}

// nextBatch changes every fact of some companies except names, domains and connections: a new name would
// also change the companies that are connected to it.
func (m *changeMeasure) nextBatch() (companies []*company.Company, word string) {
	m.batches++
	word = wordOf(m.batches)
	for i := range m.batch {
		n := ((m.batches-1)*m.batch+i)*7919%m.workload.Len + 1
		was := m.workload.Company(n)
		c := m.workload.Company((n+m.workload.Len/2)%m.workload.Len + 1)
		c.Number, c.ID, c.Name, c.Domain, c.Connections = was.Number, was.ID, was.Name, was.Domain, was.Connections
		c.Description += " " + word
		c.UpdatedAt = time.Now()
		companies = append(companies, c)
	}
	return companies, word
}

// copyOf copies a store; the segments of an index are hard-linked.
func copyOf(dir string) (string, error) {
	to, err := os.MkdirTemp(filepath.Dir(dir), "changes")
	if err != nil {
		return "", err
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, within)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case filepath.Ext(path) == ".seg":
			return os.Link(path, target)
		case entry.Type().IsRegular():
			return copyFile(path, target)
		}
		return nil
	})
	if err != nil {
		return "", errors.Join(fmt.Errorf("copy %s: %w", dir, err), os.RemoveAll(to))
	}
	return to, nil
}

func copyFile(path, target string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	into, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = into.ReadFrom(from)
	return errors.Join(err, into.Close())
}

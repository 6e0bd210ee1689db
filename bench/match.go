package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

// effort are the flags that control how much is measured.
type effort struct {
	Rounds int `default:"6" help:"Visits to each contender per operation (default ${default})."`
	Times  int `default:"3" help:"Timed runs per visit, after a tenth of a second of uncounted runs; if a run takes over a second, 1 after 1 uncounted (default ${default})."`
}

// starting are the flags that control how contenders are started.
type starting struct {
	Cold bool `help:"Also start each contender once with none of its files cached, and report how long that took (Linux)."`
}

// match is a comparison of contenders.
type match struct {
	workload    *workload.Workload
	processes   []process
	totals      []string         // by operation
	times       [][]report.Times // by operation, then contender
	dataTimes   [][]report.Times // the index's share of these, if the contender reports it
	differences []string
}

// process is a started contender.
type process struct {
	*contender.Process
	coldAnswer time.Duration // the first answer after a start with no files cached; 0 if not measured
}

// meet opens the contenders; their data must be loaded.
func (s settings) meet(ctx context.Context, w *workload.Workload, kinds []contender.Kind, how starting) (*match, error) {
	m := &match{workload: w}
	for _, k := range kinds {
		if err := m.open(ctx, s, k, how); err != nil {
			m.close()
			return nil, err
		}
	}
	return m, nil
}

// open starts a contender, after a cold start if requested.
func (m *match) open(ctx context.Context, s settings, k contender.Kind, how starting) error {
	var cold time.Duration
	if how.Cold {
		var err error
		if cold, err = s.startCold(ctx, k); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "opening %s\n", k.Name)
	p, err := contender.Start(k, s.child(ctx, "serve", k.Name))
	if err != nil {
		return err
	}
	m.processes = append(m.processes, process{p, cold})
	return nil
}

// startCold starts a contender with none of its files cached, ends it, and returns its time to the first answer. It
// starts it once before, to build the index if there is none of this version.
func (s settings) startCold(ctx context.Context, k contender.Kind) (time.Duration, error) {
	fmt.Fprintf(os.Stderr, "opening %s, to be closed again\n", k.Name)
	p, err := contender.Start(k, s.child(ctx, "serve", k.Name))
	if err != nil {
		return 0, err
	}
	if err := p.Close(); err != nil {
		return 0, err
	}
	left, err := contender.Forget(k.Dir(s.dir()))
	if err != nil {
		return 0, err
	}
	stay := "none, as far as is known,"
	if left > 0 {
		stay = fmt.Sprintf("%d MB", left>>20)
	}
	fmt.Fprintf(os.Stderr, "opening %s with its files dropped from the cache; %s stayed cached\n", k.Name, stay)
	p, err = contender.Start(k, s.child(ctx, "serve", k.Name))
	if err != nil {
		return 0, err
	}
	return p.FirstAnswer, p.Close()
}

// fill loads the data that no earlier run has loaded, one contender at a time.
func (s settings) fill(ctx context.Context, kinds []contender.Kind) error {
	for _, k := range kinds {
		if k.Store == "" {
			continue
		}
		if _, err := k.Loaded(s.dir()); err == nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "loading %d companies into %s\n", s.Companies, k.Store)
		start := time.Now()
		if err := s.child(ctx, "fill", k.Name).Run(); err != nil {
			return fmt.Errorf("load %s: %w", k.Store, err)
		}
		fmt.Fprintf(os.Stderr, "loaded %s in %s\n", k.Store, time.Since(start).Round(time.Second))
	}
	return nil
}

// child returns this program with another command.
func (s settings) child(ctx context.Context, command, name string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	x := exec.CommandContext(ctx, self, command, name, "--companies", strconv.Itoa(s.Companies), "--cache", s.Cache,
		"--program", s.Program, fmt.Sprintf("--gzip=%t", s.Gzip), fmt.Sprintf("--unconnected=%t", s.Unconnected))
	x.Stderr = os.Stderr
	x.Cancel = func() error { return x.Process.Signal(syscall.SIGTERM) }
	x.WaitDelay = time.Minute
	return x
}

func (m *match) close() {
	for _, p := range m.processes {
		_ = p.Close() // all its answers have been read
	}
}

// run compares the answers, then measures the times.
func (m *match) run(e effort) error {
	if err := m.compare(); err != nil {
		return err
	}
	return m.measure(e)
}

// compare runs every operation once and compares the answers with those of the first contender.
func (m *match) compare() error {
	for _, op := range m.workload.Ops {
		var ours workload.Answer
		for i, p := range m.processes {
			if p.Skips(op) {
				continue
			}
			answer, err := p.Answer(op)
			if err != nil {
				return err
			}
			if i == 0 {
				ours = answer
			} else if d := op.Differ(ours, answer); d != "" {
				m.differences = append(m.differences, fmt.Sprintf("%s: %s: %s of %s", op.Name, m.processes[0].Name, d, p.Name))
			}
		}
		m.totals = append(m.totals, strconv.Itoa(ours.Total))
	}
	for _, d := range m.differences {
		fmt.Fprintln(os.Stderr, "DIFFERENT:", d)
	}
	return nil
}

// measure runs every operation on every contender in each round.
func (m *match) measure(e effort) error {
	for range m.workload.Ops {
		m.times = append(m.times, make([]report.Times, len(m.processes)))
		m.dataTimes = append(m.dataTimes, make([]report.Times, len(m.processes)))
	}
	for round := range e.Rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, e.Rounds)
		for i, op := range m.workload.Ops {
			for j, p := range m.processes {
				if p.Skips(op) {
					continue
				}
				runs, err := p.Time(op, e.Times)
				if err != nil {
					return err
				}
				m.times[i][j] = append(m.times[i][j], runs.Took...)
				m.dataTimes[i][j] = append(m.dataTimes[i][j], runs.DataTook...)
			}
		}
	}
	return nil
}

// verdict returns an error if answers differed.
func (m *match) verdict() error {
	if len(m.differences) > 0 {
		return fmt.Errorf("%d answers differ", len(m.differences))
	}
	fmt.Fprintln(os.Stdout, "\nAll gave the same answers.")
	return nil
}

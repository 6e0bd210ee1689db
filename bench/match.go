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

// effort is how much is measured.
type effort struct {
	Rounds int `default:"6" help:"Visits to each contender for each operation (default ${default})."`
	Times  int `default:"3" help:"Timed runs a visit, after one that is not counted; where a run takes over a second it is 1 (default ${default})."`
}

// match is contenders being compared.
type match struct {
	workload    *workload.Workload
	processes   []*contender.Process
	totals      []string         // by operation
	slow        [][]bool         // by operation, then contender
	times       [][]report.Times // by operation, then contender
	differences []string
}

// meet opens the contenders, whose stores are filled.
func (s settings) meet(ctx context.Context, w *workload.Workload, kinds []contender.Kind) (*match, error) {
	m := &match{workload: w}
	for _, k := range kinds {
		fmt.Fprintf(os.Stderr, "opening %s\n", k.Name)
		p, err := contender.Start(k, s.child(ctx, "serve", k.Name))
		if err != nil {
			m.close()
			return nil, err
		}
		m.processes = append(m.processes, p)
	}
	return m, nil
}

// fill loads what no earlier run has loaded, one after the other.
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

// child is this program with another command.
func (s settings) child(ctx context.Context, command, name string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	x := exec.CommandContext(ctx, self, command, name, "--companies", strconv.Itoa(s.Companies), "--cache", s.Cache,
		"--program", s.Program, fmt.Sprintf("--gzip=%t", s.Gzip))
	x.Stderr = os.Stderr
	x.Cancel = func() error { return x.Process.Signal(syscall.SIGTERM) }
	x.WaitDelay = time.Minute
	return x
}

func (m *match) close() {
	for _, p := range m.processes {
		_ = p.Close() // it has answered all it was asked
	}
}

// run compares the answers, then takes the times.
func (m *match) run(e effort) error {
	if err := m.compare(); err != nil {
		return err
	}
	return m.measure(e)
}

// compare asks everything once and holds the answers against those of the first contender.
func (m *match) compare() error {
	for _, op := range m.workload.Ops {
		var ours workload.Answer
		slow := make([]bool, len(m.processes))
		for i, p := range m.processes {
			if p.Skips(op) {
				continue
			}
			answer, took, err := p.Answer(op)
			if err != nil {
				return err
			}
			slow[i] = took > time.Second
			if i == 0 {
				ours = answer
			} else if d := op.Differ(ours, answer); d != "" {
				m.differences = append(m.differences, fmt.Sprintf("%s: %s: %s of %s", op.Name, m.processes[0].Name, d, p.Name))
			}
		}
		m.slow = append(m.slow, slow)
		m.totals = append(m.totals, strconv.Itoa(ours.Total))
	}
	for _, d := range m.differences {
		fmt.Fprintln(os.Stderr, "DIFFERENT:", d)
	}
	return nil
}

// measure visits every contender with every operation in each round.
func (m *match) measure(e effort) error {
	m.times = make([][]report.Times, len(m.workload.Ops))
	for i := range m.times {
		m.times[i] = make([]report.Times, len(m.processes))
	}
	for round := range e.Rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, e.Rounds)
		for i, op := range m.workload.Ops {
			for j, p := range m.processes {
				if p.Skips(op) {
					continue
				}
				n := e.Times
				if m.slow[i][j] {
					n = 1
				}
				took, err := p.Time(op, n+1)
				if err != nil {
					return err
				}
				m.times[i][j] = append(m.times[i][j], took[1:]...)
			}
		}
	}
	return nil
}

// verdict is an error if answers differed.
func (m *match) verdict() error {
	if len(m.differences) > 0 {
		return fmt.Errorf("%d answers differ", len(m.differences))
	}
	fmt.Fprintln(os.Stdout, "\nAll gave the same answers.")
	return nil
}

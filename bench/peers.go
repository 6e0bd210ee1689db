package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

type peersCommand struct {
	settings
	Rounds int      `default:"6" help:"Visits to each contender for each operation (default ${default})."`
	Times  int      `default:"3" help:"Timed runs a visit, after one that is not counted (default ${default}; 1 where a run takes over a second)."`
	Only   []string `placeholder:"NAME" help:"Only these peers."`
	Load   bool     `help:"Only load the peers into the cache."`
}

// Help is shown below the summary.
func (peersCommand) Help() string {
	return `Each contender runs in a process of its own and is asked in turn, operation by operation, round by round. All must give
the same totals, facets, counts of unlocked companies and, where the order is not relevance, rows; the status is 1 if they
do not. Peers are loaded once into the cache directory.`
}

func (c *peersCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	present := c.present()
	if err := c.fill(ctx, present); err != nil {
		return err
	}
	if c.Load {
		return nil
	}
	m := &match{workload: w}
	defer m.close()
	for _, k := range present {
		fmt.Fprintf(os.Stderr, "opening %s\n", k.Name)
		p, err := contender.Start(k, c.child(ctx, "serve", k.Name))
		if err != nil {
			return err
		}
		m.processes = append(m.processes, p)
	}
	if err := m.compare(); err != nil {
		return err
	}
	if err := m.measure(c.Rounds, c.Times); err != nil {
		return err
	}
	m.print(c.dir())
	if len(m.differences) > 0 {
		return fmt.Errorf("contenders differ in %d answers", len(m.differences))
	}
	return nil
}

// present are the contenders that can run here.
func (c *peersCommand) present() (present []contender.Kind) {
	for i, k := range kinds() {
		if i > 0 && len(c.Only) > 0 && !slices.Contains(c.Only, k.Name) {
			continue
		}
		if k.Missing != nil {
			if why := k.Missing(); why != "" {
				fmt.Fprintf(os.Stderr, "SKIPPED: %s: %s\n", k.Name, why)
				continue
			}
		}
		present = append(present, k)
	}
	return present
}

// fill loads what no earlier run has loaded, one after the other.
func (c *peersCommand) fill(ctx context.Context, present []contender.Kind) error {
	for _, k := range present {
		if k.Store == "" {
			continue
		}
		if _, err := k.Loaded(c.dir()); err == nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "loading %d companies into %s\n", c.Companies, k.Store)
		start := time.Now()
		if err := c.child(ctx, "fill", k.Name).Run(); err != nil {
			return fmt.Errorf("load %s: %w", k.Store, err)
		}
		fmt.Fprintf(os.Stderr, "loaded %s in %s\n", k.Store, time.Since(start).Round(time.Second))
	}
	return nil
}

// child is this program with another command.
func (c *peersCommand) child(ctx context.Context, command, name string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	x := exec.CommandContext(ctx, self, command, name, "--companies", strconv.Itoa(c.Companies), "--cache", c.Cache)
	x.Stderr = os.Stderr
	return x
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

func (m *match) close() {
	for _, p := range m.processes {
		_ = p.Close() // it has answered all it was asked
	}
}

// compare asks everything once and holds the answers against those of the first contender.
func (m *match) compare() error {
	for _, op := range m.workload.Ops {
		var ours workload.Answer
		slow := make([]bool, len(m.processes))
		for i, p := range m.processes {
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
		m.totals = append(m.totals, strconv.Itoa(max(ours.Total, len(ours.Rows))))
	}
	for _, d := range m.differences {
		fmt.Fprintln(os.Stderr, "DIFFERENT:", d)
	}
	return nil
}

// measure visits every contender with every operation in each round.
func (m *match) measure(rounds, times int) error {
	m.times = make([][]report.Times, len(m.workload.Ops))
	for i := range m.times {
		m.times[i] = make([]report.Times, len(m.processes))
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		for i, op := range m.workload.Ops {
			for j, p := range m.processes {
				n := times
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

func (m *match) print(cache string) {
	out := os.Stdout
	fmt.Fprintf(out, "%d companies, %d cores; p50/p95 in ms, in brackets how many times slower than %s at p50.\n\n",
		m.workload.Len, runtime.NumCPU(), m.processes[0].Name)
	head := []string{"", "matches"}
	for _, p := range m.processes {
		head = append(head, p.Name)
	}
	t := report.NewTable(append(head, "fastest peer")...)
	for i, op := range m.workload.Ops {
		row := []string{op.Name + " " + op.About, m.totals[i], m.times[i][0].String()}
		best := 0.0
		for _, theirs := range m.times[i][1:] {
			ratio := report.Ratio(m.times[i][0], theirs)
			row = append(row, fmt.Sprintf("%s (%s)", theirs, report.Factor(ratio)))
			if best == 0 || ratio < best {
				best = ratio
			}
		}
		t.Row(append(row, report.Factor(best))...)
	}
	t.Write(out)
	fmt.Fprintln(out)
	m.printContenders(cache)
}

func (m *match) printContenders(cache string) {
	t := report.NewTable("", "loaded in s", "MB on disk", "MB resident", "what it is")
	for _, p := range m.processes {
		loaded, size := "-", "-"
		if l, err := p.Loaded(cache); err == nil && p.Store != "" {
			loaded, size = strconv.Itoa(int(l.Took.Seconds())), strconv.FormatInt(l.SizeBytes>>20, 10)
		}
		t.Row(p.Name, loaded, size, strconv.FormatInt(p.ResidentBytes()>>20, 10), p.About)
	}
	t.Write(os.Stdout)
	if len(m.differences) == 0 {
		fmt.Fprintln(os.Stdout, "\nAll gave the same answers.")
	}
}

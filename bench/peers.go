package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

type peersCommand struct {
	settings
	effort
	Only []string `placeholder:"NAME" help:"Only these peers."`
	Load bool     `help:"Only load the peers' data into the cache."`
}

// Help returns the text below the summary.
func (peersCommand) Help() string {
	return `Each contender runs in its own process. They are called in turn, operation by operation and round by round. All must return the
same totals, facets, counts of unlocked companies and, unless sorted by relevance, rows; the exit status is 1 if they differ. The
data of the peers is loaded once into the cache directory.`
}

// Run loads, compares, measures and prints.
func (c *peersCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	present := c.present()
	if err := c.fill(ctx, present); err != nil || c.Load {
		return err
	}
	m, err := c.meet(ctx, w, present, starting{})
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.run(c.effort); err != nil {
		return err
	}
	m.printRatios()
	m.printContenders(c.dir())
	return m.verdict()
}

// present returns the contenders that can run here.
func (c *peersCommand) present() (present []contender.Kind) {
	for i, k := range c.kinds() {
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

func (m *match) printRatios() {
	out := os.Stdout
	fmt.Fprintf(out, "%d companies, %s; p50/p95 in ms, in brackets how many times slower than %s at p50.\n\n",
		m.workload.Len, report.Machine(), m.processes[0].Name)
	head := []string{"", "matches"}
	for _, p := range m.processes {
		head = append(head, p.Name)
	}
	t := report.NewTable(append(head, "fastest peer", "best runs of both")...)
	for i, op := range m.workload.Ops {
		ours := m.times[i][0]
		row := []string{op.Name + " " + op.About, m.totals[i], ours.String()}
		var fastest, best report.Times
		for _, theirs := range m.times[i][1:] {
			row = append(row, fmt.Sprintf("%s (%s)", theirs, report.Factor(ours, theirs)))
			if fastest == nil || theirs.P50() < fastest.P50() {
				fastest = theirs
			}
			if best == nil || theirs.Best() < best.Best() {
				best = theirs
			}
		}
		t.Row(append(row, report.Factor(ours, fastest), report.FactorOfBest(ours, best))...)
	}
	t.Write(out)
	fmt.Fprintln(out)
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
}

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

type scaleCommand struct {
	common
	starting
	From int `default:"1000000" help:"The smaller number of companies (default ${default})."`
	To   int `default:"10000000" help:"The larger number of companies (default ${default})."`
	// A p95 of few runs is the longest of them.
	Rounds int  `default:"20" help:"Visits to each per operation (default ${default})."`
	Times  int  `default:"3" help:"Timed runs per visit, after a tenth of a second of uncounted runs (default ${default})."`
	HTTP   bool `name:"http" help:"Measure servers over HTTP instead of the index in a process."`
}

// Help returns the text below the summary.
func (scaleCommand) Help() string {
	return `Calls two indexes, each in its own process, or two servers in turn, operation by operation and round by round, so that other load
on the machine affects both.`
}

// Run loads, measures and prints.
func (c *scaleCommand) Run(ctx context.Context) error {
	kind := capi.Kind
	if c.HTTP {
		kind = c.server()
	}
	w, err := workload.New(c.From)
	if err != nil {
		return err
	}
	m := &match{workload: w}
	defer m.close()
	for _, n := range []int{c.From, c.To} {
		if err := (settings{c.common, n}).fill(ctx, []contender.Kind{kind}); err != nil {
			return err
		}
	}
	for _, n := range []int{c.From, c.To} {
		if err := m.open(ctx, settings{c.common, n}, kind, c.starting); err != nil {
			return err
		}
		m.processes[len(m.processes)-1].Name = fmt.Sprintf("%s, %d companies", kind.Name, n)
	}
	totals, err := m.countMatches()
	if err != nil {
		return err
	}
	if err := m.measure(effort{c.Rounds, c.Times}); err != nil {
		return err
	}
	m.printScale(c.From, c.To, totals)
	return nil
}

// countMatches runs every operation once.
func (m *match) countMatches() (totals [][]string, err error) {
	for _, op := range m.workload.Ops {
		var row []string
		for _, p := range m.processes {
			if p.Skips(op) {
				row = append(row, "-")
				continue
			}
			answer, err := p.Answer(op)
			if err != nil {
				return nil, err
			}
			row = append(row, strconv.Itoa(answer.Total))
		}
		totals = append(totals, row)
	}
	return totals, nil
}

func (m *match) printScale(from, to int, totals [][]string) {
	out := os.Stdout
	fmt.Fprintf(out, "%d companies to %d, %s; p50/p95 in ms.\n\n", from, to, report.Machine())
	t := report.NewTable("", "matches", "matches", strconv.Itoa(from), strconv.Itoa(to), "p95 grows", "longest")
	var most, longest extreme
	for i, op := range m.workload.Ops {
		small, large := m.times[i][0], m.times[i][1]
		longestRun := "-"
		if len(large) > 0 {
			longestRun = report.Milliseconds(large.Longest())
		}
		t.Row(op.Name+" "+op.About, totals[i][0], totals[i][1], small.String(), large.String(),
			report.FactorOfP95(small, large), longestRun)
		if op.Kind == workload.Search && len(small) > 0 {
			most.see(op, large.P95().Seconds()/small.P95().Seconds())
			longest.see(op, large.Longest().Seconds())
		}
	}
	t.Write(out)
	fmt.Fprintf(out, "\nOf the searches Q1 to Q8 the p95 grows ×%.1f at most (%s), and the longest run of %d companies took %s ms (%s).\n\n",
		most.of, most.op, to, report.Milliseconds(time.Duration(longest.of*float64(time.Second))), longest.op)
	m.printProcesses()
}

// extreme is the largest figure and the operation it belongs to.
type extreme struct {
	op string
	of float64
}

func (e *extreme) see(op workload.Op, figure float64) {
	if figure > e.of {
		*e = extreme{op.Name, figure}
	}
}

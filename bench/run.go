package main

import (
	"context"
	"fmt"
	"os"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

type runCommand struct {
	settings
	effort
	Within bool `help:"Only in the process, without a server."`
}

// Help is shown below the summary.
func (runCommand) Help() string {
	return `The index in a process of its own, and a server that holds the same companies, are asked in turn. What the server adds is
HTTP, JSON, authentication, the records of the page from the catalog, and the price, up to the last byte of the answer.
The catalog is imported once into the cache directory.`
}

// Run loads, compares, measures and prints.
func (c *runCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	kinds := []contender.Kind{capi.Kind}
	if !c.Within {
		kinds = append(kinds, c.server())
	}
	if err := c.fill(ctx, kinds); err != nil {
		return err
	}
	m, err := c.meet(ctx, w, kinds)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.run(c.effort); err != nil {
		return err
	}
	m.printAdded()
	return m.verdict()
}

// printAdded prints the times of the index, and where there is one of the server, with their difference.
func (m *match) printAdded() {
	fmt.Fprintf(os.Stdout, "%d companies, %s; p50/p95 in ms.\n\n", m.workload.Len, report.Machine())
	head := []string{"", "matches", "in the process"}
	if len(m.processes) > 1 {
		head = append(head, "over HTTP", "added at p50")
	}
	t := report.NewTable(head...)
	for i, op := range m.workload.Ops {
		row := []string{op.Name + " " + op.About, m.totals[i]}
		for _, times := range m.times[i] {
			row = append(row, times.String())
		}
		if len(m.processes) > 1 {
			added := "-"
			if within, over := m.times[i][0], m.times[i][1]; len(over) > 0 {
				added = report.Milliseconds(over.P50() - within.P50())
			}
			row = append(row, added)
		}
		t.Row(row...)
	}
	t.Write(os.Stdout)
	for _, p := range m.processes {
		fmt.Fprintf(os.Stdout, "\n%s holds %d MB of memory, %d of them its own, the rest pages of files.", p.Name, p.ResidentBytes()>>20,
			p.AnonymousBytes()>>20)
	}
	fmt.Fprintln(os.Stdout)
}

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

type runCommand struct {
	settings
	effort
	starting
	Within bool `help:"Only in process, without a server."`
}

// Help returns the text below the summary.
func (runCommand) Help() string {
	return `Calls the index in its own process, and a server with the same companies, in turn. Every visit starts with a tenth of a second of
uncounted runs, and at least one. The server adds HTTP, JSON, authentication, reading the page's records from the catalog, and the
price, up to the last byte of the answer. The catalog is imported once into the cache directory.`
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
	m, err := c.meet(ctx, w, kinds, c.starting)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.run(c.effort); err != nil {
		return err
	}
	m.printAdded(c.Unconnected)
	return m.verdict()
}

// printAdded prints the times of the index and, if there is a server, its times and what it adds.
func (m *match) printAdded(unconnected bool) {
	out := os.Stdout
	fmt.Fprintf(out, "%d companies, %s; p50/p95 in ms.\n\n", m.workload.Len, report.Machine())
	http := len(m.processes) > 1
	head := []string{"", "matches", "in the process"}
	if http {
		head = append(head, "over HTTP", "its index and catalog", "added", "to the process")
	}
	t := report.NewTable(head...)
	var most time.Duration
	for i, op := range m.workload.Ops {
		row := []string{op.Name + " " + op.About, m.totals[i], m.times[i][0].String()}
		if http {
			over, index, compared := m.times[i][1], m.dataTimes[i][1], "-"
			added := over.Minus(index)
			if len(over) > 0 {
				compared = report.Milliseconds(over.P50() - m.times[i][0].P50())
			}
			if op.Kind == workload.Search {
				most = max(most, added.P50())
			}
			row = append(row, over.String(), index.String(), added.String(), compared)
		}
		t.Row(row...)
	}
	t.Write(out)
	if http {
		fmt.Fprintf(out, addedNote, report.Milliseconds(most))
	}
	if unconnected && http {
		fmt.Fprint(out, "\nThe server's catalog has no connections (--unconnected), so Q8 is not asked over HTTP.\n")
	}
	fmt.Fprintln(out)
	m.printProcesses()
}

const addedNote = `
"Its index and catalog" and "added" are from the same requests: the time of the server's index and of reading the page's
companies, as the header Server-Timing reports it, and the rest of the request: HTTP, JSON and authentication. For searches the
rest is %s ms at p50 at most. A quote reports no such time. "To the process" is the difference of the two p50, of two processes
with a copy of the index each; there a search is not priced, and over HTTP it is.
`

// printProcesses prints each contender's time to its first answer, and its memory.
func (m *match) printProcesses() {
	t := report.NewTable("", "first search after", "without files in memory", "MB resident", "MB anonymous")
	for _, p := range m.processes {
		cold := "-"
		if p.coldAnswer > 0 {
			cold = report.Milliseconds(p.coldAnswer) + " ms"
		}
		t.Row(p.Name, report.Milliseconds(p.FirstAnswer)+" ms", cold, strconv.FormatInt(p.ResidentBytes()>>20, 10),
			strconv.FormatInt(p.AnonymousBytes()>>20, 10))
	}
	t.Write(os.Stdout)
	fmt.Fprint(os.Stdout, "\nThe first search is one of everything with facets; the clock starts with the server's process or with the opening of\n"+
		"the index. Anonymous memory is the process's own, the rest are pages of files.\n")
}

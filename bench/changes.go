package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/server"
	"github.com/opencapi/capi/bench/workload"
)

type changesCommand struct {
	settings
	Rate   int           `default:"1000" help:"Changes per second (default ${default})."`
	Every  time.Duration `default:"200ms" help:"Interval between batches (default ${default})."`
	Phases int           `default:"3" help:"Number of phases without and with changes, alternating (default ${default})."`
	Last   time.Duration `default:"20s" help:"Length of each phase, after two seconds that are not counted (default ${default})."`
	HTTP   bool          `name:"http" help:"Search a server over HTTP while an import runs, instead of the index in this process."`
}

// Help returns the text below the summary.
func (changesCommand) Help() string {
	return `Alternates between searches without and with changes, so that other load on the machine affects both. In process, the changes
are applied to the index, saved and merged. With --http, a server runs on a copy of the catalog, and another process imports a new
file of changes each time, as capi import does; the changes reach the index as in normal operation. A change updates facts of a
company and adds a word that no other batch has. A batch counts as visible when a search for its word finds all of it.

Works on a copy below the cache, which is removed at the end; segments of the index are hard-linked, a catalog is copied.`
}

// lead is the uncounted time at the start of each phase.
const lead = 2 * time.Second

// Run measures without and with changes, alternately, and prints both.
func (c *changesCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	kind := capi.Kind
	if c.HTTP {
		kind = c.server()
	}
	if err := c.fill(ctx, []contender.Kind{kind}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "copying %s\n", kind.Store)
	dir, err := copyOf(kind.Dir(c.dir()))
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var x changing
	if c.HTTP {
		x, err = server.OpenLive(ctx, c.serverOptions(), dir)
	} else {
		x, err = openWithin(ctx, w, dir)
	}
	if err != nil {
		return err
	}
	m := &changeMeasure{
		changing: x, workload: w, every: c.Every, batch: max(1, int(float64(c.Rate)*c.Every.Seconds())),
		first: make([]report.Times, len(w.Ops)), quiet: make([]report.Times, len(w.Ops)), busy: make([]report.Times, len(w.Ops)),
	}
	err = m.run(ctx, c.Phases, c.Last)
	if err == nil {
		m.print(c.Rate, c.HTTP)
	}
	return errors.Join(err, x.Close())
}

func (m *changeMeasure) print(rate int, http bool) {
	out := os.Stdout
	fmt.Fprintf(out, "%d companies, %s; p50/p95 in ms.\n\n", m.workload.Len, report.Machine())
	t := report.NewTable("", "before any change", "without changes", fmt.Sprintf("%d changes a second", rate), "p95 grows")
	var most extreme
	for i, op := range m.workload.Ops {
		quiet, busy := m.quiet[i], m.busy[i]
		t.Row(op.Name+" "+op.About, m.first[i].String(), quiet.String(), busy.String(), report.FactorOfP95(quiet, busy))
		if op.Kind == workload.Search && len(quiet) > 0 && len(busy) > 0 {
			most.see(op, busy.P95().Seconds()/quiet.P95().Seconds())
		}
	}
	t.Write(out)
	fmt.Fprintf(out, "\nOf the searches Q1 to Q8 the p95 grows ×%.2f at most (%s). \"Without changes\" are all phases without, the first too.\n",
		most.of, most.op)
	since := "its application began"
	if http {
		since = "its commit"
	}
	fmt.Fprintf(out, "%d changes were applied, %.0f a second. A change was seen %s ms (p50/p95) after %s, %s ms at most;\n"+
		"reckoned from the moment at which its batch was due, %s ms, %s ms at most.\n",
		m.changed, float64(m.changed)/m.changingTook.Seconds(), m.seen, since, report.Milliseconds(longestOf(m.seen)),
		m.seenSinceDue, report.Milliseconds(longestOf(m.seenSinceDue)))
	whose := "This process, with what makes up companies,"
	if http {
		whose = "The server"
	}
	fmt.Fprintf(out, "%s held up to %d MB of anonymous memory, and %d MB with pages of files.\n",
		whose, m.anonymous>>20, m.resident>>20)
}

func longestOf(t report.Times) time.Duration {
	if len(t) == 0 {
		return 0
	}
	return slices.Max(t)
}

// wordOf returns a word that no company of the workload and no other batch has.
func wordOf(batch int) string { return "xq" + strconv.Itoa(batch) }

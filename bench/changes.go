package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

type changesCommand struct {
	settings
	Rate  int           `default:"1000" help:"Changes a second (default ${default})."`
	Every time.Duration `default:"200ms" help:"How often they are applied (default ${default})."`
	Last  time.Duration `default:"60s" help:"How long each half is measured (default ${default})."`
}

// Help is shown below the summary.
func (changesCommand) Help() string {
	return `Searches the index in this process: first as it is, then while companies change all the time, are saved and are merged. Works
on a copy of the cached index, whose segments are linked, not copied.`
}

// Run measures without and with changes and prints both.
func (c *changesCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	if err := c.fill(ctx, []contender.Kind{capi.Kind}); err != nil {
		return err
	}
	dir, err := copyOf(capi.Kind.Dir(c.dir()))
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ix, err := capi.Open(ctx, w, dir)
	if err != nil {
		return err
	}
	defer ix.Close()
	fmt.Fprintln(os.Stderr, "searching")
	quiet, err := c.measure(ctx, w, ix)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "searching while companies change")
	busy, seen, err := c.measureChanging(ctx, w, ix)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%d companies, %s; p50/p95 in ms.\n\n", w.Len, report.Machine())
	t := report.NewTable("", "as it is", fmt.Sprintf("%d changes a second", c.Rate), "p95 grows")
	for i, op := range w.Ops {
		t.Row(op.Name+" "+op.About, quiet[i].String(), busy[i].String(),
			fmt.Sprintf("×%.2f", busy[i].P95().Seconds()/quiet[i].P95().Seconds()))
	}
	t.Write(os.Stdout)
	fmt.Fprintf(os.Stdout, "\nA change is seen %s ms (p50/p95) after it is applied, %s ms at most; it waits up to %s to be applied.\n",
		seen, report.Milliseconds(slices.Max(seen)), c.Every)
	return nil
}

// copyOf links an index into a directory beside it.
func copyOf(dir string) (string, error) {
	to, err := os.MkdirTemp(filepath.Dir(dir), "changes")
	if err != nil {
		return "", err
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		return "", err
	}
	for _, s := range segments {
		if err := os.Link(s, filepath.Join(to, filepath.Base(s))); err != nil {
			return "", err
		}
	}
	from, err := os.Open(filepath.Join(dir, "manifest"))
	if err != nil {
		return "", err
	}
	defer from.Close()
	into, err := os.Create(filepath.Join(to, "manifest"))
	if err != nil {
		return "", err
	}
	_, err = io.Copy(into, from)
	if closed := into.Close(); err == nil {
		err = closed
	}
	return to, err
}

// measure asks all operations in turn until time is up.
func (c *changesCommand) measure(ctx context.Context, w *workload.Workload, ix *capi.Index) ([]report.Times, error) {
	times := make([]report.Times, len(w.Ops))
	for end := time.Now().Add(c.Last); time.Now().Before(end); {
		for i, op := range w.Ops {
			start := time.Now()
			if _, err := ix.Ask(ctx, op); err != nil {
				return nil, err
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	return times, nil
}

// measureChanging does the same while companies change, and tells how long each batch took until searches see it.
func (c *changesCommand) measureChanging(
	ctx context.Context, w *workload.Workload, ix *capi.Index,
) (times []report.Times, seen report.Times, err error) {
	changing, stop := context.WithCancel(ctx)
	var changer sync.WaitGroup
	var failed error
	changer.Go(func() { seen, failed = c.change(changing, w, ix) })
	times, err = c.measure(ctx, w, ix)
	stop()
	changer.Wait()
	if err == nil {
		err = failed
	}
	return times, seen, err
}

// change applies batches until ctx ends: companies all over, each of which becomes another.
func (c *changesCommand) change(ctx context.Context, w *workload.Workload, ix *capi.Index) (seen report.Times, err error) {
	clock := time.NewTicker(c.Every)
	defer clock.Stop()
	seq, size := uint64(w.Len), max(1, int(float64(c.Rate)*c.Every.Seconds()))
	for at := 0; ; {
		select {
		case <-ctx.Done():
			return seen, nil
		case <-clock.C:
		}
		changes := make([]index.Change, size)
		for i := range changes {
			at = (at + 7919) % w.Len
			number := company.Number(at + 1)
			changes[i] = index.Change{Number: number, Company: w.Company((at+w.Len/2)%w.Len + 1)}
		}
		seq++
		start := time.Now()
		if err := ix.Apply(context.WithoutCancel(ctx), changes, seq); err != nil {
			return nil, err
		}
		seen = append(seen, time.Since(start))
	}
}

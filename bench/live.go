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

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/server"
	"github.com/opencapi/capi/bench/workload"
)

type liveCommand struct {
	settings
	Imported int           `default:"200000" help:"Companies that the import adds, with their connections (default ${default})."`
	Quiet    time.Duration `default:"20s" help:"How long purchases are measured before the import (default ${default})."`
	Every    time.Duration `default:"50ms" help:"Interval between purchases (default ${default})."`
}

// Help returns the text below the summary.
func (liveCommand) Help() string {
	return `A server runs on a copy of the catalog. Purchases of one company each are made over HTTP, first without an import and then until
capi import, which another process runs, has added its file. In the same time, single companies are changed one after another. A change is
visible when a search finds it.`
}

// Run measures without and with an import, and prints both.
func (c *liveCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	kind := c.server()
	if err := c.fill(ctx, []contender.Kind{kind}); err != nil {
		return err
	}
	dir, err := copyOf(kind.Dir(c.dir()))
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "more.ndjson")
	if err := server.WriteOthers(file, w, c.Imported); err != nil {
		return err
	}
	x, err := server.OpenLive(ctx, c.serverOptions(), dir)
	if err != nil {
		return err
	}
	m := &liveMeasure{Live: x, workload: w, every: c.Every, next: w.Len}
	fmt.Fprintln(os.Stderr, "purchases and changes without an import")
	quiet, err := m.during(ctx, func(context.Context) error { time.Sleep(c.Quiet); return nil })
	if err != nil {
		return errors.Join(err, x.Close())
	}
	fmt.Fprintln(os.Stderr, "purchases and changes while an import runs")
	began := time.Now()
	busy, err := m.during(ctx, func(ctx context.Context) error { return x.Import(ctx, file) })
	if err != nil {
		return errors.Join(err, x.Close())
	}
	fmt.Printf("%d companies, %s. The import of %d companies with their connections took %s.\n\n", c.Companies, report.Machine(), c.Imported,
		time.Since(began).Round(100*time.Millisecond))
	t := report.NewTable("milliseconds", "purchases", "p50", "p99", "longest", "changes", "visible after, p50", "p99", "longest")
	for _, p := range []struct {
		name string
		of   livePhase
	}{{"without an import", quiet}, {"while an import runs", busy}} {
		b, s := p.of.bought, p.of.seen
		t.Row(p.name, fmt.Sprint(len(b)), report.Milliseconds(b.P50()), report.Milliseconds(b.P99()), report.Milliseconds(b.Longest()),
			fmt.Sprint(len(s)), report.Milliseconds(s.P50()), report.Milliseconds(s.P99()), report.Milliseconds(s.Longest()))
	}
	t.Write(os.Stdout)
	fmt.Println("\nA purchase is an HTTP request. A change is reckoned from the moment at which it is handed over, so its wait for the database counts.")
	return x.Close()
}

type livePhase struct{ bought, seen report.Times }

type liveMeasure struct {
	*server.Live
	workload *workload.Workload
	every    time.Duration
	next     int // the company to buy; downwards
	changes  int
}

// during buys and changes companies while fn runs.
func (m *liveMeasure) during(ctx context.Context, fn func(context.Context) error) (p livePhase, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	var buying, changing error
	var both sync.WaitGroup
	both.Go(func() { buying = m.buy(ctx, ended, &p.bought); cancelOn(buying, cancel) })
	both.Go(func() { changing = m.change(ctx, ended, &p.seen); cancelOn(changing, cancel) })
	err = fn(ctx)
	close(ended)
	both.Wait()
	return p, errors.Join(err, buying, changing)
}

func cancelOn(err error, cancel func()) {
	if err != nil {
		cancel()
	}
}

func (m *liveMeasure) buy(ctx context.Context, ended <-chan struct{}, times *report.Times) error {
	for {
		select {
		case <-ended:
			return nil
		case <-time.After(m.every):
		}
		took, err := m.Buy(ctx, m.workload.Company(m.next).ID)
		if err != nil {
			return err
		}
		m.next--
		*times = append(*times, took)
	}
}

func (m *liveMeasure) change(ctx context.Context, ended <-chan struct{}, times *report.Times) error {
	for {
		select {
		case <-ended:
			return nil
		case <-time.After(10 * m.every):
		}
		m.changes++
		c, word := m.workload.Company(m.changes), wordOf(m.changes)
		c.Description += " " + word
		started := time.Now()
		seen, err := m.Change(ctx, []*company.Company{c}, word)
		if err != nil {
			return err
		}
		if _, err := seen(); err != nil {
			return err
		}
		*times = append(*times, time.Since(started))
	}
}

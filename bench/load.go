package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencapi/capi/bench/clients"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/opensearch"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/server"
	"github.com/opencapi/capi/bench/workload"
)

type loadCommand struct {
	settings
	Clients   []int         `default:"1,8,64,256" help:"Numbers of clients (default ${default})."`
	Nodes     []int         `default:"0,1,2" help:"Numbers of nodes, 0 for one machine with SQLite (default ${default})."`
	Last      time.Duration `default:"20s" help:"How long each number of clients is measured (default ${default})."`
	Warm      time.Duration `default:"3s" help:"How long answers do not count at first (default ${default})."`
	Versitygw string        `default:"../bin/versitygw" placeholder:"FILE" help:"The S3 server of the nodes (default ${default})."`
}

// Help returns the text below the summary.
func (loadCommand) Help() string {
	return `One machine has SQLite and its own files. Nodes run on a copy of a PostgreSQL database, with files in a bucket. Clients send searches
alone, and then a mix of searches, quotes and exports, each client one request after the other. OpenSearch gets the searches without a
node in between. Everything runs on this machine. A search that does not find everywhere what it finds on the first server is an error.`
}

// contest is something that is measured under a name.
type contest struct {
	name    string
	targets []clients.Target
	askers  []asker // of the same
	mixed   bool    // it answers more than searches
}

// asker answers an operation so that answers can be compared.
type asker interface {
	Ask(ctx context.Context, op workload.Op) (workload.Answer, error)
}

// Run loads, measures and prints.
func (c *loadCommand) Run(ctx context.Context) error {
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	alone, kind := c.server(), server.NodesKind(c.serverOptions())
	if err := c.fill(ctx, []contender.Kind{alone, kind}); err != nil {
		return err
	}
	var found answers
	searches, mix := c.table("searches"), c.table("searches", "quotes", "exports")
	for _, n := range c.Nodes {
		x, end, err := c.open(ctx, alone.Dir(c.dir()), kind.Dir(c.dir()), n)
		if err != nil {
			return err
		}
		err = found.compare(ctx, c.asked(w.Searches()), x)
		if err == nil {
			err = c.measure(ctx, w, x, searches, mix)
		}
		if err := errors.Join(err, end()); err != nil {
			return err
		}
	}
	if err := c.openSearch(ctx, w, &found, searches); err != nil {
		return err
	}
	fmt.Printf("%d companies, %s; %s for each row; times in ms, p50/p95/p99.\n\nSearches, the same for all:\n\n", c.Companies, report.Machine(), c.Last)
	searches.Write(os.Stdout)
	fmt.Print("\n16 searches, 3 quotes and one export of 20 companies in turn:\n\n")
	mix.Write(os.Stdout)
	return nil
}

// openSearch measures OpenSearch alone, if it is there.
func (c *loadCommand) openSearch(ctx context.Context, w *workload.Workload, found *answers, searches *report.Table) error {
	if why := opensearch.Kind.Missing(); why != "" {
		fmt.Fprintf(os.Stderr, "SKIPPED: OpenSearch: %s\n", why)
		return nil
	}
	ix, err := opensearch.Open(ctx, w)
	if err != nil {
		return err
	}
	defer ix.Close()
	x := contest{name: "OpenSearch alone", askers: []asker{ix}, targets: []clients.Target{func(ctx context.Context, op workload.Op) error {
		_, err := ix.Ask(ctx, op)
		return err
	}}}
	if err := found.compare(ctx, c.asked(w.Searches()), x); err != nil {
		return err
	}
	return c.measure(ctx, w, x, searches, nil)
}

// open starts n nodes, or a server on SQLite if n is 0. The caller must call end.
func (c *loadCommand) open(ctx context.Context, alone, nodes string, n int) (x contest, end func() error, err error) {
	if n == 0 {
		one, err := server.OpenAlone(ctx, c.serverOptions(), alone)
		if err != nil {
			return contest{}, nil, err
		}
		return contestOf("1 machine", one), one.Close, nil
	}
	all, err := server.OpenNodes(ctx, c.serverOptions(), nodes, c.Versitygw, n)
	if err != nil {
		return contest{}, nil, err
	}
	name := "1 node"
	if n > 1 {
		name = strconv.Itoa(n) + " nodes"
	}
	return contestOf(name, all.All()...), all.Close, nil
}

func contestOf(name string, nodes ...*server.Node) contest {
	c := contest{name: name, mixed: true}
	for _, node := range nodes {
		c.targets, c.askers = append(c.targets, node.Request), append(c.askers, node)
	}
	return c
}

// answers are those of the first that was asked, by the name of the search.
type answers map[string]workload.Answer

// compare returns an error if something finds other companies than the first that was asked.
func (a *answers) compare(ctx context.Context, searches []workload.Op, x contest) error {
	if *a == nil {
		*a = answers{}
	}
	for i, asker := range x.askers {
		for _, op := range searches {
			answer, err := asker.Ask(ctx, op)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", x.name, op.Name, err)
			}
			first, asked := (*a)[op.Name]
			if !asked {
				(*a)[op.Name] = answer
			} else if d := op.Differ(first, answer); d != "" {
				return fmt.Errorf("%s: %s is different on target %d: %s", x.name, op.Name, i+1, d)
			}
		}
	}
	return nil
}

func (c *loadCommand) table(kinds ...string) *report.Table {
	return report.NewTable(append(append([]string{"", "clients", "requests a second"}, kinds...), "errors")...)
}

func (c *loadCommand) measure(ctx context.Context, w *workload.Workload, x contest, searches, mix *report.Table) error {
	for _, n := range c.Clients {
		if err := c.one(ctx, x, w.Searches(), n, searches, workload.Search); err != nil {
			return err
		}
	}
	if !x.mixed {
		return nil
	}
	for _, n := range c.Clients {
		if err := c.one(ctx, x, w.Mix(), n, mix, workload.Search, workload.Split, workload.Buy); err != nil {
			return err
		}
	}
	return nil
}

func (c *loadCommand) one(ctx context.Context, x contest, ops []workload.Op, n int, t *report.Table, kinds ...workload.Kind) error {
	fmt.Fprintf(os.Stderr, "%s, %d clients, %d operations\n", x.name, n, len(ops))
	r, err := clients.Run(ctx, x.targets, c.asked(ops), clients.Options{Clients: n, Warm: c.Warm, Last: c.Last})
	if err != nil {
		return err
	}
	if r.First != nil {
		fmt.Fprintf(os.Stderr, "%d requests failed, the first: %v\n", r.Errors, r.First)
	}
	row := []string{x.name, strconv.Itoa(n), fmt.Sprintf("%.0f", r.PerSecond())}
	for _, kind := range kinds {
		row = append(row, r.Times[kind].String()+"/"+report.Milliseconds(r.Times[kind].P99()))
	}
	t.Row(append(row, strconv.Itoa(r.Errors))...)
	return nil
}

// asked leaves out what a catalog without connections cannot answer.
func (c *loadCommand) asked(ops []workload.Op) (kept []workload.Op) {
	for _, op := range ops {
		if !c.Unconnected || len(op.Filters.Connections) == 0 {
			kept = append(kept, op)
		}
	}
	return kept
}

// serverLog is the log of several servers. Safe for concurrent use.
type serverLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type readyCommand struct {
	settings
	Rounds    int    `default:"5" help:"New nodes, one after the other (default ${default})."`
	Versitygw string `default:"../bin/versitygw" placeholder:"FILE" help:"The S3 server of the nodes (default ${default})."`
}

// Help returns the text below the summary.
func (readyCommand) Help() string {
	return `A node on PostgreSQL stores its index in a bucket. Then new nodes without data start, one after the other, and fetch it. The time from the
start of the process until /readyz says that it is ready is printed, and that until the first answer to a search.`
}

// Run loads, measures and prints.
func (c *readyCommand) Run(ctx context.Context) error {
	kind := server.NodesKind(c.serverOptions())
	if err := c.fill(ctx, []contender.Kind{kind}); err != nil {
		return err
	}
	var log serverLog
	options := c.serverOptions()
	options.Log = &log
	x, err := server.OpenNodes(ctx, options, kind.Dir(c.dir()), c.Versitygw, 1)
	if err != nil {
		return err
	}
	defer x.Close() //nolint:errcheck // Close below
	var ready, first report.Times
	for range c.Rounds {
		n, err := x.StartNew(ctx, "new")
		if err != nil {
			return err
		}
		ready, first = append(ready, n.ReadyAfter()), append(first, n.FirstAnswer())
		if err := x.Stop(n); err != nil {
			return err
		}
	}
	if err := x.Close(); err != nil { // so that the log is complete
		return err
	}
	if n := strings.Count(log.String(), "index fetched from the bucket"); n != c.Rounds {
		return fmt.Errorf("%d of %d nodes have fetched the index:\n%s", n, c.Rounds, &log)
	}
	fmt.Printf("%d companies, %s; a new node with an index in the bucket, %d times.\n\n", c.Companies, report.Machine(), c.Rounds)
	t := report.NewTable("", "p50 in s", "longest in s")
	for _, row := range []struct {
		what  string
		times report.Times
	}{{"/readyz says ready", ready}, {"first answer to a search", first}} {
		t.Row(row.what, fmt.Sprintf("%.2f", row.times.P50().Seconds()), fmt.Sprintf("%.2f", row.times.Longest().Seconds()))
	}
	t.Write(os.Stdout)
	return nil
}

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/opencapi/capi/internal/testkit/bucket"
)

// cluster is several nodes, each with its own data directory and its own way to the database and to the store.
type cluster struct {
	*load
	store   *bucket.Server
	clients *wire   // the way of clients to the store
	engine  *engine // nil if each node has the embedded index
}

// The size of the cluster, and how long its parts are away.
const (
	clusterNodes  = 3
	awayShort     = 4 * time.Second
	awayLong      = 25 * time.Second // longer than the lease of a job, which is 15 s
	examineEvery  = 10 * time.Second
	recoveryWait  = 3 * time.Minute // the longest until all nodes are ready again and answer, on a busy machine
	leaseExpected = 15 * time.Second
)

// fault is something that happens to the cluster. end makes everything whole again.
type fault struct {
	what       string
	lasts      time.Duration
	begin, end func(context.Context) error
}

// openCluster starts a database, a store and the nodes.
func openCluster(ctx context.Context, o options, binary, dir string) (c *cluster, err error) {
	s := newService(binary, dir, clusterNodes)
	c = &cluster{}
	p, err := newPostgres(ctx, filepath.Join(dir, "postgres"))
	if err != nil {
		return nil, err
	}
	s.use(p)
	if c.store, err = bucket.New(ctx, o.store, filepath.Join(dir, "store")); err != nil {
		p.kill()
		return nil, err
	}
	w := newWires()
	if c.clients, err = w.to("clients to store", c.store.Address); err != nil {
		return nil, err
	}
	s.files = c.clients.address
	s.environment = append(s.environment, bucket.Settings(c.store.Address, c.clients.address)...)
	s.environment = append(s.environment, "CAPI_KEY_FILE="+filepath.Join(dir, "shared.key"))
	if o.opensearch {
		if c.engine, err = engineNamed(); err != nil {
			return nil, err
		}
		s.environment = append(s.environment, "CAPI_INDEX="+c.engine.url(c.engine.addresses))
		s.importPause = enginePause
	}
	for _, n := range s.nodes {
		n.database, err = w.to(n.name+" to database", p.address())
		if err != nil {
			return nil, err
		}
		if n.store, err = w.to(n.name+" to store", c.store.Address); err != nil {
			return nil, err
		}
		n.settings = append(bucket.Settings(n.store.address, c.clients.address),
			"CAPI_DATA="+filepath.Join(dir, n.name), "CAPI_DB="+p.at(n.database.address))
		if c.engine != nil {
			setting, err := c.engine.connect(w, n)
			if err != nil {
				return nil, err
			}
			n.settings = append(n.settings, setting)
		}
		n.direct = []string{"CAPI_DATA=" + filepath.Join(dir, n.name)}
		go n.watch(ctx)
	}
	c.load = newLoad(s, o)
	return c, nil
}

func (c *cluster) close() {
	c.service.killAll()
	c.store.Kill()
	c.service.database.kill()
}

// run lets every fault happen, as many times as rounds says, and checks everything after each round.
func (c *cluster) run(ctx context.Context, rounds int) error {
	if err := errors.Join(c.catalog.Import(ctx, c.service.Import), c.service.raise(ctx)); err != nil {
		return err
	}
	if len(c.faults()) == 0 {
		return errors.New("no fault has a name that the flag -faults matches")
	}
	for round := 1; round <= rounds; round++ {
		if err := c.open(ctx); err != nil {
			return err
		}
		c.begin(ctx, c.examine)
		fmt.Printf("round %d; the longest time in seconds without\n%-62s %8s %10s %10s %10s %10s %9s\n", round,
			"fault", "lasts", "answers", "searches", "purchases", "downloads", "recovers")
		for _, f := range c.faults() {
			if err := c.suffer(ctx, f); err != nil {
				return errors.Join(fmt.Errorf("%s: %w", f.what, err), c.rest())
			}
		}
		if err := c.check(ctx); err != nil {
			return err
		}
		fmt.Printf("round %d: %s\n", round, c.summary())
	}
	if err := c.examineAll(); err != nil {
		return err
	}
	return c.service.stopAll()
}

// examineAll runs capi doctor next to every node at once.
func (c *cluster) examineAll() error {
	errs := make([]error, len(c.service.nodes))
	var group sync.WaitGroup
	for i, n := range c.service.nodes {
		group.Go(func() { errs[i] = n.doctor() })
	}
	group.Wait()
	return errors.Join(errs...)
}

// examine runs capi doctor again and again, as an operator may at any time. Whatever is away, it must not find anything.
func (c *cluster) examine(ctx context.Context) error {
	for {
		select {
		case <-c.stop:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(examineEvery):
		}
		if err := c.service.findings(); err != nil {
			return err
		}
	}
}

// suffer lets a fault happen and prints the longest time without answers from its beginning until everything has recovered.
func (c *cluster) suffer(ctx context.Context, f fault) error {
	if err := c.pause(ctx, time.Second); err != nil {
		return err
	}
	c.service.gaps.begin()
	began := time.Now()
	if err := f.begin(ctx); err != nil {
		return err
	}
	if err := c.pause(ctx, f.lasts-time.Since(began)); err != nil {
		return err
	}
	if err := f.end(ctx); err != nil {
		return err
	}
	ended := time.Now()
	for !c.recovered(ended) {
		if time.Since(ended) > recoveryWait {
			return fmt.Errorf("the nodes have not recovered after %s", recoveryWait)
		}
		if err := c.pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	took, longest := time.Since(ended), c.service.gaps.end()
	fmt.Printf("%-62s %8.1f", f.what, ended.Sub(began).Seconds())
	for _, kind := range answerKinds {
		fmt.Printf(" %10.1f", longest[kind].Seconds())
	}
	fmt.Printf(" %9.1f\n", took.Seconds())
	c.killed[f.what]++
	return nil
}

// recovered reports whether all nodes are ready, and clients have got answers of each kind since the time.
func (c *cluster) recovered(since time.Time) bool {
	for _, n := range c.service.nodes {
		if n.running() == nil || !n.ready.Load() {
			return false
		}
	}
	return c.service.gaps.since(since)
}

// some returns a random node.
func (c *cluster) some() *node { return c.service.nodes[c.r.IntN(len(c.service.nodes))] }

// faults returns all faults, with the nodes that they happen to.
func (c *cluster) faults() []fault {
	nothing := func(context.Context) error { return nil }
	killed, stopped, lost, parted, reset, engine := c.some(), c.some(), c.some(), c.some(), c.some(), c.service.database
	databases, stores := []*wire{}, []*wire{c.clients}
	for _, n := range c.service.nodes {
		databases, stores = append(databases, n.database), append(stores, n.store)
	}
	all := []fault{
		{"a node is killed", awayShort, func(context.Context) error { killed.kill(); return nil }, killed.start},
		{"a node is stopped", awayShort, func(context.Context) error { return stopped.stop() }, stopped.start},
		{"a node is killed and loses its data directory", awayShort, func(context.Context) error {
			lost.kill()
			return os.RemoveAll(filepath.Join(c.service.dir, lost.name))
		}, lost.start},
		{"all nodes are killed", 0, func(context.Context) error { c.service.killAll(); return nil }, c.service.raise},
		{"commands are killed", awayShort, c.killCommands, nothing},
		{"the database is killed", awayShort, func(context.Context) error { engine.kill(); return nil }, engine.start},
		{"the database is cut off", awayShort, cut(databases), repair(databases)},
		{"the database answers after 200 ms", awayShort, spoil(databases, "latency", "latency", 100), repair(databases)},
		{"a node's connections to the database are reset", awayShort, spoil([]*wire{reset.database}, "reset_peer", "timeout", 0), repair(databases)},
		{
			"a node is partitioned from the database, with leases", awayLong, func(ctx context.Context) error { return c.part(ctx, parted) },
			repair([]*wire{parted.database, parted.store}),
		},
		{"the store is killed", awayShort, func(context.Context) error { c.store.Kill(); return nil }, c.store.Start},
		{"the store is cut off", awayShort, cut(stores), repair(stores)},
		{"the store answers after 1 s", awayShort, spoil(stores, "latency", "latency", 500), repair(stores)},
		{"the store resets connections", awayShort, spoil(stores, "reset_peer", "timeout", 0), repair(stores)},
		{"the store's connections end after 20 kB", awayShort, spoil(stores, "limit_data", "bytes", 20_000), repair(stores)},
		{"the store is silent", awayShort, spoil(stores, "timeout", "timeout", 0), repair(stores)},
	}
	if c.engine != nil {
		all = append(all, c.engineFaults()...)
	}
	return slices.DeleteFunc(all, func(f fault) bool { return !c.options.faults.MatchString(f.what) })
}

// engineFaults returns the faults of OpenSearch.
func (c *cluster) engineFaults() []fault {
	e, i, parted := c.engine, c.r.IntN(len(c.engine.addresses)), c.some()
	next := (i + 1) % len(e.addresses)
	var ways, toOne []*wire
	for _, n := range c.service.nodes {
		ways, toOne = append(ways, n.engine...), append(toOne, n.engine[next])
	}
	return []fault{
		{
			"a node of OpenSearch is killed", awayShort, func(ctx context.Context) error { return e.kill(ctx, i) },
			func(ctx context.Context) error { return e.start(ctx, i) },
		},
		{
			"two nodes of OpenSearch are killed, so that none may decide", awayShort,
			func(ctx context.Context) error { return errors.Join(e.kill(ctx, i), e.kill(ctx, next)) },
			func(ctx context.Context) error { return errors.Join(e.launch(i), e.launch(next), e.whole(ctx, i)) },
		},
		{"all nodes of OpenSearch are killed", 0, func(ctx context.Context) (err error) {
			for i := range e.addresses {
				err = errors.Join(err, e.kill(ctx, i))
			}
			return err
		}, e.startAll},
		{"a node of OpenSearch hangs", awayLong, func(context.Context) error { return e.signal(i, syscall.SIGSTOP) }, func(ctx context.Context) error {
			return errors.Join(e.signal(i, syscall.SIGCONT), e.whole(ctx, i))
		}},
		{"a node of OpenSearch is silent", awayShort, spoil(toOne, "timeout", "timeout", 0), repair(toOne)},
		{"OpenSearch is cut off", awayShort, cut(ways), repair(ways)},
		{"OpenSearch answers after 200 ms", awayShort, spoil(ways, "latency", "latency", 100), repair(ways)},
		{"OpenSearch resets connections", awayShort, spoil(ways, "reset_peer", "timeout", 0), repair(ways)},
		{"OpenSearch's connections end after 20 kB", awayShort, spoil(ways, "limit_data", "bytes", 20_000), repair(ways)},
		{"OpenSearch is silent", awayShort, spoil(ways, "timeout", "timeout", 0), repair(ways)},
		{"a node is partitioned from OpenSearch", awayLong, spoil(parted.engine, "timeout", "timeout", 0), repair(parted.engine)},
	}
}

func cut(wires []*wire) func(context.Context) error {
	return func(context.Context) error {
		for _, w := range wires {
			if err := w.cut(); err != nil {
				return err
			}
		}
		return nil
	}
}

func spoil(wires []*wire, toxic, attribute string, value int) func(context.Context) error {
	return func(context.Context) error {
		for _, w := range wires {
			if err := w.spoil(toxic, map[string]any{attribute: value}); err != nil {
				return err
			}
		}
		return nil
	}
}

func repair(wires []*wire) func(context.Context) error {
	return func(context.Context) error {
		for _, w := range wires {
			if err := w.repair(); err != nil {
				return err
			}
		}
		return nil
	}
}

// killCommands kills commands for a while, imports among them.
func (c *cluster) killCommands(ctx context.Context) error {
	for until := time.Now().Add(awayShort); time.Now().Before(until); {
		if c.service.killCommand() {
			c.killed["other commands"]++
		}
		if err := c.pause(ctx, time.Duration(c.r.Int64N(int64(300*time.Millisecond)))); err != nil {
			return err
		}
	}
	return nil
}

// part drops everything between a node and the database, while the node holds leases of jobs: its store is slow, so that the jobs that
// it has begun do not end. It is an error if no other node takes a job over.
func (c *cluster) part(ctx context.Context, n *node) error {
	if err := n.store.spoil("latency", map[string]any{"latency": 1500}); err != nil {
		return err
	}
	if err := c.pause(ctx, 3*time.Second); err != nil {
		return err
	}
	if err := n.database.spoil("timeout", map[string]any{"timeout": 0}); err != nil {
		return err
	}
	// Renewed leases end in 10 to 15 s.
	if err := c.pause(ctx, leaseExpected*2/3); err != nil {
		return err
	}
	d, err := sql.Open("pgx", c.service.database.url())
	if err != nil {
		return err
	}
	defer d.Close()
	var held int
	err = d.QueryRowContext(ctx, `SELECT count(*) FROM job WHERE state = 'running' AND lease_until <
		(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT + 9000000`).Scan(&held)
	if err == nil && held == 0 {
		err = errors.New("the node that was partitioned held no lease, so nothing was tested")
	}
	c.actions["leases held by a partitioned node"] += held
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/testkit/customer"
)

const (
	workspaces = 2
	companies  = 5_000
	rowsMax    = 1_000
	credits    = 2_000
	checkEvery = 10                      // kills between two full checks, after each of which new customers take over
	killWait   = 1500 * time.Millisecond // the longest wait before a kill
)

// load is the clients of the service, and the killer of its processes.
type load struct {
	service   *service
	options   options
	nodes     int
	r         *rand.Rand // of the killer
	catalog   *customer.Catalog
	customers []*customer.Customer
	actions   map[string]int // of former customers
	killed    map[string]int
	failures  chan error // broken guarantees

	stop  chan struct{} // closed to stop the clients; nil if they are stopped
	group sync.WaitGroup
}

func newLoad(s *service, o options, nodes int) *load {
	return &load{
		service: s, options: o, nodes: nodes, r: rand.New(rand.NewPCG(o.seed, 1)),
		catalog: &customer.Catalog{Size: companies}, killed: map[string]int{}, actions: map[string]int{},
		failures: make(chan error, o.clients),
	}
}

// run kills as many processes as kills says. After every checkEvery kills it checks everything and prints what was done.
func (l *load) run(ctx context.Context, kills int) error {
	if err := errors.Join(l.catalog.Import(ctx, l.service.Import), l.raise(ctx)); err != nil {
		return err
	}
	for n := 1; n <= kills; n++ {
		if l.stop == nil {
			if err := l.open(ctx); err != nil {
				return err
			}
			l.begin(ctx)
		}
		if err := l.kill(ctx); err != nil {
			return errors.Join(err, l.rest())
		}
		if n%checkEvery == 0 || n == kills {
			if err := l.check(ctx); err != nil {
				return err
			}
			fmt.Printf("%d kills: %s\n", n, l.summary())
		}
	}
	return errors.Join(l.service.stopAll(), l.service.doctor())
}

// open creates new workspaces, because a workspace that owns all companies is never charged again.
func (l *load) open(ctx context.Context) error {
	for i := range workspaces {
		var w struct{ ID string }
		if err := l.service.json(&w, "workspace", "create", fmt.Sprint("Soak ", i), "--credits", strconv.Itoa(credits), "--json"); err != nil {
			return err
		}
		t, err := l.service.NewToken(ctx, w.ID, nil, false)
		if err != nil {
			return err
		}
		l.customers = append(l.customers, customer.New(customer.Options{
			Workspace: w.ID, Token: t, Granted: credits, Catalog: l.catalog, RowsMax: rowsMax, Do: l.service.do, Operator: l.service,
		}))
	}
	return nil
}

// raise starts servers until l.nodes of them run.
func (l *load) raise(ctx context.Context) error {
	for {
		l.service.mu.Lock()
		n := len(l.service.servers)
		l.service.mu.Unlock()
		if n >= l.nodes {
			return nil
		}
		if _, err := l.service.serve(ctx); err != nil {
			return err
		}
	}
}

// begin starts the clients.
func (l *load) begin(ctx context.Context) {
	l.stop = make(chan struct{})
	for i := range l.options.clients {
		c, r := l.customers[i%len(l.customers)], rand.New(rand.NewPCG(l.r.Uint64(), 2))
		l.group.Go(func() {
			if err := runClient(ctx, c, r, l.stop); err != nil {
				l.failures <- err
			}
		})
	}
}

// runClient performs random actions until stop is closed.
func runClient(ctx context.Context, c *customer.Customer, r *rand.Rand, stop <-chan struct{}) error {
	for ctx.Err() == nil {
		select {
		case <-stop:
			return nil
		default:
		}
		ctx, cancel := ctx, func() {}
		if r.IntN(10) == 0 { // a client that hangs up
			ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(40_000))*time.Microsecond)
		}
		_, err := c.DoRandom(ctx, r)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// rest stops the clients and returns an error if one of them found a broken guarantee.
func (l *load) rest() error {
	if l.stop == nil {
		return nil
	}
	close(l.stop)
	l.group.Wait()
	l.stop = nil
	select {
	case err := <-l.failures:
		return err
	default:
		return nil
	}
}

// kill waits, kills a random process, starts it again, and runs capi doctor.
func (l *load) kill(ctx context.Context) error {
	select {
	case <-time.After(time.Duration(l.r.Int64N(int64(killWait)))):
	case err := <-l.failures:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
	what := l.r.IntN(10)
	switch {
	case what == 0 && l.service.killCommand():
		l.killed["other commands"]++
	case what <= 2 && l.service.cluster != nil:
		l.killed["databases"]++
		l.service.cluster.kill()
		time.Sleep(time.Duration(l.r.Int64N(int64(killWait / 3))))
		if err := l.service.cluster.start(ctx); err != nil {
			return err
		}
	default:
		l.killed["servers"]++
		l.service.killServer(l.r)
	}
	if err := l.raise(ctx); err != nil {
		return err
	}
	return l.service.doctor()
}

// settleWait is how long unfinished exports may take to end on a busy machine.
const settleWait = 5 * time.Minute

// check waits until everything that was started has ended, and compares the service with all answers that the clients got,
// each file and each receipt included.
func (l *load) check(ctx context.Context) error {
	if err := l.rest(); err != nil {
		return err
	}
	for _, c := range l.customers {
		ctx, cancel := context.WithTimeout(ctx, settleWait)
		err := c.Settle(ctx, 100*time.Millisecond)
		cancel()
		if err != nil {
			return err
		}
	}
	for _, c := range l.customers {
		if err := c.Check(ctx); err != nil {
			return err
		}
		for what, n := range c.Counts() {
			l.actions[what] += n
		}
	}
	l.customers = nil
	return l.service.doctor()
}

// summary returns what was done, as text.
func (l *load) summary() string {
	var parts []string
	for _, counts := range []map[string]int{l.killed, l.actions} {
		for _, what := range slices.Sorted(maps.Keys(counts)) {
			parts = append(parts, fmt.Sprintf("%s %d", what, counts[what]))
		}
	}
	return strings.Join(parts, ", ")
}

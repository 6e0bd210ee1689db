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
	r         *rand.Rand // of the killer
	catalog   *customer.Catalog
	customers []*customer.Customer
	actions   map[string]int // of former customers
	killed    map[string]int
	failures  chan error // broken guarantees
	receiver  *receiver
	followed  []followed
	orders    *orders // nil before open

	stop  chan struct{} // closed to stop the clients; nil if they are stopped
	group sync.WaitGroup
}

func newLoad(s *service, o options) *load {
	l := &load{
		service: s, options: o, r: rand.New(rand.NewPCG(o.seed, 1)),
		catalog: &customer.Catalog{Size: companies}, killed: map[string]int{}, actions: map[string]int{},
		failures: make(chan error, o.clients+clientsMore), receiver: startReceiver(),
	}
	s.wrong = func(err error) {
		select {
		case l.failures <- err:
		default: // there are enough
		}
	}
	return l
}

// run kills as many processes as kills says. After every checkEvery kills it checks everything and prints what was done.
func (l *load) run(ctx context.Context, kills int) error {
	if err := errors.Join(l.catalog.Import(ctx, l.service.Import), l.service.raise(ctx)); err != nil {
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
		if err := l.follow(w.ID, t.Secret); err != nil {
			return err
		}
		l.customers = append(l.customers, customer.New(customer.Options{
			Workspace: w.ID, Token: t, Granted: credits, Catalog: l.catalog, RowsMax: rowsMax, Do: l.service.do, Operator: l.service,
			Files: l.service.files,
		}))
	}
	var err error
	l.orders, err = l.openOrders(ctx)
	return err
}

// begin starts the clients, and more of them.
func (l *load) begin(ctx context.Context, more ...func(context.Context) error) {
	l.stop = make(chan struct{})
	client := func(run func(r *rand.Rand) error) {
		r := rand.New(rand.NewPCG(l.r.Uint64(), 2))
		l.group.Go(func() {
			if err := run(r); err != nil {
				l.failures <- err
			}
		})
	}
	for i := range l.options.clients {
		client(func(r *rand.Rand) error { return runClient(ctx, l.customers[i%len(l.customers)], r, l.stop) })
	}
	client(func(*rand.Rand) error { return l.orders.ask(ctx, l.stop) })
	for _, run := range more {
		client(func(*rand.Rand) error { return run(ctx) })
	}
	for i, c := range l.customers {
		client(func(r *rand.Rand) error { return l.repeat(ctx, c, r, "buy", buyEvery) })
		client(func(r *rand.Rand) error { return l.repeat(ctx, c, r, "download", downloadEvery) })
		client(func(r *rand.Rand) error { return l.repeat(ctx, c, r, "look", lookEvery) })
		if i == 0 {
			client(func(r *rand.Rand) error { return l.repeat(ctx, c, r, "import", importEvery) })
		}
	}
}

// What is done again and again, beside clients that act at random, so that all of it is under way whenever something is killed.
const (
	buyEvery      = 500 * time.Millisecond
	downloadEvery = 200 * time.Millisecond
	lookEvery     = 200 * time.Millisecond
	importEvery   = 5 * time.Second
	clientsMore   = 3*workspaces + 3 // with the one that runs an order, and one that examines
)

// repeat has the customer repeat an action until the clients are stopped.
func (l *load) repeat(ctx context.Context, c *customer.Customer, r *rand.Rand, what string, every time.Duration) error {
	for {
		select {
		case <-l.stop:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
		if _, err := c.DoNamed(ctx, r, what); err != nil {
			return err
		}
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

// pause waits, unless a client finds a broken guarantee.
func (l *load) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case err := <-l.failures:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kill waits, kills a random process, starts it again, and runs capi doctor.
func (l *load) kill(ctx context.Context) error {
	if err := l.pause(ctx, time.Duration(l.r.Int64N(int64(killWait)))); err != nil {
		return err
	}
	what := l.r.IntN(10)
	switch {
	case what == 0 && l.service.killCommand():
		l.killed["other commands"]++
	case what <= 2 && l.service.database != nil:
		l.killed["databases"]++
		l.service.database.kill()
		time.Sleep(time.Duration(l.r.Int64N(int64(killWait / 3))))
		if err := l.service.database.start(ctx); err != nil {
			return err
		}
	default:
		l.killed["servers"]++
		l.service.nodes[l.r.IntN(len(l.service.nodes))].kill()
	}
	if err := l.service.raise(ctx); err != nil {
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
		counts := c.Counts()
		if n := counts["failed exports"]; n > 0 {
			return fmt.Errorf("%d exports have failed", n)
		}
		for what, n := range counts {
			l.actions[what] += n
		}
	}
	l.customers = nil
	if err := l.orders.check(ctx, l.actions); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	for _, f := range l.followed {
		if err := l.checkEvents(ctx, f); err != nil {
			return err
		}
	}
	l.followed = nil
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

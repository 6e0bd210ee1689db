package simtest

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/testkit/customer"
)

// concurrent is a simulation with concurrent clients. On PostgreSQL it has several processes, of which one crashes at a
// time. A seed repeats which actions are attempted and when a process crashes, but not the order of the steps.
type concurrent struct {
	*simulation
	customers []*customer.Customer

	mu      sync.Mutex
	nodes   []*server
	crashes int
	actions int
}

// server is a process that runs jobs and follows the catalog in the background.
type server struct {
	*node
	runner *job.Runner
}

const (
	concurrentCustomers = 2
	clientsPerCustomer  = 3 // clients that act concurrently
)

func concurrentJobs(alone bool) job.Options {
	return job.Options{
		Workers: 2, AttemptsMax: 5, RetryDelay: time.Millisecond, RetryDelayMax: 5 * time.Millisecond,
		Poll: 5 * time.Millisecond, Lease: 10 * time.Second, HandBack: time.Minute, Alone: alone,
	}
}

func newConcurrent(t *testing.T, seed uint64, name string) *concurrent {
	t.Helper()
	ctx, nodes := t.Context(), 1
	if strings.HasPrefix(name, "postgres://") {
		nodes = 2
	}
	c := &concurrent{simulation: newSimulation(t, seed, 0, name, concurrentJobs(nodes == 1))}
	for range nodes {
		c.nodes = append(c.nodes, c.join(ctx))
	}
	catalog := &customer.Catalog{Size: catalogSize}
	c.must(catalog.Import(ctx, c.Import), nil)
	for _, s := range c.nodes {
		c.must(s.follower.Build(ctx), s.node)
	}
	for range concurrentCustomers {
		c.customers = append(c.customers, c.open(ctx, c.nodes[0].node, catalog, c, false, c.send))
	}
	return c
}

// join starts a process with its job runner and follower.
func (c *concurrent) join(ctx context.Context) *server {
	s := &server{node: c.boot(ctx)}
	s.runner = job.NewRunner(s.Jobs, s.handlers())
	c.must(s.runner.Start(ctx), s.node)
	s.follower.Start(ctx)
	return s
}

// leave stops a process and waits for everything that runs in it. It does not wait for the jobs of a crashed process.
func (c *concurrent) leave(ctx context.Context, s *server) {
	ctx, cancel := context.WithCancel(ctx)
	if s.life.isOver() {
		cancel()
	}
	defer cancel()
	s.follower.Stop()
	c.must(s.runner.Stop(ctx), s.node)
}

// liveServer returns a random process that has not crashed, or the first one if all have.
func (c *concurrent) liveServer() *server {
	c.mu.Lock()
	defer c.mu.Unlock()
	live := slices.DeleteFunc(slices.Clone(c.nodes), func(s *server) bool { return s.life.isOver() })
	if len(live) == 0 {
		return c.nodes[0]
	}
	return live[rand.IntN(len(live))]
}

func (c *concurrent) send(r *http.Request) (*http.Response, error) {
	return c.liveServer().answer(r, c.flipCoin(), c.unexplained)
}

// concurrent is a customer.Operator that uses a live process.

func (c *concurrent) Grant(ctx context.Context, ws string, credits int, note string) error {
	return c.liveServer().Grant(ctx, ws, credits, note)
}

func (c *concurrent) Import(ctx context.Context, ndjson string) error {
	return c.liveServer().Import(ctx, ndjson)
}

func (c *concurrent) Undo(ctx context.Context) error { return c.liveServer().Undo(ctx) }

func (c *concurrent) NewToken(ctx context.Context, ws string, budget *int, member bool) (customer.Token, error) {
	return c.liveServer().NewToken(ctx, ws, budget, member)
}

func (c *concurrent) Revoke(ctx context.Context, t customer.Token) error {
	return c.liveServer().Revoke(ctx, t)
}

// runClient performs random actions until stop is closed, and returns their number.
func (c *concurrent) runClient(ctx context.Context, buyer *customer.Customer, r *rand.Rand, stop <-chan struct{}) (actions int, err error) {
	for {
		select {
		case <-stop:
			return actions, nil
		default:
		}
		action, cancel := ctx, func() {}
		if r.IntN(10) == 0 { // a client that hangs up
			action, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(10_000))*time.Microsecond)
		}
		what, err := buyer.DoRandom(action, r)
		cancel()
		c.logf("%s", what)
		if err != nil {
			return actions, err
		}
		actions++
	}
}

// round runs all clients until the victim has crashed, and for a short time after that if there are other processes.
func (c *concurrent) round(ctx context.Context, victim *server) {
	c.t.Helper()
	crashed := make(chan struct{})
	victim.life.crashAfterThen(c.r.IntN(120), func() { close(crashed) })
	stop := make(chan struct{})
	var group sync.WaitGroup
	errs := make(chan error, concurrentCustomers*clientsPerCustomer)
	for _, buyer := range c.customers {
		for range clientsPerCustomer {
			r := rand.New(rand.NewPCG(c.r.Uint64(), 3))
			group.Go(func() {
				actions, err := c.runClient(ctx, buyer, r, stop)
				c.mu.Lock()
				defer c.mu.Unlock()
				c.actions += actions
				if err != nil {
					errs <- err
				}
			})
		}
	}
	select {
	case <-crashed:
	case <-time.After(time.Minute):
		c.logf("no process crashed")
	}
	if len(c.nodes) > 1 {
		time.Sleep(time.Duration(c.r.IntN(10)) * time.Millisecond) // the other processes continue
	}
	close(stop)
	group.Wait()
	close(errs)
	c.must(<-errs, victim.node)
	c.crashes++
}

// replace starts a new process in place of a crashed one.
func (c *concurrent) replace(ctx context.Context, i int) {
	c.t.Helper()
	c.leave(ctx, c.nodes[i])
	c.logf("crash %d", c.crashes)
	s := c.join(ctx)
	c.mu.Lock()
	c.nodes[i] = s
	c.mu.Unlock()
	c.must(c.examine(ctx, s.node), s.node) // while the other processes run
}

// settle waits until all jobs are finished and checks everything.
func (c *concurrent) settle(ctx context.Context) {
	c.t.Helper()
	c.breakStore(0)
	c.expireLeases(ctx)
	work := func() {
		require.Eventually(c.t, func() bool { return c.unfinished(ctx) == 0 }, time.Minute, time.Millisecond, "seed %d", c.seed)
	}
	work()
	c.must(c.checkDeliveries(ctx, c.liveServer().node, work), c.liveServer().node)
	for _, buyer := range c.customers {
		c.must(buyer.Check(ctx), c.liveServer().node)
	}
	c.must(c.examine(ctx, c.liveServer().node), c.liveServer().node)
	c.logf("settled")
}

// crashesPerConcurrent is the number of crashes before a simulation settles.
const crashesPerConcurrent = 12

func TestMoneyIsRightForConcurrentClientsDespiteCrashes(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		crashes, actions, deliveries := 0, 0, 0
		for wanted := crashesWanted(1, 5); crashes < wanted; {
			c := newConcurrent(t, newSeed(), fresh(t))
			for c.crashes < crashesPerConcurrent {
				c.breakStore([]int{0, 0, 30}[c.r.IntN(3)])
				victim := c.r.IntN(len(c.nodes))
				c.round(t.Context(), c.nodes[victim])
				c.replace(t.Context(), victim)
			}
			c.settle(t.Context())
			for _, s := range c.nodes {
				c.leave(t.Context(), s)
			}
			c.close()
			crashes, actions, deliveries = crashes+c.crashes, actions+c.actions, deliveries+c.deliveries
		}
		if *seedFlag == 0 {
			require.Positive(t, deliveries)
		}
		t.Logf("%d crashes, %d actions, %d deliveries", crashes, actions, deliveries)
	})
}

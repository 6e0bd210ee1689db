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

// crowd is a world with many clients at once: on PostgreSQL with several processes, of which one dies at a time. What
// happens first is not in a seed's power, so a seed repeats what is done and when somebody dies, and not every step.
type crowd struct {
	*world
	customers []*customer.Customer

	mu      sync.Mutex
	nodes   []*member
	crashes int
	deeds   int
}

// member is a process that works on jobs and follows the catalog by itself.
type member struct {
	*node
	runner *job.Runner
}

const (
	crowdCustomers = 2
	handsEach      = 3 // clients of a customer that do something at the same time
)

func crowdJobs(alone bool) job.Options {
	return job.Options{
		Workers: 2, AttemptsMax: 5, RetryDelay: time.Millisecond, RetryDelayMax: 5 * time.Millisecond,
		Poll: 5 * time.Millisecond, Lease: 10 * time.Second, HandBack: time.Minute, Alone: alone,
	}
}

func newCrowd(t *testing.T, seed uint64, name string) *crowd {
	t.Helper()
	ctx, nodes := t.Context(), 1
	if strings.HasPrefix(name, "postgres://") {
		nodes = 2
	}
	c := &crowd{world: newWorld(t, seed, 0, name, crowdJobs(nodes == 1))}
	for range nodes {
		c.nodes = append(c.nodes, c.join(ctx))
	}
	stock := &customer.Stock{Size: stockSize}
	c.must(stock.Load(ctx, c.Import), nil)
	for _, m := range c.nodes {
		c.must(m.follower.Build(ctx), m.node)
	}
	for range crowdCustomers {
		c.customers = append(c.customers, c.open(ctx, c.nodes[0].node, stock, c, false, c.send))
	}
	return c
}

// join starts a process with all that runs in it.
func (c *crowd) join(ctx context.Context) *member {
	m := &member{node: c.boot(ctx)}
	m.runner = job.NewRunner(m.Jobs, m.Exports.Handlers())
	c.must(m.runner.Start(ctx), m.node)
	m.follower.Start(ctx)
	return m
}

// leave waits for everything that runs in a process; a dead one's ends by itself.
func (c *crowd) leave(ctx context.Context, m *member) {
	ctx, cancel := context.WithCancel(ctx)
	if m.life.isOver() {
		cancel()
	}
	defer cancel()
	m.follower.Stop()
	c.must(m.runner.Stop(ctx), m.node)
}

// living is some process that has not died, or some dead one if all have.
func (c *crowd) living() *member {
	c.mu.Lock()
	defer c.mu.Unlock()
	alive := slices.DeleteFunc(slices.Clone(c.nodes), func(m *member) bool { return m.life.isOver() })
	if len(alive) == 0 {
		return c.nodes[0]
	}
	return alive[rand.IntN(len(alive))]
}

func (c *crowd) send(r *http.Request) (*http.Response, error) {
	return c.living().answer(r, c.isLucky(), c.unexplained)
}

// The operator is whichever process lives.

func (c *crowd) Grant(ctx context.Context, ws string, credits int, note string) error {
	return c.living().Grant(ctx, ws, credits, note)
}

func (c *crowd) Import(ctx context.Context, ndjson string) error {
	return c.living().Import(ctx, ndjson)
}

func (c *crowd) Undo(ctx context.Context) error { return c.living().Undo(ctx) }

func (c *crowd) NewToken(ctx context.Context, ws string, budget *int) (customer.Token, error) {
	return c.living().NewToken(ctx, ws, budget)
}

func (c *crowd) Revoke(ctx context.Context, t customer.Token) error { return c.living().Revoke(ctx, t) }

// hand is one client: it acts until it is told to stop.
func (c *crowd) hand(ctx context.Context, w *customer.Customer, r *rand.Rand, stop <-chan struct{}) (deeds int, err error) {
	for {
		select {
		case <-stop:
			return deeds, nil
		default:
		}
		act, cancel := ctx, func() {}
		if r.IntN(10) == 0 { // a client that hangs up
			act, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(10_000))*time.Microsecond)
		}
		told, err := w.Act(act, r)
		cancel()
		c.say("%s", told)
		if err != nil {
			return deeds, err
		}
		deeds++
	}
}

// round lets all hands act until the victim has died, and a moment longer if others live.
func (c *crowd) round(ctx context.Context, victim *member) {
	c.t.Helper()
	died := make(chan struct{})
	victim.life.endAfterThen(c.r.IntN(120), func() { close(died) })
	stop := make(chan struct{})
	var group sync.WaitGroup
	errs := make(chan error, crowdCustomers*handsEach)
	for _, w := range c.customers {
		for range handsEach {
			r := rand.New(rand.NewPCG(c.r.Uint64(), 3))
			group.Go(func() {
				deeds, err := c.hand(ctx, w, r, stop)
				c.mu.Lock()
				defer c.mu.Unlock()
				c.deeds += deeds
				if err != nil {
					errs <- err
				}
			})
		}
	}
	select {
	case <-died:
	case <-time.After(time.Minute):
		c.say("nobody died")
	}
	if len(c.nodes) > 1 {
		time.Sleep(time.Duration(c.r.IntN(10)) * time.Millisecond) // the others go on
	}
	close(stop)
	group.Wait()
	close(errs)
	c.must(<-errs, victim.node)
	c.crashes++
}

// replace has another process take a dead one's place.
func (c *crowd) replace(ctx context.Context, i int) {
	c.t.Helper()
	c.leave(ctx, c.nodes[i])
	c.say("death %d", c.crashes)
	m := c.join(ctx)
	c.mu.Lock()
	c.nodes[i] = m
	c.mu.Unlock()
	c.must(c.examine(ctx, m.node), m.node) // while the others are at work
}

// settle waits until nothing is left to do, and holds the service to everything.
func (c *crowd) settle(ctx context.Context) {
	c.t.Helper()
	c.breakStore(0)
	c.timePasses(ctx)
	require.Eventually(c.t, func() bool { return c.unfinished(ctx) == 0 }, time.Minute, time.Millisecond, "seed %d", c.seed)
	for _, w := range c.customers {
		c.must(w.Check(ctx), c.living().node)
	}
	c.must(c.examine(ctx, c.living().node), c.living().node)
	c.say("settled")
}

// crashesOfCrowd is how many deaths a crowd sees before it settles.
const crashesOfCrowd = 12

func TestMoneyIsRightForClientsAtOnceWhoeverDies(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		crashes, deeds := 0, 0
		for wanted := deathsWanted(1, 5); crashes < wanted; {
			c := newCrowd(t, newSeed(), fresh(t))
			for c.crashes < crashesOfCrowd {
				c.breakStore([]int{0, 0, 30}[c.r.IntN(3)])
				victim := c.r.IntN(len(c.nodes))
				c.round(t.Context(), c.nodes[victim])
				c.replace(t.Context(), victim)
			}
			c.settle(t.Context())
			for _, m := range c.nodes {
				c.leave(t.Context(), m)
			}
			c.close()
			crashes, deeds = crashes+c.crashes, deeds+c.deeds
		}
		t.Logf("%d deaths, %d deeds", crashes, deeds)
	})
}

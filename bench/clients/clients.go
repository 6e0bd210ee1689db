// Package clients measures many clients at once. It knows no contender.
package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

// Target answers an operation. It is safe for concurrent use.
type Target func(ctx context.Context, op workload.Op) error

// Options say how to measure.
type Options struct {
	Clients    int
	Warm, Last time.Duration // how long answers do not count at first, and how long they count then
}

// Result is what the clients measured.
type Result struct {
	Last   time.Duration
	Times  map[workload.Kind]report.Times // of the answers that came while they counted
	Errors int                            // requests that failed, also before
	First  error                          // the first of them
}

// All returns the times of all kinds.
func (r Result) All() (all report.Times) {
	for _, times := range r.Times {
		all = append(all, times...)
	}
	return all
}

// PerSecond returns the number of answers per second.
func (r Result) PerSecond() float64 { return float64(len(r.All())) / r.Last.Seconds() }

// Run has the clients send the operations, each in an order of its own, one after the other, divided among the targets. It returns an
// error if ctx ends.
func Run(ctx context.Context, targets []Target, ops []workload.Op, o Options) (Result, error) {
	from := time.Now().Add(o.Warm)
	until := from.Add(o.Last)
	results := make([]Result, o.Clients)
	var group sync.WaitGroup
	for i := range o.Clients {
		group.Go(func() {
			results[i] = one(ctx, targets[i%len(targets)], ops, rand.New(rand.NewPCG(1, uint64(i))), from, until)
		})
	}
	group.Wait()
	sum := Result{Last: o.Last, Times: map[workload.Kind]report.Times{}}
	for _, r := range results {
		for kind, times := range r.Times {
			sum.Times[kind] = append(sum.Times[kind], times...)
		}
		sum.Errors += r.Errors
		if sum.First == nil {
			sum.First = r.First
		}
	}
	return sum, ctx.Err()
}

func one(ctx context.Context, ask Target, ops []workload.Op, random *rand.Rand, from, until time.Time) Result {
	r := Result{Times: map[workload.Kind]report.Times{}}
	for {
		for _, n := range random.Perm(len(ops)) {
			began := time.Now()
			if !began.Before(until) || ctx.Err() != nil {
				return r
			}
			err := ask(ctx, ops[n])
			ended := time.Now()
			switch {
			case err != nil:
				if r.Errors++; r.First == nil {
					r.First = fmt.Errorf("%s: %w", ops[n].Name, err)
				}
			case ended.After(from) && ended.Before(until):
				r.Times[ops[n].Kind] = append(r.Times[ops[n].Kind], ended.Sub(began))
			}
		}
	}
}

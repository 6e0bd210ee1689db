package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// pruner calls prune at the start and then at a fixed interval, to delete expired data.
type pruner struct {
	what  string
	every time.Duration
	prune func(ctx context.Context) error
	log   *slog.Logger

	once   sync.Once
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// Start starts pruning. The context's cancellation is ignored; call Stop to end.
func (p *pruner) Start(ctx context.Context) error {
	p.once.Do(func() {
		ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
		p.group.Go(func() { p.run(ctx) })
	})
	return nil
}

// Stop stops pruning and waits for a running prune to return.
func (p *pruner) Stop(context.Context) error {
	if p.cancel != nil {
		p.cancel()
	}
	p.group.Wait()
	return nil
}

func (p *pruner) run(ctx context.Context) {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		if err := p.prune(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "background work failed", "what", p.what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// pruner forgets what has served its time: at the start, and then again and again.
type pruner struct {
	what  string
	every time.Duration
	prune func(ctx context.Context) error
	log   *slog.Logger

	once   sync.Once
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// Start begins to prune; ctx gives its values, not its end.
func (p *pruner) Start(ctx context.Context) error {
	p.once.Do(func() {
		ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
		p.group.Go(func() { p.run(ctx) })
	})
	return nil
}

// Stop ends what Start began.
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
			p.log.WarnContext(ctx, "not pruned", "what", p.what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

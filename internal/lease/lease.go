// Package lease decides which of several servers does what only one may do at a time. It is no lock: a server that loses a lease
// notices when its context ends, so what it still does must be harmless.
//
// The leases of package job are something else: columns of a job's row, which its claim, retry and end change in the same statement. A
// worker renews those of all its jobs at once, and one that lost a job finds out when it completes it, because that fails. Here
// nothing is completed, so a lease ends by a timer, before another server can get it. What the two have in common is the database's clock.
package lease

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// Options are what New needs.
type Options struct {
	Name string // what the lease is for

	// For is how long the lease stays with a server that does not renew it, because it was killed or cannot reach the database.
	// Defaults to 10s.
	For time.Duration
	// Poll is how often a server without the lease asks for it. Defaults to 1s.
	Poll time.Duration
	Log  *slog.Logger // Defaults to no logging.
}

// Lease asks for a lease, and renews it while it has it. Safe for concurrent use.
type Lease struct {
	db      *db.DB
	options Options
	holder  string

	mu   sync.Mutex
	held context.Context // nil while another server has the lease
	lose context.CancelFunc
	end  *time.Timer // loses the lease in time if it is not renewed

	cancel context.CancelFunc
	done   chan struct{}
}

// New returns a lease that nobody asks for before Start.
func New(d *db.DB, o Options) *Lease {
	if o.For <= 0 {
		o.For = 10 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Lease{db: d, options: o, holder: rand.Text()}
}

// Held returns a context that ends when the server no longer has the lease; nil if it does not have it now.
func (l *Lease) Held() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil || l.held.Err() != nil {
		return nil
	}
	return l.held
}

// Start asks for the lease until Stop. It returns after the first attempt, whether that succeeded or not. ctx's cancellation is
// ignored. A second call does nothing.
func (l *Lease) Start(ctx context.Context) error {
	if l.done != nil {
		return nil
	}
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.done = make(chan struct{})
	l.ask(ctx)
	go l.run(ctx)
	return nil
}

// Stop gives the lease back, if the server has it. A second call does nothing.
func (l *Lease) Stop(ctx context.Context) error {
	if l.done == nil {
		return nil
	}
	l.cancel()
	<-l.done
	had := l.Held() != nil
	l.lost()
	if !had {
		return nil
	}
	return l.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE name = $1 AND holder = $2`, l.options.Name, l.holder)
		if err != nil {
			return fmt.Errorf("give back the lease %s: %w", l.options.Name, err)
		}
		return nil
	})
}

func (l *Lease) run(ctx context.Context) {
	defer close(l.done)
	for {
		wait := l.options.Poll
		if l.Held() != nil {
			wait = l.options.For / 4
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			l.ask(ctx)
		}
	}
}

// ask takes the lease if nobody has it, and renews it if this server does.
func (l *Lease) ask(ctx context.Context) {
	// The database reads its clock after this moment, so the lease is over here before it is over there.
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, l.options.For/2)
	defer cancel()
	got, err := l.take(limited)
	switch {
	case err != nil && ctx.Err() == nil:
		l.options.Log.WarnContext(ctx, "cannot ask for a lease", "lease", l.options.Name, "error", err)
	case err == nil && got:
		l.keep(time.Until(began.Add(l.options.For * 9 / 10)))
	case err == nil:
		l.lost()
	}
}

func (l *Lease) take(ctx context.Context) (got bool, err error) {
	err = l.db.Tx(ctx, func(tx *db.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			INSERT INTO lease (name, holder, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = $2, expires_at = $3
			WHERE lease.holder = $2 OR lease.expires_at < $4`,
			l.options.Name, l.holder, db.Time(now.Add(l.options.For)), db.Time(now))
		if err != nil {
			return fmt.Errorf("ask for the lease %s: %w", l.options.Name, err)
		}
		n, err := res.RowsAffected()
		got = n == 1
		return err
	})
	return got, err
}

// keep makes the lease held for a time from now on.
func (l *Lease) keep(left time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil && l.held.Err() == nil && l.end.Reset(left) {
		return
	}
	if l.held != nil {
		l.lose()
	}
	held, lose := context.WithCancel(context.Background())
	l.held, l.lose = held, lose
	l.end = time.AfterFunc(left, lose)
	l.options.Log.Info("this server has the lease now", "lease", l.options.Name)
}

func (l *Lease) lost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		return
	}
	l.end.Stop()
	l.lose()
	l.held = nil
}

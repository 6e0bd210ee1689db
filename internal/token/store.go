// Package token keeps the API tokens of workspaces: create, rotate, revoke, authenticate, budget. It decides nothing about
// what a workspace may afford.
package token

import (
	"log/slog"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Options are the settings of a Store.
type Options struct {
	// Log gets what goes wrong beside the requests. Defaults to slog.DiscardHandler.
	Log *slog.Logger

	// UsePeriod is how often the times of last use are written, all at once. Defaults to 10s.
	UsePeriod time.Duration
}

// Store is the table token. Safe for concurrent use.
type Store struct {
	db        *db.DB
	log       *slog.Logger
	usePeriod time.Duration

	mu   sync.Mutex
	used map[id.Token]time.Time // uses that are not yet written
	quit chan struct{}          // closed by Stop; nil while not started
	done chan struct{}          // closed when the last write is over
}

// New opens the book.
func New(d *db.DB, o Options) *Store {
	b := &Store{db: d, log: o.Log, usePeriod: o.UsePeriod, used: map[id.Token]time.Time{}}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.usePeriod <= 0 {
		b.usePeriod = 10 * time.Second
	}
	return b
}

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
	// Log gets the errors that occur outside of requests. Defaults to slog.DiscardHandler.
	Log *slog.Logger

	// UsePeriod is how often the times of last use are written, in one batch. Defaults to 10s.
	UsePeriod time.Duration
}

// Store reads and writes the table token. Safe for concurrent use.
type Store struct {
	db        *db.DB
	log       *slog.Logger
	usePeriod time.Duration

	mu   sync.Mutex
	used map[id.Token]time.Time // uses that are not written yet
	quit chan struct{}          // closed by Stop; nil while not started
	done chan struct{}          // closed after the last write
}

// New returns a store on d.
func New(d *db.DB, o Options) *Store {
	s := &Store{db: d, log: o.Log, usePeriod: o.UsePeriod, used: map[id.Token]time.Time{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.usePeriod <= 0 {
		s.usePeriod = 10 * time.Second
	}
	return s
}

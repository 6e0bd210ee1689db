// Package auth says who is calling and what they may do: programs by API tokens, people by sessions.
// It decides nothing about what a workspace may afford.
package auth

import (
	"log/slog"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Token is what is known of a token; the secret itself is not kept.
type Token struct {
	ID         id.Token
	Workspace  id.Workspace // zero for a legacy token without one
	Name       string
	Prefix     string // the secret's first characters
	Scope      Scope
	Owner      id.Person // the member it belongs to; zero if it belongs to nobody
	Budget     Budget
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time // to about a minute
	OldUntil   *time.Time // until when the secret before the last change works; nil if there was none
}

// Caller is who sent a request: a program by its token, or a person by the console.
type Caller struct {
	Token     id.Token  // zero for a person
	Person    id.Person // zero for a token
	Workspace id.Workspace
	Scope     Scope
	Name      string // the token's, or the person's
}

// Actor is how the ledger names the caller: token:<id> or person:<id>.
func (c Caller) Actor() string {
	if c.Token.IsZero() {
		return "person:" + c.Person.String()
	}
	return "token:" + c.Token.String()
}

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

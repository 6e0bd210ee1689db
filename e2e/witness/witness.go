// Package witness buys from a running service at random, remembers what it was told, and holds the service to it: a
// plain model of what a customer may rely on, without sets, transactions or caches.
// It speaks HTTP alone, so that it can testify for any server; what is done beside the API its Operator does.
package witness

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Operator does what the API cannot. An error leaves open whether it was done, unless nothing can have begun.
type Operator interface {
	Grant(ctx context.Context, workspace string, credits int, note string) error
	Import(ctx context.Context, ndjson string) error
	Undo(ctx context.Context) error // of the newest import
	NewToken(ctx context.Context, workspace string, budget *int) (Token, error)
	Revoke(ctx context.Context, token Token) error
}

// Token is what a request is sent with.
type Token struct {
	ID, Secret string
	Budget     *int // credits that it may spend; nil for all
}

// Options are what a witness needs; all but Alone.
type Options struct {
	Workspace string // empty at the start but for its credits
	Token     Token  // never revoked
	Granted   int    // the credits
	Stock     *Stock
	RowsMax   int // companies that an order asks for at most
	Do        func(*http.Request) (*http.Response, error)
	Operator  Operator

	// Alone says that one thing at a time is done to the workspace, so that every answer can be foretold.
	Alone bool
}

// Witness is a customer of one workspace. Safe for concurrent use, unless Alone.
type Witness struct {
	Options
	own *token // Options.Token

	mu     sync.Mutex
	tokens []*token // the first is own
	orders map[string]*order
	sold   map[string]*sold // by the export's id
	payer  map[int]*sold    // who paid for what is owned; kept if Alone
	quotes []*quote
	spans  [][2]int
	lists  []*list
	grants map[string]*grant // by their note
	named  int               // names given out
	counts map[string]int    // of what was done
}

// New makes a witness that knows nothing yet.
func New(o Options) *Witness {
	own := &token{Token: o.Token}
	return &Witness{
		Options: o, own: own, tokens: []*token{own}, orders: map[string]*order{}, sold: map[string]*sold{},
		payer: map[int]*sold{}, grants: map[string]*grant{"": {credits: o.Granted, told: true}}, counts: map[string]int{},
	}
}

type token struct {
	Token
	asked   bool // to be revoked
	revoked bool // for certain
}

type grant struct {
	credits int
	told    bool // that it was made
}

type quote struct {
	id      string
	want    []int // what its source held
	rows    []int // what it freezes; nil if that is not known
	skipped int   // rows that could not be paid for when it was made
	terms   terms
	cost    int
	format  string
	at      time.Time
}

type list struct {
	id      string
	members map[int]bool
	ordered bool // some order is of it
	// wanted is what the list holds if a change went through whose outcome is not known; nil if there is none.
	wanted map[int]bool
}

// Counts says how often what was done, and how many exports have come of it, as far as it is known.
func (w *Witness) Counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := maps.Clone(w.counts)
	for _, s := range w.sold {
		counts[s.status+" exports"]++
		counts["credits charged"] += s.figures.Charged
	}
	return counts
}

// name gives one that was never given before, for the witness's workspace.
func (w *Witness) name(what string) string {
	w.named++
	return fmt.Sprintf("%s %d", what, w.named)
}

func (w *Witness) count(what string) { w.counts[what]++ }

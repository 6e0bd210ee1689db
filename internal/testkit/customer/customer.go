// Package customer is a model customer: it buys from a running service at random, records every answer, and checks that the
// service keeps its guarantees. The model uses no sets, transactions or caches.
// The customer only uses HTTP, so that it can check any server. Its Operator does what the API cannot.
package customer

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Operator does what the API cannot. After an error it is unknown whether it was done.
type Operator interface {
	Grant(ctx context.Context, workspace string, credits int, note string) error
	Import(ctx context.Context, ndjson string) error
	Undo(ctx context.Context) error // of the newest import
	// NewToken creates a token, by the member of the workspace if there is one and member is true.
	NewToken(ctx context.Context, workspace string, budget *int, member bool) (Token, error)
	Revoke(ctx context.Context, token Token) error
}

// Token is a token of the API.
type Token struct {
	ID, Secret string
	Budget     *int // credits that it may spend; nil if unlimited
	Member     bool // whether it also spends the budget of the member
}

// Options configure a Customer. All but Alone are required.
type Options struct {
	Workspace string // must have nothing but its credits
	Token     Token  // never revoked
	Granted   int    // credits of the workspace
	Catalog   *Catalog
	RowsMax   int // the most companies that a request asks for

	// MemberBudget is what the member of the workspace may spend by the tokens that they create.
	MemberBudget int

	Do       func(*http.Request) (*http.Response, error)
	Operator Operator

	// Files is the host, with its port, of links to files in a bucket, which are followed as they are; empty if the service serves files.
	Files string

	// Destination is where some exports are to be delivered; empty for nowhere.
	Destination string

	// Walled means that the workspace sees descriptions only for companies that it owns.
	Walled bool

	// Alone means that only one action at a time uses the workspace, so that every answer can be predicted.
	Alone bool
}

// Customer is a customer of one workspace. Safe for concurrent use, unless Alone.
type Customer struct {
	Options
	own *token // Options.Token

	mu        sync.Mutex
	tokens    []*token // the first is own
	requests  map[string]*request
	purchases map[string]*purchase // by the export's id
	payer     map[int]*purchase    // which export paid for each company that is owned; kept if Alone
	quotes    []*quote
	spans     [][2]int
	lists     []*list
	matches   []*match
	grants    map[string]*grant // by their note
	named     int               // names used
	counts    map[string]int    // of what was done
}

// New returns a Customer of a new workspace.
func New(o Options) *Customer {
	own := &token{Token: o.Token}
	return &Customer{
		Options: o, own: own, tokens: []*token{own}, requests: map[string]*request{}, purchases: map[string]*purchase{},
		payer: map[int]*purchase{}, grants: map[string]*grant{"": {credits: o.Granted, confirmed: true}}, counts: map[string]int{},
	}
}

type token struct {
	Token
	asked   bool // its revocation was requested
	revoked bool // its revocation was confirmed
}

type grant struct {
	credits   int
	confirmed bool
}

type quote struct {
	id      string
	want    []int // the companies of its source
	rows    []int // the companies that it fixes; nil if unknown
	skipped int   // rows that could not be paid for when it was made
	hidden  int   // companies that exclusions left out
	terms   terms
	cost    int
	format  string
	at      time.Time
}

type list struct {
	id        string
	members   map[int]bool
	requested bool // some request names it as its source
	// wanted is what the list contains if a change with an unknown outcome succeeded; nil if there was none.
	wanted   map[int]bool
	excluded bool // it is left out of everything; only if Alone
	switched bool // whether it is excluded was changed with an unknown outcome
}

// match is a list of domains that was matched.
type match struct {
	id      string
	numbers []int // the companies, in the order of the rows
	at      time.Time
}

// Counts returns how often each thing was done, and how many exports of each status are known.
func (c *Customer) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := maps.Clone(c.counts)
	for _, s := range c.purchases {
		counts[s.status+" exports"]++
		counts["credits charged"] += s.figures.Charged
	}
	return counts
}

// name returns a name that is new in the customer's workspace.
func (c *Customer) name(what string) string {
	c.named++
	return fmt.Sprintf("%s %d", what, c.named)
}

func (c *Customer) count(what string) { c.counts[what]++ }

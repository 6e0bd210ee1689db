// Package id defines the typed identifiers, so that a workspace's id cannot be used as an export's.
// It knows nothing about what they identify.
package id

import (
	"errors"

	"github.com/google/uuid"
)

var errNotCanonical = errors.New("a UUID has 36 characters, such as 018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f")

// ID is a UUID of one kind of thing. In JSON and SQL it is the canonical text;
// the zero ID means none.
type ID[K any] struct{ uuid.UUID }

type (
	companyKind   struct{}
	workspaceKind struct{}
	tokenKind     struct{}
	exportKind    struct{}
	listKind      struct{}
	entryKind     struct{}
	jobKind       struct{}
	quoteKind     struct{}
	searchKind    struct{}
	personKind    struct{}
	sessionKind   struct{}
	inviteKind    struct{}
	matchKind     struct{}
	resultKind    struct{}
	requestKind   struct{}
	uploadKind    struct{}
	auditKind     struct{}
	passkeyKind   struct{}
	eventKind     struct{}
	webhookKind   struct{}
	deliveryKind  struct{}
	orderKind     struct{}
	runKind       struct{}
	destKind      struct{}
	presetKind    struct{}
)

// Company identifies a company.
type Company = ID[companyKind]

// Workspace identifies a workspace.
type Workspace = ID[workspaceKind]

// Token identifies an API token; it is not the secret.
type Token = ID[tokenKind]

// Export identifies an export.
type Export = ID[exportKind]

// List identifies a saved list.
type List = ID[listKind]

// Entry identifies an entry of the ledger, the API's transaction_id.
type Entry = ID[entryKind]

// Job identifies a job of the queue.
type Job = ID[jobKind]

// Quote identifies a quote of an export.
type Quote = ID[quoteKind]

// Person identifies a person who signs in to the console.
type Person = ID[personKind]

// Session identifies a signed-in browser; it is not the secret.
type Session = ID[sessionKind]

// Invitation identifies an invitation; it is not the secret in its link.
type Invitation = ID[inviteKind]

// Search identifies a saved search.
type Search = ID[searchKind]

// Match identifies the result of matching domains for a list.
type Match = ID[matchKind]

// MatchResult identifies what matching a caller's rows gave.
type MatchResult = ID[resultKind]

// Upload identifies files that were uploaded together, to be imported.
type Upload = ID[uploadKind]

// AuditEntry identifies an entry of the audit log.
type AuditEntry = ID[auditKind]

// Passkey identifies a passkey of a person.
type Passkey = ID[passkeyKind]

// Event identifies an event of a workspace's log.
type Event = ID[eventKind]

// Webhook identifies a webhook of a workspace; it is not its secret.
type Webhook = ID[webhookKind]

// Delivery identifies the delivery of an event to a webhook.
type Delivery = ID[deliveryKind]

// Order identifies a standing order of a workspace.
type Order = ID[orderKind]

// Run identifies a run of a standing order.
type Run = ID[runKind]

// Destination identifies where a workspace has exports delivered.
type Destination = ID[destKind]

// Preset identifies a column preset of a workspace.
type Preset = ID[presetKind]

// Request identifies a logged request; it is not the X-Request-Id.
type Request = ID[requestKind]

// New returns a new ID (UUID version 7, which sorts by creation time).
func New[T ID[K], K any]() T { return T(ID[K]{uuid.Must(uuid.NewV7())}) }

// Parse parses the canonical 36-character text, in either letter case.
func Parse[T ID[K], K any](s string) (T, error) {
	if len(s) != 36 {
		return T{}, errNotCanonical
	}
	u, err := uuid.Parse(s)
	return T(ID[K]{u}), err
}

// IsZero reports whether the ID is the zero ID, which means none.
func (i ID[K]) IsZero() bool { return i.UUID == uuid.Nil }

// Bound returns the text below which those of all earlier ids are. For the zero ID that is those of all ids, so that a list without a
// cursor starts with the newest.
func (i ID[K]) Bound() string {
	if i.IsZero() {
		return "g"
	}
	return i.String()
}

// Package webhook sends the events of a workspace to the addresses that its owners choose, by the Standard Webhooks specification
// (github.com/standard-webhooks/standard-webhooks). It does not know what the events are about.
//
// The transaction that numbers an event adds a delivery and a job for each webhook that wants it. So an event is sent at least once,
// whatever crashes, and the receiver recognises a repetition by its webhook-id.
package webhook

import (
	"cmp"
	"context"
	"crypto/cipher"
	"net/http"
	"net/netip"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/reach"
	"github.com/opencapi/capi/internal/seal"
)

// JobKind is the kind of the jobs that send an event to a webhook.
const JobKind = "webhook.deliver"

// Options are the settings of Webhooks.
type Options struct {
	// Allow are addresses that webhooks may have although they are private, loopback or otherwise not public. They may be used
	// without TLS. Defaults to none.
	Allow []netip.Prefix

	// Timeout bounds an attempt. Defaults to 15s.
	Timeout time.Duration

	// Pauses are the times between attempts, plus up to a tenth. Defaults to ten attempts over three days.
	Pauses []time.Duration

	// FailingMax is how long a webhook may fail, without a success, before it is disabled. Defaults to 72h.
	FailingMax time.Duration

	// Resolve returns the addresses of a host. Defaults to net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// pauses are those that the Standard Webhooks specification recommends.
var pauses = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Deps are what Webhooks need.
type Deps struct {
	DB     *db.DB
	Jobs   *job.Queue
	Key    []byte           // encrypts the secrets; without one, no webhook can be created
	Notify db.Step[Webhook] // tells the owners that a webhook was disabled because it failed. Defaults to doing nothing
	Options
}

// Webhooks is the use case. Safe for concurrent use, also by several processes on one database.
type Webhooks struct {
	db      *db.DB
	jobs    *job.Queue
	sealer  cipher.AEAD // nil without a key
	notify  db.Step[Webhook]
	options Options
	guard   *reach.Guard

	encrypted, plain *http.Client // for https and http
}

// New returns the use case.
func New(d Deps) *Webhooks {
	if d.Notify == nil {
		d.Notify = func(context.Context, *db.Tx, Webhook) error { return nil }
	}
	o := d.Options
	o.Timeout, o.FailingMax = cmp.Or(o.Timeout, 15*time.Second), cmp.Or(o.FailingMax, 72*time.Hour)
	if o.Pauses == nil {
		o.Pauses = pauses
	}
	w := &Webhooks{
		db: d.DB, jobs: d.Jobs, sealer: seal.New(d.Key, "webhook secrets"), notify: d.Notify, options: o,
		guard: reach.New(reach.Options{Allow: o.Allow, Setting: "webhook-allow", Resolve: o.Resolve}),
	}
	w.encrypted, w.plain = reach.Client(w.guard.Dial(w.guard.Encrypted), o.Timeout), reach.Client(w.guard.Dial(w.guard.Plain), o.Timeout)
	return w
}

// Handlers returns the handlers of the jobs by kind, for a runner.
func (w *Webhooks) Handlers() map[string]job.Handler {
	return map[string]job.Handler{JobKind: {Run: w.deliver, OnDiscard: w.discard}}
}

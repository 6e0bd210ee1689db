package export

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/match"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/signing"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/wall"
)

// Exports is the use case. It is safe for concurrent use, also by several processes on one database.
type Exports struct {
	db      *db.DB
	catalog *catalog.Store
	index   index.Index
	lists   *list.Store
	matches *match.Store
	presets *preset.Store
	unlock  *unlock.Store
	wall    *wall.Store
	credit  *credit.Store
	jobs    *job.Queue
	blobs   blob.Store
	sign    *signing.Store
	log     *slog.Logger
	notify  db.Step[id.Export]
	observe func(Event)
	options Options
	past    past
	turns   turns
	again   chan struct{} // holds a place for each file that Download writes again

	deliver     Delivery
	resolveSets func(context.Context, auth.Caller, company.FieldSet, query.Query) (query.Query, error)
}

// Deps are what exports need. Only Quote, Estimate and Create use Index.
type Deps struct {
	DB      *db.DB
	Catalog *catalog.Store
	Index   index.Index
	Lists   *list.Store
	Matches *match.Store
	Presets *preset.Store // Defaults to none: no request may have a preset then
	Unlock  *unlock.Store
	Wall    *wall.Store
	Credit  *credit.Store
	Jobs    *job.Queue
	Blobs   blob.Store
	Sign    *signing.Store     // signs manifests; nil for manifests without a signature
	Log     *slog.Logger       // Defaults to slog.DiscardHandler
	Notify  db.Step[id.Export] // tells the creator of an export that has Notify how it ended. Defaults to doing nothing
	Observe func(Event)        // called after the commit; must not block. Defaults to doing nothing
	Options Options

	// Delivery delivers completed exports. Defaults to none: no request may have a destination then.
	Delivery Delivery

	// ResolveSets returns a query with the companies of the sets that it names, bounded by the locked fields.
	ResolveSets func(context.Context, auth.Caller, company.FieldSet, query.Query) (query.Query, error)
}

// Delivery is what exports need of their deliveries.
type Delivery struct {
	Check     func(context.Context, id.Workspace, id.Destination) error // Validation if there is no such destination
	Bought    db.Step[Export]                                           // of an export with a destination
	Completed db.Step[id.Export]                                        // of any export
}

// Event is a change of an export that this process has made.
type Event struct {
	Status   Status // the new status; StatusPending when it was created
	Charged  int64  // in credits
	Refunded int64  // in credits, to this export and to others
}

// Options tune the use case. The zero Options are the defaults.
type Options struct {
	LinkTTL       time.Duration // how long a download link works. Defaults to 15m
	ProgressEvery time.Duration // between two writes of a running export's progress. Defaults to 250ms
	PastKept      time.Duration // how long replaced records stay at least. Defaults to 1m
	RecordsKept   time.Duration // how long replaced records stay for files that are written again. Defaults to not at all
	FilesKept     time.Duration // how long files stay, see PruneFiles. Defaults to forever
}

// New returns the use case.
func New(d Deps) *Exports {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Observe == nil {
		d.Observe = func(Event) {}
	}
	if d.Delivery.Check == nil {
		d.Delivery = Delivery{
			Check: func(context.Context, id.Workspace, id.Destination) error {
				return fault.Invalid(fault.FieldError{Field: "destination_id", Message: "this server delivers nothing"})
			},
			Bought:    func(context.Context, *db.Tx, Export) error { return nil },
			Completed: func(context.Context, *db.Tx, id.Export) error { return nil },
		}
	}
	if d.Notify == nil {
		d.Notify = func(context.Context, *db.Tx, id.Export) error { return nil }
	}
	o := d.Options
	return &Exports{
		db: d.DB, catalog: d.Catalog, index: d.Index, lists: d.Lists, matches: d.Matches, presets: d.Presets, unlock: d.Unlock, wall: d.Wall, credit: d.Credit,
		jobs: d.Jobs, blobs: d.Blobs, sign: d.Sign, log: d.Log, notify: d.Notify, observe: d.Observe,
		resolveSets: d.ResolveSets, deliver: d.Delivery, again: make(chan struct{}, againMax),
		options: Options{
			LinkTTL:       cmp.Or(o.LinkTTL, 15*time.Minute),
			ProgressEvery: cmp.Or(o.ProgressEvery, 250*time.Millisecond),
			PastKept:      cmp.Or(o.PastKept, time.Minute),
			RecordsKept:   o.RecordsKept,
			FilesKept:     o.FilesKept,
		},
	}
}

// Handlers returns the handlers of the exports' jobs by kind, for the runner.
func (x *Exports) Handlers() map[string]job.Handler {
	return map[string]job.Handler{JobKind: {Run: x.Run, OnDiscard: x.bury}, DiscardKind: {Run: x.Discard}, OldFileKind: {Run: x.deleteOldFile}}
}

// payload is the payload of JobKind and DiscardKind.
type payload struct {
	Export string `json:"export_id"`
}

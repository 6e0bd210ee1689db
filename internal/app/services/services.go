// Package services builds all stores and use cases over a database, a blob store and an index. It is the only place that
// does: the program, the simulation and the fixtures of tests differ in their Parts alone.
package services

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/match"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/notify"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/requestlog"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/set"
	"github.com/opencapi/capi/internal/signing"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/upload"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

// Parts are what Services are built from.
type Parts struct {
	DB      *db.DB
	Blobs   blob.Store
	Index   index.Index
	Log     *slog.Logger // defaults to slog.DiscardHandler
	Servers string       // the directory in which running servers register themselves for the doctor
	Key     []byte       // encrypts secrets in the database; at least 32 bytes

	// The options of single packages. The zero Options are those of a server.
	Tokens  token.Options
	Unlocks unlock.Options
	Jobs    job.Options
	Exports export.Options
	Uploads upload.Options
	Wall    wall.Options

	Webhooks webhook.Options
	Orders   order.Options

	Destinations destination.Options
	Deliveries   delivery.Options

	Mail    *mail.Client       // sends emails; nil without a mail server
	Observe func(export.Event) // as export.Deps has it; defaults to none
}

// Services are all stores and use cases. Safe for concurrent use.
type Services struct {
	Log *slog.Logger

	DB          *db.DB
	Blobs       blob.Store
	Index       index.Index
	Workspaces  *workspace.Store
	Tokens      *token.Store
	Requests    *requestlog.Store
	People      *account.People
	Sessions    *account.Sessions
	TwoFactor   *account.TwoFactor
	Credits     *credit.Store
	Unlocks     *unlock.Store
	Lists       *list.Store
	Matches     *match.Store
	Presets     *preset.Store
	Idempotency *idempotency.Store
	Catalog     *catalog.Store
	Jobs        *job.Queue
	Audit       *auditlog.Store
	Events      *event.Log
	Wall        *wall.Store
	Signing     *signing.Store

	Search      *search.Searcher
	Exports     *export.Exports
	Memberships *membership.Memberships
	Notifier    *notify.Notifier
	Doctor      *doctor.Doctor
	Uploads     *upload.Uploads
	Webhooks    *webhook.Webhooks
	Orders      *order.Orders

	Destinations *destination.Destinations
	Deliveries   *delivery.Deliveries
}

// Build returns the Services over the parts. It opens and starts nothing.
func Build(p Parts) *Services {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Tokens.Log == nil {
		p.Tokens.Log = p.Log
	}
	if p.Jobs.Log == nil {
		p.Jobs.Log = p.Log
	}
	if p.Uploads.Log == nil {
		p.Uploads.Log = p.Log
	}
	d := p.DB
	s := &Services{
		Log: p.Log, DB: d, Blobs: p.Blobs, Index: p.Index,
		Workspaces: workspace.New(d), Tokens: token.New(d, p.Tokens), Credits: credit.New(d),
		People: account.NewPeople(d), Sessions: account.NewSessions(d, account.SessionOptions{}),
		Unlocks: unlock.New(d, p.Unlocks), Lists: list.New(d), Matches: match.New(d), Presets: preset.New(d), Catalog: catalog.New(d),
		Idempotency: idempotency.New(d, idempotency.Options{}), Jobs: job.New(d, p.Jobs), Audit: auditlog.New(d), Wall: wall.New(d, p.Wall),
		Signing: signing.New(d, p.Key),
	}
	s.TwoFactor = account.NewTwoFactor(s.People, account.TwoFactorOptions{Key: p.Key})
	s.Requests = requestlog.New(d, requestlog.Options{Log: p.Log})
	s.Notifier = notify.New(notify.Deps{DB: d, People: s.People, Jobs: s.Jobs, Mail: p.Mail})
	s.Webhooks = webhook.New(webhook.Deps{DB: d, Jobs: s.Jobs, Key: p.Key, Options: p.Webhooks, Notify: func(ctx context.Context, tx *db.Tx, w webhook.Webhook) error {
		return s.Notifier.Webhook(ctx, tx, w.Workspace, w.ID)
	}})
	s.Events = event.New(d, s.Webhooks.Published, s.tellMembers)
	sets := set.New(set.Deps{DB: d, Catalog: s.Catalog, Lists: s.Lists, Matches: s.Matches, Unlock: s.Unlocks})
	s.Search = search.New(search.Deps{Index: s.Index, Catalog: s.Catalog, Unlock: s.Unlocks, Wall: s.Wall, Lists: s.Lists, Matches: s.Matches, ResolveSets: sets.Resolve})
	s.Exports = export.New(export.Deps{
		DB: d, Catalog: s.Catalog, Index: s.Index, Lists: s.Lists, Matches: s.Matches, Presets: s.Presets, Unlock: s.Unlocks, Wall: s.Wall, Credit: s.Credits, Jobs: s.Jobs,
		Blobs: s.Blobs, Sign: s.Signing, Log: s.Log, Notify: s.Notifier.Export, Observe: p.Observe, Options: p.Exports,
		ResolveSets: sets.Resolve, Delivery: s.delivery(),
	})
	s.Orders = order.New(order.Deps{
		DB: d, Catalog: s.Catalog, Index: s.Index, Exports: s.Exports, Tokens: s.Tokens, Workspaces: s.Workspaces, Unlock: s.Unlocks, Log: s.Log,
		Options: p.Orders,
	})
	s.Destinations = destination.New(d, p.Key, p.Destinations)
	s.Deliveries = delivery.New(delivery.Deps{DB: d, Jobs: s.Jobs, Destinations: s.Destinations, Files: s.Exports.Files, Options: p.Deliveries})
	s.Memberships = membership.New(membership.Deps{
		DB: d, People: s.People, Workspaces: s.Workspaces, Credits: s.Credits, Tokens: s.Tokens, SendLink: s.Notifier.Link,
	})
	s.Doctor = doctor.New(doctor.Deps{
		Credits: s.Credits, Unlocks: s.Unlocks, Exports: s.Exports, Jobs: s.Jobs, Orders: s.Orders,
		Deliveries: s.Deliveries, Servers: p.Servers,
	})
	s.Uploads = upload.New(s.UndoOptions(), p.Uploads)
	return s
}

// delivery is what exports need of deliveries, which need the exports.
func (s *Services) delivery() export.Delivery {
	return export.Delivery{
		Check: func(ctx context.Context, ws id.Workspace, d id.Destination) error {
			return s.Deliveries.Check(ctx, ws, d)
		},
		Bought:    func(ctx context.Context, tx *db.Tx, e export.Export) error { return s.Deliveries.Bought(ctx, tx, e) },
		Completed: func(ctx context.Context, tx *db.Tx, e id.Export) error { return s.Deliveries.Completed(ctx, tx, e) },
	}
}

// tellMembers sends emails about events to the members who want them.
func (s *Services) tellMembers(ctx context.Context, tx *db.Tx, events []event.Event) error {
	for _, e := range events {
		var err error
		switch e.Type {
		case event.CreditsLow:
			var data struct {
				Balance int64 `json:"balance"`
				Low     int64 `json:"low_balance"`
			}
			if err = json.Unmarshal(e.Data, &data); err == nil {
				err = s.Notifier.Low(ctx, tx, e.Workspace, data.Balance, data.Low)
			}
		case event.OrderSkipped:
			var data notify.Skipped
			if err = json.Unmarshal(e.Data, &data); err == nil {
				err = s.Notifier.Skipped(ctx, tx, e.Workspace, data)
			}
		case event.ExportDeliveryFailed:
			var data notify.Undelivered
			if err = json.Unmarshal(e.Data, &data); err == nil {
				err = s.Notifier.Undelivered(ctx, tx, e.Workspace, data)
			}
		default:
		}
		if err != nil {
			return fmt.Errorf("email members about event %s: %w", e.ID, err)
		}
	}
	return nil
}

// UndoOptions are what undoing an import needs.
func (s *Services) UndoOptions() importer.UndoOptions {
	return importer.UndoOptions{Catalog: s.Catalog, Workspaces: s.Workspaces, Unlocks: s.Unlocks, Lists: s.Lists}
}

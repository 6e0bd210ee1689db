// Package app builds the program from its settings; it is the one package that names back ends.
// It holds no rule of any noun.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/postgres"
	"github.com/opencapi/capi/internal/db/sqlite"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/workspace"
)

// App is the data with its books and use cases, open. Safe for concurrent use.
type App struct {
	Config config.Config
	Log    *slog.Logger

	DB          *db.DB
	Workspaces  *workspace.Store
	Tokens      *token.Store
	People      *account.People
	Sessions    *account.Sessions
	Credits     *credit.Store
	Unlocks     *unlock.Store
	Lists       *list.Store
	Idempotency *idempotency.Store
	Catalog     *catalog.Store
	Jobs        *job.Queue
	Files       *file.Store
	Index       index.Index // empty until Serve fills it
	Exports     *export.Exports
	Memberships *membership.Memberships
	Doctor      *doctor.Doctor

	embedded *embedded.Index // Index, for what only this back end can do
	sales    *sales
}

// Open opens the data directory and the database, creating both if need be, and brings the schema up to date.
// It works beside a running server.
func Open(ctx context.Context, c config.Config, log *slog.Logger) (*App, error) {
	files, err := openFiles(c.Data)
	if err != nil {
		return nil, err
	}
	d, err := openDB(ctx, c.Storage)
	if err != nil {
		return nil, err
	}
	ix := embedded.Open(embedded.Options{Log: log})
	a := &App{
		Config: c, Log: log, DB: d, Files: files, Index: ix, embedded: ix,
		Workspaces: workspace.New(d), Tokens: token.New(d, token.Options{Log: log}), Credits: credit.New(d),
		People: account.NewPeople(d), Sessions: account.NewSessions(d, account.SessionOptions{}),
		Unlocks: unlock.New(d, unlock.Options{}), Lists: list.New(d), Catalog: catalog.New(d),
		Idempotency: idempotency.New(d, idempotency.Options{}),
		// On SQLite the server's lock makes its runner the only one.
		Jobs:  job.New(d, job.Options{Log: log, Workers: c.Workers, Alone: c.Postgres() == ""}),
		sales: newSales(),
	}
	a.Exports = export.New(export.Deps{
		DB: d, Catalog: a.Catalog, Index: a.Index, Lists: a.Lists, Unlock: a.Unlocks, Credit: a.Credits, Jobs: a.Jobs,
		Blobs: files, Log: log, Observe: a.sales.observe,
	})
	a.Memberships = membership.New(membership.Deps{DB: d, People: a.People, Workspaces: a.Workspaces, Credits: a.Credits})
	a.Doctor = doctor.New(doctor.Deps{
		Credits: a.Credits, Unlocks: a.Unlocks, Exports: a.Exports, Jobs: a.Jobs, Servers: serversDir(c.Data),
	})
	return a, nil
}

func openDB(ctx context.Context, s config.Storage) (*db.DB, error) {
	if url := s.Postgres(); url != "" {
		return postgres.Open(ctx, url)
	}
	d, err := sqlite.Open(ctx, s.SQLiteFile())
	if errors.Is(err, sqlite.ErrNotDatabase) {
		err = fmt.Errorf("%w; move it away to begin with an empty one, or choose another directory with --data", err)
	}
	return d, err
}

// Close closes the index and the database. A server that still runs must have ended before.
func (a *App) Close() error { return errors.Join(a.Index.Close(), a.DB.Close()) }

// CreateWorkspace creates a workspace with its account and its first credits, if any, in one transaction.
func (a *App) CreateWorkspace(ctx context.Context, name string, credits int64) (workspace.Workspace, error) {
	return a.Memberships.CreateWorkspace(ctx, membership.NewWorkspace{Name: name, Credits: credits, Actor: Operator()})
}

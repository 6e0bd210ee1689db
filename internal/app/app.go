// Package app builds the program from its configuration and runs it. It contains no business rules.
package app

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/workspace"
)

// App is the program: its configuration, and the stores and use cases on an open database. The index is empty until Serve
// fills it. Safe for concurrent use.
type App struct {
	*services.Services
	Config config.Config

	sales   *sales
	limiter *ratelimit.Limiter

	// examine checks the database before it is used for purchases; nil unless its last user may have been killed.
	examine func(ctx context.Context) error

	stopping atomic.Bool // the server still answers, but wants no new requests
}

// Build returns an App made of the parts. It sets p.Servers, p.Observe and p.Wall itself. It opens and starts nothing.
func Build(c config.Config, p services.Parts) *App {
	a := &App{Config: c, sales: newSales()}
	p.Servers, p.Observe = serversDir(c.Data), a.sales.observe
	p.Wall.Visible = c.Visible()
	a.Services = services.Build(p)
	a.limiter = ratelimit.New()
	if c.Postgres() != "" {
		a.limiter = ratelimit.NewShared(a.DB, a.Log)
	}
	return a
}

// Close closes the index and the database. Call it only after Serve has returned.
func (a *App) Close() error { return errors.Join(a.Index.Close(), a.DB.Close()) }

// CreateWorkspace creates a workspace with its credit account and initial credits, if any, in one transaction.
func (a *App) CreateWorkspace(ctx context.Context, name string, credits int64) (workspace.Workspace, error) {
	return a.Memberships.CreateWorkspace(ctx, membership.NewWorkspace{Name: name, Credits: credits, Actor: Operator()})
}

package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/workspace"
)

// PerWorkspaceMax is how many orders a workspace may have.
const PerWorkspaceMax = 100

// RunsKept is how long a run without an export can be listed.
const RunsKept = 90 * 24 * time.Hour

// Deps are what Orders need.
type Deps struct {
	DB         *db.DB
	Catalog    *catalog.Store
	Index      index.Index
	Exports    *export.Exports
	Tokens     *token.Store
	Workspaces *workspace.Store
	Unlock     *unlock.Store
	Log        *slog.Logger // Defaults to slog.DiscardHandler
	Options    Options
}

// Options tune the use case. The zero Options are the defaults.
type Options struct {
	// Lease is how long other servers leave a run to the one that has begun it. Defaults to 1m.
	Lease time.Duration

	// Retry is the pause after a run that failed for a reason of the server, such as an index that is being rebuilt. Defaults to 30s.
	Retry time.Duration

	// Grace is how late a scheduled run may begin before it is a missed one. Defaults to 10m.
	Grace time.Duration

	// FollowMax is how long a run waits for the index to have what the catalog has. Defaults to 10s.
	FollowMax time.Duration
}

// Orders is the use case. It is safe for concurrent use, also by several servers on one database.
type Orders struct{ Deps }

// New returns the use case.
func New(d Deps) *Orders {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	for option, value := range map[*time.Duration]time.Duration{
		&d.Options.Lease: time.Minute, &d.Options.Retry: 30 * time.Second, &d.Options.Grace: 10 * time.Minute, &d.Options.FollowMax: 10 * time.Second,
	} {
		if *option <= 0 {
			*option = value
		}
	}
	return &Orders{d}
}

// callerOf returns in whose name the order buys. Faults, after which it cannot: those of token.Authenticate, NotWorkspaceMember,
// InsufficientScope.
func (x *Orders) callerOf(ctx context.Context, o Order) (auth.Caller, error) {
	if !o.Token.IsZero() {
		caller, err := x.Tokens.Acting(ctx, o.Token)
		if err == nil {
			err = caller.Require(auth.ReadWrite)
		}
		return caller, err
	}
	role, err := x.Workspaces.RoleOf(ctx, o.Workspace, o.Person)
	if fault.CodeOf(err) == fault.NotFound {
		return auth.Caller{}, fault.New(fault.NotWorkspaceMember, "The member in whose name the order buys has left the workspace.")
	}
	return auth.Caller{Person: o.Person, Workspace: o.Workspace, Scope: auth.ReadWrite, Owner: role == workspace.Owner}, err
}

// List returns up to limit orders of the workspace created before the given one, newest first; the zero id starts with the newest.
func (x *Orders) List(ctx context.Context, ws id.Workspace, before id.Order, limit int) ([]Order, error) {
	all, err := db.Collect(ctx, x.DB.Read(), scan, `SELECT `+columns+` FROM standing_order o
		WHERE o.workspace_id = $1 AND o.id < $2 ORDER BY o.id DESC LIMIT $3`, ws, before.Bound(), limit)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return all, nil
}

// Get returns an order of the workspace. Faults: NotFound.
func (x *Orders) Get(ctx context.Context, ws id.Workspace, order id.Order) (Order, error) {
	return one(ctx, x.DB.Read(), ws, order, "")
}

// Runs returns up to limit runs of an order older than before, newest first; the zero id starts with the newest. Faults: NotFound.
func (x *Orders) Runs(ctx context.Context, ws id.Workspace, order id.Order, before id.Run, limit int) ([]Run, error) {
	if _, err := x.Get(ctx, ws, order); err != nil {
		return nil, err
	}
	all, err := db.Collect(ctx, x.DB.Read(), scanRun, `SELECT `+runColumns+` WHERE r.order_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3`,
		order, before.Bound(), limit)
	if err != nil {
		return nil, fmt.Errorf("list runs of order %s: %w", order, err)
	}
	return all, nil
}

// Prune deletes runs without an export that are older than RunsKept. Any number of servers may call it from time to time.
func (x *Orders) Prune(ctx context.Context) error {
	const old = `SELECT id FROM order_run WHERE export_id IS NULL AND created_at < $1 ORDER BY created_at`
	if err := x.DB.Prune(ctx, "order_run", "id", old, db.Time(time.Now().Add(-RunsKept))); err != nil {
		return fmt.Errorf("prune runs of orders: %w", err)
	}
	return nil
}

// endedImports returns how many imports have ended.
func endedImports(ctx context.Context, q db.Querier) (n int64, err error) {
	if err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM import WHERE finished_at IS NOT NULL`).Scan(&n); err != nil {
		err = fmt.Errorf("count imports: %w", err)
	}
	return n, err
}

// refusal returns the code and the message of a fault after which a run is skipped; false for a failure of the server, after which it is
// tried again.
func refusal(err error) (code, message string, refused bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return "", "", false
	}
	switch f.Kind() {
	case fault.KindInternal, fault.KindUnavailable, fault.KindRateLimited, fault.KindTimeout:
		return "", "", false
	default:
		return string(f.Code), inWords(f), true
	}
}

// inWords returns the message of a fault for people, who have only the message: with every error of a Validation fault.
func inWords(f *fault.Error) string {
	var said []string
	for _, e := range fault.Fields(f) {
		switch e.Field {
		case "":
			said = append(said, e.Message)
		case "destination_id":
			said = append(said, "The destination of the order was deleted. Choose another one, or none.")
		default:
			said = append(said, e.Field+" "+strings.TrimSuffix(e.Message, ".")+".")
		}
	}
	return cmp.Or(strings.Join(said, " "), f.Message)
}

package export

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Get is one export of the caller's workspace; NotFound otherwise.
func (x *Exports) Get(ctx context.Context, caller auth.Caller, export id.Export) (Export, error) {
	return one(ctx, x.db.Read(), caller.Workspace, export)
}

// List is the next limit exports of the caller's workspace, newest first, and the cursor that goes on behind them:
// empty at the end. An empty cursor starts; one that List did not give is InvalidCursor.
func (x *Exports) List(ctx context.Context, caller auth.Caller, cursor string, limit int) ([]Export, string, error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	const q = `SELECT ` + columns + ` FROM export
		WHERE workspace_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
		ORDER BY created_at DESC, id DESC LIMIT $4`
	exports, err := many(ctx, x.db.Read(), q, caller.Workspace, at.created, at.id, limit+1)
	if err != nil || len(exports) <= limit {
		return exports, "", err
	}
	exports = exports[:limit]
	last := exports[limit-1]
	return exports, place{db.Time(last.CreatedAt), last.ID.String()}.cursor(), nil
}

// place is where a page of List ends.
type place struct {
	created int64
	id      string
}

func (p place) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%s", p.created, p.id))
}

func parseCursor(cursor string) (place, error) {
	if cursor == "" {
		return place{created: math.MaxInt64}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return place{}, badCursor(err)
	}
	created, last, _ := strings.Cut(string(raw), ".")
	export, err := id.Parse[id.Export](last)
	if err != nil {
		return place{}, badCursor(err)
	}
	p := place{id: export.String()}
	if _, err := fmt.Sscanf(created, "%d", &p.created); err != nil {
		return place{}, badCursor(err)
	}
	return p, nil
}

func badCursor(err error) error {
	return fault.New(fault.InvalidCursor, "This is no cursor of the list of exports.").Because(err)
}

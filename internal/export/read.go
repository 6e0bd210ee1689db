package export

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Get returns an export of the caller's workspace; NotFound if it has no such export.
func (x *Exports) Get(ctx context.Context, caller auth.Caller, export id.Export) (Export, error) {
	return one(ctx, x.db.Read(), caller.Workspace, export)
}

// List returns the next limit exports of the caller's workspace, newest first, and the cursor of the page after them, which
// is empty at the end. An empty cursor asks for the first page. InvalidCursor for one that List did not return here.
func (x *Exports) List(ctx context.Context, caller auth.Caller, after string, limit int) ([]Export, string, error) {
	scope := cursor.NewScope("exports", caller.Workspace)
	position, err := scope.Decode(after)
	if err != nil {
		return nil, "", err
	}
	created, last := int64(math.MaxInt64), id.Export{}
	if position != nil {
		if created, last, err = parsePosition(string(position)); err != nil {
			return nil, "", cursor.Unreadable(err)
		}
	}
	const q = `SELECT ` + columns + ` FROM export
		WHERE workspace_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
		ORDER BY created_at DESC, id DESC LIMIT $4`
	exports, err := many(ctx, x.db.Read(), q, caller.Workspace, created, last.String(), limit+1)
	if err != nil || len(exports) <= limit {
		return exports, "", err
	}
	exports = exports[:limit]
	end := exports[limit-1]
	return exports, scope.Encode(fmt.Appendf(nil, "%d.%s", db.Time(end.CreatedAt), end.ID)), nil
}

// parsePosition reads the creation time and the id of the last export on a page.
func parsePosition(position string) (created int64, last id.Export, err error) {
	first, second, _ := strings.Cut(position, ".")
	if created, err = strconv.ParseInt(first, 10, 64); err == nil {
		last, err = id.Parse[id.Export](second)
	}
	return created, last, err
}

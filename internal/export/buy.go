package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// errBought undoes a purchase that another of the same quote has come before.
var errBought = errors.New("the quote was bought already")

// Buy creates the export of a quote, as Create does, but once: whoever buys a quote again gets the first export of it
// and is charged nothing, also if both come at the same moment.
func (x *Exports) Buy(ctx context.Context, caller auth.Caller, r Request) (Export, error) {
	if r.Quote.IsZero() {
		return Export{}, fault.Invalid(fault.FieldError{Field: "quote_id", Message: "is required"})
	}
	e, err := boughtBy(ctx, x.db.Read(), caller.Workspace, r.Quote, id.Export{})
	if !errors.Is(err, sql.ErrNoRows) {
		return e, err
	}
	// Under the account's lock, which Create holds, no other purchase of the quote can be under way.
	e, _, err = x.Create(ctx, caller, r, func(ctx context.Context, tx *db.Tx, made Export) error {
		switch _, err := boughtBy(ctx, tx, caller.Workspace, r.Quote, made.ID); {
		case err == nil:
			return errBought
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		return nil
	})
	if errors.Is(err, errBought) {
		return boughtBy(ctx, x.db.Read(), caller.Workspace, r.Quote, id.Export{})
	}
	return e, err
}

// boughtBy is the first export of the quote besides one; sql.ErrNoRows without any.
func boughtBy(ctx context.Context, q db.Querier, ws id.Workspace, quote id.Quote, besides id.Export) (Export, error) {
	e, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM export
		WHERE workspace_id = $1 AND quote_id = $2 AND id <> $3 ORDER BY created_at, id LIMIT 1`, ws, quote, besides))
	if err != nil {
		return Export{}, fmt.Errorf("read export of quote %s: %w", quote, err)
	}
	return e, nil
}

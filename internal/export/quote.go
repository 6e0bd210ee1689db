package export

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

// Quote is a selection and its price, both frozen until ExpiresAt.
type Quote struct {
	ID         id.Quote
	Figures    Figures
	Affordable bool // whether Create would go through now
	ExpiresAt  time.Time
	Warnings   []Warning
}

// quoteTTL is how long a quote binds.
const quoteTTL = 15 * time.Minute

// Quote is what Create would do and charge now, and a promise to do so for no more within 15 minutes. It charges nothing
// and holds back no credits. The same faults as Create's, those of the price aside.
func (x *Exports) Quote(ctx context.Context, caller auth.Caller, r Request, then ...db.Step[Quote]) (Quote, error) {
	r, err := r.checked(false)
	if err != nil {
		return Quote{}, err
	}
	o, err := x.order(ctx, caller, r)
	if err != nil {
		return Quote{}, err
	}
	owned, err := x.unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return Quote{}, err
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Quote{}, err
	}
	kept, figures, err := o.Terms.price(o.selection, owned, balance)
	if err != nil {
		return Quote{}, err
	}
	now := time.Now()
	quote := Quote{
		ID: id.New[id.Quote](), Figures: figures, Affordable: o.Terms.refusal(kept, figures) == nil,
		ExpiresAt: db.FromTime(db.Time(now.Add(quoteTTL))), Warnings: o.warnings,
	}
	err = x.db.Tx(ctx, func(tx *db.Tx) error {
		if err := insertQuote(ctx, tx, caller, o, quote, kept, now); err != nil {
			return fmt.Errorf("write quote %s: %w", quote.ID, err)
		}
		return db.Then(ctx, tx, quote, then)
	})
	return quote, err
}

func insertQuote(
	ctx context.Context, tx *db.Tx, caller auth.Caller, o order, quote Quote, kept selection, now time.Time,
) error {
	terms, err := json.Marshal(o.Terms)
	if err != nil {
		return err
	}
	options, err := json.Marshal(o.Options)
	if err != nil {
		return err
	}
	const q = `INSERT INTO quote (id, workspace_id, token_id, source_type, list_id, filters, sort, terms, format, options,
		requested_count, capped, cost, companies, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`
	f := quote.Figures
	_, err = tx.ExecContext(ctx, q, quote.ID, caller.Workspace, caller.Token, string(o.Source), orNull(o.List),
		sql.NullString{String: string(o.Filters), Valid: o.Filters != nil}, o.sort, string(terms), string(o.Format),
		string(options), f.RequestedCount, flag(f.CappedAt10k), f.Cost, packNumbers(kept.numbers), db.Time(now), db.Time(quote.ExpiresAt))
	return err
}

// quoted is the order that the quote froze. NotFound for a quote of another workspace, QuoteExpired.
func (x *Exports) quoted(ctx context.Context, caller auth.Caller, r Request) (order, error) {
	const q = `SELECT source_type, list_id, filters, sort, terms, format, options, requested_count, capped, cost,
		companies, expires_at FROM quote WHERE id = $1 AND workspace_id = $2`
	o := order{Request: r, costMax: new(int64)}
	var asked format.Format
	var filters sql.NullString
	var terms, options string
	var requested int
	var packed []byte
	var expires int64
	err := x.db.Read().QueryRowContext(ctx, q, r.Quote, caller.Workspace).Scan(&o.Source, &o.List, &filters, &o.sort, &terms,
		&asked, &options, &requested, &o.selection.capped, o.costMax, &packed, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return order{}, fault.New(fault.NotFound, "There is no quote %s in this workspace.", r.Quote)
	}
	if err != nil {
		return order{}, fmt.Errorf("read quote %s: %w", r.Quote, err)
	}
	if expired := db.FromTime(expires); !time.Now().Before(expired) {
		return order{}, fault.New(fault.QuoteExpired, "The quote has expired; ask for another.").With("expires_at", expired)
	}
	if filters.Valid {
		o.Filters = json.RawMessage(filters.String)
	}
	var quoted format.Options
	err = json.Unmarshal([]byte(options), &quoted)
	if len(r.Options.Columns) > 0 {
		quoted.Columns = r.Options.Columns
	}
	o.Options.Columns = quoted.Columns
	if r.Format == "" {
		o.Format, o.Options = asked, quoted
	}
	err = errors.Join(err, json.Unmarshal([]byte(terms), &o.Terms), o.selection.unpack(packed))
	if err != nil {
		return order{}, fmt.Errorf("read quote %s: %w", r.Quote, err)
	}
	o.selection.skipped = requested - len(o.selection.numbers)
	return o, nil
}

func outdated(cost, quoted int64) error {
	return fault.New(fault.QuoteOutdated,
		"A refund has taken back companies of the quote: they cost %s credits now, not %s. Ask for another quote.",
		humanize.Comma(cost), humanize.Comma(quoted)).
		With("cost", cost).With("quoted_cost", quoted)
}

func withdrawn(companies int) error {
	return fault.New(fault.QuoteOutdated,
		"%s of the quote's companies were taken out of the catalog. Ask for another quote.", humanize.Comma(int64(companies))).
		With("removed", companies)
}

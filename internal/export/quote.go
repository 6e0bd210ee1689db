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
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Quote is a selection of companies and its price, both fixed until ExpiresAt.
type Quote struct {
	ID         id.Quote
	Figures    Figures
	BudgetLeft *int64 // what the caller's budgets leave; nil if they have none
	Affordable bool   // Create would succeed now
	ExpiresAt  time.Time
	Warnings   []Warning
}

// quoteTTL is how long a quote is valid.
const quoteTTL = 15 * time.Minute

// Quote returns what Create would deliver and charge now. For 15 minutes, an export of the quote costs no more than that.
// It charges nothing and reserves no credits. It has the same faults as Create, except those about the price.
func (x *Exports) Quote(ctx context.Context, caller auth.Caller, r Request, then ...db.Step[Quote]) (Quote, error) {
	r, err := x.WithPreset(ctx, caller, r)
	if err == nil {
		r, err = r.checked(false)
	}
	if err != nil {
		return Quote{}, err
	}
	if err := x.CheckDestination(ctx, caller, r.Destination); err != nil {
		return Quote{}, err
	}
	found, err := x.resolve(ctx, caller, r)
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
	kept, figures, err := found.Terms.price(found.selection, owned, balance)
	if err != nil {
		return Quote{}, err
	}
	left, err := x.BudgetLeft(ctx, caller)
	if err != nil {
		return Quote{}, err
	}
	now := time.Now()
	quote := Quote{
		ID: id.New[id.Quote](), Figures: figures, BudgetLeft: left,
		Affordable: found.Terms.refusal(kept, figures) == nil && within(left, figures.Cost),
		ExpiresAt:  db.FromTime(db.Time(now.Add(quoteTTL))), Warnings: found.warnings,
	}
	err = x.db.Tx(ctx, func(tx *db.Tx) error {
		if err := insertQuote(ctx, tx, caller, found, quote, kept, now); err != nil {
			return fmt.Errorf("write quote %s: %w", quote.ID, err)
		}
		return db.Then(ctx, tx, quote, then)
	})
	return quote, err
}

func insertQuote(
	ctx context.Context, tx *db.Tx, caller auth.Caller, r resolved, quote Quote, kept selection, now time.Time,
) error {
	terms, err := json.Marshal(r.Terms)
	if err != nil {
		return err
	}
	options, err := json.Marshal(r.Options)
	if err != nil {
		return err
	}
	keys, err := kept.keys.pack()
	if err != nil {
		return err
	}
	const q = `INSERT INTO quote (id, workspace_id, token_id, source_type, list_id, filters, sort, terms, format, options,
		requested_count, capped, cost, companies, created_at, expires_at, match_id, match_keys, excluded_count)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	f := quote.Figures
	_, err = tx.ExecContext(ctx, q, quote.ID, caller.Workspace, caller.Token, string(r.Source), orNull(r.List),
		sql.NullString{String: string(r.Filters), Valid: r.Filters != nil}, r.sort, string(terms), string(r.Format),
		string(options), f.RequestedCount, flag(f.CappedAt10k), f.Cost, company.PackNumbers(kept.numbers), db.Time(now), db.Time(quote.ExpiresAt),
		orNull(r.Match), keys, f.Excluded)
	return err
}

// Quoted is a quote that was made before.
type Quoted struct {
	Quote
	Of     Export // what the quote fixes: source, filters, sort order, terms, format and options
	Bought Export // the first export of the quote; zero if it was not bought

	// SharingDomain is how many of the companies have the domain of another one of them, so that they may be the same; 0 if the
	// caller does not see domains.
	SharingDomain int
}

// Quoted returns a quote with its figures as of now: companies that were bought since cost nothing. With QuoteExpired and
// QuoteOutdated, Of is valid too, so that a new quote can be made. NotFound for a quote of another workspace.
func (x *Exports) Quoted(ctx context.Context, caller auth.Caller, quote id.Quote) (Quoted, error) {
	row, err := x.scanQuote(ctx, caller, quote)
	if err != nil {
		return Quoted{}, err
	}
	found := row.resolved
	q := Quoted{
		Quote: Quote{ID: quote, ExpiresAt: row.expiresAt},
		Of: Export{
			Workspace: caller.Workspace, Source: found.Source, List: found.List, Match: found.Match, Filters: found.Filters, Sort: found.sort,
			Terms: found.Terms, Format: found.Format, Options: found.Options,
		},
	}
	if q.Bought, err = boughtBy(ctx, x.db.Read(), caller.Workspace, quote, id.Export{}); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return q, err
	}
	if err := row.expired(); err != nil {
		return q, err
	}
	owned, err := x.unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return q, err
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return q, err
	}
	if q.BudgetLeft, err = x.BudgetLeft(ctx, caller); err != nil {
		return q, err
	}
	locked, err := x.wall.Locked(ctx, caller)
	if err != nil {
		return q, err
	}
	if !locked.Has("domain") {
		if q.SharingDomain, err = x.catalog.SharingDomain(ctx, found.selection.numbers); err != nil {
			return q, err
		}
	}
	_, q.Figures, err = found.price(found.selection, owned, balance)
	switch fault.CodeOf(err) {
	case fault.InsufficientBalance, fault.MaxCreditsExceeded: // a fact about the quote, like its price
		return q, nil
	default:
	}
	q.Affordable = err == nil && within(q.BudgetLeft, q.Figures.Cost)
	return q, err
}

// quoteRow is a quote as it is stored.
type quoteRow struct {
	resolved
	expiresAt time.Time
}

func (r quoteRow) expired() error {
	if time.Now().Before(r.expiresAt) {
		return nil
	}
	return fault.New(fault.QuoteExpired, "The quote has expired; ask for a new one.").With("expires_at", r.expiresAt)
}

// readQuote returns the request of a quote with the companies that it holds. The request may ask for another format, which
// replaces all of the quote's options but the columns, or for other options. NotFound for a quote of another workspace,
// QuoteExpired, Validation for an option that does not fit the quote's format.
func (x *Exports) readQuote(ctx context.Context, caller auth.Caller, r Request) (resolved, error) {
	row, err := x.scanQuote(ctx, caller, r.Quote)
	if err != nil {
		return resolved{}, err
	}
	if err := row.expired(); err != nil {
		return resolved{}, err
	}
	found := row.resolved
	found.Name, found.Quote = r.Name, r.Quote
	found.Options = found.Options.With(r.Options)
	if r.Format != "" {
		r.Options.Columns, r.Options.MatchKeys = found.Options.Columns, found.Options.MatchKeys
		found.Format, found.Options = r.Format, r.Options
	}
	if !r.Preset.IsZero() && !found.Format.HasHeaderRow() {
		found.Options.Headers = ""
	}
	if err := fault.Invalid(found.Options.Fitting(found.Format)...); err != nil {
		return resolved{}, err
	}
	found.Options = found.Options.Normal()
	return found, nil
}

func (x *Exports) scanQuote(ctx context.Context, caller auth.Caller, quote id.Quote) (quoteRow, error) {
	const q = `SELECT source_type, list_id, filters, sort, terms, format, options, requested_count, capped, cost,
		companies, expires_at, match_id, match_keys, excluded_count FROM quote WHERE id = $1 AND workspace_id = $2`
	row := quoteRow{resolved: resolved{costMax: new(int64)}}
	s := &row.selection
	var filters sql.NullString
	var terms, options string
	var requested int
	var packed, keys []byte
	var expires int64
	err := x.db.Read().QueryRowContext(ctx, q, quote, caller.Workspace).Scan(&row.Source, &row.List, &filters, &row.sort,
		&terms, &row.Format, &options, &requested, &s.capped, row.costMax, &packed, &expires, &row.Match, &keys, &s.excluded)
	if errors.Is(err, sql.ErrNoRows) {
		return quoteRow{}, fault.New(fault.NotFound, "There is no quote %s in this workspace.", quote)
	}
	if err != nil {
		return quoteRow{}, fmt.Errorf("read quote %s: %w", quote, err)
	}
	row.expiresAt = db.FromTime(expires)
	if filters.Valid {
		row.Filters = json.RawMessage(filters.String)
	}
	numbers, unpackErr := company.UnpackNumbers(packed)
	s.keys, err = unpackKeys(keys)
	err = errors.Join(err, unpackErr, json.Unmarshal([]byte(terms), &row.Terms), json.Unmarshal([]byte(options), &row.Options))
	if err != nil {
		return quoteRow{}, fmt.Errorf("read quote %s: %w", quote, err)
	}
	s.numbers, s.set, s.skipped = numbers, company.SetOf(numbers...), requested-len(numbers)
	return row, nil
}

func outdated(cost, quoted int64) error {
	return fault.New(fault.QuoteOutdated,
		"The quote's companies now cost %s credits instead of %s, because a refund took some of them back. Ask for a new quote.",
		humanize.Comma(cost), humanize.Comma(quoted)).
		With("cost", cost).With("quoted_cost", quoted)
}

func withdrawn(companies int) error {
	return fault.New(fault.QuoteOutdated,
		"%s of the quote's companies were removed from the catalog. Ask for a new quote.", humanize.Comma(int64(companies))).
		With("removed", companies)
}

const (
	quoteGrace    = time.Minute        // before an expired quote loses its companies
	quoteKept     = 7 * 24 * time.Hour // without its companies, so that a late buyer gets QuoteExpired and not NotFound
	quotesAtATime = 200                // at most 8 MB, so that no write transaction takes long
)

// PruneQuotes deletes the companies of expired quotes, and quotes that expired long ago. It records an event for each quote that
// expired without being bought. It should be called about once a minute; any number of processes may do so.
func (x *Exports) PruneQuotes(ctx context.Context) error {
	// The outer condition is repeated, because another process may have emptied a quote since the inner one was read.
	const empty = `UPDATE quote SET companies = NULL, match_keys = NULL WHERE companies IS NOT NULL AND id IN
		(SELECT id FROM quote WHERE companies IS NOT NULL AND expires_at < $1 LIMIT $2)
		RETURNING id, workspace_id, cost, requested_count, expires_at,
			EXISTS (SELECT 1 FROM export e WHERE e.workspace_id = quote.workspace_id AND e.created_at >= quote.created_at AND e.quote_id = quote.id)`
	const drop = `DELETE FROM quote WHERE id IN
		(SELECT id FROM quote WHERE companies IS NULL AND expires_at < $1 LIMIT $2) RETURNING id`
	now := time.Now()
	return errors.Join(
		x.pruneQuotes(ctx, func(tx *db.Tx) (n int, err error) {
			ended, err := db.Collect(ctx, tx, scanEnded, empty, db.Time(now.Add(-quoteGrace)), quotesAtATime)
			for _, q := range ended {
				if err == nil && !q.bought {
					err = event.Record(ctx, tx, q.workspace, event.QuoteExpired, map[string]any{
						"quote_id": q.id, "cost": q.cost, "requested_count": q.requested, "expires_at": db.FromTime(q.expires),
					})
				}
			}
			return len(ended), err
		}),
		x.pruneQuotes(ctx, func(tx *db.Tx) (int, error) {
			dropped, err := db.Collect(ctx, tx, db.Value[id.Quote], drop, db.Time(now.Add(-quoteKept)), quotesAtATime)
			return len(dropped), err
		}))
}

// endedQuote is a quote that has expired or was bought.
type endedQuote struct {
	id                       id.Quote
	workspace                id.Workspace
	cost, requested, expires int64
	bought                   bool
}

func scanEnded(row db.Row) (q endedQuote, err error) {
	err = row.Scan(&q.id, &q.workspace, &q.cost, &q.requested, &q.expires, &q.bought)
	return q, err
}

// pruneQuotes calls some, which prunes up to quotesAtATime quotes and returns how many, until there are no more.
func (x *Exports) pruneQuotes(ctx context.Context, some func(*db.Tx) (int, error)) error {
	for {
		var n int
		err := x.db.Tx(ctx, func(tx *db.Tx) (err error) {
			n, err = some(tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("prune quotes: %w", err)
		}
		if n < quotesAtATime {
			return nil
		}
	}
}

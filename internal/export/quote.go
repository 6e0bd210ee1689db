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
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

// Quote is a selection of companies and its price, both fixed until ExpiresAt.
type Quote struct {
	ID         id.Quote
	Figures    Figures
	Affordable bool // Create would succeed now
	ExpiresAt  time.Time
	Warnings   []Warning
}

// quoteTTL is how long a quote is valid.
const quoteTTL = 15 * time.Minute

// Quote returns what Create would deliver and charge now. For 15 minutes, an export of the quote costs no more than that.
// It charges nothing and reserves no credits. It has the same faults as Create, except those about the price.
func (x *Exports) Quote(ctx context.Context, caller auth.Caller, r Request, then ...db.Step[Quote]) (Quote, error) {
	r, err := r.checked(false)
	if err != nil {
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
	now := time.Now()
	quote := Quote{
		ID: id.New[id.Quote](), Figures: figures, Affordable: found.Terms.refusal(kept, figures) == nil,
		ExpiresAt: db.FromTime(db.Time(now.Add(quoteTTL))), Warnings: found.warnings,
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
	const q = `INSERT INTO quote (id, workspace_id, token_id, source_type, list_id, filters, sort, terms, format, options,
		requested_count, capped, cost, companies, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`
	f := quote.Figures
	_, err = tx.ExecContext(ctx, q, quote.ID, caller.Workspace, caller.Token, string(r.Source), orNull(r.List),
		sql.NullString{String: string(r.Filters), Valid: r.Filters != nil}, r.sort, string(terms), string(r.Format),
		string(options), f.RequestedCount, flag(f.CappedAt10k), f.Cost, packNumbers(kept.numbers), db.Time(now), db.Time(quote.ExpiresAt))
	return err
}

// readQuote returns the request of a quote with the companies that it holds. The request may ask for another format or
// other columns. NotFound for a quote of another workspace, QuoteExpired.
func (x *Exports) readQuote(ctx context.Context, caller auth.Caller, r Request) (resolved, error) {
	const q = `SELECT source_type, list_id, filters, sort, terms, format, options, requested_count, capped, cost,
		companies, expires_at FROM quote WHERE id = $1 AND workspace_id = $2`
	found := resolved{Request: r, costMax: new(int64)}
	s := &found.selection
	var quotedFormat format.Format
	var filters sql.NullString
	var terms, options string
	var requested int
	var packed []byte
	var expires int64
	err := x.db.Read().QueryRowContext(ctx, q, r.Quote, caller.Workspace).Scan(&found.Source, &found.List, &filters, &found.sort,
		&terms, &quotedFormat, &options, &requested, &s.capped, found.costMax, &packed, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return resolved{}, fault.New(fault.NotFound, "There is no quote %s in this workspace.", r.Quote)
	}
	if err != nil {
		return resolved{}, fmt.Errorf("read quote %s: %w", r.Quote, err)
	}
	if expired := db.FromTime(expires); !time.Now().Before(expired) {
		return resolved{}, fault.New(fault.QuoteExpired, "The quote has expired; ask for a new one.").With("expires_at", expired)
	}
	if filters.Valid {
		found.Filters = json.RawMessage(filters.String)
	}
	var quoted format.Options
	err = json.Unmarshal([]byte(options), &quoted)
	if len(r.Options.Columns) > 0 {
		quoted.Columns = r.Options.Columns
	}
	found.Options.Columns = quoted.Columns
	if r.Format == "" {
		found.Format, found.Options = quotedFormat, quoted
	}
	numbers, unpackErr := unpackNumbers(packed)
	err = errors.Join(err, unpackErr, json.Unmarshal([]byte(terms), &found.Terms))
	if err != nil {
		return resolved{}, fmt.Errorf("read quote %s: %w", r.Quote, err)
	}
	s.numbers, s.set, s.skipped = numbers, company.SetOf(numbers...), requested-len(numbers)
	return found, nil
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

// PruneQuotes deletes the companies of expired quotes, and quotes that expired long ago. It should be called about once a
// minute; any number of processes may do so.
func (x *Exports) PruneQuotes(ctx context.Context) error {
	const empty = `UPDATE quote SET companies = NULL WHERE id IN
		(SELECT id FROM quote WHERE companies IS NOT NULL AND expires_at < $1 LIMIT $2)`
	const drop = `DELETE FROM quote WHERE id IN
		(SELECT id FROM quote WHERE companies IS NULL AND expires_at < $1 LIMIT $2)`
	now := time.Now()
	return errors.Join(
		x.pruneQuotes(ctx, empty, now.Add(-quoteGrace)),
		x.pruneQuotes(ctx, drop, now.Add(-quoteKept)))
}

func (x *Exports) pruneQuotes(ctx context.Context, q string, before time.Time) error {
	for {
		var n int64
		err := x.db.Tx(ctx, func(tx *db.Tx) error {
			res, err := tx.ExecContext(ctx, q, db.Time(before), quotesAtATime)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
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

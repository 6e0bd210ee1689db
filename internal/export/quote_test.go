package export_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

func (s *fixture) quote(t *testing.T, r export.Request) export.Quote {
	t.Helper()
	q, err := s.Quote(t.Context(), s.caller, r)
	require.NoError(t, err)
	return q
}

func fromQuote(q export.Quote) export.Request { return export.Request{Name: "By a quote", Quote: q.ID} }

func (s *fixture) grant(t *testing.T, amount int64) {
	t.Helper()
	require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := s.credit.Grant(t.Context(), tx, s.caller.Workspace, credit.Grant{Amount: amount, Reason: credit.ReasonAdjustment})
		return err
	}))
}

func TestQuoteReturnsThePriceAndChargesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 300, 100)
		s.buy(t, between(1, 20))
		before := s.counts(t)
		for _, test := range []struct {
			low, high int64
			want      export.Figures
		}{
			{1, 20, export.Figures{RequestedCount: 20, AlreadyUnlocked: 20, Balance: 80}},
			{11, 100, export.Figures{RequestedCount: 90, AlreadyUnlocked: 10, NewCount: 80, Cost: 80, Balance: 80}},
			{21, 300, export.Figures{RequestedCount: 280, NewCount: 280, Cost: 280, WouldSkip: 200, Balance: 80}},
		} {
			r := between(test.low, test.high)
			r.Name = "" // optional for a quote
			start := time.Now()
			got := s.quote(t, r)
			require.Equal(t, test.want, got.Figures)
			require.Equal(t, test.want.Cost <= 80, got.Affordable)
			require.WithinRange(t, got.ExpiresAt, start.Add(15*time.Minute-time.Millisecond), time.Now().Add(15*time.Minute))
		}
		require.Equal(t, before, s.counts(t))
		require.Equal(t, int64(80), s.balance(t))
		paid := s.buy(t, between(11, 100))
		require.Equal(t, int64(80), paid.Figures.CreditsCharged)
	})
}

func TestQuoteBindsCompaniesAndPrice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 40, 100)
		r := between(11, 60)
		q := s.quote(t, r)
		require.Equal(t, int64(30), q.Figures.Cost)

		// More companies match than when it was quoted, and some of the quoted ones were bought.
		s.addCompanies(t, 60)
		s.buy(t, between(11, 15))
		e := s.buy(t, fromQuote(q))
		require.Equal(t, span(11, 40), s.numbers(t, e.ID))
		require.Equal(t, export.Figures{
			RequestedCount: 30, AlreadyUnlocked: 5, NewCount: 25, Cost: 25, CreditsCharged: 25, Balance: 95,
			TransactionID: e.Figures.TransactionID,
		}, e.Figures)

		got := s.get(t, e)
		require.Equal(t, q.ID, got.Quote)
		require.Equal(t, export.SourceSearch, got.Source)
		require.JSONEq(t, string(r.Filters), string(got.Filters))
		require.Equal(t, r.Sort.String(), got.Sort)
		require.Equal(t, format.JSON, got.Format, "the format of the quote's request")
		s.runJobs(t, 2)
		require.Len(t, rowsOf(t, s.file(t, e)), 30)

		again := s.buy(t, fromQuote(q))
		require.Zero(t, again.Figures.CreditsCharged, "a quote used twice is charged once")
		require.Equal(t, span(11, 40), s.numbers(t, again.ID))
		s.auditClean(t)
	})
}

func TestAQuoteIsReadAgainWithWhatItCostsNow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 40, 25)
		r := between(11, 30)
		r.Terms.Partial = true
		q := s.quote(t, r)
		got, err := s.Quoted(t.Context(), s.caller, q.ID)
		require.NoError(t, err)
		require.Equal(t, q, got.Quote)
		require.Equal(t, r.Terms, got.Of.Terms)
		require.Equal(t, format.JSON, got.Of.Format)
		require.JSONEq(t, string(r.Filters), string(got.Of.Filters))
		require.True(t, got.Bought.ID.IsZero())

		s.buy(t, between(11, 20))
		got, err = s.Quoted(t.Context(), s.caller, q.ID)
		require.NoError(t, err)
		require.Equal(t, int64(10), got.Figures.Cost, "ten of them are owned by now")
		e, err := s.Buy(t.Context(), s.caller, fromQuote(q))
		require.NoError(t, err)
		got, err = s.Quoted(t.Context(), s.caller, q.ID)
		require.NoError(t, err)
		require.Equal(t, e.ID, got.Bought.ID)

		dear := s.quote(t, between(31, 40))
		got, err = s.Quoted(t.Context(), s.caller, dear.ID)
		require.NoError(t, err)
		require.False(t, got.Affordable)
		require.Equal(t, dear.Figures, got.Figures)

		stranger := s.caller
		stranger.Workspace = id.New[id.Workspace]()
		_, err = s.Quoted(t.Context(), stranger, q.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE quote SET expires_at = 1`)
			return err
		}))
		got, err = s.Quoted(t.Context(), s.caller, dear.ID)
		require.Equal(t, fault.QuoteExpired, fault.CodeOf(err))
		require.JSONEq(t, string(between(31, 40).Filters), string(got.Of.Filters), "so that it can be quoted again")
	})
}

func TestQuoteOfAListOutlivesTheList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 10)
		l, err := s.lists.Create(t.Context(), s.caller.Workspace, "Mine")
		require.NoError(t, err)
		_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(2, 4, 6))
		require.NoError(t, err)
		q := s.quote(t, export.Request{Source: export.SourceList, List: l.ID})
		require.NoError(t, s.lists.Delete(t.Context(), s.caller.Workspace, l.ID))
		e := s.buy(t, fromQuote(q))
		require.Equal(t, []int{2, 4, 6}, s.numbers(t, e.ID))
		require.Equal(t, export.SourceList, e.Source)
		require.Equal(t, l.ID, s.get(t, e).List)
	})
}

func TestExportDefaultsToTheFormatOfItsQuote(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 10)
	r := between(1, 3)
	r.Format, r.Options = format.CSV, format.Options{BOM: true}
	q := s.quote(t, r)
	require.True(t, s.buy(t, fromQuote(q)).Options.BOM)
	other := fromQuote(q)
	other.Format = format.JSON
	e := s.buy(t, other)
	require.Equal(t, format.JSON, e.Format)
	require.False(t, e.Options.BOM)
}

func TestOptionsSentWithAQuoteReplaceItsOptions(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 10)
	r := between(1, 3)
	r.Format, r.Options = format.CSV, format.Options{Compression: format.Zstd, Columns: []string{"id"}}
	q := s.quote(t, r)
	buy := func(f format.Format, o format.Options) export.Export {
		b := fromQuote(q)
		b.Format, b.Options = f, o
		return s.buy(t, b)
	}
	require.Equal(t, r.Options, buy("", format.Options{}).Options)
	require.Equal(t, format.Options{Columns: []string{"id"}, Headers: format.HeadersLabel, BOM: true},
		buy("", format.Options{Compression: format.None, Headers: format.HeadersLabel, BOM: true}).Options)
	require.Equal(t, format.Options{Columns: []string{"name"}, Compression: format.Gzip},
		buy("", format.Options{Compression: format.Gzip, Columns: []string{"name"}}).Options)
	require.Equal(t, format.Options{Columns: []string{"id"}}, buy(format.Parquet, format.Options{}).Options, "a format replaces all but the columns")
}

func TestOptionsThatDoNotFitTheFormatAreRefusedAndChargeNothing(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 10)
	plain := s.quote(t, between(1, 3)) // of a JSON file
	for name, test := range map[string]struct {
		change func(*export.Request)
		field  string
	}{
		"compression": {func(r *export.Request) { r.Format, r.Options.Compression = format.Parquet, format.Gzip }, "compression"},
		"header_row":  {func(r *export.Request) { r.Format, r.Options.Headers = format.NDJSON, format.HeadersLabel }, "header_row"},
		"csv options": {func(r *export.Request) { r.Format, r.Options.BOM = format.XLSX, true }, "csv_options"},
	} {
		r := between(1, 3)
		test.change(&r)
		_, err := s.Quote(t.Context(), s.caller, r)
		require.Equal(t, test.field, fault.Fields(err)[0].Field, name)
		_, _, err = s.Create(t.Context(), s.caller, r)
		require.Equal(t, test.field, fault.Fields(err)[0].Field, name)
		r = fromQuote(plain)
		test.change(&r)
		_, _, err = s.Create(t.Context(), s.caller, r)
		require.Equal(t, test.field, fault.Fields(err)[0].Field, name)
	}
	r := fromQuote(plain)
	r.Options.BOM = true // the quote's format is JSON
	_, _, err := s.Create(t.Context(), s.caller, r)
	require.Equal(t, "csv_options", fault.Fields(err)[0].Field)
	require.Equal(t, int64(10), s.balance(t))
}

func TestQuoteKeepsItsTerms(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 40, 30)
		s.buy(t, between(11, 20))

		partial := s.quote(t, withTerms(between(1, 40), export.Terms{Partial: true}))
		require.Equal(t, int64(20), partial.Figures.Cost)
		require.Equal(t, 10, partial.Figures.WouldSkip)
		fresh := s.quote(t, withTerms(between(15, 25), export.Terms{OnlyNew: true}))
		capped := s.quote(t, withTerms(between(1, 40), export.Terms{MaxCredits: credits(25)}))
		require.False(t, capped.Affordable)
		before := s.counts(t)

		s.grant(t, -1)
		_, _, err := s.Create(t.Context(), s.caller, fromQuote(partial))
		require.Equal(t, fault.InsufficientBalance, fault.CodeOf(err), "either exactly the quoted companies are bought or nothing")
		require.Equal(t, 11, detailsOf(t, err)["would_skip"])
		s.grant(t, 100)
		_, _, err = s.Create(t.Context(), s.caller, fromQuote(capped))
		require.Equal(t, fault.MaxCreditsExceeded, fault.CodeOf(err))
		require.Equal(t, before["export"], s.counts(t)["export"])

		e := s.buy(t, fromQuote(partial))
		require.Equal(t, span(1, 30), s.numbers(t, e.ID), "not more than quoted, though the balance would now cover more")
		require.Equal(t, export.Figures{
			RequestedCount: 40, AlreadyUnlocked: 10, NewCount: 30, Cost: 20, CreditsCharged: 20, WouldSkip: 10, Balance: 119,
			TransactionID: e.Figures.TransactionID,
		}, e.Figures)
		require.Equal(t, e, s.get(t, e))

		e = s.buy(t, fromQuote(fresh))
		require.Equal(t, span(21, 25), s.numbers(t, e.ID), "companies bought after the quote are still delivered")
		require.Equal(t, 5, e.Figures.AlreadyUnlocked)
		e = s.buy(t, fromQuote(capped))
		require.Equal(t, int64(10), e.Figures.CreditsCharged, "the price is now within max_credits")
		s.runJobs(t, 4)
		s.auditClean(t)
	})
}

func TestColumnsComeFromTheRequestOrElseFromItsQuote(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 30)
		r := between(1, 5)
		r.Options.Columns = []string{"domain", "name"}
		q := s.quote(t, r)
		quoted, others := fromQuote(q), fromQuote(q)
		others.Format, others.Options.Columns = format.JSON, []string{"id"}
		reformatted := fromQuote(q)
		reformatted.Format = format.JSON
		for _, c := range []struct {
			request export.Request
			columns []string
		}{{r, r.Options.Columns}, {quoted, r.Options.Columns}, {reformatted, r.Options.Columns}, {others, []string{"id"}}} {
			e := s.buy(t, c.request)
			s.runJobs(t, 1)
			e = s.get(t, e)
			m, err := export.ParseManifest(bytes.NewReader(s.manifest(t, e)))
			require.NoError(t, err)
			require.Equal(t, c.columns, m.Columns)
			checks, err := m.Verify(bytes.NewReader(s.file(t, e)))
			require.NoError(t, err)
			for _, check := range checks {
				require.True(t, check.OK, "%+v", check)
			}
		}
		require.Equal(t, int64(25), s.balance(t))

		r.Options.Columns = []string{"name", "nmae", "name", "zzzzzzzzzzzzzz"}
		_, _, err := s.Create(t.Context(), s.caller, r)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		require.Equal(t, []string{"columns[1]", "columns[2]", "columns[3]"}, fieldsOf(t, err))
		s.auditClean(t)
	})
}

func TestQuoteWithNothingAffordableBuysNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 0)
		q := s.quote(t, withTerms(between(1, 5), export.Terms{Partial: true}))
		require.False(t, q.Affordable)
		s.grant(t, 100)
		_, _, err := s.Create(t.Context(), s.caller, fromQuote(q))
		require.Equal(t, fault.InsufficientBalance, fault.CodeOf(err))
		require.Equal(t, int64(100), s.balance(t))
	})
}

func TestQuoteOutdatedByARefundChargesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 60, 200)
		cancelled := s.buy(t, between(1, 30))
		q := s.quote(t, between(21, 60))
		require.Equal(t, int64(30), q.Figures.Cost)
		_, err := s.Cancel(t.Context(), s.caller, cancelled.ID)
		require.NoError(t, err)
		require.Equal(t, int64(200), s.balance(t))

		before := s.counts(t)
		_, _, err = s.Create(t.Context(), s.caller, fromQuote(q))
		require.Equal(t, fault.QuoteOutdated, fault.CodeOf(err), "%v", err)
		require.Equal(t, map[string]any{"cost": int64(40), "quoted_cost": int64(30)}, detailsOf(t, err))
		require.Equal(t, before, s.counts(t))
		require.Equal(t, int64(200), s.balance(t))
		require.True(t, s.owned(t).IsEmpty())

		e := s.buy(t, fromQuote(s.quote(t, between(21, 60))))
		require.Equal(t, int64(40), e.Figures.CreditsCharged)
		s.auditClean(t)
	})
}

func TestOnlyUnexpiredQuotesOfTheWorkspaceAreAccepted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 10)
		mine := s.quote(t, between(1, 5))
		stranger := s.customer(t, 10)
		before := s.counts(t)
		_, _, err := s.Create(t.Context(), stranger, fromQuote(mine))
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, _, err = s.Create(t.Context(), s.caller, fromQuote(export.Quote{ID: id.New[id.Quote]()}))
		require.Equal(t, fault.NotFound, fault.CodeOf(err))

		expire := func(ago time.Duration) {
			s.exec(t, `UPDATE quote SET expires_at = $2 WHERE id = $1`, mine.ID, db.Time(time.Now().Add(-ago)))
		}
		refused := func(want fault.Code) {
			t.Helper()
			require.NoError(t, s.PruneQuotes(t.Context()))
			_, _, err := s.Create(t.Context(), s.caller, fromQuote(mine))
			require.Equal(t, want, fault.CodeOf(err), "%v", err)
		}
		living := s.quote(t, between(1, 5))
		expire(0)
		refused(fault.QuoteExpired)
		expire(time.Hour)
		refused(fault.QuoteExpired)
		expire(8 * 24 * time.Hour)
		refused(fault.NotFound)
		require.Equal(t, before, s.counts(t))
		s.buy(t, fromQuote(living))
		s.auditClean(t)
	})
}

func TestExpiredQuotesAreDeletedInBatches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 3, 3)
		living := s.quote(t, between(1, 3))
		old := s.quote(t, between(1, 3))
		s.exec(t, `UPDATE quote SET expires_at = $2 WHERE id = $1`, old.ID, db.Time(time.Now().Add(-8*24*time.Hour)))
		for range 250 { // more than one batch
			copied := id.New[id.Quote]()
			s.exec(t, `INSERT INTO quote (id, workspace_id, token_id, source_type, list_id, filters, sort, terms, format,
				options, requested_count, capped, cost, companies, created_at, expires_at) SELECT $1, workspace_id, token_id, source_type, list_id, filters, sort, terms, format,
				options, requested_count, capped, cost, companies, created_at, expires_at FROM quote WHERE id = $2`, copied, old.ID)
		}
		require.NoError(t, s.PruneQuotes(t.Context()))
		var left int
		require.NoError(t, s.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM quote`).Scan(&left))
		require.Equal(t, 1, left)
		s.buy(t, fromQuote(living))
	})
}

func TestOnlyNameAndFormatMayAccompanyAQuote(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 10, 10)
	q := s.quote(t, between(1, 5))
	for name, change := range map[string]func(*export.Request){
		"source":  func(r *export.Request) { r.Source = export.SourceSearch },
		"filters": func(r *export.Request) { r.Filters = []byte(`{}`) },
		"list":    func(r *export.Request) { r.List = id.New[id.List]() },
		"query":   func(r *export.Request) { r.Query = query.Query{Root: query.And{}} },
		"limit":   func(r *export.Request) { r.Terms.Limit = 5 },
		"terms":   func(r *export.Request) { r.Terms.Partial = true },
		"credits": func(r *export.Request) { r.Terms.MaxCredits = credits(5) },
	} {
		t.Run(name, func(t *testing.T) {
			r := fromQuote(q)
			change(&r)
			_, _, err := s.Create(t.Context(), s.caller, r)
			require.Equal(t, []string{"quote_id"}, fieldsOf(t, err))
		})
	}
	_, err := s.Quote(t.Context(), s.caller, fromQuote(q))
	require.Equal(t, []string{"quote_id"}, fieldsOf(t, err))
	nameless := fromQuote(q)
	nameless.Name, nameless.Format = "", "xls"
	_, _, err = s.Create(t.Context(), s.caller, nameless)
	require.Equal(t, []string{"name", "export_format"}, fieldsOf(t, err))
	require.Zero(t, s.counts(t)["export"])
}

func TestQuoteNeverCostsMoreThanQuotedWhileOthersBuy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 1_000)
		q := s.quote(t, between(51, 150))
		processes := []*export.Exports{s.Exports, s.another(), s.another()}
		var mu sync.Mutex
		var wg sync.WaitGroup
		var byQuote, byOthers int64
		var made []id.Export
		buy := func(x *export.Exports, r export.Request, charged *int64) {
			e, f, err := x.Create(t.Context(), s.caller, r)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			*charged += f.CreditsCharged
			if !r.Quote.IsZero() {
				made = append(made, e.ID)
			}
		}
		for i := range 30 {
			x := processes[i%len(processes)]
			wg.Go(func() {
				if i%3 == 0 {
					buy(x, fromQuote(q), &byQuote)
					return
				}
				low := int64(1 + 6*i)
				buy(x, between(low, low+20), &byOthers)
			})
		}
		wg.Wait()
		require.Len(t, made, 10)
		for _, e := range made {
			require.Equal(t, span(51, 150), s.numbers(t, e))
		}
		require.LessOrEqual(t, byQuote, q.Figures.Cost)
		require.Equal(t, int64(s.owned(t).Len()), byQuote+byOthers)
		require.Equal(t, 1_000-byQuote-byOthers, s.balance(t))
		s.auditClean(t)
	})
}

func TestQuoteIsRolledBackIfItsLastStepFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 5)
		crash := errors.New("crash")
		var seen export.Quote
		_, err := s.Quote(t.Context(), s.caller, between(1, 5), func(_ context.Context, _ *db.Tx, q export.Quote) error {
			seen = q
			return crash
		})
		require.ErrorIs(t, err, crash)
		require.Equal(t, int64(5), seen.Figures.Cost)
		_, _, err = s.Create(t.Context(), s.caller, fromQuote(seen))
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

func TestAuditFindsAnInconsistentQuote(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 5)
		q := s.quote(t, between(1, 5))
		s.buy(t, fromQuote(q))
		s.auditClean(t)
		s.exec(t, `UPDATE quote SET cost = 4, companies = $1`, []byte("0123"))
		findings, err := s.AuditBooks(t.Context())
		require.NoError(t, err)
		require.Len(t, findings, 2)
		require.Contains(t, findings[0].Problem, "quoted for 4 credits and charged 5")
		require.Contains(t, findings[1].Problem, "its companies differ from those of its quote")
	})
}

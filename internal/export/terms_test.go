package export_test

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// withTerms returns the request with the terms.
func withTerms(r export.Request, t export.Terms) export.Request {
	r.Terms = t
	return r
}

func credits(n int64) *int64 { return &n }

// numbers returns the companies of the export in the order of its file. A company's number is its number of employees.
func (s *fixture) numbers(t *testing.T, e id.Export) []int {
	t.Helper()
	var packed []byte
	const q = `SELECT companies FROM export_selection WHERE export_id = $1`
	require.NoError(t, s.db.Read().QueryRowContext(t.Context(), q, e).Scan(&packed))
	var all []int
	for ; len(packed) > 0; packed = packed[4:] {
		all = append(all, int(binary.LittleEndian.Uint32(packed)))
	}
	return all
}

func span(low, high int) []int {
	var all []int
	for n := low; n <= high; n++ {
		all = append(all, n)
	}
	return all
}

// termsCase is a purchase of companies 1 to 40, smallest first, by a workspace that already owns 11 to 20.
type termsCase struct {
	balance int64
	terms   export.Terms
	want    export.Figures
	rows    []int
	refused fault.Code
}

func figures(requested, already, fresh, skip, cost int) export.Figures {
	return export.Figures{
		RequestedCount: requested, AlreadyUnlocked: already, NewCount: fresh, WouldSkip: skip,
		Cost: int64(cost), CreditsCharged: int64(cost),
	}
}

func TestWhatIsOnTheExcludedListIsNotSold(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 40, 100)
	s.buy(t, between(11, 20))
	l, err := s.lists.Create(t.Context(), s.caller.Workspace, "Excluded")
	require.NoError(t, err)
	_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(1, 2, 11, 39))
	require.NoError(t, err)
	for _, test := range []struct {
		name  string
		terms export.Terms
		want  []int
	}{
		{"only owned", export.Terms{NotOn: l.ID, OnlyOwned: true}, span(12, 20)},
		{"all", export.Terms{NotOn: l.ID, Limit: 3}, span(3, 5)},
		{"only new", export.Terms{NotOn: l.ID, OnlyNew: true}, append(append(span(6, 10), span(21, 38)...), 40)},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := s.buy(t, withTerms(between(1, 40), test.terms))
			require.Equal(t, test.want, s.numbers(t, e.ID))
		})
	}
	require.NoError(t, s.lists.Delete(t.Context(), s.caller.Workspace, l.ID))
	_, _, err = s.Create(t.Context(), s.caller, withTerms(between(1, 40), export.Terms{NotOn: l.ID}))
	require.Equal(t, fault.NotFound, fault.CodeOf(err), "a deleted list excludes nothing in silence")
}

// The cases are the worked examples of docs/exports.md, and those listed here.
func TestTermsMatchTheWorkedExamplesOfTheDocs(t *testing.T) {
	t.Parallel()
	cases := workedExamples(t)
	maps.Copy(cases, map[string]termsCase{
		"exact balance":       {30, export.Terms{}, figures(40, 10, 30, 0, 30), span(1, 40), ""},
		"limit above matches": {100, export.Terms{Limit: 500}, figures(40, 10, 30, 0, 30), span(1, 40), ""},
		"partial, covered":    {30, export.Terms{Partial: true}, figures(40, 10, 30, 0, 30), span(1, 40), ""},
		"exact max_credits":   {100, export.Terms{MaxCredits: credits(30)}, figures(40, 10, 30, 0, 30), span(1, 40), ""},
		"max_credits first":   {5, export.Terms{MaxCredits: credits(9)}, figures(40, 10, 30, 25, 0), nil, fault.MaxCreditsExceeded},
		"max 0, partial":      {9, export.Terms{Partial: true, MaxCredits: credits(0)}, figures(40, 10, 30, 30, 0), span(11, 20), ""},
		"few of the owned":    {0, export.Terms{OnlyOwned: true, Limit: 3}, figures(3, 3, 0, 0, 0), span(11, 13), ""},
		"max 0, only new": {
			9,
			export.Terms{Partial: true, OnlyNew: true, MaxCredits: credits(0)},
			figures(30, 0, 30, 30, 0), nil,
			fault.MaxCreditsExceeded,
		},
	})
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 40, 0)
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				s.caller = s.customer(t, test.balance+10)
				s.buy(t, between(11, 20))
				before := s.counts(t)
				r := withTerms(between(1, 40), test.terms)
				test.want.Balance = test.balance

				q := s.quote(t, r)
				require.Equal(t, test.refused == "", q.Affordable)
				quoted := test.want
				quoted.CreditsCharged = 0
				if test.refused == "" {
					require.Equal(t, quoted, q.Figures)
				}

				e, got, err := s.Create(t.Context(), s.caller, r)
				if test.refused != "" {
					require.Equal(t, test.refused, fault.CodeOf(err), "%v", err)
					require.Subset(t, detailsOf(t, err), map[string]any{
						"balance": test.balance, "requested_count": test.want.RequestedCount,
						"already_unlocked": test.want.AlreadyUnlocked, "new_count": test.want.NewCount, "would_skip": test.want.WouldSkip,
					})
					require.Equal(t, before, s.counts(t))
					return
				}
				require.NoError(t, err)
				got.TransactionID = id.Entry{}
				require.Equal(t, test.want, got)
				require.Equal(t, test.rows, s.numbers(t, e.ID))
				require.Len(t, test.rows, got.Rows())
				require.Equal(t, test.terms, s.get(t, e).Terms)
				require.Equal(t, test.balance-got.CreditsCharged, s.balance(t))
			})
		}
		s.auditClean(t)
	})
}

// workedExamples reads the table of docs/exports.md, whose columns are balance, options, requested, owned, new, skipped,
// charged, and rows or the refusal.
func workedExamples(t *testing.T) map[string]termsCase {
	t.Helper()
	text, err := os.ReadFile("../../docs/exports.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "## Worked examples")
	cases := map[string]termsCase{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), " |")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], "| `")
		}
		balance, err := strconv.ParseInt(cells[0], 10, 64)
		if err != nil || len(cells) < 8 {
			continue
		}
		var n [5]int // requested, owned, new, skip, charged
		for i := range n {
			n[i], _ = strconv.Atoi(cells[2+i]) // the cell "charged" of a refusal is empty, which is 0
		}
		example := termsCase{balance: balance, terms: termsOf(t, cells[1]), want: figures(n[0], n[1], n[2], n[3], n[4])}
		if code, refused := strings.CutPrefix(cells[7], "402 `"); refused {
			example.refused = fault.Code(code)
		} else {
			example.rows = spansOf(t, cells[7])
		}
		cases[strings.Join(cells, " | ")] = example
	}
	require.Len(t, cases, 15, "worked examples in docs/exports.md")
	return cases
}

func termsOf(t *testing.T, cell string) (terms export.Terms) {
	t.Helper()
	for option := range strings.SplitSeq(strings.ReplaceAll(cell, "`", ""), ", ") {
		name, value, _ := strings.Cut(option, ": ")
		n, _ := strconv.Atoi(value)
		switch name {
		case "":
		case "limit":
			terms.Limit = n
		case "only_owned":
			terms.OnlyOwned = true
		case "only_new":
			terms.OnlyNew = true
		case "partial":
			terms.Partial = true
		case "max_credits":
			terms.MaxCredits = credits(int64(n))
		default:
			require.FailNow(t, "unknown option", option)
		}
	}
	return terms
}

func spansOf(t *testing.T, cell string) (rows []int) {
	t.Helper()
	for part := range strings.SplitSeq(strings.ReplaceAll(cell, " (owned)", ""), ", ") {
		from, to, _ := strings.Cut(part, "–")
		low, err := strconv.Atoi(from)
		require.NoError(t, err, cell)
		high, err := strconv.Atoi(to)
		require.NoError(t, err, cell)
		rows = append(rows, span(low, high)...)
	}
	return rows
}

func detailsOf(t *testing.T, err error) map[string]any {
	t.Helper()
	var refusal *fault.Error
	require.ErrorAs(t, err, &refusal)
	return refusal.Details
}

func TestOnlyNewIsRefusedIfEveryCompanyIsOwned(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 20, 20)
	s.buy(t, between(1, 20))
	r := withTerms(between(1, 20), export.Terms{OnlyNew: true})
	_, _, err := s.Create(t.Context(), s.caller, r)
	require.Equal(t, fault.NoCandidates, fault.CodeOf(err))
	_, err = s.Quote(t.Context(), s.caller, r)
	require.Equal(t, fault.NoCandidates, fault.CodeOf(err))
}

func TestTermsApplyToListsToo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 30, 100)
		s.buy(t, between(2, 5))
		l, err := s.lists.Create(t.Context(), s.caller.Workspace, "Mine")
		require.NoError(t, err)
		_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(1, 2, 3, 4, 5, 6, 7, 8))
		require.NoError(t, err)
		r := export.Request{Name: "Mine", Source: export.SourceList, List: l.ID}
		e := s.buy(t, withTerms(r, export.Terms{OnlyNew: true, Limit: 3}))
		require.Equal(t, []int{1, 6, 7}, s.numbers(t, e.ID))
		e = s.buy(t, withTerms(r, export.Terms{Limit: 3}))
		require.Equal(t, []int{1, 2, 3}, s.numbers(t, e.ID))
		s.auditClean(t)
	})
}

func TestTheCapIsReportedUnlessASmallerLimitWasRequested(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 10_030, 20_000)
	all := between(1, 10_030)
	for limit, capped := range map[int]bool{0: true, 10_000: true, 9_999: false} {
		q, err := s.Quote(t.Context(), s.caller, withTerms(all, export.Terms{Limit: limit}))
		require.NoError(t, err)
		require.Equal(t, capped, q.Figures.CappedAt10k, limit)
	}
	s.buy(t, between(1, 30))
	e := s.buy(t, withTerms(all, export.Terms{OnlyNew: true}))
	require.False(t, e.Figures.CappedAt10k, "owned companies are left out before the cap applies")
	require.Equal(t, 10_000, e.Figures.RequestedCount)
}

func TestImpossibleTermsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 10)
	for field, terms := range map[string][]export.Terms{
		"limit":       {{Limit: -1}, {Limit: 10_001}},
		"max_credits": {{MaxCredits: credits(-1)}},
	} {
		for _, bad := range terms {
			_, _, err := s.Create(t.Context(), s.caller, withTerms(between(1, 3), bad))
			require.Equal(t, []string{field}, fieldsOf(t, err))
			_, err = s.Quote(t.Context(), s.caller, withTerms(between(1, 3), bad))
			require.Equal(t, []string{field}, fieldsOf(t, err))
		}
	}
}

func TestARefusalCountsOneAndMany(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 1)
	_, _, err := s.Create(t.Context(), s.caller, withTerms(between(1, 1), export.Terms{MaxCredits: credits(0)}))
	require.ErrorContains(t, err, "The 1 new company costs more than the limit of 0. Nothing was charged.")
	_, _, err = s.Create(t.Context(), s.caller, withTerms(between(1, 3), export.Terms{MaxCredits: credits(2)}))
	require.ErrorContains(t, err, "The 3 new companies cost more than the limit of 2. Nothing was charged.")
	_, _, err = s.Create(t.Context(), s.caller, between(1, 3))
	require.ErrorContains(t, err, "The balance of 1 credit does not cover the 3 new companies. Nothing was charged.")
}

func fieldsOf(t *testing.T, err error) (fields []string) {
	t.Helper()
	require.Equal(t, fault.Validation, fault.CodeOf(err))
	for _, e := range fault.Fields(err) {
		fields = append(fields, e.Field)
	}
	return fields
}

// plainWorkspace is the simplest model of a workspace.
type plainWorkspace struct {
	owned   map[int]bool
	balance int64
}

// buy applies the rules of docs/exports.md row by row.
func (l *plainWorkspace) buy(rows []int, t export.Terms) (f export.Figures, kept []int, refused fault.Code) {
	f.Balance = l.balance
	fundsLeft := l.balance
	if t.MaxCredits != nil {
		fundsLeft = min(fundsLeft, *t.MaxCredits)
	}
	for _, n := range rows {
		if t.OnlyNew && l.owned[n] || t.Limit > 0 && f.RequestedCount == t.Limit {
			continue
		}
		f.RequestedCount++
		if l.owned[n] {
			f.AlreadyUnlocked++
			kept = append(kept, n)
			continue
		}
		f.NewCount++
		if fundsLeft == 0 {
			f.WouldSkip++
			continue
		}
		fundsLeft--
		f.Cost++
		kept = append(kept, n)
	}
	switch {
	case f.RequestedCount == 0:
		return f, nil, fault.NoCandidates
	case t.Partial && len(kept) > 0, f.WouldSkip == 0:
	case t.MaxCredits != nil && (!t.Partial && int64(f.NewCount) > *t.MaxCredits || *t.MaxCredits == 0):
		return f, nil, fault.MaxCreditsExceeded
	default:
		return f, nil, fault.InsufficientBalance
	}
	for _, n := range kept {
		l.owned[n] = true
	}
	l.balance -= f.Cost
	f.CreditsCharged = f.Cost
	return f, kept, ""
}

const soldMax = 60

func anyTerms() *rapid.Generator[export.Terms] {
	return rapid.Custom(func(t *rapid.T) export.Terms {
		terms := export.Terms{OnlyNew: rapid.Bool().Draw(t, "only new"), Partial: rapid.IntRange(0, 3).Draw(t, "partial") > 0}
		if rapid.Bool().Draw(t, "limited") {
			terms.Limit = rapid.IntRange(1, soldMax).Draw(t, "limit")
		}
		if rapid.Bool().Draw(t, "bounded") {
			terms.MaxCredits = credits(rapid.Int64Range(0, soldMax).Draw(t, "max credits"))
		}
		return terms
	})
}

func TestPurchasesMatchAPlainModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, soldMax, 0)
		effort.Check(t, 40, func(rt *rapid.T) {
			plain := plainWorkspace{owned: map[int]bool{}, balance: rapid.Int64Range(0, 2*soldMax).Draw(rt, "credits")}
			caller := s.customer(t, plain.balance)
			for range rapid.IntRange(1, 5).Draw(rt, "purchases") {
				low := rapid.IntRange(1, soldMax).Draw(rt, "low")
				high := rapid.IntRange(low, soldMax).Draw(rt, "high")
				rows, r := span(low, high), between(int64(low), int64(high))
				if r.Sort.Desc = rapid.Bool().Draw(rt, "descending"); r.Sort.Desc {
					slices.Reverse(rows)
				}
				r.Terms = anyTerms().Draw(rt, "terms")
				want, kept, refused := plain.buy(rows, r.Terms)
				e, got, err := create(t.Context(), s, caller, r, rapid.Bool().Draw(rt, "quoted"))
				if refused != "" {
					require.Equal(rt, refused, fault.CodeOf(err), "%v", err)
					continue
				}
				require.NoError(rt, err)
				got.TransactionID = id.Entry{}
				require.Empty(rt, cmp.Diff(want, got))
				require.Equal(rt, kept, s.numbers(t, e.ID))
			}
			balance, err := s.credit.Balance(t.Context(), caller.Workspace)
			require.NoError(rt, err)
			require.Equal(rt, plain.balance, balance)
			owned, err := s.unlock.Owned(t.Context(), caller.Workspace)
			require.NoError(rt, err)
			require.Equal(rt, len(plain.owned), owned.Len())
			for n := range owned.All() {
				require.True(rt, plain.owned[int(n)], n)
			}
		})
		s.auditClean(t)
	})
}

// create creates the export, with a quote first if quoted. While nobody else buys, the outcome must be the same.
func create(
	ctx context.Context, s *fixture, caller auth.Caller, r export.Request, quoted bool,
) (export.Export, export.Figures, error) {
	if !quoted {
		return s.Create(ctx, caller, r)
	}
	q, err := s.Quote(ctx, caller, r)
	if err != nil {
		return export.Export{}, export.Figures{}, err
	}
	e, f, err := s.Create(ctx, caller, export.Request{Name: r.Name, Quote: q.ID})
	if (err == nil) != q.Affordable {
		return e, f, errors.Join(err, errors.New("the outcome differs from the quote"))
	}
	return e, f, err
}

func TestConcurrentPartialCreatesNeverOverdraw(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 300, 120)
		processes := []*export.Exports{s.Exports, s.another(), s.another()}
		var mu sync.Mutex
		var wg sync.WaitGroup
		var charged int64
		var made []id.Export
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 50 {
			low := int64(1 + r.IntN(250))
			request := withTerms(between(low, low+49), export.Terms{Partial: true})
			wg.Go(func() {
				e, f, err := processes[i%len(processes)].Create(t.Context(), s.caller, request)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					charged += f.CreditsCharged
					made = append(made, e.ID)
				case fault.CodeOf(err) != fault.InsufficientBalance:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		delivered := map[int]bool{}
		for _, e := range made {
			for _, n := range s.numbers(t, e) {
				delivered[n] = true
			}
		}
		require.Len(t, delivered, int(charged), "one credit for each company")
		require.Len(t, delivered, s.owned(t).Len())
		require.Zero(t, s.balance(t), "more companies were requested than the credits pay for, so all credits are spent")
		require.Equal(t, int64(120), charged)
		s.runJobs(t, len(made))
		s.auditClean(t)
	})
}

func TestConcurrentOnlyNewCreatesDeliverNoCompanyTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 1_000)
		processes := []*export.Exports{s.Exports, s.another()}
		var mu sync.Mutex
		var wg sync.WaitGroup
		var made []export.Export
		for i := range 20 {
			low := int64(1 + 7*i)
			wg.Go(func() {
				request := withTerms(between(low, low+50), export.Terms{OnlyNew: true, Limit: 20})
				e, f, err := processes[i%2].Create(t.Context(), s.caller, request)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && f.AlreadyUnlocked == 0:
					made = append(made, e)
				case err == nil:
					t.Errorf("only_new delivered %d owned companies", f.AlreadyUnlocked)
				case fault.CodeOf(err) != fault.NoCandidates:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen := map[int]bool{}
		for _, e := range made {
			for _, n := range s.numbers(t, e.ID) {
				require.False(t, seen[n], "%d was delivered twice", n)
				seen[n] = true
			}
		}
		require.Equal(t, int64(1_000-len(seen)), s.balance(t))
		s.auditClean(t)
	})
}

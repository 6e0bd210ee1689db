package unlock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/testkit/effort"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/workspace"
)

// shop is a workspace that buys companies, the way an export does.
type shop struct {
	db      *db.DB
	credit  *credit.Store
	unlocks *unlock.Store
	ws      id.Workspace
}

func open(t testing.TB, d *db.DB, credits int64, o unlock.Options) shop {
	t.Helper()
	s := shop{db: d, credit: credit.New(d), unlocks: unlock.New(d, o)}
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		w, err := workspace.New(d).Create(t.Context(), tx, "Acme")
		if err != nil {
			return err
		}
		s.ws = w.ID
		if err := s.credit.Open(t.Context(), tx, s.ws); err != nil {
			return err
		}
		_, err = s.credit.Grant(t.Context(), tx, s.ws, credit.Grant{Amount: credits, Actor: credit.ActorSystem})
		return err
	}))
	return s
}

// withStore is the same shop in another process.
func (s shop) withStore(o unlock.Options) shop {
	s.unlocks = unlock.New(s.db, o)
	return s
}

// buy unlocks and charges in one transaction, and returns what was new.
func (s shop) buy(ctx context.Context, export id.Export, selected company.Set) (fresh company.Set, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		fresh, err = s.buyIn(ctx, tx, export, selected)
		return err
	})
	return fresh, err
}

func (s shop) buyIn(ctx context.Context, tx *db.Tx, export id.Export, selected company.Set) (company.Set, error) {
	if _, err := s.credit.Lock(ctx, tx, s.ws); err != nil {
		return company.Set{}, err
	}
	fresh, err := s.unlocks.Add(ctx, tx, s.ws, export, selected)
	if err != nil || fresh.IsEmpty() {
		return fresh, err
	}
	_, err = s.credit.Charge(ctx, tx, s.ws, int64(fresh.Len()), fmt.Sprintf("export:%s:create", export), "token:t")
	return fresh, err
}

// refund takes companies back and refunds them in one transaction.
func (s shop) refund(ctx context.Context, export id.Export, companies company.Set) (taken company.Set, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.credit.Lock(ctx, tx, s.ws); err != nil {
			return err
		}
		if taken, err = s.unlocks.Remove(ctx, tx, s.ws, export, companies); err != nil || taken.IsEmpty() {
			return err
		}
		_, err = s.credit.Refund(ctx, tx, s.ws, int64(taken.Len()), fmt.Sprintf("export:%s:refund", export), credit.ActorSystem)
		return err
	})
	return taken, err
}

func (s shop) requireOwned(t require.TestingT, ctx context.Context, want company.Set) {
	got, err := s.unlocks.Owned(ctx, s.ws)
	require.NoError(t, err)
	require.True(t, want.Equal(got), "owned: %v, want: %v", got.Bitmap(), want.Bitmap())
}

func (s shop) requireClean(t require.TestingT, ctx context.Context) {
	require.Empty(t, s.findings(t, ctx))
	entries, err := s.credit.Audit(ctx)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// findings returns what the audit finds, and the exports that were charged for more or less than they have unlocked, both minus what
// was given back.
func (s shop) findings(t require.TestingT, ctx context.Context) []audit.Finding {
	unlocks, err := s.unlocks.Audit(ctx)
	require.NoError(t, err)
	charges, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (audit.Finding, error) {
		var ws id.Workspace
		var problem string
		err := row.Scan(&ws, &problem)
		return audit.Found("workspace", ws, problem), err
	}, `SELECT workspace_id, 'export ' || export_id || ' unlocked ' || SUM(unlocked) || ' and was charged ' || SUM(charged)
		FROM (
			SELECT workspace_id, export_id, change * size AS unlocked, 0 AS charged FROM unlock_delta
			UNION ALL
			SELECT workspace_id, substr(reference, 8, 36), 0, -amount FROM entry WHERE reference LIKE 'export:%'
		) t
		GROUP BY workspace_id, export_id HAVING SUM(unlocked) <> SUM(charged)`)
	require.NoError(t, err)
	return append(unlocks, charges...)
}

func export() id.Export { return id.New[id.Export]() }

// span is the companies from first to last.
func span(first, last company.Number) company.Set {
	var all []company.Number
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return company.SetOf(all...)
}

func TestCompanyIsUnlockedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1000, unlock.Options{})
		s.requireOwned(t, t.Context(), company.Set{})

		fresh, err := s.buy(t.Context(), export(), span(1, 100))
		require.NoError(t, err)
		require.Equal(t, 100, fresh.Len())

		fresh, err = s.buy(t.Context(), export(), span(51, 150))
		require.NoError(t, err)
		require.True(t, fresh.Equal(span(101, 150)))

		fresh, err = s.buy(t.Context(), export(), span(1, 150))
		require.NoError(t, err)
		require.True(t, fresh.IsEmpty())

		s.requireOwned(t, t.Context(), span(1, 150))
		s.requireClean(t, t.Context())
	})
}

func TestConcurrentPurchasesAreChargedForDistinctCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const credits = 100_000
		s := open(t, d, credits, unlock.Options{SnapshotEvery: 7})
		nodes := []shop{s, s.withStore(unlock.Options{SnapshotEvery: 7})}
		distinct := company.Set{}
		var wg sync.WaitGroup
		for n := range 50 {
			node := nodes[n%2]
			selected := random(rand.New(rand.NewPCG(1, uint64(n))), 200, 2000)
			distinct = distinct.Or(selected)
			wg.Go(func() {
				if _, err := node.buy(t.Context(), export(), selected); err != nil {
					t.Error(err)
				}
				if owned, err := node.unlocks.Owned(t.Context(), s.ws); err != nil || owned.AndLen(selected) != selected.Len() {
					t.Errorf("what was just bought is not owned: %v", err)
				}
				if err := node.unlocks.Snapshot(t.Context(), s.ws); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		balance, err := s.credit.Balance(t.Context(), s.ws)
		require.NoError(t, err)
		require.EqualValues(t, distinct.Len(), credits-balance)
		for _, node := range append(nodes, s.withStore(unlock.Options{})) {
			node.requireOwned(t, t.Context(), distinct)
			node.requireClean(t, t.Context())
		}
	})
}

// Each process has its own connections and its own sum in memory, and they do not communicate.
func TestTwoProcessesSellNothingTwice(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteFile, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := target(t)
			one := open(t, dbtest.Open(t, where), 10_000, unlock.Options{})
			two := shop{db: dbtest.Open(t, where), ws: one.ws}
			two.credit, two.unlocks = credit.New(two.db), unlock.New(two.db, unlock.Options{})
			var wg sync.WaitGroup
			for n := range 20 {
				from := company.Number(n)*50 + 1
				for _, s := range []shop{one, two} {
					wg.Go(func() {
						if _, err := s.buy(t.Context(), export(), span(from, from+99)); err != nil {
							t.Error(err)
						}
					})
				}
			}
			wg.Wait()
			for _, s := range []shop{one, two} {
				s.requireOwned(t, t.Context(), span(1, 1050))
				balance, err := s.credit.Balance(t.Context(), s.ws)
				require.NoError(t, err)
				require.EqualValues(t, 10_000-1050, balance)
				s.requireClean(t, t.Context())
			}
		})
	}
}

func TestConcurrentPurchasesNeverOverdraw(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const credits = 1000
		s := open(t, d, credits, unlock.Options{})
		var wg sync.WaitGroup
		for n := range 50 {
			wg.Go(func() {
				_, err := s.buy(t.Context(), export(), random(rand.New(rand.NewPCG(2, uint64(n))), 200, 5000))
				if err != nil && !errors.Is(err, fault.New(fault.InsufficientBalance, "")) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		balance, err := s.credit.Balance(t.Context(), s.ws)
		require.NoError(t, err)
		require.GreaterOrEqual(t, balance, int64(0))
		owned, err := s.unlocks.Owned(t.Context(), s.ws)
		require.NoError(t, err)
		require.EqualValues(t, owned.Len(), credits-balance)
		s.requireClean(t, t.Context())
	})
}

func TestRolledBackPurchaseLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1000, unlock.Options{})
		_, err := s.buy(t.Context(), export(), span(1, 10))
		require.NoError(t, err)

		crash := errors.New("crash")
		require.ErrorIs(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			for _, selected := range []company.Set{span(5, 20), span(15, 30)} {
				if _, err := s.buyIn(t.Context(), tx, export(), selected); err != nil {
					return err
				}
			}
			return crash
		}), crash)
		s.requireOwned(t, t.Context(), span(1, 10))

		fresh, err := s.buy(t.Context(), export(), span(5, 20))
		require.NoError(t, err)
		require.True(t, fresh.Equal(span(11, 20)))
		s.requireOwned(t, t.Context(), span(1, 20))
		s.requireClean(t, t.Context())
	})
}

func TestTransactionSeesItsOwnUnlocks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1000, unlock.Options{})
		first := export()
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			fresh, err := s.buyIn(t.Context(), tx, first, span(1, 20))
			require.NoError(t, err)
			require.Equal(t, 20, fresh.Len())
			fresh, err = s.buyIn(t.Context(), tx, export(), span(11, 30))
			require.NoError(t, err)
			require.True(t, fresh.Equal(span(21, 30)))
			taken, err := s.unlocks.Remove(t.Context(), tx, s.ws, first, span(1, 5))
			require.NoError(t, err)
			require.Equal(t, 5, taken.Len())
			_, err = s.credit.Refund(t.Context(), tx, s.ws, 5, "export:"+first.String()+":refund", credit.ActorSystem)
			return err
		}))
		s.requireOwned(t, t.Context(), span(6, 30))
		s.requireClean(t, t.Context())
	})
}

func TestForgottenLockIsAnErrorNotASecondCharge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1000, unlock.Options{})
		other := s.withStore(unlock.Options{})
		var wg sync.WaitGroup
		for n := range 20 {
			node := []shop{s, other}[n%2]
			wg.Go(func() {
				_ = d.Tx(t.Context(), func(tx *db.Tx) error {
					_, err := node.unlocks.Add(t.Context(), tx, s.ws, export(), span(1, 100))
					return err
				})
			})
		}
		wg.Wait()
		var deltas int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM unlock_delta`).Scan(&deltas))
		require.Equal(t, 1, deltas)
		s.requireOwned(t, t.Context(), span(1, 100))
		other.requireOwned(t, t.Context(), span(1, 100))
	})
}

func TestRemoveTakesBackOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1000, unlock.Options{})
		failed := export()
		_, err := s.buy(t.Context(), failed, span(1, 100))
		require.NoError(t, err)

		taken, err := s.refund(t.Context(), failed, span(41, 120))
		require.NoError(t, err)
		require.True(t, taken.Equal(span(41, 100)))
		taken, err = s.refund(t.Context(), failed, span(41, 120))
		require.NoError(t, err)
		require.True(t, taken.IsEmpty())
		s.requireOwned(t, t.Context(), span(1, 40))

		left, err := s.unlocks.ByExport(t.Context(), d.Read(), s.ws, failed)
		require.NoError(t, err)
		require.True(t, left.Equal(span(1, 40)))

		fresh, err := s.buy(t.Context(), export(), span(1, 100))
		require.NoError(t, err)
		require.True(t, fresh.Equal(span(41, 100)), "what was given back is charged again")
		s.requireClean(t, t.Context())
	})
}

func TestReturnedSetNeverChanges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1_000_000, unlock.Options{})
		var given, copies []company.Set
		r := rand.New(rand.NewPCG(3, 0))
		for range 30 {
			selected := random(r, 2000, 300_000)
			e := export()
			_, err := s.buy(t.Context(), e, selected)
			require.NoError(t, err)
			if r.IntN(3) == 0 {
				_, err = s.refund(t.Context(), e, random(r, 500, 300_000))
				require.NoError(t, err)
			}
			owned, err := s.unlocks.Owned(t.Context(), s.ws)
			require.NoError(t, err)
			given, copies = append(given, owned), append(copies, company.SetFrom(owned.Bitmap().Clone()))
		}
		for i := range given {
			require.True(t, given[i].Equal(copies[i]), "set %d", i)
		}
	})
}

func TestWorkspacesDoNotMix(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		// The cache cannot hold two sums, so each read starts from the database.
		store := unlock.New(d, unlock.Options{CacheBytesMax: 1, SnapshotEvery: 2})
		shops := make([]shop, 4)
		for i := range shops {
			shops[i] = open(t, d, 1000, unlock.Options{})
			shops[i].unlocks = store
		}
		for round := range company.Number(3) {
			for i, s := range shops {
				from := company.Number(i)*10 + round*100 + 1
				_, err := s.buy(t.Context(), export(), span(from, from+20))
				require.NoError(t, err)
				require.NoError(t, store.Snapshot(t.Context(), s.ws))
			}
		}
		for i, s := range shops {
			from := company.Number(i)*10 + 1
			s.requireOwned(t, t.Context(), span(from, from+20).Or(span(from+100, from+120)).Or(span(from+200, from+220)))
		}
		shops[0].requireClean(t, t.Context())
	})
}

func TestSnapshotWithLaterDeltasIsTheSumOfAll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1_000_000, unlock.Options{SnapshotEvery: 4})
		count := func(query string) (n int) {
			require.NoError(t, d.Read().QueryRowContext(t.Context(), query).Scan(&n))
			return n
		}
		var want company.Set
		for n := range company.Number(11) {
			selected := span(n*10+1, n*10+15)
			_, err := s.buy(t.Context(), export(), selected)
			require.NoError(t, err)
			require.NoError(t, s.unlocks.Snapshot(t.Context(), s.ws))
			want = want.Or(selected)
			s.withStore(unlock.Options{}).requireOwned(t, t.Context(), want)
		}
		require.Equal(t, 8, count(`SELECT seq FROM unlock_snapshot`))
		require.Equal(t, 11, count(`SELECT COUNT(*) FROM unlock_delta`))
		s.requireClean(t, t.Context())
	})
}

// Any interleaving of purchases, refunds, crashes, snapshots and restarts on two nodes ends in the same set as a plain
// map would, and in the sum that was charged for it.
func TestUnlocksBehaveLikeAMapOfCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := unlock.New(d, unlock.Options{SnapshotEvery: 3})
		effort.Check(t, 40, func(r *rapid.T) {
			s := open(t, d, 1_000_000, unlock.Options{})
			m := &model{ctx: t.Context(), nodes: []shop{s, s}, owned: map[company.Number]bool{}}
			m.nodes[0].unlocks = store
			for range rapid.IntRange(1, 12).Draw(r, "steps") {
				m.step(r)
			}
			m.check(r)
		})
	})
}

type model struct {
	ctx     context.Context
	nodes   []shop
	owned   map[company.Number]bool
	exports []id.Export
}

func (m *model) step(r *rapid.T) {
	node := rapid.IntRange(0, 1).Draw(r, "node")
	s := m.nodes[node]
	numbers := rapid.SliceOfN(rapid.Map(rapid.Uint32Range(1, 40), func(n uint32) company.Number {
		return company.Number(n * n * n * n) // some share a container, some do not
	}), 0, 15)
	switch rapid.IntRange(0, 5).Draw(r, "what") {
	case 0, 1:
		m.buy(r, s, numbers.Draw(r, "buy"))
	case 2:
		m.refund(r, s, numbers.Draw(r, "refund"))
	case 3:
		crash := errors.New("crash")
		require.ErrorIs(r, s.db.Tx(m.ctx, func(tx *db.Tx) error {
			_, err := s.buyIn(m.ctx, tx, export(), company.SetOf(numbers.Draw(r, "lost")...))
			return errors.Join(err, crash)
		}), crash)
	case 4:
		require.NoError(r, s.unlocks.Snapshot(m.ctx, s.ws))
	case 5:
		m.nodes[1] = s.withStore(unlock.Options{SnapshotEvery: 2})
	}
}

func (m *model) buy(r *rapid.T, s shop, numbers []company.Number) {
	e := export()
	fresh, err := s.buy(m.ctx, e, company.SetOf(numbers...))
	require.NoError(r, err)
	var want []company.Number
	for _, n := range numbers {
		if !m.owned[n] {
			want = append(want, n)
		}
		m.owned[n] = true
	}
	require.True(r, fresh.Equal(company.SetOf(want...)))
	if !fresh.IsEmpty() {
		m.exports = append(m.exports, e)
	}
}

func (m *model) refund(r *rapid.T, s shop, numbers []company.Number) {
	if len(m.exports) == 0 {
		return
	}
	e := m.exports[0]
	m.exports = m.exports[1:]
	charged, err := s.unlocks.ByExport(m.ctx, s.db.Read(), s.ws, e)
	require.NoError(r, err)
	want := charged.And(company.SetOf(numbers...))
	taken, err := s.refund(m.ctx, e, want)
	require.NoError(r, err)
	for n := range want.All() {
		if !m.owned[n] {
			want = want.Minus(company.SetOf(n))
		}
		delete(m.owned, n)
	}
	require.True(r, taken.Equal(want))
}

func (m *model) check(r *rapid.T) {
	var want []company.Number
	for n := range m.owned {
		want = append(want, n)
	}
	for _, s := range append(m.nodes, m.nodes[0].withStore(unlock.Options{})) {
		s.requireOwned(r, m.ctx, company.SetOf(want...))
	}
	balance, err := m.nodes[0].credit.Balance(m.ctx, m.nodes[0].ws)
	require.NoError(r, err)
	require.EqualValues(r, 1_000_000-len(want), balance)
	m.nodes[0].requireClean(r, m.ctx)
}

func TestAuditFindsInconsistencies(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a company unlocked twice":      `UPDATE unlock_delta SET companies = (SELECT companies FROM unlock_delta WHERE seq = 1) WHERE seq = 2`,
		"a size that is wrong":          `UPDATE unlock_delta SET size = size + 1 WHERE seq = 1`,
		"a delta that is gone":          `DELETE FROM unlock_delta WHERE seq = 1`,
		"a removal of what is not":      `UPDATE unlock_delta SET change = -1 WHERE seq = 1`,
		"a charge for nothing":          `UPDATE entry SET amount = amount - 1 WHERE seq = 2`,
		"an unlock that was never paid": `DELETE FROM entry WHERE seq = 2`,
		"a snapshot that is not a sum":  `UPDATE unlock_snapshot SET companies = (SELECT companies FROM unlock_delta WHERE seq = 1)`,
		"a snapshot out of nowhere":     `UPDATE unlock_snapshot SET seq = 9`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, 1000, unlock.Options{SnapshotEvery: 1})
				for _, selected := range []company.Set{span(1, 10), span(11, 20)} {
					_, err := s.buy(t.Context(), export(), selected)
					require.NoError(t, err)
				}
				require.NoError(t, s.unlocks.Snapshot(t.Context(), s.ws))
				s.requireClean(t, t.Context())
				require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
					_, err := tx.ExecContext(t.Context(), statement)
					return err
				}))
				findings := s.findings(t, t.Context())
				require.NotEmpty(t, findings)
				require.Equal(t, "workspace "+s.ws.String(), findings[0].Subject)
			})
		})
	}
}

func TestAuditReportsSetsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1000, unlock.Options{SnapshotEvery: 1})
		for _, selected := range []company.Set{span(1, 10), span(11, 20), span(21, 30)} {
			_, err := s.buy(t.Context(), export(), selected)
			require.NoError(t, err)
		}
		require.NoError(t, s.unlocks.Snapshot(t.Context(), s.ws))
		for statement, want := range map[string]string{
			`UPDATE unlock_snapshot SET companies = $1`:            "the snapshot cannot be read",
			`UPDATE unlock_delta SET companies = $1 WHERE seq = 2`: "delta 2: damaged set",
		} {
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), statement, []byte("no set"))
				return err
			}))
			require.Contains(t, fmt.Sprint(s.findings(t, t.Context())), want)
		}
	})
}

func random(r *rand.Rand, n int, below uint32) company.Set {
	numbers := make([]company.Number, n)
	for i := range numbers {
		numbers[i] = company.Number(r.Uint32N(below) + 1)
	}
	return company.SetOf(numbers...)
}

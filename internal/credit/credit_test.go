package credit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

const operator = "person:ada@example.com"

// ledger is a store with one workspace.
type ledger struct {
	*credit.Store
	db *db.DB
	ws id.Workspace
}

func open(t *testing.T, d *db.DB, credits int64) ledger {
	l := ledger{Store: credit.New(d), db: d}
	l.tx(t, func(ctx context.Context, tx *db.Tx) error {
		w, err := workspace.New(d).Create(ctx, tx, "Acme")
		if err != nil {
			return err
		}
		l.ws = w.ID
		return l.Open(ctx, tx, l.ws)
	})
	if credits > 0 {
		l.grant(t, credit.Grant{Amount: credits, Actor: operator})
	}
	return l
}

func (l ledger) tx(t *testing.T, fn func(context.Context, *db.Tx) error) {
	t.Helper()
	require.NoError(t, l.try(t.Context(), fn))
}

func (l ledger) try(ctx context.Context, fn func(context.Context, *db.Tx) error) error {
	return l.db.Tx(ctx, func(tx *db.Tx) error { return fn(ctx, tx) })
}

func (l ledger) grant(t *testing.T, g credit.Grant) {
	t.Helper()
	l.tx(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := l.Grant(ctx, tx, l.ws, g)
		return err
	})
}

func (l ledger) charge(ctx context.Context, amount int64, reference string) error {
	return l.try(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := l.Charge(ctx, tx, l.ws, amount, reference, "token:t")
		return err
	})
}

func (l ledger) balance(t *testing.T) int64 {
	t.Helper()
	n, err := l.Balance(t.Context(), l.ws)
	require.NoError(t, err)
	return n
}

func (l ledger) requireClean(t *testing.T) {
	t.Helper()
	findings, err := l.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, findings)
}

func TestLedgerExplainsTheBalance(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 0)
		l.tx(t, func(ctx context.Context, tx *db.Tx) error {
			_, grant := l.Grant(ctx, tx, l.ws, credit.Grant{Amount: 1000, Note: "welcome", Actor: operator})
			_, charge := l.Charge(ctx, tx, l.ws, 180, "export:x:create", "token:t")
			_, refund := l.Refund(ctx, tx, l.ws, 30, "export:x:refund", credit.ActorSystem)
			_, adjust := l.Grant(ctx, tx, l.ws, credit.Grant{Amount: -50, Reason: credit.ReasonAdjustment, Actor: operator})
			return errors.Join(grant, charge, refund, adjust)
		})
		got, err := l.Recent(t.Context(), l.ws, 20)
		require.NoError(t, err)
		for i := range got {
			require.False(t, got[i].ID.IsZero())
			require.False(t, got[i].CreatedAt.IsZero())
			got[i].ID, got[i].CreatedAt = id.Entry{}, db.FromTime(0)
		}
		want := []credit.Entry{
			{Seq: 4, Amount: -50, BalanceAfter: 800, Reason: credit.ReasonAdjustment, Actor: operator},
			{Seq: 3, Amount: 30, BalanceAfter: 850, Reason: credit.ReasonRefund, Reference: "export:x:refund", Actor: credit.ActorSystem},
			{Seq: 2, Amount: -180, BalanceAfter: 820, Reason: credit.ReasonCharge, Reference: "export:x:create", Actor: "token:t"},
			{Seq: 1, Amount: 1000, BalanceAfter: 1000, Reason: credit.ReasonGrant, Note: "welcome", Actor: operator},
		}
		for i := range want {
			want[i].Workspace, want[i].CreatedAt = l.ws, db.FromTime(0)
		}
		require.Empty(t, cmp.Diff(want, got))
		require.EqualValues(t, 800, l.balance(t))
		l.requireClean(t)
	})
}

func TestPagesShowEachEntryOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 0)
		for n := range int64(7) {
			l.grant(t, credit.Grant{Amount: n + 1, Actor: operator})
		}
		var amounts []int64
		for before := int64(0); ; {
			page, err := l.Page(t.Context(), l.ws, credit.Filter{}, before, 3)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				amounts = append(amounts, e.Amount)
			}
			before = page[len(page)-1].Seq
		}
		require.Equal(t, []int64{7, 6, 5, 4, 3, 2, 1}, amounts)
	})
}

func TestChargeBeyondTheBalanceChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 179)
		err := l.charge(t.Context(), 180, "export:x:create")
		var f *fault.Error
		require.ErrorAs(t, err, &f)
		require.Equal(t, fault.InsufficientBalance, f.Code)
		require.Equal(t, map[string]any{"balance": int64(179)}, f.Details)
		require.EqualValues(t, 179, l.balance(t))
		entries, err := l.Recent(t.Context(), l.ws, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.NoError(t, l.charge(t.Context(), 179, "export:x:create"))
		require.Zero(t, l.balance(t))
		l.requireClean(t)
	})
}

func TestChargesNeverOverdraw(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 1000)
		var mu sync.Mutex
		var spent int64
		var wg sync.WaitGroup
		for n := range 50 {
			wg.Go(func() {
				amount := rand.Int64N(60) + 1
				err := l.charge(t.Context(), amount, fmt.Sprintf("export:%d:create", n))
				if errors.Is(err, fault.New(fault.InsufficientBalance, "")) {
					return
				}
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				spent += amount
			})
		}
		wg.Wait()
		require.Equal(t, 1000-spent, l.balance(t))
		l.requireClean(t)
	})
}

func TestReferenceIsPaidOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 100)
		require.NoError(t, l.charge(t.Context(), 10, "export:x:create"))
		require.Error(t, l.charge(t.Context(), 10, "export:x:create"))
		refund := func(ctx context.Context, tx *db.Tx) error {
			_, err := l.Refund(ctx, tx, l.ws, 10, "export:x:refund", credit.ActorSystem)
			return err
		}
		require.NoError(t, l.try(t.Context(), refund))
		require.Error(t, l.try(t.Context(), refund))
		require.EqualValues(t, 100, l.balance(t))
		l.requireClean(t)
	})
}

func TestBadGrantsAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	for name, g := range map[string]credit.Grant{
		"nothing":                 {Amount: 0},
		"a grant that takes":      {Amount: -1},
		"a purchase that takes":   {Amount: -1, Reason: credit.ReasonPurchase},
		"a charge":                {Amount: 5, Reason: credit.ReasonCharge},
		"no such reason":          {Amount: 5, Reason: "gift"},
		"more than was left":      {Amount: -101, Reason: credit.ReasonAdjustment},
		"more than JSON can hold": {Amount: credit.BalanceMax},
		"the smallest integer":    {Amount: -1 << 63, Reason: credit.ReasonAdjustment},
		"the largest integer":     {Amount: 1<<63 - 1},
		"a note with a NUL":       {Amount: 5, Note: "a\x00b"},
		"a note that is too long": {Amount: 5, Note: string(make([]rune, 1001))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t, d, 100)
			err := l.try(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := l.Grant(ctx, tx, l.ws, g)
				return err
			})
			require.Equal(t, fault.Validation, fault.CodeOf(err), "%v", err)
			require.EqualValues(t, 100, l.balance(t))
		})
	}
}

func TestAccountIsNeededAndOpenedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 100)
		l.tx(t, func(ctx context.Context, tx *db.Tx) error { return l.Open(ctx, tx, l.ws) })
		require.EqualValues(t, 100, l.balance(t))

		l.ws = id.New[id.Workspace]()
		require.Equal(t, fault.NotFound, fault.CodeOf(l.charge(t.Context(), 1, "export:x:create")))
		_, err := l.Balance(t.Context(), l.ws)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

func TestAuditFindsTampering(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a raised balance":   `UPDATE account SET balance = balance + 1`,
		"a changed amount":   `UPDATE entry SET amount = amount - 1 WHERE seq = 2`,
		"a deleted entry":    `DELETE FROM entry WHERE seq = 2`,
		"the last one gone":  `DELETE FROM entry WHERE seq = 3`,
		"a charge that pays": `UPDATE entry SET reason = 'export_charge' WHERE seq = 1`,
		"a renumbered entry": `UPDATE entry SET seq = 9 WHERE seq = 3`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				l := open(t, d, 100)
				require.NoError(t, l.charge(t.Context(), 10, "export:x:create"))
				l.grant(t, credit.Grant{Amount: 5, Actor: operator})
				l.requireClean(t)
				l.tx(t, func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.ExecContext(ctx, statement)
					return err
				})
				findings, err := l.Audit(t.Context())
				require.NoError(t, err)
				require.NotEmpty(t, findings)
				require.Equal(t, "workspace "+l.ws.String(), findings[0].Subject)
			})
		})
	}
}

package credit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

func TestEntriesAreFoundByTimeAndReason(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 0)
		start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for n := range int64(6) {
			reason := credit.ReasonGrant
			if n%2 == 1 {
				reason = credit.ReasonPurchase
			}
			l.grant(t, credit.Grant{Amount: n + 1, Reason: reason})
			l.tx(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE entry SET created_at = $1 WHERE amount = $2`,
					db.Time(start.Add(time.Duration(n)*time.Hour)), n+1)
				return err
			})
		}
		at := func(hour int) time.Time { return start.Add(time.Duration(hour) * time.Hour) }
		for name, c := range map[string]struct {
			filter credit.Filter
			want   []int64
		}{
			"all":                     {credit.Filter{}, []int64{6, 5, 4, 3, 2, 1}},
			"from is in, to is out":   {credit.Filter{From: at(1), To: at(4)}, []int64{4, 3, 2}},
			"one reason":              {credit.Filter{Reason: credit.ReasonPurchase}, []int64{6, 4, 2}},
			"one reason from a while": {credit.Filter{From: at(2), Reason: credit.ReasonGrant}, []int64{5, 3}},
			"nothing":                 {credit.Filter{Reason: credit.ReasonRefund}, nil},
		} {
			var amounts []int64
			require.NoError(t, l.Each(t.Context(), l.ws, c.filter, func(e credit.Entry) error {
				amounts = append(amounts, e.Amount)
				return nil
			}))
			require.Equal(t, c.want, amounts, name)
		}
	})
}

func TestEachGoesThroughAnyNumberOfEntries(t *testing.T) {
	t.Parallel()
	l := open(t, dbtest.SQLite(t), 0)
	l.tx(t, func(ctx context.Context, tx *db.Tx) error {
		for range 2_300 {
			if _, err := l.Grant(ctx, tx, l.ws, credit.Grant{Amount: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	next := int64(2_300)
	require.NoError(t, l.Each(t.Context(), l.ws, credit.Filter{}, func(e credit.Entry) error {
		if e.Seq != next {
			return fmt.Errorf("entry %d in place of %d", e.Seq, next)
		}
		next--
		return nil
	}))
	require.Zero(t, next)
}

func TestEntriesNameTheirTokenAndExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 100)
		_, token, err := token.New(d, token.Options{}).Create(t.Context(), token.NewToken{Workspace: l.ws, Name: "laptop", Scope: auth.Read})
		require.NoError(t, err)
		export := id.New[id.Export]()
		l.tx(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := l.Charge(ctx, tx, l.ws, 1, fmt.Sprintf("export:%s:create", export), "token:"+token.ID.String())
			return err
		})
		entries, err := l.Recent(t.Context(), l.ws, 2)
		require.NoError(t, err)
		require.Equal(t, "laptop", entries[0].ActorName)
		require.Equal(t, export, entries[0].Export())
		require.Empty(t, entries[1].ActorName)
		require.True(t, entries[1].Export().IsZero())
		require.True(t, credit.Entry{Reference: "export:nonsense:create"}.Export().IsZero())
	})
}

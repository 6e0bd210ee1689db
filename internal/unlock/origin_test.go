package unlock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/unlock"
)

func TestOriginIsTheLastUnlockBeforeThePosition(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10_000, unlock.Options{})
		buy := func(first, last company.Number) id.Export {
			e := export()
			_, err := s.buy(t.Context(), e, span(first, last))
			require.NoError(t, err)
			return e
		}
		origins := func(seq int64, first, last company.Number) map[id.Export]company.Set {
			found, err := s.unlocks.Origins(t.Context(), s.ws, seq, span(first, last))
			require.NoError(t, err)
			out := map[id.Export]company.Set{}
			for _, c := range found {
				require.False(t, c.At.IsZero())
				out[c.Export] = out[c.Export].Or(c.Companies)
			}
			return out
		}
		same := func(want, got map[id.Export]company.Set) {
			require.Len(t, got, len(want))
			for e, set := range want {
				require.True(t, set.Equal(got[e]))
			}
		}
		a := buy(1, 10)                                  // 1
		b := buy(5, 20)                                  // 2
		_, err := s.refund(t.Context(), b, span(11, 20)) // 3
		require.NoError(t, err)                          //
		c := buy(11, 12)                                 // 4
		same(map[id.Export]company.Set{a: span(1, 10), b: span(11, 20)}, origins(2, 1, 20))
		same(map[id.Export]company.Set{a: span(3, 10), c: span(11, 12)}, origins(4, 3, 12))
		same(map[id.Export]company.Set{c: span(12, 12)}, origins(0, 12, 12))
		back, err := s.unlocks.GivenBack(t.Context(), s.ws, b)
		require.NoError(t, err)
		require.Len(t, back, 1)
		require.True(t, span(11, 20).Equal(back[0].Companies))

		for n := range company.Number(150) { // further back than one look
			buy(100+n, 100+n)
		}
		same(map[id.Export]company.Set{a: span(1, 10), c: span(11, 12)}, origins(0, 1, 12))
		require.Empty(t, origins(0, 5000, 5001))
	})
}

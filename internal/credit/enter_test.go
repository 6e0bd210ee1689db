package credit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
)

func TestGrantWhoseLastStepFailsIsNotEntered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, other := open(t, d, 10), open(t, d, 0)
		crash := errors.New("crash")
		_, err := l.Enter(t.Context(), l.ws, credit.Grant{Amount: 5, Actor: operator},
			func(context.Context, *db.Tx, credit.Entry) error { return crash })
		require.ErrorIs(t, err, crash)
		e, err := l.Enter(t.Context(), l.ws, credit.Grant{Amount: 7, Actor: operator})
		require.NoError(t, err)
		require.Equal(t, int64(17), e.BalanceAfter)
		balances, err := l.Balances(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[id.Workspace]int64{l.ws: 17, other.ws: 0}, balances)
	})
}

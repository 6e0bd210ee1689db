package postgres_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestATransactionThatIsIdleForLongEnds(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(dbtest.PostgresURL(t))
	require.NoError(t, err)
	q := u.Query()
	q.Del("options") // which give tests more time
	u.RawQuery = q.Encode()
	d := dbtest.Open(t, u.String())
	var limit string
	require.NoError(t, d.Read().QueryRowContext(t.Context(), "SHOW idle_in_transaction_session_timeout").Scan(&limit))
	require.Equal(t, "10s", limit)

	q.Set("idle_in_transaction_session_timeout", "500")
	u.RawQuery = q.Encode()
	lost := dbtest.Open(t, u.String()) // the setting of the URL holds
	locked, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- lost.Tx(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
			if _, err := tx.ExecContext(t.Context(), "LOCK TABLE workspace"); err != nil {
				return err
			}
			close(locked)
			time.Sleep(2 * time.Second) // it is cut off
			_, err := tx.ExecContext(t.Context(), "SELECT 1")
			return err
		})
	}()
	<-locked
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { // the others wait no longer
		_, err := tx.ExecContext(t.Context(), "LOCK TABLE workspace")
		return err
	}))
	select {
	case err := <-ended:
		t.Fatalf("the lock was free only when its holder had come back: %v", err)
	default:
	}
	err = <-ended
	require.Error(t, err)
	require.NotEmpty(t, d.Unavailable(err), "a request is answered with 503: %v", err)
}

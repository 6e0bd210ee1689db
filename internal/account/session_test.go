package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

func begin(t *testing.T, s *account.Sessions, secret string, who id.Person) {
	t.Helper()
	require.NoError(t, s.Create(t.Context(), secret, account.Session{
		Person: who, Data: []byte("data"), Address: "192.0.2.1", Agent: "Firefox", ExpiresAt: time.Now().Add(time.Hour),
	}))
}

func lives(t *testing.T, s *account.Sessions, secret string) bool {
	t.Helper()
	_, ok, err := s.Find(t.Context(), secret)
	require.NoError(t, err)
	return ok
}

func TestSessionIsFoundByItsSecretOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ann := account.NewSessions(d, account.SessionOptions{}), newPerson(t, d, "ann@example.com")
		begin(t, s, "secret", ann.ID)
		got, ok, err := s.Find(t.Context(), "secret")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, ann.ID, got.Person)
		require.Equal(t, "data", string(got.Data))
		require.False(t, lives(t, s, "Secret"))
		require.False(t, lives(t, s, ""))
		var kept []byte
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT hash FROM session`).Scan(&kept))
		require.Len(t, kept, 32)
		require.NotContains(t, string(kept), "secret")
	})
}

func TestSessionsExpireByAgeAndByIdleness(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ann := account.NewSessions(d, account.SessionOptions{IdleMax: time.Hour}), newPerson(t, d, "ann@example.com")
		set := func(column string, at time.Time) {
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE session SET `+column+` = $1`, db.Time(at))
				return err
			}))
		}
		begin(t, s, "secret", ann.ID)
		set("used_at", time.Now().Add(-59*time.Minute))
		require.True(t, lives(t, s, "secret"), "use makes it live on")
		all, err := s.List(t.Context(), ann.ID)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), all[0].UsedAt, time.Minute)

		set("used_at", time.Now().Add(-61*time.Minute))
		require.False(t, lives(t, s, "secret"))
		all, err = s.List(t.Context(), ann.ID)
		require.NoError(t, err)
		require.Empty(t, all)

		set("used_at", time.Now())
		require.True(t, lives(t, s, "secret"))
		require.NoError(t, s.Prune(t.Context()))
		require.True(t, lives(t, s, "secret"))
		set("expires_at", time.Now())
		require.False(t, lives(t, s, "secret"))
		require.NoError(t, s.Prune(t.Context()))
		set("expires_at", time.Now().Add(time.Hour))
		require.False(t, lives(t, s, "secret"), "it was forgotten")
	})
}

func TestEndedSessionStaysEnded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ann, bob := account.NewSessions(d, account.SessionOptions{}), newPerson(t, d, "ann@example.com"), newPerson(t, d, "bob@example.com")
		for _, secret := range []string{"one", "two", "three"} {
			begin(t, s, secret, ann.ID)
		}
		begin(t, s, "bob's", bob.ID)
		one, _, err := s.Find(t.Context(), "one")
		require.NoError(t, err)

		require.Equal(t, fault.NotFound, fault.CodeOf(s.End(t.Context(), bob.ID, one.ID)), "another's session is not theirs to end")
		require.True(t, lives(t, s, "one"))
		require.NoError(t, s.End(t.Context(), ann.ID, one.ID))
		// A request in flight stores its session when it answers; that must not revive it.
		require.NoError(t, s.Update(t.Context(), "one", ann.ID, []byte("more")))
		require.False(t, lives(t, s, "one"))

		two, _, err := s.Find(t.Context(), "two")
		require.NoError(t, err)
		require.NoError(t, s.EndOthers(t.Context(), ann.ID, two.ID))
		require.True(t, lives(t, s, "two"))
		require.False(t, lives(t, s, "three"))
		require.True(t, lives(t, s, "bob's"))
		require.NoError(t, s.Delete(t.Context(), "two"))
		require.False(t, lives(t, s, "two"))
	})
}

func TestAnyBrowserNameCanBeKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ann := account.NewSessions(d, account.SessionOptions{}), newPerson(t, d, "ann@example.com")
		require.NoError(t, s.Create(t.Context(), "secret", account.Session{
			Person: ann.ID, Data: []byte{}, Agent: "\xff" + strings.Repeat("ü", 500), ExpiresAt: time.Now().Add(time.Hour),
		}))
		got, _, err := s.Find(t.Context(), "secret")
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("ü", 200), got.Agent)
	})
}

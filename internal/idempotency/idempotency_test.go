package idempotency_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/workspace"
)

// shop is a store of answers with a table of purchases, in which requests leave a trace.
type shop struct {
	*idempotency.Store
	db *db.DB
	ws id.Workspace
}

func open(t *testing.T, d *db.DB) *shop {
	t.Helper()
	s := &shop{Store: idempotency.New(d, idempotency.Options{}), db: d}
	s.ws = s.workspace(t)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `CREATE TABLE purchase (what TEXT NOT NULL)`)
		return err
	}))
	return s
}

func (s *shop) workspace(t *testing.T) id.Workspace {
	t.Helper()
	var ws workspace.Workspace
	require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) (err error) {
		ws, err = workspace.New(s.db).Create(t.Context(), tx, "Test")
		return err
	}))
	return ws.ID
}

// on returns the same shop as another process would open it.
func (s *shop) on(d *db.DB) *shop { return &shop{idempotency.New(d, idempotency.Options{}), d, s.ws} }

func (s *shop) request(key, body string) idempotency.Request {
	return idempotency.Request{
		Workspace: s.ws, Key: key, Operation: "buy", SHA256: sha256.Sum256([]byte("buy " + body)), Status: 201,
	}
}

// buy makes a purchase and returns a unique answer.
func (s *shop) buy(ctx context.Context, r idempotency.Request, more ...db.Step[string]) (idempotency.Answer, error) {
	return s.Do(ctx, r, func(a *idempotency.Attempt) error { return s.act(ctx, a, more...) })
}

func (s *shop) act(ctx context.Context, a *idempotency.Attempt, more ...db.Step[string]) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		what := id.New[id.Export]().String()
		if _, err := tx.ExecContext(ctx, `INSERT INTO purchase (what) VALUES ($1)`, what); err != nil {
			return err
		}
		steps := append([]db.Step[string]{idempotency.Last(a, render)}, more...)
		return db.Then(ctx, tx, what, steps)
	})
}

func render(what string) ([]byte, error) { return fmt.Appendf(nil, `{"bought":%q}`, what), nil }

func (s *shop) count(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, s.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
	return n
}

func never(*idempotency.Attempt) error { return errors.New("acted again") }

func TestARetryGetsTheFirstAnswerAndChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		first, err := s.buy(t.Context(), s.request("k", "ten"))
		require.NoError(t, err)
		require.Equal(t, 201, first.Status)
		require.False(t, first.Replayed)
		for range 3 {
			again, err := s.on(d).Do(t.Context(), s.request("k", "ten"), never)
			require.NoError(t, err)
			require.Equal(t, idempotency.Answer{Status: 201, Body: first.Body, Replayed: true}, again)
		}
		require.Equal(t, 1, s.count(t, "purchase"))
	})
}

func TestAKeyBelongsToOneRequest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		_, err := s.buy(t.Context(), s.request("k", "ten"))
		require.NoError(t, err)
		_, err = s.Do(t.Context(), s.request("k", "eleven"), never)
		require.Equal(t, fault.IdempotencyKeyReused, fault.CodeOf(err))
		require.Equal(t, 1, s.count(t, "purchase"))
	})
}

func TestARetryIsAnsweredWhileAnotherRequestTriesItsKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var hold atomic.Bool
		held, goOn := make(chan struct{}), make(chan struct{})
		s := open(t, d.Guarded(func(p db.GuardPoint) error {
			if p == db.Read && hold.CompareAndSwap(true, false) {
				close(held)
				<-goOn
			}
			return nil
		}))
		first, err := s.buy(t.Context(), s.request("k", "ten"))
		require.NoError(t, err)
		hold.Store(true)
		other := make(chan error, 1)
		go func() {
			_, err := s.Do(t.Context(), s.request("k", "eleven"), never)
			other <- err
		}()
		<-held
		again, err := s.Do(t.Context(), s.request("k", "ten"), never)
		close(goOn)
		require.NoError(t, err)
		require.Equal(t, idempotency.Answer{Status: 201, Body: first.Body, Replayed: true}, again)
		require.Equal(t, fault.IdempotencyKeyReused, fault.CodeOf(<-other))
	})
}

func TestWorkspacesDoNotShareKeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		mine, err := s.buy(t.Context(), s.request("k", "ten"))
		require.NoError(t, err)
		s.ws = s.workspace(t)
		theirs, err := s.buy(t.Context(), s.request("k", "ten"))
		require.NoError(t, err)
		require.False(t, theirs.Replayed)
		require.NotEqual(t, mine.Body, theirs.Body)
	})
}

func TestWithoutAKeyNothingIsKept(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t))
	for range 2 {
		answer, err := s.buy(t.Context(), s.request("", "ten"))
		require.NoError(t, err)
		require.False(t, answer.Replayed)
		require.NotEmpty(t, answer.Body)
	}
	require.Equal(t, 2, s.count(t, "purchase"))
	require.Zero(t, s.count(t, "replay"))
}

func TestAFailureKeepsNothingSoThatARetryActsAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		poor := fault.New(fault.InsufficientBalance, "too little")
		refuse := func(context.Context, *db.Tx, string) error { return poor }
		for range 2 {
			_, err := s.buy(t.Context(), s.request("k", "ten"), refuse)
			require.ErrorIs(t, err, poor)
			require.Zero(t, s.count(t, "purchase"))
			require.Zero(t, s.count(t, "replay"))
		}
		answer, err := s.buy(t.Context(), s.request("k", "ten"))
		require.NoError(t, err)
		require.False(t, answer.Replayed)
	})
}

var errCrash = errors.New("the process crashes here")

func TestACrashAtAnyPointIsChargedOnce(t *testing.T) {
	t.Parallel()
	for point, crash := range map[string]struct {
		act  func(ctx context.Context, s *shop, a *idempotency.Attempt) error
		kept bool
	}{
		"before the work": {act: func(context.Context, *shop, *idempotency.Attempt) error { return errCrash }},
		"in the transaction, the answer not kept": {act: func(ctx context.Context, s *shop, _ *idempotency.Attempt) error {
			return s.db.Tx(ctx, func(tx *db.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO purchase (what) VALUES ('x')`)
				return errors.Join(err, errCrash)
			})
		}},
		"in the transaction, the answer kept": {act: func(ctx context.Context, s *shop, a *idempotency.Attempt) error {
			return s.act(ctx, a, func(context.Context, *db.Tx, string) error { return errCrash })
		}},
		"after the commit": {kept: true, act: func(ctx context.Context, s *shop, a *idempotency.Attempt) error {
			if err := s.act(ctx, a); err != nil {
				return err
			}
			panic(errCrash)
		}},
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d)
				func() {
					defer func() { _ = recover() }()
					_, err := s.Do(t.Context(), s.request("k", "ten"), func(a *idempotency.Attempt) error {
						return crash.act(t.Context(), s, a)
					})
					require.ErrorIs(t, err, errCrash)
				}()
				for i, s := range []*shop{s, s.on(d)} { // the same process, if it survives, and the next one
					answer, err := s.buy(t.Context(), s.request("k", "ten"))
					require.NoError(t, err)
					require.Equal(t, crash.kept || i > 0, answer.Replayed)
					require.Equal(t, 1, s.count(t, "purchase"))
				}
			})
		})
	}
}

func TestALostConfirmationOfTheCommitIsNoticed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		answer, err := s.Do(t.Context(), s.request("k", "ten"), func(a *idempotency.Attempt) error {
			return errors.Join(s.act(t.Context(), a), errCrash)
		})
		require.NoError(t, err)
		require.True(t, answer.Replayed)
		require.Equal(t, 1, s.count(t, "purchase"))
	})
}

// Several processes with several requests each, on one key.
func TestOfManyDuplicatesOneActs(t *testing.T) {
	t.Parallel()
	const processes, duplicates = 3, 8
	dbtest.EachShared(t, func(t *testing.T, handle func() *db.DB) {
		first := open(t, handle())
		var (
			mu     sync.Mutex
			bodies = map[string]int{}
			group  sync.WaitGroup
		)
		for range processes {
			s := first.on(handle())
			for range duplicates {
				group.Go(func() {
					answer, err := s.buy(t.Context(), s.request("k", "ten"))
					for fault.CodeOf(err) == fault.RequestInFlight {
						answer, err = s.buy(t.Context(), s.request("k", "ten"))
					}
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					bodies[string(answer.Body)]++
				})
			}
		}
		group.Wait()
		require.Len(t, bodies, 1)
		require.Equal(t, 1, first.count(t, "purchase"))
	})
}

func TestOfManyRequestsOneGetsTheKey(t *testing.T) {
	t.Parallel()
	const processes, each = 3, 5
	dbtest.EachShared(t, func(t *testing.T, handle func() *db.DB) {
		first := open(t, handle())
		codes := make(chan fault.Code, processes*each)
		var group sync.WaitGroup
		for p := range processes {
			s := first.on(handle())
			for i := range each {
				group.Go(func() {
					_, err := s.buy(t.Context(), s.request("k", fmt.Sprint(p, i)))
					if err == nil {
						codes <- "bought"
						return
					}
					codes <- fault.CodeOf(err)
				})
			}
		}
		group.Wait()
		close(codes)
		counts := map[fault.Code]int{}
		for code := range codes {
			counts[code]++
		}
		require.Equal(t, map[fault.Code]int{"bought": 1, fault.IdempotencyKeyReused: processes*each - 1}, counts)
		require.Equal(t, 1, first.count(t, "purchase"))
	})
}

// A node that finds nothing left to do, because a duplicate on another node has done it, returns the same answer.
func TestAFailureAfterADuplicateReturnsItsAnswer(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, handle func() *db.DB) {
		here := open(t, handle())
		there := here.on(handle())
		var first idempotency.Answer
		answer, err := here.Do(t.Context(), here.request("k", "ten"), func(*idempotency.Attempt) (err error) {
			if first, err = there.buy(t.Context(), there.request("k", "ten")); err != nil {
				return err
			}
			return fault.New(fault.NoCandidates, "all are owned")
		})
		require.NoError(t, err)
		require.Equal(t, idempotency.Answer{Status: 201, Body: first.Body, Replayed: true}, answer)
	})
}

// startCall starts a request that stays in flight until finish is called.
func startCall(ctx context.Context, s *shop, r idempotency.Request) (finish func()) {
	began, finishing, finished := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		_, _ = s.Do(ctx, r, func(*idempotency.Attempt) error {
			close(began)
			<-finishing
			return errCrash
		})
	}()
	<-began
	return func() {
		close(finishing)
		<-finished
	}
}

func TestADuplicateInFlightIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t))
	mine := id.New[id.Token]()
	bare := func(token id.Token, body string) idempotency.Request {
		r := s.request("", body)
		r.Token = token
		return r
	}
	for name, c := range map[string]struct {
		first, second idempotency.Request
		code          fault.Code // empty for none
	}{
		"the same key and body":                {s.request("a", "ten"), s.request("a", "ten"), fault.RequestInFlight},
		"the same key, another body":           {s.request("b", "ten"), s.request("b", "eleven"), fault.IdempotencyKeyReused},
		"another key":                          {s.request("c", "ten"), s.request("d", "ten"), ""},
		"no key, the same body":                {bare(mine, "1"), bare(mine, "1"), fault.RequestInFlight},
		"no key, another body":                 {bare(mine, "2"), bare(mine, "3"), ""},
		"no key, another token":                {bare(mine, "4"), bare(id.New[id.Token](), "4"), ""},
		"no key, where duplicates are allowed": {s.request("", "5"), s.request("", "5"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finish := startCall(t.Context(), s, c.first)
			_, err := s.buy(t.Context(), c.second)
			if c.code == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, c.code, fault.CodeOf(err))
			}
			finish()
			_, err = s.buy(t.Context(), c.second)
			require.NoError(t, err)
		})
	}
}

func TestADuplicateWaitsForACallWhoseClientHasGone(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t))
	ctx, drop := context.WithCancel(t.Context())
	finish := startCall(ctx, s, s.request("k", "ten"))
	drop()
	answered := make(chan error, 1)
	go func() {
		_, err := s.buy(t.Context(), s.request("k", "ten"))
		answered <- err
	}()
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.buy(impatient, s.request("k", "ten"))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, answered)
	finish()
	require.NoError(t, <-answered)
	require.Equal(t, 1, s.count(t, "purchase"))
}

func TestAPanicEndsTheCall(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t))
	require.Panics(t, func() {
		_, _ = s.Do(t.Context(), s.request("k", "ten"), func(*idempotency.Attempt) error { panic("bug") })
	})
	_, err := s.buy(t.Context(), s.request("k", "ten"))
	require.NoError(t, err)
}

func TestKeepingNoAnswerIsAnError(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t))
	_, err := s.Do(t.Context(), s.request("", "ten"), func(*idempotency.Attempt) error { return nil })
	require.ErrorContains(t, err, "buy kept no answer")
}

func TestAnswersAreKeptForADayAndThenDeleted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		age := func(key string, by time.Duration) {
			_, err := s.buy(t.Context(), s.request(key, "ten"))
			require.NoError(t, err)
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE replay SET created_at = created_at - $2 WHERE key = $1`,
					key, by.Microseconds())
				return err
			}))
		}
		age("old", 25*time.Hour)
		age("young", 24*time.Hour-time.Minute)
		require.NoError(t, s.Prune(t.Context()))
		require.Equal(t, 1, s.count(t, "replay"))
		answer, err := s.Do(t.Context(), s.request("young", "ten"), never)
		require.NoError(t, err)
		require.True(t, answer.Replayed)
		answer, err = s.buy(t.Context(), s.request("old", "ten"))
		require.NoError(t, err)
		require.False(t, answer.Replayed)
	})
}

func TestPruningTakesMoreThanOneBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
				INSERT INTO replay (workspace_id, key, operation, request_sha256, status, body, created_at)
				SELECT $1, 'k' || i, 'buy', $2, 201, $2, i FROM n`, s.ws, []byte("x"))
			return err
		}))
		require.NoError(t, s.Prune(t.Context()))
		require.Zero(t, s.count(t, "replay"))
	})
}

func TestKeysArePrintableAndOfBoundedLength(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"k", " ", "~", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`, strings.Repeat("x", 255)} {
		require.Empty(t, idempotency.KeyFault(good), good)
	}
	for _, bad := range []string{"", strings.Repeat("x", 256), "a\tb", "a\x00", "ключ", "a\x7f", "\xff"} {
		require.NotEmpty(t, idempotency.KeyFault(bad), bad)
	}
}

package db_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/db/postgres"
	"github.com/opencapi/capi/internal/db/sqlite"
)

func exec(ctx context.Context, tx *db.Tx, statement string, args ...any) error {
	_, err := tx.ExecContext(ctx, statement, args...)
	return err
}

// counter is a table with one row.
func counter(t *testing.T, d *db.DB) {
	t.Helper()
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		return errors.Join(
			exec(t.Context(), tx, `CREATE TABLE counter (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`),
			exec(t.Context(), tx, `INSERT INTO counter (id, n) VALUES (1, 0)`))
	}))
}

func read(t *testing.T, q db.Querier) (n int) {
	t.Helper()
	require.NoError(t, q.QueryRowContext(t.Context(), `SELECT n FROM counter WHERE id = 1`).Scan(&n))
	return n
}

func TestFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		counter(t, d)
		undone := errors.New("undone")
		require.ErrorIs(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			return errors.Join(exec(t.Context(), tx, `UPDATE counter SET n = 7`), undone)
		}), undone)
		require.Panics(t, func() {
			_ = d.Tx(t.Context(), func(tx *db.Tx) error {
				_ = exec(t.Context(), tx, `UPDATE counter SET n = 8`)
				panic("bug")
			})
		})
		require.Zero(t, read(t, d.Read()))
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			return exec(t.Context(), tx, `UPDATE counter SET n = n + 1`)
		}))
		require.Equal(t, 1, read(t, d.Read()))
	})
}

func TestCopiedRowsAreWrittenTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		bytes := map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[d.Name()]
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			return exec(t.Context(), tx, `CREATE TABLE copied (id BIGINT PRIMARY KEY, n BIGINT, text TEXT NOT NULL, bytes `+bytes+`)`)
		}))
		rows := [][]any{
			{int64(1), sql.NullInt64{Int64: -5, Valid: true}, "a\tb\n\\N\"é", []byte{0, 255}},
			{int64(2), sql.NullInt64{}, "", []byte(nil)},
			{int64(1 << 40), sql.NullInt64{Valid: true}, "c", []byte("d")},
		}
		write := func(rows [][]any) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error {
				if err := exec(t.Context(), tx, `DELETE FROM copied WHERE n = 0`); err != nil {
					return err
				}
				return tx.CopyRows(t.Context(), tx, "copied", []string{"id", "n", "text", "bytes"}, len(rows), func(i int) []any { return rows[i] })
			})
		}
		require.NoError(t, write(rows))
		stored := func() [][]any {
			found, err := db.Collect(t.Context(), d.Read(), func(row db.Row) ([]any, error) {
				var id int64
				var n sql.NullInt64
				var text string
				var bytes []byte
				err := row.Scan(&id, &n, &text, &bytes)
				return []any{id, n, text, bytes}, err
			}, `SELECT id, n, text, bytes FROM copied ORDER BY id`)
			require.NoError(t, err)
			return found
		}
		require.Equal(t, rows, stored())

		err := write([][]any{{int64(3), sql.NullInt64{}, "new", []byte(nil)}, rows[0]})
		require.True(t, d.Duplicate(err), "%v", err)
		require.Equal(t, rows, stored())
	})
}

func TestRowLockedForUpdateLosesNoIncrement(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		const workers, each = 4, 10 // for each of two handles
		handles := []*db.DB{open(), open()}
		counter(t, handles[0])
		increment := func(tx *db.Tx) error {
			var n int
			row := tx.QueryRowContext(t.Context(), `SELECT n FROM counter WHERE id = 1`+tx.ForUpdate())
			if err := row.Scan(&n); err != nil {
				return err
			}
			return exec(t.Context(), tx, `UPDATE counter SET n = $1`, n+1)
		}
		var wg sync.WaitGroup
		errs := make(chan error, 2*workers*each)
		for _, d := range handles {
			for range workers {
				wg.Go(func() {
					for range each {
						errs <- d.Tx(t.Context(), increment)
					}
				})
			}
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, 2*workers*each, read(t, handles[0].Read()))
	})
}

func TestReadTxSeesOneState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		counter(t, d)
		require.NoError(t, d.ReadTx(t.Context(), func(q db.Querier) error {
			require.Zero(t, read(t, q))
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				return exec(t.Context(), tx, `UPDATE counter SET n = 1`)
			}))
			require.Zero(t, read(t, q))
			require.Equal(t, 1, read(t, d.Read()))
			return nil
		}))
		require.Error(t, d.ReadTx(t.Context(), func(q db.Querier) error {
			_, err := q.ExecContext(t.Context(), `UPDATE counter SET n = 2`)
			return err
		}))
	})
}

func TestListsOfValuesKeepEveryElement(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var texts, numbers int
		var sum int64
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `
			SELECT count(*) FROM `+d.EachString("$1")+` WHERE value IN ('a', 'Zürich "1"', '')`,
			`["a", "Zürich \"1\"", "", "b"]`).Scan(&texts))
		require.Equal(t, 3, texts)
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*), min(value) + max(value) FROM `+d.EachNumber("$1"),
			`[-1, 9007199254740993, 2, 2]`).Scan(&numbers, &sum))
		require.Equal(t, 4, numbers)
		require.EqualValues(t, 9007199254740992, sum)
	})
}

func TestDuplicatesAreRecognised(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		counter(t, d)
		insert := func(statement string) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error { return exec(t.Context(), tx, statement) })
		}
		require.True(t, d.Duplicate(insert(`INSERT INTO counter (id, n) VALUES (1, 0)`)))
		require.False(t, d.Duplicate(insert(`INSERT INTO counter (id) VALUES (2)`)))
		require.False(t, d.Duplicate(nil))
		require.False(t, d.Duplicate(errors.New("duplicate")))
	})
}

func TestDeadlocksAreRetried(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		counter(t, d)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			return exec(t.Context(), tx, `INSERT INTO counter (id, n) VALUES (2, 0)`)
		}))
		var wg sync.WaitGroup
		var errs [2]error
		for i, order := range [][2]int{{1, 2}, {2, 1}} {
			wg.Go(func() {
				for range 5 {
					errs[i] = errors.Join(errs[i], d.Tx(t.Context(), func(tx *db.Tx) error {
						return errors.Join(
							exec(t.Context(), tx, `UPDATE counter SET n = n + 1 WHERE id = $1`, order[0]),
							exec(t.Context(), tx, `UPDATE counter SET n = n + 1 WHERE id = $1`, order[1]))
					}))
				}
			})
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs[:]...))
		require.Equal(t, 10, read(t, d.Read()))
	})
}

func TestCancelledTransactionEndsAndFreesTheWriter(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		counter(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		require.ErrorIs(t, d.Tx(ctx, func(tx *db.Tx) error {
			if err := exec(ctx, tx, `UPDATE counter SET n = 1`); err != nil {
				return err
			}
			cancel()
			return exec(ctx, tx, `UPDATE counter SET n = 2`)
		}), context.Canceled)
		require.ErrorIs(t, d.Tx(ctx, func(*db.Tx) error { return nil }), context.Canceled)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			return exec(t.Context(), tx, `UPDATE counter SET n = n + 5`)
		}))
		require.Equal(t, 5, read(t, d.Read()))
	})
}

func TestTimesKeepTheirMicroseconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_012_999, time.FixedZone("", 3600))
	require.Equal(t, at.UTC().Truncate(time.Microsecond), db.FromTime(db.Time(at)))
}

func TestProcessesMayOpenAFreshFileAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a strange ?name#.db")
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() {
			d, err := sqlite.Open(t.Context(), path)
			if err == nil {
				err = d.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.FileExists(t, path)
}

// A long import in another process pauses between its transactions, for others to begin theirs.
func TestAWaitingTransactionNeedsOnlyAShortPause(t *testing.T) {
	t.Parallel()
	path := dbtest.SQLiteFile(t)
	long, short := dbtest.Open(t, path), dbtest.Open(t, path)
	hold := func(took time.Duration, began chan<- struct{}) error {
		return long.Tx(t.Context(), func(*db.Tx) error {
			close(began)
			time.Sleep(took)
			return nil
		})
	}
	// A busy machine may sleep through a pause, but not through five.
	for range 5 {
		began, gotIn := make(chan struct{}), make(chan error, 1)
		held := make(chan error, 1)
		go func() { held <- hold(300*time.Millisecond, began) }()
		<-began
		go func() { gotIn <- short.Tx(t.Context(), func(*db.Tx) error { return nil }) }()
		require.NoError(t, <-held)
		time.Sleep(20 * time.Millisecond)
		require.NoError(t, hold(200*time.Millisecond, make(chan struct{})))
		select {
		case err := <-gotIn:
			require.NoError(t, err)
			return
		default:
		}
		require.NoError(t, <-gotIn)
	}
	require.Fail(t, "no pause was long enough")
}

func TestNodesMayOpenOnePostgresAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			d, err := postgres.Open(t.Context(), url)
			if err == nil {
				err = d.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

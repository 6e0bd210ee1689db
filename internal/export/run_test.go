package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
)

func TestFileHasTheRowsInOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1_200, 1_200)
		e := s.buy(t, between(101, 1_200))
		s.runJobs(t, 1)
		got := s.get(t, e)
		content := s.file(t, e)
		require.Equal(t, export.StatusCompleted, got.Status)
		require.Equal(t, 1_100, got.ProcessedRecords)
		require.Equal(t, int64(len(content)), got.SizeBytes)
		require.NotNil(t, got.CompletedAt)
		require.Empty(t, got.Error)
		rows := rowsOf(t, content)
		require.Len(t, rows, 1_100)
		for i, r := range rows {
			require.Equal(t, int64(101+i), r.EmployeeCount)
		}
		s.auditClean(t)
	})
}

func TestFileHasTheDataAtTheTimeOfPurchase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 40)
		before := s.buy(t, between(1, 20))
		bought, err := s.catalog.ByNumbers(t.Context(), []company.Number{1, 2, 3})
		require.NoError(t, err)
		for round := range 3 { // more than once, and pruned in between
			for _, c := range bought {
				changed := *c
				changed.Name = fmt.Sprintf("%s, renamed %d", c.Name, round)
				_, err := s.catalog.Put(t.Context(), nil, []catalog.Incoming{catalog.Prepare(&changed)})
				require.NoError(t, err)
			}
			require.NoError(t, s.Prune(t.Context()))
		}
		after := s.buy(t, between(1, 20))
		require.Zero(t, after.Figures.Cost)
		s.runJobs(t, 2)
		old, renamed := rowsOf(t, s.file(t, before)), rowsOf(t, s.file(t, after))
		for i, c := range bought {
			require.Equal(t, c.Name, old[i].Name)
			require.Equal(t, c.Name+", renamed 2", renamed[i].Name)
		}
		require.Equal(t, 9, s.pastVersions(t))
		require.NoError(t, s.Prune(t.Context()))
		require.NoError(t, s.Prune(t.Context()))
		require.Zero(t, s.pastVersions(t), "no export needs the replaced records any more")
		s.auditClean(t)
	})
}

// pastVersions returns the number of replaced records that the catalog keeps.
func (s *fixture) pastVersions(t *testing.T) int {
	t.Helper()
	var n int
	require.NoError(t, s.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM company_past`).Scan(&n))
	return n
}

// crashWorker puts the export's job into the state in which a process that crashes during Run, or just after it, leaves it.
func (s *fixture) crashWorker(t *testing.T, e export.Export) {
	t.Helper()
	s.exec(t, `UPDATE job SET state = 'running', worker = 'dead', lease_until = 0, attempt = 1, payload = $2 WHERE id = $1`, e.Job,
		fmt.Sprintf(`{"export_id":%q}`, e.ID)) // a job that has ended keeps no payload
}

func TestRunningTwiceWritesTheSameBytes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, f := range format.All() {
			s := open(t, d, 700, 700)
			r := between(1, 700)
			r.Format = f
			e := s.buy(t, r)
			s.runJobs(t, 1)
			first, content := s.get(t, e), s.file(t, e)
			s.exec(t, `UPDATE export SET status = 'processing', size_bytes = 0, sha256 = NULL WHERE id = $1`, e.ID)
			s.crashWorker(t, e)
			s.runJobs(t, 1)
			second := s.get(t, e)
			require.Equal(t, first.SHA256, second.SHA256)
			require.Equal(t, first.SizeBytes, second.SizeBytes)
			require.True(t, bytes.Equal(content, s.file(t, e)))
			s.auditClean(t)
			d = dbtest.SQLite(t) // each fixture needs an empty catalog
		}
	})
}

var errCrash = errors.New("crash on purpose")

// crashes returns the crashes of Run to test, by the step in the blob store at which they happen.
func crashes() map[string]func(context.Context, string, func(io.Writer) error, putFunc) (blob.Info, error) {
	return map[string]func(context.Context, string, func(io.Writer) error, putFunc) (blob.Info, error){
		"before the file": func(context.Context, string, func(io.Writer) error, putFunc) (blob.Info, error) {
			return blob.Info{}, errCrash
		},
		"within the file": func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
			return next(ctx, key, func(w io.Writer) error { return fn(&fullDisk{w: w, left: 100_000}) })
		},
		"before the rename": func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
			return next(ctx, key, func(w io.Writer) error { return errors.Join(fn(w), errCrash) })
		},
		"after the rename": func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
			_, err := next(ctx, key, fn)
			return blob.Info{}, errors.Join(err, errCrash)
		},
		"panic": func(context.Context, string, func(io.Writer) error, putFunc) (blob.Info, error) {
			panic(errCrash)
		},
	}
}

type fullDisk struct {
	w    io.Writer
	left int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errCrash
	}
	return d.w.Write(p)
}

func TestExportIsCompletedAfterACrashAtAnyStep(t *testing.T) {
	t.Parallel()
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, 900, 900)
				e := s.buy(t, between(1, 900))
				var calls atomic.Int32
				s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
					if calls.Add(1) == 1 {
						return crash(ctx, key, fn, next)
					}
					return next(ctx, key, fn)
				}
				s.exec(t, `UPDATE job SET run_at = 0 WHERE id = $1`, e.Job)
				s.runJobs(t, 2)
				s.requireCompleted(t, e, 900)
			})
		})
	}
}

func TestExportOfADeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 900, 900)
		e := s.buy(t, between(1, 900))
		s.exec(t, `UPDATE export SET status = 'processing', processed_records = 400 WHERE id = $1`, e.ID)
		s.crashWorker(t, e)
		findings, err := s.Audit(t.Context())
		require.NoError(t, err)
		require.Empty(t, findings, "a job that will be resumed is not a finding")
		s.runJobs(t, 1)
		s.requireCompleted(t, e, 900)
		// The process crashes again, after the export has completed but before the job has.
		s.crashWorker(t, e)
		s.runJobs(t, 1)
		s.requireCompleted(t, e, 900)
	})
}

// requireCompleted checks that the export has completed with a file of n rows and was charged once.
func (s *fixture) requireCompleted(t *testing.T, e export.Export, n int) {
	t.Helper()
	got := s.get(t, e)
	require.Equal(t, export.StatusCompleted, got.Status)
	require.Equal(t, n, got.ProcessedRecords)
	require.Len(t, rowsOf(t, s.file(t, e)), n)
	require.Zero(t, s.balance(t))
	require.Equal(t, 2, s.counts(t)["entry"]) // the grant and the charge
	s.auditClean(t)
}

func TestProgressIsReported(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 1_500, 1_500)
		e := s.buy(t, between(1, 1_500))
		seen := make(chan int, 1)
		s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
			if strings.Contains(key, ".manifest.json") { // or its signature
				return next(ctx, key, fn)
			}
			return next(ctx, key, func(w io.Writer) error { return fn(&progressWriter{w: w, s: s, t: t, e: e, seen: seen}) })
		}
		s.runJobs(t, 1)
		n := <-seen
		require.Positive(t, n)
		require.Less(t, n, 1_500)
		s.requireCompleted(t, e, 1_500)
	})
}

// progressWriter delays the first write until progress is reported.
type progressWriter struct {
	w    io.Writer
	s    *fixture
	t    *testing.T
	e    export.Export
	seen chan int
	done bool
}

func (p *progressWriter) Write(b []byte) (int, error) {
	for deadline := time.Now().Add(time.Minute); !p.done && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got, err := p.s.Get(p.t.Context(), p.s.caller, p.e.ID)
		if err != nil {
			return 0, err
		}
		if got.ProcessedRecords > 0 && got.Status == export.StatusProcessing {
			p.seen <- got.ProcessedRecords
			p.done = true
		}
	}
	return p.w.Write(b)
}

// failFiles makes the blob store fail every write of the exports' files.
func (s *fixture) failFiles(exports ...export.Export) {
	s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
		for _, e := range exports {
			if key == fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, e.Format) {
				return blob.Info{}, errCrash
			}
		}
		return next(ctx, key, fn)
	}
}

func TestFailedExportIsRefundedForWhatNoOtherDelivers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 200)
		fails, delivers := s.buy(t, between(1, 100)), s.buy(t, between(51, 150))
		require.Equal(t, int64(50), s.balance(t))
		s.failFiles(fails)
		s.runJobs(t, attemptsMax+1)

		got := s.get(t, fails)
		require.Equal(t, export.StatusFailed, got.Status)
		require.Equal(t, int64(50), got.Refunded)
		require.Contains(t, got.Error, "50 credits")
		require.NotContains(t, got.Error, errCrash.Error())
		require.NotNil(t, got.CompletedAt)
		require.Equal(t, export.StatusCompleted, s.get(t, delivers).Status)
		require.Equal(t, int64(100), s.balance(t))
		require.True(t, s.owned(t).Equal(s.selected(t, delivers)))
		entries, err := s.credit.Recent(t.Context(), s.caller.Workspace, 1)
		require.NoError(t, err)
		require.Equal(t, got.RefundID, entries[0].ID)
		require.Equal(t, fmt.Sprintf("export:%s:refund", fails.ID), entries[0].Reference)
		s.auditClean(t)

		// Discarding the job again, as after a commit whose confirmation was lost, refunds nothing more.
		s.crashWorker(t, fails)
		s.exec(t, `UPDATE job SET attempt = $2 WHERE id = $1`, fails.Job, attemptsMax)
		s.runJobs(t, 1)
		require.Equal(t, int64(100), s.balance(t))

		_, err = s.Download(t.Context(), s.caller, fails.ID)
		require.Equal(t, fault.ExportNotCompleted, fault.CodeOf(err))
		again := s.buy(t, between(1, 100))
		require.Equal(t, 50, again.Figures.NewCount)
		s.blobs.put = nil
		s.runJobs(t, 1)
		s.auditClean(t)
	})
}

func TestNoCreditIsSpentOnCompaniesInNoFile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 200)
		paid, free, part := s.buy(t, between(1, 100)), s.buy(t, between(41, 60)), s.buy(t, between(51, 120))
		s.failFiles(paid, free, part)
		// They fail one after the other, so that companies of the first are still to be delivered by the next ones.
		for _, step := range []struct {
			export  export.Export
			balance int64
		}{{paid, 120}, {free, 130}, {part, 200}} {
			s.exec(t, `UPDATE job SET run_at = $1 WHERE state = 'queued' AND id <> $2`, db.Time(time.Now().Add(time.Hour)), step.export.Job)
			s.exec(t, `UPDATE job SET run_at = 0 WHERE id = $1`, step.export.Job)
			s.runJobs(t, attemptsMax)
			require.Equal(t, export.StatusFailed, s.get(t, step.export).Status)
			require.Equal(t, step.balance, s.balance(t))
			require.Equal(t, int64(200), s.balance(t)+int64(s.owned(t).Len()))
			s.auditClean(t)
		}
		require.True(t, s.owned(t).IsEmpty())
	})
}

func TestDownloadIsALinkToTheFile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		r := between(1, 20)
		r.Name, r.Format = "US fintech 50+ (Zürich)", format.CSV
		e := s.buy(t, r)
		_, err := s.Download(t.Context(), s.caller, e.ID)
		var refusal *fault.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, fault.ExportNotCompleted, refusal.Code)
		require.Equal(t, map[string]any{"status": "pending"}, refusal.Details)
		s.runJobs(t, 1)
		links, err := s.Download(t.Context(), s.caller, e.ID)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(15*time.Minute), links.ExpiresAt, 5*time.Second)

		w := httptest.NewRecorder()
		s.blobs.Store.(*file.Store).Handler(refuse).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, links.File, nil))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, s.file(t, e), w.Body.Bytes())
		require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
		require.Equal(t, "us-fintech-50-zürich-"+e.CreatedAt.Format(time.DateOnly)+".csv", e.FileName())
		shape, err := format.Inspect(format.CSV, format.Options{}, w.Body)
		require.NoError(t, err)
		require.Equal(t, 20, shape.Rows)
	})
}

func TestFileNamesAreNeverEmpty(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"US fintech 50+": "us-fintech-50", "../../etc/passwd": "etc-passwd", "!!!": "export", "日本 企業": "日本-企業",
		"a" + string(make([]byte, 3)) + "b": "a-b",
		strings.Repeat("日", 70):             strings.Repeat("日", 50), // in bytes, because file systems count them
	} {
		require.Equal(t, want+"-2026-03-01.csv", export.Export{Name: name, Format: format.CSV, CreatedAt: at}.FileName())
	}
}

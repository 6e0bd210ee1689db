package export_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
)

func (s *fixture) cancel(t *testing.T, e export.Export) export.Export {
	t.Helper()
	got, err := s.Cancel(t.Context(), s.caller, e.ID)
	require.NoError(t, err)
	return got
}

// fail ends the export as the discarding of its job does.
func (s *fixture) fail(t *testing.T, e export.Export) {
	t.Helper()
	j := job.Job{ID: e.Job, Kind: export.JobKind, Payload: fmt.Appendf(nil, `{"export_id": %q}`, e.ID)}
	require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) error {
		return s.Handlers()[export.JobKind].OnDiscard(t.Context(), tx, j, errCrash)
	}))
}

// requireNoFile checks that the blob store has neither the file nor the manifest of the export.
func (s *fixture) requireNoFile(t *testing.T, e export.Export) {
	t.Helper()
	key := fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, format.Extension(e.Format, e.Options))
	for _, k := range []string{key, export.ManifestName(key)} {
		_, err := s.blobs.Open(t.Context(), k)
		require.ErrorIs(t, err, blob.ErrNotFound, k)
	}
}

func TestCancelledExportIsRefundedAndDeliversNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 100)
		e := s.buy(t, between(1, 100))
		require.Zero(t, s.balance(t))

		got := s.cancel(t, e)
		require.Equal(t, export.StatusCancelled, got.Status)
		require.Equal(t, int64(100), got.Refunded)
		require.NotNil(t, got.CompletedAt)
		require.Empty(t, got.Error)
		require.Equal(t, int64(100), s.balance(t))
		require.True(t, s.owned(t).IsEmpty())
		entries, err := s.credit.Recent(t.Context(), s.caller.Workspace, 1)
		require.NoError(t, err)
		require.Equal(t, got.RefundID, entries[0].ID)
		require.Equal(t, credit.ReasonRefund, entries[0].Reason)
		require.Equal(t, "token:"+s.caller.Token.String(), entries[0].Actor)
		s.auditClean(t)

		before := s.counts(t)
		require.Equal(t, got, s.cancel(t, e), "a second cancel changes nothing")
		require.Equal(t, before, s.counts(t))

		s.runJobs(t, 1)
		require.Equal(t, got, s.get(t, e))
		s.requireNoFile(t, e)
		_, err = s.Download(t.Context(), s.caller, e.ID)
		var refusal *fault.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, fault.ExportNotCompleted, refusal.Code)
		require.Equal(t, map[string]any{"status": "cancelled"}, refusal.Details)
		require.Equal(t, 100, s.buy(t, between(1, 100)).Figures.NewCount, "the companies must be paid for again")
		s.auditClean(t)
	})
}

func TestOnlyAnUnfinishedExportOfTheWorkspaceCanBeCancelled(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 40)
		completed := s.buy(t, between(1, 10))
		s.runJobs(t, 1)
		failed := s.buy(t, between(11, 20))
		s.fail(t, failed)
		before := s.counts(t)
		for status, e := range map[string]export.Export{"completed": completed, "failed": failed} {
			_, err := s.Cancel(t.Context(), s.caller, e.ID)
			var refusal *fault.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, fault.ExportNotCancellable, refusal.Code)
			require.Equal(t, map[string]any{"status": status}, refusal.Details)
		}
		pending := s.buy(t, between(1, 10))
		for name, try := range map[string]struct {
			caller auth.Caller
			export id.Export
		}{"one that does not exist": {s.caller, id.New[id.Export]()}, "another workspace's": {s.customer(t, 0), pending.ID}} {
			_, err := s.Cancel(t.Context(), try.caller, try.export)
			require.Equal(t, fault.NotFound, fault.CodeOf(err), name)
		}
		before["export"]++
		before["export_selection"]++
		before["job"]++
		require.Equal(t, before, s.counts(t))
		require.Equal(t, export.StatusPending, s.get(t, pending).Status)
		s.auditClean(t)
	})
}

// The export is cancelled at each step that the worker takes in the blob store.
func TestWorkerOfACancelledExportStopsAndLeavesNoFile(t *testing.T) {
	t.Parallel()
	type put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error)
	for name, at := range map[string]func(cancel func()) put{
		"before the file": func(cancel func()) put {
			return func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
				cancel()
				return next(ctx, key, fn)
			}
		},
		"within the file, so that writing stops": func(cancel func()) put {
			return func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
				cancel()
				<-ctx.Done()
				return next(ctx, key, fn)
			}
		},
		"before the rename": func(cancel func()) put {
			return func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
				return next(ctx, key, func(w io.Writer) error {
					defer cancel()
					return fn(w)
				})
			}
		},
		"after the rename": func(cancel func()) put {
			return func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
				defer cancel()
				return next(ctx, key, fn)
			}
		},
		"after the rename, and then the process crashes": func(cancel func()) put {
			return func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
				_, err := next(ctx, key, fn)
				cancel()
				return blob.Info{}, errors.Join(err, errCrash)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, 900, 900)
				e := s.buy(t, between(1, 900))
				var once sync.Once
				s.blobs.put = at(func() {
					once.Do(func() {
						_, err := s.another().Cancel(context.WithoutCancel(t.Context()), s.caller, e.ID)
						if err != nil {
							t.Error(err)
						}
					})
				})
				s.runJobs(t, 1)
				require.Equal(t, export.StatusCancelled, s.get(t, e).Status)
				require.Equal(t, int64(900), s.balance(t))
				s.requireNoFile(t, e)
				require.Equal(t, "done", s.jobState(t, e))
				s.auditClean(t)
			})
		})
	}
}

func (s *fixture) jobState(t *testing.T, e export.Export) (state string) {
	t.Helper()
	require.NoError(t, s.db.Read().QueryRowContext(t.Context(), `SELECT state FROM job WHERE id = $1`, e.Job).Scan(&state))
	return state
}

func TestFileOfAFailedExportIsDeleted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 50, 50)
		e := s.buy(t, between(1, 50))
		s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
			_, err := next(ctx, key, fn) // the file is written, but the worker gets an error
			return blob.Info{}, errors.Join(err, errCrash)
		}
		s.runJobs(t, attemptsMax)
		require.Equal(t, export.StatusFailed, s.get(t, e).Status)
		s.drainJobs(t)
		s.requireNoFile(t, e)
		require.Equal(t, int64(50), s.balance(t))
		s.auditClean(t)
	})
}

// drainJobs runs jobs until none is left.
func (s *fixture) drainJobs(t *testing.T) {
	t.Helper()
	runner := job.NewRunner(s.jobs, s.another().Handlers())
	require.NoError(t, runner.Start(t.Context()))
	defer func() { require.NoError(t, runner.Stop(t.Context())) }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) { // polls the table
		var left int
		const q = `SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')`
		require.NoError(t, s.db.Read().QueryRowContext(t.Context(), q).Scan(&left))
		if left == 0 {
			return
		}
		require.True(t, time.Now().Before(deadline), "%d jobs are left", left)
	}
}

// The export that paid ends first, but is not refunded for companies that other exports will deliver. When those end too,
// each credit goes back to the export that paid it.
func TestRefundGoesToTheExportThatPaid(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*fixture, *testing.T, export.Export){
		"cancelled": func(s *fixture, t *testing.T, e export.Export) { s.cancel(t, e) },
		"failed":    (*fixture).fail,
	}
	for first, endFirst := range ways {
		for later, endLater := range ways {
			t.Run(first+" and then "+later, func(t *testing.T) {
				t.Parallel()
				dbtest.Each(t, func(t *testing.T, d *db.DB) {
					s := open(t, d, 200, 200)
					paid, free, part := s.buy(t, between(1, 100)), s.buy(t, between(41, 60)), s.buy(t, between(51, 120))
					refunded := func() [3]int64 {
						return [3]int64{s.get(t, paid).Refunded, s.get(t, free).Refunded, s.get(t, part).Refunded}
					}
					endFirst(s, t, paid)
					require.Equal(t, [3]int64{40, 0, 0}, refunded(), "41 to 100 are still to be delivered")
					require.Equal(t, int64(120), s.balance(t))
					s.auditClean(t)
					endLater(s, t, free)
					require.Equal(t, [3]int64{50, 0, 0}, refunded(), "51 to 100 are still to be delivered")
					s.auditClean(t)
					endLater(s, t, part)
					require.Equal(t, [3]int64{100, 0, 20}, refunded())
					require.Equal(t, int64(200), s.balance(t))
					require.True(t, s.owned(t).IsEmpty())
					s.auditClean(t)

					again := s.buy(t, between(31, 70))
					require.Equal(t, 40, again.Figures.NewCount)
					s.cancel(t, again)
					require.Equal(t, int64(200), s.balance(t))
					s.auditClean(t)
				})
			})
		}
	}
}

func TestExportIsEitherCancelledOrCompleted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 12
		s := open(t, d, n*20, n*20)
		runner := job.NewRunner(s.jobs, s.another().Handlers())
		require.NoError(t, runner.Start(t.Context()))
		var exports []export.Export
		var wg sync.WaitGroup
		for i := range int64(n) {
			e := s.buy(t, between(i*20+1, i*20+20))
			exports = append(exports, e)
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond) // so that each cancel comes at another step of the worker
				_, err := s.Cancel(t.Context(), s.caller, e.ID)
				if err != nil && fault.CodeOf(err) != fault.ExportNotCancellable {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.NoError(t, runner.Stop(t.Context()))
		s.drainJobs(t)
		want := int64(0)
		var owned company.Set
		for _, e := range exports {
			switch got := s.get(t, e); got.Status {
			case export.StatusCompleted:
				require.Len(t, rowsOf(t, s.file(t, e)), 20)
				require.Zero(t, got.Refunded)
				owned = owned.Or(s.selected(t, e))
			case export.StatusCancelled:
				s.requireNoFile(t, e)
				want += 20
				require.Equal(t, int64(20), got.Refunded)
			case export.StatusPending, export.StatusProcessing, export.StatusFailed:
				require.FailNow(t, "neither cancelled nor completed", "%s", got.Status)
			}
		}
		require.Equal(t, want, s.balance(t))
		require.True(t, s.owned(t).Equal(owned))
		s.auditClean(t)
	})
}

func TestConcurrentCancelsRefundOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 60, 60)
		for round := range int64(3) {
			e := s.buy(t, between(round*20+1, round*20+20))
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					_, err := s.another().Cancel(t.Context(), s.caller, e.ID)
					if err != nil && fault.CodeOf(err) != fault.ExportNotCancellable {
						t.Error(err)
					}
				})
			}
			wg.Go(func() { s.fail(t, e) })
			wg.Wait()
			require.Equal(t, int64(20), s.get(t, e).Refunded)
			require.Equal(t, int64(60), s.balance(t))
			s.auditClean(t)
		}
	})
}

// A refund and a concurrent purchase agree about which companies are owned: the purchase sees either all of the refund or
// nothing.
func TestRefundsAndPurchasesOfTheSameCompaniesAgree(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 30, 300)
		for range 5 {
			first := s.buy(t, between(1, 20))
			var others [3]export.Export
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := s.another().Cancel(t.Context(), s.caller, first.ID); err != nil {
					t.Error(err)
				}
			})
			for i := range others {
				wg.Go(func() {
					e, _, err := s.another().Create(t.Context(), s.caller, between(int64(5*i)+1, int64(5*i)+15))
					if err != nil {
						t.Error(err)
					}
					others[i] = e
				})
			}
			wg.Wait()
			require.Equal(t, int64(300), s.balance(t)+int64(s.owned(t).Len()))
			s.auditClean(t)
			for _, e := range others {
				wg.Go(func() {
					if _, err := s.another().Cancel(t.Context(), s.caller, e.ID); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Equal(t, int64(300), s.balance(t))
			require.True(t, s.owned(t).IsEmpty())
			s.auditClean(t)
		}
	})
}

func TestAuditFindsCompaniesPaidForButNotDelivered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		e := s.buy(t, between(1, 20))
		s.exec(t, `UPDATE export SET status = 'cancelled' WHERE id = $1`, e.ID)
		findings, err := s.Audit(t.Context())
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(findings), "20 companies are paid for, but no export delivers them")
		s.exec(t, `UPDATE export SET status = 'pending' WHERE id = $1`, e.ID)
		s.exec(t, `DELETE FROM unlock_delta`)
		findings, err = s.Audit(t.Context())
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(findings), "20 companies are delivered by exports, but not paid for")
	})
}

func TestAuditFindsTheFileOfACancelledExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		e := s.buy(t, between(1, 20))
		s.cancel(t, e)
		key := fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, format.Extension(e.Format, e.Options))
		rewrite(t, s, key, []byte("[]"))
		s.auditClean(t) // its worker may be about to delete it
		s.exec(t, `UPDATE export SET completed_at = $2 WHERE id = $1`, e.ID, db.Time(time.Now().Add(-2*time.Hour)))
		findings, err := s.Audit(t.Context())
		require.NoError(t, err)
		require.Len(t, findings, 1)
		require.Contains(t, findings[0].Problem, key)
		s.drainJobs(t)
		s.auditClean(t)
	})
}

package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
)

// Run writes the file of the job's export: the rows that were paid for, as they were at the purchase. It does not search.
// It may run any number of times, also concurrently, and always writes the same bytes; the export is completed once. If
// the export is cancelled while Run is writing, Run stops and leaves no file.
func (x *Exports) Run(ctx context.Context, j job.Job) error {
	err := x.run(ctx, j)
	if err == nil {
		return nil
	}
	if ended, err := x.givenUp(ctx, j, err); !ended {
		return err
	}
	return nil
}

func (x *Exports) run(ctx context.Context, j job.Job) error {
	e, err := x.ofJob(ctx, j)
	if err != nil {
		return err
	}
	if e.Status == StatusCompleted {
		return nil
	}
	if err := x.begin(ctx, e.ID); err != nil {
		return err
	}
	var done atomic.Int64
	writing, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := x.report(writing, e.ID, &done, cancel)
	info, err := x.write(writing, e, e.asOf, &done)
	stop()
	if err != nil {
		return err
	}
	if err := x.complete(ctx, j, e, info); err != nil {
		return err
	}
	j.Note("rows", done.Load())
	j.Note("size_bytes", info.SizeBytes)
	return nil
}

// ofJob returns the export that the job is for. If there is none, the error is fatal: no other attempt would find it.
func (x *Exports) ofJob(ctx context.Context, j job.Job) (Export, error) {
	export, err := exportOf(j)
	if err != nil {
		return Export{}, job.Fatal(err)
	}
	j.Note("export_id", export)
	e, err := one(ctx, x.db.Read(), id.Workspace{}, export)
	if fault.CodeOf(err) == fault.NotFound {
		return Export{}, job.Fatal(err)
	}
	return e, err
}

func exportOf(j job.Job) (id.Export, error) {
	var p payload
	if err := j.Decode(&p); err != nil {
		return id.Export{}, err
	}
	return id.Parse[id.Export](p.Export)
}

func (x *Exports) begin(ctx context.Context, export id.Export) error {
	return x.update(ctx, export, `UPDATE export SET status = 'processing', processed_records = 0
		WHERE id = $1 AND status IN ('pending', 'processing')`)
}

// update runs a statement on one unfinished export whose id is $1. It returns errEnded if the export has ended.
func (x *Exports) update(ctx context.Context, export id.Export, q string, args ...any) error {
	return x.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, q, append([]any{export}, args...)...)
		if err != nil {
			return fmt.Errorf("update export %s: %w", export, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return errEnded
	})
}

// write stores the export's file, with the rows that were paid for as of a sequence number of the catalog, and its manifest. It
// counts the rows in done.
func (x *Exports) write(ctx context.Context, e Export, asOf uint64, done *atomic.Int64) (blob.Info, error) {
	numbers, err := readSelection(ctx, x.db.Read(), e.ID)
	if err != nil {
		return blob.Info{}, err
	}
	if e.Options.MatchKeys {
		keys, err := readKeys(ctx, x.db.Read(), e.ID)
		if err != nil {
			return blob.Info{}, err
		}
		e.Options.KeysOf = func(c company.Number) []string { return keys[c] }
	}
	info, err := x.blobs.Put(ctx, e.key(), func(w io.Writer) error {
		rows, err := format.New(e.Format, w, e.Options)
		if err != nil {
			return job.Fatal(err)
		}
		err = x.catalog.Rows(ctx, numbers, asOf, func(c *company.Company) error {
			done.Add(1)
			err := rows.Write(c)
			if _, long := errors.AsType[*format.TooLongError](err); long {
				return job.Fatal(err)
			}
			return err
		})
		if err != nil {
			return err
		}
		if n := done.Load(); n != int64(len(numbers)) {
			return fmt.Errorf("the catalog returned %d of %d rows as of %d", n, len(numbers), asOf)
		}
		return rows.Close()
	})
	if err != nil {
		return blob.Info{}, fmt.Errorf("write export %s: %w", e.ID, err)
	}
	if err := x.describe(ctx, e, len(numbers), info); err != nil {
		return blob.Info{}, fmt.Errorf("describe export %s: %w", e.ID, err)
	}
	return info, nil
}

// report writes the progress at intervals until stop is called; stop waits for it to end. Progress is informative, so the
// export goes on if it cannot be written. If the export has ended, report calls giveUp.
func (x *Exports) report(
	ctx context.Context, export id.Export, done *atomic.Int64, giveUp context.CancelCauseFunc,
) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(x.options.ProgressEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := x.update(ctx, export, `UPDATE export SET processed_records = $2 WHERE id = $1 AND status = 'processing'`, done.Load())
			if errors.Is(err, errEnded) {
				giveUp(err)
				return
			}
			if err != nil && ctx.Err() == nil {
				x.log.WarnContext(ctx, "export progress not written", "export_id", export, "error", err)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// complete marks the export completed and ends the job, in one transaction.
func (x *Exports) complete(ctx context.Context, j job.Job, e Export, info blob.Info) error {
	err := x.db.Tx(ctx, func(tx *db.Tx) error {
		if err := j.Complete(ctx, tx); err != nil {
			return err
		}
		const q = `UPDATE export SET status = 'completed', processed_records = requested_count - would_skip, size_bytes = $2,
			sha256 = $3, completed_at = $4, file_at = $4 WHERE id = $1 AND status = 'processing'`
		res, err := tx.ExecContext(ctx, q, e.ID, info.SizeBytes, info.SHA256[:], db.Time(time.Now()))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n != 1 {
			err = errEnded
		}
		if err == nil && e.Notify {
			err = x.notify(ctx, tx, e.ID)
		}
		if err == nil {
			err = x.deliver.Completed(ctx, tx, e.ID)
		}
		if err != nil {
			return err
		}
		return recordAgain(ctx, tx, event.ExportCompleted, e.ID)
	})
	if err != nil {
		return fmt.Errorf("complete export %s: %w", e.ID, err)
	}
	x.observe(Event{Status: StatusCompleted})
	if err := x.unlock.Snapshot(ctx, e.Workspace); err != nil {
		x.log.WarnContext(ctx, "unlocks not snapshotted", "workspace_id", e.Workspace, "error", err)
	}
	return nil
}

package export

import (
	"context"
	"errors"
	"time"

	"github.com/opencapi/capi/internal/job"
)

// DiscardKind is the kind of the jobs that delete the files of exports that have failed.
const DiscardKind = "export.discard"

// errEnded stops the writing of a file whose export has failed or was cancelled in the meantime.
var errEnded = errors.New("export ended without a file")

// Discard deletes the file of the job's export if the export has failed or was cancelled. It may run any number of times.
func (x *Exports) Discard(ctx context.Context, j job.Job) error {
	e, err := x.ofJob(ctx, j)
	if err != nil {
		return err
	}
	return x.discard(ctx, e)
}

// discard deletes the file of a failed or cancelled export. Only these statuses, which are final, make certain that no
// other worker is about to complete the export.
func (x *Exports) discard(ctx context.Context, e Export) error {
	if !e.Status.endsWithoutFile() {
		return nil
	}
	return x.deleteFile(ctx, e)
}

// discardTimeout bounds the clean-up after a job whose context has ended.
const discardTimeout = 5 * time.Second

// givenUp reports whether an attempt failed because its export was cancelled or has failed, and deletes its file then. It
// checks that even if ctx has ended, because a worker that was interrupted may have stored its file already.
func (x *Exports) givenUp(ctx context.Context, j job.Job, err error) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	e, readErr := x.ofJob(ctx, j)
	if readErr != nil || !e.Status.endsWithoutFile() {
		return false, err
	}
	if err := x.discard(ctx, e); err != nil {
		return false, err
	}
	x.log.InfoContext(ctx, "export given up", "export_id", e.ID, "status", string(e.Status))
	return true, nil
}

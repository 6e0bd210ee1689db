package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/job"
)

// DiscardKind is the kind of the jobs that delete what an export that failed for good has left behind.
const DiscardKind = "export.discard"

// errEnded is why the writing of a file stops: its export has failed or was cancelled meanwhile.
var errEnded = errors.New("export ended without a file")

// Discard deletes the file of the job's export, if that delivers none. It may run any number of times.
func (x *Exports) Discard(ctx context.Context, j job.Job) error {
	e, err := x.ofJob(ctx, j)
	if err != nil {
		return err
	}
	return x.discard(ctx, e)
}

// discard deletes the file of an export that has failed or was cancelled, which is final: only then is it certain that
// no other worker is about to complete it.
func (x *Exports) discard(ctx context.Context, e Export) error {
	if !e.Status.endsWithoutFile() {
		return nil
	}
	if err := errors.Join(x.blobs.Delete(ctx, e.key()), x.blobs.Delete(ctx, e.manifestKey())); err != nil {
		return fmt.Errorf("discard file of export %s: %w", e.ID, err)
	}
	return nil
}

// discardTimeout bounds what is still done for a job whose context has ended.
const discardTimeout = 5 * time.Second

// givenUp tells whether the attempt that ended in err did so because its export has ended without a file, and leaves no
// file of it. It asks even if ctx has ended: a worker that was cut off may have put its file in place already.
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

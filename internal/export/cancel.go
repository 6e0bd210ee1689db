package export

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Cancel ends an unfinished export. Its file is never delivered, and what it charged for companies that no other export
// delivers is refunded at once. An export that is cancelled already is returned unchanged. Faults: NotFound for an export
// of another workspace, ExportNotCancellable for one that has completed or failed.
//
// The steps run last in the transaction.
func (x *Exports) Cancel(ctx context.Context, caller auth.Caller, export id.Export, then ...db.Step[Export]) (Export, error) {
	var e Export
	err := x.db.Tx(ctx, func(tx *db.Tx) (err error) {
		// The workspace of an export never changes, so it may be read before the lock. The rest is read after it.
		if e, err = one(ctx, tx, caller.Workspace, export); err != nil {
			return err
		}
		ended, refunded, err := x.end(ctx, tx, e, StatusCancelled, caller.Actor())
		if err != nil {
			return err
		}
		if e, err = one(ctx, tx, caller.Workspace, export); err != nil {
			return err
		}
		if e.Status != StatusCancelled {
			return notCancellable(e)
		}
		if ended {
			if err := record(ctx, tx, event.ExportCancelled, e); err != nil {
				return err
			}
			tx.OnCommit(func() {
				x.log.InfoContext(ctx, "export cancelled", "export_id", e.ID, "workspace_id", e.Workspace, "credits_refunded", refunded)
			})
		}
		return db.Then(ctx, tx, e, then)
	})
	if err != nil {
		return Export{}, err
	}
	return e, nil
}

func notCancellable(e Export) error {
	return fault.New(fault.ExportNotCancellable, "The export is %s. Only a pending or processing export can be cancelled.", e.Status).
		With("status", string(e.Status))
}

package upload

import (
	"context"
	"errors"
	"time"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/importer"
)

// Undoing is an undo that this server runs or has run.
type Undoing struct {
	Running bool
	Began   time.Time
	Undone  catalog.Undone
	Err     error // why it did not end; undoing the import again goes on where it ended
}

// PreviewUndo returns what Undo would do. It is nil if that takes longer than most.
func (u *Uploads) PreviewUndo(ctx context.Context, most time.Duration, number int64) (*importer.UndoPreview, error) {
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	p, err := importer.PreviewUndo(within, u.undo, number)
	if err != nil && ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded) {
		return nil, nil
	}
	return &p, err
}

// Undo undoes an import in the background, as the actor of ctx, whose cancellation is ignored. It does nothing if that runs already.
func (u *Uploads) Undo(ctx context.Context, number int64) error {
	all, err := u.List()
	if err != nil {
		return err
	}
	for i := range all {
		if n := len(all[i].Imports); all[i].State == StateImporting && n > 0 && all[i].Imports[n-1] == number {
			return fault.New(fault.Validation, "Import %d is running. Stop it first, or wait until it has ended.", number)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ctx.Err() != nil {
		return fault.New(fault.ServiceUnavailable, "The server is stopping. Undo the import once it runs again.")
	}
	if state := u.undoing[number]; state != nil && state.Running {
		return nil
	}
	state := &Undoing{Running: true, Began: time.Now()}
	u.undoing[number] = state
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	u.group.Go(func() {
		defer cancel()
		defer context.AfterFunc(u.ctx, cancel)()
		undone, err := importer.Undo(ctx, u.undo, number)
		if err != nil {
			u.Log.WarnContext(ctx, "an import was not undone", "import", number, "error", err)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		state.Running, state.Undone, state.Err = false, undone, err
	})
	return nil
}

// UndoingOf returns the latest undo of an import at this server, and false if there was none.
func (u *Uploads) UndoingOf(number int64) (Undoing, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state := u.undoing[number]; state != nil {
		return *state, true
	}
	return Undoing{}, false
}

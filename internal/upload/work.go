package upload

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
)

const (
	pollEvery     = 2 * time.Second // for uploads that another server received
	pruneEvery    = time.Hour
	progressEvery = 500 * time.Millisecond
)

// Plan makes the plan of an upload in the background, with the settings.
func (u *Uploads) Plan(x id.Upload, s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	_, err := u.change(x, func(up *Upload) error {
		switch {
		case len(up.Usable()) == 0:
			return fault.New(fault.Validation, "There is no file to import. Choose at least one that CAPI can read.")
		case up.State == StateQueued, up.State == StateImporting, up.State == StateImported:
			return fault.New(fault.Validation, "The import has begun, so its plan cannot be changed. Begin a new import instead.")
		}
		// A file that did not arrive as a whole is not part of the plan.
		for i := len(up.Files) - 1; i >= 0; i-- {
			if f := up.Files[i]; !f.Complete {
				up.Files = append(up.Files[:i], up.Files[i+1:]...)
				if err := os.Remove(u.path(x, filesDir, f.Name)); err != nil && !errors.Is(err, os.ErrNotExist) {
					return err
				}
			}
		}
		up.State, up.Settings, up.Problems, up.Progress = StatePlanning, s, nil, Progress{}
		up.Revision++
		return nil
	})
	wake(u.planned)
	return err
}

// Import imports an upload in the background for a person, once those that were asked for earlier have ended. It does nothing if
// the import was asked for already.
func (u *Uploads) Import(x id.Upload, by id.Person) error {
	_, err := u.change(x, func(up *Upload) error {
		switch up.State {
		case StateQueued, StateImporting, StateImported:
			return nil
		case StatePlanned, StateFailed, StateInterrupted:
		default:
			return fault.New(fault.Validation, "There is no plan yet. Wait until it is shown.")
		}
		if up.State == StatePlanned && !Loads(up.Plan) {
			return fault.New(fault.Validation, "There is nothing to import. Say how the columns are read, or upload another file.")
		}
		up.State, up.QueuedAt, up.Problems, up.Progress, up.Stopped = StateQueued, time.Now().UTC(), nil, Progress{}, false
		up.ImportedBy = by
		return nil
	})
	wake(u.queued)
	return err
}

// Loads reports whether an import with the plan has anything to do.
func Loads(plan *importer.Summary) bool {
	return plan != nil && plan.Read-plan.Rejected+plan.Connections.Read-plan.Connections.Rejected > 0
}

// Stop ends a running import after its current batch, or takes a queued one back. What was read stays in the catalog.
func (u *Uploads) Stop(x id.Upload) error {
	_, err := u.change(x, func(up *Upload) error {
		switch {
		case up.State == StateImporting:
			up.Stopped = true
		case up.State == StateQueued && len(up.Imports) == 0:
			up.State = StatePlanned
		case up.State == StateQueued:
			up.State = StateInterrupted
		}
		return nil
	})
	return err
}

// Start plans and imports in the background until Close. The context's cancellation is ignored.
func (u *Uploads) Start(context.Context) error {
	if u.Dir == "" {
		return nil
	}
	u.once.Do(func() {
		if err := os.MkdirAll(u.Dir, 0o700); err != nil {
			u.Log.WarnContext(u.ctx, "uploads cannot be stored", "error", err)
		}
		u.group.Go(func() { u.repeat(pollEvery, u.planned, u.planNext) })
		u.group.Go(func() { u.repeat(pollEvery, u.queued, u.importNext) })
		u.group.Go(func() { u.repeat(pruneEvery, nil, u.Prune) })
	})
	return nil
}

// Close ends what runs in the background and waits for it. A plan begins again with the next Start, and an import that is ended
// is interrupted.
func (u *Uploads) Close(context.Context) error {
	u.mu.Lock() // so that no undo begins any more
	u.cancel()
	u.mu.Unlock()
	u.group.Wait()
	return nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake
	}
}

func (u *Uploads) repeat(every time.Duration, wake <-chan struct{}, fn func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := fn(u.ctx); err != nil && u.ctx.Err() == nil {
			u.Log.WarnContext(u.ctx, "uploads", "error", err)
		}
		select {
		case <-u.ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
	}
}

// planNext makes the plans that are wanted and that no other server makes.
func (u *Uploads) planNext(ctx context.Context) error {
	all, err := u.List()
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0 && ctx.Err() == nil; i-- {
		if all[i].State != StatePlanning {
			continue
		}
		lock, err := filelock.Try(u.path(all[i].ID, "work.lock"))
		if errors.Is(err, filelock.ErrLocked) || errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = u.plan(ctx, all[i].ID)
		lock.Close()
		if err != nil && fault.CodeOf(err) != fault.NotFound { // it was deleted
			return err
		}
	}
	return nil
}

func (u *Uploads) plan(ctx context.Context, x id.Upload) error {
	up, err := u.read(x)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := u.options(&up)
	o.DryRun, o.Progress = true, u.follow(x, func(now *Upload) {
		if now.State != StatePlanning || now.Revision != up.Revision {
			cancel() // nobody wants this plan any more
		}
	}, cancel)
	plan, failed := importer.Import(ctx, o)
	if ctx.Err() != nil {
		return nil // the next call begins again, if the plan is still wanted
	}
	_, err = u.change(x, func(now *Upload) error {
		if now.State == StatePlanning && now.Revision == up.Revision {
			now.State, now.Plan, now.Problems = StatePlanned, &plan, u.problems(x, failed)
		}
		return nil
	})
	return err
}

// follow returns a function for importer.Options.Progress that writes the progress at intervals. It calls seen with the state,
// and gone if the upload no longer exists.
func (u *Uploads) follow(x id.Upload, seen func(*Upload), gone func()) func(importer.Progress) {
	var last time.Time
	number := int64(0)
	return func(p importer.Progress) {
		if time.Since(last) < progressEvery && p.Summary.Import == number {
			return
		}
		last, number = time.Now(), p.Summary.Import
		s := p.Summary
		_, err := u.change(x, func(up *Upload) error {
			up.Progress = Progress{
				File: p.File, ReadBytes: p.ReadBytes, SizeBytes: p.SizeBytes,
				Records: s.Read + s.Connections.Read, Rejected: s.Rejected + s.Connections.Rejected,
			}
			up.began(number)
			seen(up)
			return nil
		})
		switch {
		case fault.CodeOf(err) == fault.NotFound:
			gone()
		case err != nil:
			u.Log.Warn("progress of an upload was not written", "upload", x, "error", err)
		}
	}
}

// began records the number of an import.
func (u *Upload) began(number int64) {
	if number > 0 && (len(u.Imports) == 0 || u.Imports[len(u.Imports)-1] != number) {
		u.Imports = append(u.Imports, number)
	}
}

// importNext imports what is queued, one upload after another. One server at a time does.
func (u *Uploads) importNext(ctx context.Context) error {
	lock, err := filelock.Try(filepath.Join(u.Dir, "import.lock"))
	if errors.Is(err, filelock.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	for ctx.Err() == nil {
		all, err := u.List()
		if err != nil {
			return err
		}
		var next *Upload
		for i := range all {
			up := &all[i]
			switch {
			case up.State == StateImporting: // its server ended without a word: who imports has the lock
				if err := u.interrupt(up.ID); err != nil {
					return err
				}
			case up.State == StateQueued && (next == nil || up.QueuedAt.Before(next.QueuedAt)):
				next = up
			}
		}
		if next == nil {
			return nil
		}
		if err := u.load(ctx, next.ID); err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

func (u *Uploads) interrupt(x id.Upload) error {
	_, err := u.change(x, func(up *Upload) error {
		if up.State == StateImporting {
			up.State = StateInterrupted
		}
		return nil
	})
	if fault.CodeOf(err) == fault.NotFound {
		return nil
	}
	return err
}

func (u *Uploads) load(ctx context.Context, x id.Upload) error {
	up, err := u.change(x, func(up *Upload) error {
		if up.State != StateQueued {
			return u.errUnknown()
		}
		up.State = StateImporting
		return nil
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(auditlog.As(ctx, up.ImportedBy))
	defer cancel()
	o := u.options(&up)
	o.Rejects = importer.RejectsIn(u.Rejects)
	o.Progress = u.follow(x, func(now *Upload) {
		if now.Stopped {
			cancel()
		}
	}, func() {})
	result, failed := importer.Import(ctx, o)
	u.Log.InfoContext(ctx, "import ended", "upload", x, "import", result.Import, "read", result.Read, "added", result.Added,
		"updated", result.Updated, "rejected", result.Rejected, "finished", failed == nil)
	_, err = u.change(x, func(up *Upload) error {
		up.began(result.Import)
		up.Result = &result
		switch {
		case errors.Is(failed, context.Canceled):
			up.State = StateInterrupted
		case failed != nil && !onlyUnread(failed):
			up.State, up.Problems = StateFailed, u.problems(x, failed)
		default:
			up.State = StateImported
			return os.RemoveAll(u.path(x, filesDir)) // everything in them is loaded or rejected
		}
		return nil
	})
	return err
}

// onlyUnread reports whether an import failed only at tables that the plan showed as not read.
func onlyUnread(err error) bool {
	if many, ok := err.(interface{ Unwrap() []error }); ok { // each of the joined errors is asked
		for _, one := range many.Unwrap() {
			if !onlyUnread(one) {
				return false
			}
		}
		return true
	}
	return errors.Is(err, importer.ErrNoColumns)
}

// problems returns the messages of a joined error, except that a table has no columns of companies: the plan shows that.
func (u *Uploads) problems(x id.Upload, err error) (out []string) {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok { // each of the joined errors is shown
		for _, one := range many.Unwrap() {
			out = append(out, u.problems(x, one)...)
		}
		return out
	}
	if errors.Is(err, importer.ErrNoColumns) {
		return nil
	}
	if e := new(fault.Error); errors.As(diskFault(err), &e) {
		return []string{e.Message}
	}
	text := strings.TrimPrefix(err.Error(), "import ")
	return []string{strings.ReplaceAll(text, u.path(x, filesDir)+string(filepath.Separator), "")}
}

// Package upload keeps the files that operators upload, and plans and runs their imports in the background. An upload lives in a
// folder of its own: its files, and its state as JSON, so that it survives a restart. Package importer reads the files.
//
//	           Plan              planned            Import              runs
//	receiving ───────▶ planning ─────────▶ planned ────────▶ queued ──────────▶ importing ──▶ imported
//	                      ▲                   │                 ▲                   │
//	                      └───────────────────┘                 └── interrupted ◀───┤ server ended, or Stop
//	                        Plan with settings                  └── failed      ◀───┘ an error
package upload

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
)

// State is how far an upload is.
type State string

// The states.
const (
	StateReceiving   State = "receiving"
	StatePlanning    State = "planning"
	StatePlanned     State = "planned"
	StateQueued      State = "queued"
	StateImporting   State = "importing"
	StateImported    State = "imported"
	StateInterrupted State = "interrupted"
	StateFailed      State = "failed"
)

// Running reports whether the upload changes by itself.
func (s State) Running() bool {
	return s == StatePlanning || s == StateQueued || s == StateImporting
}

// Upload is a set of files that are imported together.
type Upload struct {
	ID         id.Upload `json:"id"`
	By         id.Person `json:"by"`
	CreatedAt  time.Time `json:"created_at"`
	ChangedAt  time.Time `json:"changed_at"`
	QueuedAt   time.Time `json:"queued_at"`
	ImportedBy id.Person `json:"imported_by"` // who asked for the last import
	State      State     `json:"state"`
	Files      []File    `json:"files"`
	Settings   Settings  `json:"settings"`
	Revision   int       `json:"revision"` // of the settings

	Plan     *importer.Summary `json:"plan"`     // what an import would do; nil until it is known
	Result   *importer.Summary `json:"result"`   // what the last import did; nil before the first
	Problems []string          `json:"problems"` // why the plan or the last import is not complete
	Progress Progress          `json:"progress"` // of the planning or the import
	Imports  []int64           `json:"imports"`  // their numbers in the catalog, the last one last
	Stopped  bool              `json:"stopped"`  // a person asked the running import to end

	Ahead int `json:"-"` // the uploads that are imported before this one, if it is queued
}

// File is a file of an upload.
type File struct {
	Name      string    `json:"name"`
	SizeBytes int64     `json:"size"` // as announced; once it is complete, as it is
	Modified  string    `json:"modified,omitempty"`
	Complete  bool      `json:"complete"`
	Refused   string    `json:"refused,omitempty"` // why it was deleted; empty if it was not
	AddedAt   time.Time `json:"added_at"`

	ReceivedBytes int64 `json:"-"`
}

// Progress is how far a file has been read.
type Progress struct {
	File      string `json:"file"`
	ReadBytes int64  `json:"read_bytes"`
	SizeBytes int64  `json:"size_bytes"`
	Records   int    `json:"records"`  // of all files
	Rejected  int    `json:"rejected"` // of all files
}

// Usable returns the names of the files that can be read.
func (u *Upload) Usable() (names []string) {
	for _, f := range u.Files {
		if f.Complete && f.Refused == "" {
			names = append(names, f.Name)
		}
	}
	return names
}

// Options are the settings of Uploads.
type Options struct {
	// Dir is the folder of the uploads. If empty, nothing can be uploaded.
	Dir string
	// Rejects is the folder of the rejected rows.
	Rejects string
	// SeveralServers says that other servers may receive uploads in folders of their own.
	SeveralServers bool
	// SizeBytesMax is the most that the files of an upload may have together. 0 switches uploads off.
	SizeBytesMax int64
	// Abandoned is how long an upload that is not imported is kept. Defaults to 24h.
	Abandoned time.Duration
	// Kept is how long the result of an import is kept. Defaults to 720h, 30 days.
	Kept time.Duration
	// Log defaults to slog.DiscardHandler.
	Log *slog.Logger
}

// Uploads keeps uploads. Safe for concurrent use, also by several servers with the same folder.
type Uploads struct {
	Options
	catalog *catalog.Store
	undo    importer.UndoOptions

	once    sync.Once
	cancel  context.CancelFunc
	ctx     context.Context //nolint:containedctx // of what runs in the background
	group   sync.WaitGroup
	planned chan struct{} // wakes the planner
	queued  chan struct{} // wakes the importer

	mu      sync.Mutex
	undoing map[int64]*Undoing
}

// New returns Uploads. Call Start to plan and import.
func New(undo importer.UndoOptions, o Options) *Uploads {
	o.Abandoned, o.Kept = cmp.Or(o.Abandoned, 24*time.Hour), cmp.Or(o.Kept, 30*24*time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	u := &Uploads{
		Options: o, catalog: undo.Catalog, undo: undo, planned: make(chan struct{}, 1), queued: make(chan struct{}, 1),
		undoing: map[int64]*Undoing{},
	}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	return u
}

// Enabled reports whether files can be uploaded.
func (u *Uploads) Enabled() bool { return u.Dir != "" && u.SizeBytesMax > 0 }

const (
	stateFile = "upload.json"
	filesDir  = "files"
)

func (u *Uploads) path(x id.Upload, rest ...string) string {
	return filepath.Join(append([]string{u.Dir, x.String()}, rest...)...)
}

// Get returns an upload. NotFound if there is none.
func (u *Uploads) Get(x id.Upload) (Upload, error) {
	up, err := u.read(x)
	if err != nil {
		return up, err
	}
	if up.State == StateQueued {
		all, err := u.List()
		if err != nil {
			return up, err
		}
		for i := range all {
			if all[i].State == StateImporting || all[i].State == StateQueued && all[i].QueuedAt.Before(up.QueuedAt) {
				up.Ahead++
			}
		}
	}
	return up, nil
}

func (u *Uploads) read(x id.Upload) (up Upload, err error) {
	if u.Dir == "" {
		return up, u.errUnknown()
	}
	content, err := os.ReadFile(u.path(x, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return up, u.errUnknown()
	}
	if err != nil {
		return up, fmt.Errorf("read upload %s: %w", x, err)
	}
	if err := json.Unmarshal(content, &up); err != nil {
		return up, fmt.Errorf("read upload %s: %w", x, err)
	}
	for i := range up.Files {
		f := &up.Files[i]
		if f.ReceivedBytes = f.SizeBytes; !f.Complete {
			f.ReceivedBytes = sizeOf(u.path(x, filesDir, f.Name))
		}
	}
	return up, nil
}

func (u *Uploads) errUnknown() error {
	if u.SeveralServers {
		return fault.New(fault.NotFound, "There is no such upload on this server. Uploads that are not imported are deleted after a day. "+
			"With several servers, an upload stays on the one that received it: have the proxy send /console/operator/uploads/ to one of "+
			"them, then upload the files again.")
	}
	return fault.New(fault.NotFound, "There is no such upload. Uploads that are not imported are deleted after a day. Upload the files again.")
}

// List returns all uploads, newest first.
func (u *Uploads) List() ([]Upload, error) {
	if u.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(u.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", err)
	}
	var all []Upload
	for _, e := range entries {
		x, err := id.Parse[id.Upload](e.Name())
		if err != nil {
			continue
		}
		up, err := u.read(x)
		if fault.CodeOf(err) == fault.NotFound {
			continue // it is being created or deleted
		}
		if err != nil {
			return nil, err
		}
		all = append(all, up)
	}
	slices.SortFunc(all, func(a, b Upload) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all, nil
}

const (
	lockPoll = 5 * time.Millisecond
	lockMax  = 10 * time.Second
)

// change lets fn change an upload. Changes of all servers happen one after another.
func (u *Uploads) change(x id.Upload, fn func(*Upload) error) (Upload, error) {
	if _, err := os.Stat(u.path(x)); err != nil {
		return Upload{}, u.errUnknown()
	}
	lock, err := waitFor(u.path(x, "change.lock"))
	if err != nil {
		return Upload{}, fmt.Errorf("lock upload %s: %w", x, err)
	}
	defer lock.Close()
	up, err := u.read(x)
	if err != nil {
		return up, err
	}
	if err := fn(&up); err != nil {
		return up, err
	}
	up.ChangedAt = time.Now().UTC()
	err = u.write(&up)
	return up, err
}

func waitFor(path string) (*filelock.Lock, error) {
	for end := time.Now().Add(lockMax); ; time.Sleep(lockPoll) {
		lock, err := filelock.Try(path)
		if !errors.Is(err, filelock.ErrLocked) || time.Now().After(end) {
			return lock, err
		}
	}
}

// write replaces the state of an upload in one step.
func (u *Uploads) write(up *Upload) error {
	content, err := json.Marshal(up)
	if err != nil {
		return fmt.Errorf("write upload %s: %w", up.ID, err)
	}
	f, err := os.CreateTemp(u.path(up.ID), "state-*")
	if err != nil {
		return fmt.Errorf("write upload %s: %w", up.ID, diskFault(err))
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), u.path(up.ID, stateFile))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write upload %s: %w", up.ID, diskFault(err)), os.Remove(f.Name()))
	}
	return nil
}

// Delete deletes an upload with its files. What was imported stays. It is a conflict while the import runs.
func (u *Uploads) Delete(x id.Upload) error {
	_, err := u.change(x, func(up *Upload) error {
		if up.State == StateImporting {
			return fault.New(fault.Validation, "The import is running. Stop it first, or wait until it has ended.")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return u.remove(x)
}

func (u *Uploads) remove(x id.Upload) error {
	// Without its state the upload is gone, even if a file of it cannot be removed yet.
	err := errors.Join(os.Remove(u.path(x, stateFile)), os.RemoveAll(u.path(x)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete upload %s: %w", x, err)
	}
	return nil
}

// Prune deletes uploads that were abandoned, and old results.
func (u *Uploads) Prune(context.Context) error {
	all, err := u.List()
	if err != nil {
		return err
	}
	for i := range all {
		kept := u.Abandoned
		if all[i].State == StateImported {
			kept = u.Kept
		}
		if !all[i].State.Running() && time.Since(all[i].ChangedAt) > kept && time.Since(all[i].lastByte(u)) > kept {
			err = errors.Join(err, u.remove(all[i].ID))
		}
	}
	return err
}

// lastByte returns when the files last grew. The state does not change while a file arrives.
func (u *Upload) lastByte(all *Uploads) (last time.Time) {
	for _, f := range u.Files {
		if info, err := os.Stat(all.path(u.ID, filesDir, f.Name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

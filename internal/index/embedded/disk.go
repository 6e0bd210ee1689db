package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Source is the catalog that an index is derived from. An index and its catalog are restored from backups separately, so
// each save leaves a mark in the catalog's database, and an index is trusted by a catalog that holds its mark.
type Source interface {
	// Origin is a name that no other catalog has, and the newest sequence number.
	Origin(ctx context.Context) (origin string, seq uint64, err error)
	// Mark keeps that the index knows the catalog up to seq, under a new mark, lasting once it returns. Of the index's
	// older marks it leaves the one to keep; it fails if that, unless it is empty, is not there: the catalog was set back.
	SaveCheckpoint(ctx context.Context, index, mark, keep string, seq uint64) error
	// Marked holds if the catalog has the index's mark.
	HasCheckpoint(ctx context.Context, index, mark string) (bool, error)
}

// disk is where an index is kept. Index.merging guards it.
type disk struct {
	dir           string
	source        Source
	log           *slog.Logger
	manifest      manifest  // the one in force
	savedSnapshot uint64    // the snapshot it holds, of this process
	lastAttempt   time.Time // of the last attempt to save
}

// Attach takes in what the directory holds and keeps the index there from now on; the directory is created if need be.
// It comes before the first Apply, and no other process may use the directory meanwhile. It reads little: names, the
// values of facets, what has died. What it finds damaged, of another version or of another catalog is left out and
// logged by name; Seq is 0 then, which asks for the catalog. The source must be usable until Close; Attach only reads it.
func (ix *Index) Attach(ctx context.Context, dir string, source Source) (err error) {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create index directory: %w", err)
	}
	d := &disk{dir: dir, source: source, log: ix.options.Log, lastAttempt: time.Now()}
	if d.manifest, err = d.loadManifest(ctx); err != nil {
		return fmt.Errorf("attach index: %w", err)
	}
	parts, lost, err := d.openParts(ctx, &ix.registry)
	if err != nil {
		return err
	}
	if lost && !d.manifest.Lost {
		if err := d.recordLoss(parts); err != nil {
			return err
		}
	}
	if err := d.removeStaleFiles(parts); err != nil {
		return err
	}
	ix.adoptParts(d, parts)
	return nil
}

// take makes the parts the index's first moment.
func (ix *Index) adoptParts(d *disk, parts []part) {
	next := &snapshot{seq: d.manifest.Seq, parts: parts}
	for i := range parts {
		next.companies += parts[i].companies()
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.lost.Store(d.manifest.Lost)
	ix.publish(next)
	d.savedSnapshot = next.id
	ix.disk = d
	ix.merger.scrub(ix, parts)
}

// trusted is the directory's manifest, or an empty one if it is not about this catalog as it is.
func (d *disk) loadManifest(ctx context.Context) (manifest, error) {
	origin, seq, err := d.source.Origin(ctx)
	if err != nil {
		return manifest{}, err
	}
	fresh := manifest{Version: manifestVersion, Catalog: origin, Index: uuid.NewString(), Next: 1}
	m, err := readManifest(d.dir)
	marked := false
	if err == nil && m.Catalog == origin {
		marked, err = d.source.HasCheckpoint(ctx, m.Index, m.Checkpoint)
	}
	damage := (*DamageError)(nil)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fresh, nil
	case errors.Is(err, errVersion):
		d.log.InfoContext(ctx, "index is of another version and will be built anew", "dir", d.dir, "reason", err)
	case errors.As(err, &damage):
		d.log.ErrorContext(ctx, "index is damaged and will be built anew", "segment", damage.Segment, "problem", damage.Problem)
	case err != nil:
		return manifest{}, err
	case m.Catalog != origin:
		d.log.WarnContext(ctx, "index is of another catalog and will be built anew", "dir", d.dir)
	case !marked || m.Seq > seq:
		d.log.WarnContext(ctx, "index does not fit the catalog any more and will be built anew: one of them was restored from a backup",
			"dir", d.dir, "index_seq", m.Seq, "catalog_seq", seq)
	default:
		return m, nil
	}
	return fresh, d.removeManifest()
}

// forget removes the manifest, and with it all that the directory holds.
func (d *disk) removeManifest() error {
	if err := os.Remove(filepath.Join(d.dir, manifestName)); err != nil {
		return fmt.Errorf("forget index: %w", err)
	}
	return syncDir(d.dir)
}

// parts opens the manifest's segments for the registry, those left out that are damaged.
func (d *disk) openParts(ctx context.Context, r *registry) (parts []part, lost bool, err error) {
	for _, e := range d.manifest.Segments {
		p, err := e.open(d.dir)
		if err == nil {
			err = p.file.mapping.guardRead(e.Name, "values", func() error {
				r.register(p.segment)
				return nil
			})
		}
		damage := (*DamageError)(nil)
		switch {
		case errors.Is(err, errVersion):
			damage = &DamageError{e.Name, "header", err.Error()}
			fallthrough
		case errors.As(err, &damage):
			logDamage(ctx, d.log, damage)
			lost = true
		case err != nil:
			return nil, false, fmt.Errorf("open index: %w", err)
		default:
			parts = append(parts, p)
		}
	}
	return parts, lost, nil
}

func logDamage(ctx context.Context, log *slog.Logger, damage *DamageError) {
	log.ErrorContext(ctx, "index segment is damaged; its companies will be indexed anew from the catalog",
		"segment", damage.Segment, "section", damage.Section, "problem", damage.Problem)
}

// declareLost writes that the manifest's other segments are gone, so that a crash forgets neither them nor the loss. The
// mark stays: what is left is of the same past.
func (d *disk) recordLoss(left []part) error {
	d.manifest.Lost = true
	d.manifest.Segments = slices.DeleteFunc(slices.Clone(d.manifest.Segments), func(e manifestEntry) bool {
		return !slices.ContainsFunc(left, func(p part) bool { return p.file != nil && p.file.name == e.Name })
	})
	if d.manifest.Checkpoint == "" {
		return nil // no moment is on disk yet
	}
	return d.manifest.write(d.dir)
}

// sweep removes the files that neither the manifest nor the index names: of older moments, or left by a crash.
func (d *disk) removeStaleFiles(parts []part) error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("sweep index: %w", err)
	}
	used := map[string]bool{}
	for _, e := range d.manifest.Segments {
		used[e.Name] = true
	}
	for _, p := range parts {
		if p.file != nil {
			used[p.file.name] = true
		}
	}
	for _, e := range entries {
		stale := strings.HasSuffix(e.Name(), tmpSuffix) || strings.HasSuffix(e.Name(), segmentSuffix) && !used[e.Name()]
		if !stale {
			continue
		}
		if err := os.Remove(filepath.Join(d.dir, e.Name())); err != nil {
			return fmt.Errorf("sweep index: %w", err)
		}
	}
	return nil
}

// newFile begins a segment's file; nil without a disk.
func (d *disk) newFileWriter() (*fileWriter, error) {
	if d == nil {
		return nil, nil
	}
	name := segmentName(d.manifest.Next)
	d.manifest.Next++
	return newFileWriter(filepath.Join(d.dir, name))
}

// Remove takes an index off the disk; nobody may use it.
func Remove(dir string) error {
	d := &disk{dir: dir}
	if err := d.removeManifest(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := d.removeStaleFiles(nil); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Save makes the moment lasting: after a restart the index begins with it. It does nothing without a directory, while
// nothing has changed, while a catalog is being taken in for the first time, and while lost companies are missing.
func (ix *Index) Save(ctx context.Context) error {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if !ix.unsaved() {
		return nil
	}
	defer func() { ix.disk.lastAttempt = time.Now() }() // the next attempt is due only then, however long this one waits
	err := ix.recoverFaults(nil, func() error { return ix.save(ctx) })
	if err != nil {
		ix.noteDamage(err)
		return fmt.Errorf("save index: %w", err)
	}
	return nil
}

// unsaved holds if there is something that Save would do; ix.merging is held.
func (ix *Index) unsaved() bool {
	s := ix.current.Load()
	return ix.disk != nil && !ix.lost.Load() && s.seq > 0 && s.id != ix.disk.savedSnapshot
}

// saveDue holds if Save should be called now: much is in memory only, or something has been for long.
func (ix *Index) saveDue() bool {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if !ix.unsaved() {
		return false
	}
	waiting := 0
	for _, p := range ix.current.Load().parts {
		if p.file == nil {
			waiting += p.companies()
		}
	}
	since := time.Since(ix.disk.lastAttempt)
	return since >= ix.options.SaveEvery || waiting >= ix.options.SaveFrom && since >= time.Second
}

// save writes what is in memory only as segments, then a manifest of the same moment. What is applied meanwhile is of
// a later one.
func (ix *Index) save(ctx context.Context) error {
	d, s := ix.disk, ix.current.Load()
	m := d.manifest
	m.Seq, m.Lost, m.Segments = s.seq, false, nil
	var fresh []part
	for _, p := range s.parts {
		if p.file == nil {
			fresh = append(fresh, p)
		} else {
			m.Segments = append(m.Segments, entryOf(p))
		}
	}
	for _, group := range packParts(fresh, ix.options.SegmentMax) {
		written, err := ix.mergeInto(group, true)
		if err != nil {
			return err
		}
		if written != nil {
			m.Segments = append(m.Segments, entryOf(newPart(written)))
		}
	}
	m.Next = d.manifest.Next
	if err := d.saveCheckpoint(ctx, &m); err != nil {
		return err
	}
	if err := m.write(d.dir); err != nil {
		return err
	}
	d.manifest = m
	if newest := ix.current.Load(); newest.seq == s.seq && !slices.ContainsFunc(newest.parts, inMemory) {
		d.savedSnapshot = newest.id
	}
	return d.removeStaleFiles(ix.current.Load().parts)
}

// markWait is how long a save waits for the catalog's database, which an import may hold. No damaged segment can be given
// up meanwhile, and Close waits as long.
const checkpointTimeout = 5 * time.Second

// mark gives the manifest a mark that the catalog holds from then on, beside that of the manifest in force, which counts
// until this one is written. A moment that differs by merges alone goes on with its mark; one whose lost companies came
// back does not, since they are as the catalog had them later.
func (d *disk) saveCheckpoint(ctx context.Context, m *manifest) error {
	if old := d.manifest; old.Checkpoint != "" && old.Seq == m.Seq && !old.Lost {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkpointTimeout)
	defer cancel()
	m.Checkpoint = uuid.NewString()
	return d.source.SaveCheckpoint(ctx, m.Index, m.Checkpoint, d.manifest.Checkpoint, m.Seq)
}

func inMemory(p part) bool { return p.file == nil }

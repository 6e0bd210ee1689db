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

// disk is the directory of an index. Guarded by Index.merging.
type disk struct {
	dir           string
	source        Source
	log           *slog.Logger
	manifest      manifest  // the current one
	savedSnapshot uint64    // id of the snapshot that manifest describes, in this process
	lastAttempt   time.Time // time of the last attempt to save
}

// Attach loads the index from the directory and keeps it there from now on. It creates the directory if necessary. It must
// be called before the first Apply, and no other process may use the directory. It reads only headers, the values of facets
// and the deleted slots. Segments that are damaged or have another version, and an index of another catalog, are left out
// and logged; Seq is then 0, which requests the whole catalog. The source must be usable until Close; Attach itself only
// reads it.
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

// adoptParts publishes the parts as the index's first snapshot.
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

// loadManifest returns the directory's manifest, or an empty one if it does not match the catalog.
func (d *disk) loadManifest(ctx context.Context) (manifest, error) {
	origin, seq, err := d.source.Origin(ctx)
	if err != nil {
		return manifest{}, err
	}
	fresh := manifest{Version: manifestVersion, Format: formatVersion, Catalog: origin, Index: uuid.NewString(), Next: 1}
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
		d.log.InfoContext(ctx, "index has another format version; it will be rebuilt", "dir", d.dir, "reason", err)
	case errors.As(err, &damage):
		d.log.ErrorContext(ctx, "index is damaged; it will be rebuilt", "segment", damage.Segment, "problem", damage.Problem)
	case err != nil:
		return manifest{}, err
	case m.Catalog != origin:
		d.log.WarnContext(ctx, "index belongs to another catalog; it will be rebuilt", "dir", d.dir)
	case !marked || m.Seq > seq:
		d.log.WarnContext(ctx, "index does not match the catalog, because one of them was restored from a backup; it will be rebuilt",
			"dir", d.dir, "index_seq", m.Seq, "catalog_seq", seq)
	default:
		return m, nil
	}
	return fresh, d.removeManifest()
}

// removeManifest removes the manifest, which makes all files in the directory stale.
func (d *disk) removeManifest() error {
	if err := os.Remove(filepath.Join(d.dir, manifestName)); err != nil {
		return fmt.Errorf("remove index manifest: %w", err)
	}
	return syncDir(d.dir)
}

// openParts opens the manifest's segments and registers their values. Damaged segments are left out and logged.
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
	log.ErrorContext(ctx, "index segment is damaged; its companies will be indexed again from the catalog",
		"segment", damage.Segment, "section", damage.Section, "problem", damage.Problem)
}

// recordLoss removes all segments but the given ones from the manifest on disk and marks it as lost, so that a crash neither
// brings them back nor hides the loss. The checkpoint stays valid, because the remaining segments have the same history.
func (d *disk) recordLoss(left []part) error {
	d.manifest.Lost = true
	d.manifest.Segments = slices.DeleteFunc(slices.Clone(d.manifest.Segments), func(e manifestEntry) bool {
		return !slices.ContainsFunc(left, func(p part) bool { return p.file != nil && p.file.name == e.Name })
	})
	if d.manifest.Checkpoint == "" {
		return nil // nothing was saved yet
	}
	return d.manifest.write(d.dir)
}

// removeStaleFiles removes files that belong neither to the manifest nor to the index: those of older snapshots and those
// left by a crash.
func (d *disk) removeStaleFiles(parts []part) error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("remove stale index files: %w", err)
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
			return fmt.Errorf("remove stale index files: %w", err)
		}
	}
	return nil
}

// newFileWriter starts a segment's file; it returns nil without a disk.
func (d *disk) newFileWriter() (*fileWriter, error) {
	if d == nil {
		return nil, nil
	}
	name := segmentName(d.manifest.Next)
	d.manifest.Next++
	return newFileWriter(filepath.Join(d.dir, name))
}

// Remove deletes the index in a directory, which must not be in use.
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

// Save makes the current snapshot durable: after a restart the index continues from it. It does nothing without a directory,
// if nothing has changed, during the first scan of a catalog, and while companies are lost.
func (ix *Index) Save(ctx context.Context) error {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if !ix.unsaved() {
		return nil
	}
	defer func() { ix.disk.lastAttempt = time.Now() }() // the next attempt is due relative to the end of this one
	err := ix.recoverFaults(nil, func() error { return ix.save(ctx) })
	if err != nil {
		ix.noteDamage(err)
		return fmt.Errorf("save index: %w", err)
	}
	return nil
}

// unsaved reports whether Save has something to do. Must be called with ix.merging held.
func (ix *Index) unsaved() bool {
	s := ix.current.Load()
	return ix.disk != nil && !ix.lost.Load() && s.seq > 0 && s.id != ix.disk.savedSnapshot
}

// saveDue reports whether Save is due, because many companies are only in memory or some have been for too long.
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

// save writes the segments in memory to files, then a manifest for the snapshot at its start. Later changes belong to the
// next save.
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

// checkpointTimeout is how long a save waits for the catalog's database, which an import may have locked. Damaged segments
// cannot be dropped during that time, and Close waits as long.
const checkpointTimeout = 5 * time.Second

// saveCheckpoint sets the manifest's checkpoint and saves it in the catalog, where the current manifest's stays until the
// new manifest is written. A snapshot that differs only by merges keeps its checkpoint. One whose lost companies were
// restored does not, because they were read from a later state of the catalog.
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

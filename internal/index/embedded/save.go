package embedded

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Save makes the moment lasting: after a restart the index begins with it. It does nothing without a directory, while
// nothing has changed, while a catalog is being taken in for the first time, and while lost companies are missing.
func (ix *Index) Save(ctx context.Context) error {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if !ix.unsaved() {
		return nil
	}
	defer func() { ix.disk.last = time.Now() }() // the next attempt is due only then, however long this one waits
	err := ix.surviving(nil, func() error { return ix.save(ctx) })
	if err != nil {
		ix.noticed(err)
		return fmt.Errorf("save index: %w", err)
	}
	return nil
}

// unsaved holds if there is something that Save would do; ix.merging is held.
func (ix *Index) unsaved() bool {
	s := ix.current.Load()
	return ix.disk != nil && !ix.lost.Load() && s.seq > 0 && s.id != ix.disk.saved
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
	since := time.Since(ix.disk.last)
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
	for _, group := range packed(fresh, ix.options.SegmentMax) {
		written, err := ix.mergeInto(group, true)
		if err != nil {
			return err
		}
		if written != nil {
			m.Segments = append(m.Segments, entryOf(newPart(written)))
		}
	}
	m.Next = d.manifest.Next
	if err := d.mark(ctx, &m); err != nil {
		return err
	}
	if err := m.write(d.dir); err != nil {
		return err
	}
	d.manifest = m
	if newest := ix.current.Load(); newest.seq == s.seq && !slices.ContainsFunc(newest.parts, inMemory) {
		d.saved = newest.id
	}
	return d.sweep(ix.current.Load().parts)
}

// markWait is how long a save waits for the catalog's database, which an import may hold. No damaged segment can be given
// up meanwhile, and Close waits as long.
const markWait = 5 * time.Second

// mark gives the manifest a mark that the catalog holds from then on, beside that of the manifest in force, which counts
// until this one is written. A moment that differs by merges alone goes on with its mark; one whose lost companies came
// back does not, since they are as the catalog had them later.
func (d *disk) mark(ctx context.Context, m *manifest) error {
	if old := d.manifest; old.Mark != "" && old.Seq == m.Seq && !old.Lost {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, markWait)
	defer cancel()
	m.Mark = uuid.NewString()
	return d.source.Mark(ctx, m.Index, m.Mark, d.manifest.Mark, m.Seq)
}

func inMemory(p part) bool { return p.file == nil }

package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Stats say what a directory holds.
type Stats struct {
	Version   int            `json:"version"`
	Seq       uint64         `json:"seq"`  // the catalog's sequence number up to which it holds every change
	Lost      bool           `json:"lost"` // companies are missing until the next server has indexed them anew
	Companies int            `json:"companies"`
	Deleted   int            `json:"dead"` // older states of companies that are still stored
	Bytes     int64          `json:"bytes"`
	Segments  []SegmentStats `json:"segments"`
	Sections  []SectionStats `json:"sections"` // over all segments
}

// SegmentStats are a segment's.
type SegmentStats struct {
	Name      string `json:"name"`
	Companies int    `json:"companies"`
	Deleted   int    `json:"dead"`
	Bytes     int64  `json:"bytes"`
}

// SectionStats are those of one kind of section.
type SectionStats struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Inspect reads what a directory holds, also while a server uses it; os.ErrNotExist without an index. It reads the manifest
// and the segments' headers, and tells what of these is damaged; the stats are of the rest.
func Inspect(dir string) (Stats, []DamageError, error) {
	return inspect(dir, func(part) error { return nil })
}

// Verify is Inspect that reads all bytes, and follows all references.
func Verify(ctx context.Context, dir string) (Stats, []DamageError, error) {
	return inspect(dir, func(p part) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.verify(allGroups); err != nil {
			return err
		}
		return p.validate()
	})
}

// inspectTries is how often a directory is read again because a server has gone on to another moment.
const inspectTries = 10

func inspect(dir string, look func(part) error) (stats Stats, damages []DamageError, err error) {
	for range inspectTries {
		m, err := readManifest(dir)
		if damage, ok := errors.AsType[*DamageError](err); ok {
			return manifest{}.stats(), []DamageError{*damage}, nil
		}
		if err != nil {
			return Stats{}, nil, err
		}
		stats, damages, err = m.inspect(dir, look)
		if err != nil || len(damages) == 0 {
			return stats, damages, err
		}
		// A loss that is declared keeps the mark; merges may keep it, too, but take a number for what they write.
		now, err := readManifest(dir)
		if err == nil && now.Checkpoint == m.Checkpoint && now.Next == m.Next && len(now.Segments) == len(m.Segments) {
			break
		}
	}
	return stats, damages, nil
}

func (m manifest) stats() Stats {
	return Stats{Version: m.Version, Seq: m.Seq, Lost: m.Lost, Segments: []SegmentStats{}, Sections: []SectionStats{}}
}

func (m manifest) inspect(dir string, look func(part) error) (Stats, []DamageError, error) {
	stats := m.stats()
	var damages []DamageError
	for _, e := range m.Segments {
		p, err := e.open(dir)
		if err == nil {
			stats.add(p)
			err = look(p)
		}
		if errors.Is(err, errVersion) { // Attach takes it for damaged, too
			err = &DamageError{e.Name, "header", err.Error()}
		}
		if damage, ok := errors.AsType[*DamageError](err); ok {
			damages = append(damages, *damage)
		} else if err != nil {
			return Stats{}, nil, fmt.Errorf("inspect %s: %w", filepath.Join(dir, e.Name), err)
		}
	}
	return stats, damages, nil
}

func (s *Stats) add(p part) {
	one := SegmentStats{
		Name: p.file.name, Companies: p.companies(), Deleted: len(p.deleted) - len(p.holes), Bytes: int64(len(p.file.mapping.bytes)),
	}
	s.Segments = append(s.Segments, one)
	s.Companies += one.Companies
	s.Deleted += one.Deleted
	s.Bytes += one.Bytes
	if len(s.Sections) == 0 {
		s.Sections = make([]SectionStats, sectionCount)
	}
	for i, section := range p.file.sections {
		s.Sections[i].Name = section.name
		s.Sections[i].Bytes += int64(p.file.extents[i].size)
	}
}

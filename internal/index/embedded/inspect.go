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
	Dead      int            `json:"dead"` // older states of companies that are still stored
	Bytes     int64          `json:"bytes"`
	Segments  []SegmentStats `json:"segments"`
	Sections  []SectionStats `json:"sections"` // over all segments
}

// SegmentStats are a segment's.
type SegmentStats struct {
	Name      string `json:"name"`
	Companies int    `json:"companies"`
	Dead      int    `json:"dead"`
	Bytes     int64  `json:"bytes"`
}

// SectionStats are those of one kind of section.
type SectionStats struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Inspect reads what a directory holds, also while a server uses it; os.ErrNotExist without an index, a *DamageError where it
// cannot be read.
func Inspect(dir string) (Stats, error) {
	stats, _, err := inspect(dir, func(part) error { return nil })
	return stats, err
}

// Verify reads all bytes of what a directory holds and tells what is damaged. It works beside a server.
func Verify(ctx context.Context, dir string) (Stats, []DamageError, error) {
	return inspect(dir, func(p part) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.need(allGroups); err != nil {
			return err
		}
		return p.sound()
	})
}

// inspectTries is how often a directory is read again because a server has gone on to another moment.
const inspectTries = 10

func inspect(dir string, look func(part) error) (stats Stats, damages []DamageError, err error) {
	for range inspectTries {
		m, err := readManifest(dir)
		if err != nil {
			return Stats{}, nil, err
		}
		stats, damages, err = m.inspect(dir, look)
		if err != nil || len(damages) == 0 {
			return stats, damages, err
		}
		if now, err := readManifest(dir); err == nil && now.Seq == m.Seq && now.Next == m.Next {
			break
		}
	}
	return stats, damages, nil
}

func (m manifest) inspect(dir string, look func(part) error) (Stats, []DamageError, error) {
	stats := Stats{Version: m.Version, Seq: m.Seq, Lost: m.Lost, Segments: []SegmentStats{}}
	var damages []DamageError
	for _, e := range m.Segments {
		p, err := e.open(dir)
		if err == nil {
			stats.add(p)
			err = look(p)
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
		Name: p.file.name, Companies: p.companies(), Dead: len(p.dead) - len(p.holes), Bytes: int64(len(p.file.mapping.bytes)),
	}
	s.Segments = append(s.Segments, one)
	s.Companies += one.Companies
	s.Dead += one.Dead
	s.Bytes += one.Bytes
	if s.Sections == nil {
		s.Sections = make([]SectionStats, sectionCount)
	}
	for i, section := range p.file.sections {
		s.Sections[i].Name = section.name
		s.Sections[i].Bytes += int64(p.file.places[i].size)
	}
}

package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Inspect describes the index in a directory, which a server may be using. The error is os.ErrNotExist if there is no index.
// It reads the manifest and the segments' headers and returns their damage; the stats are those of the undamaged segments.
func Inspect(dir string) (Stats, []DamageError, error) {
	return inspect(dir, func(part) error { return nil })
}

// Verify is like Inspect, but reads all bytes and checks all references between sections.
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

// inspectTries is how often a directory is read again because a server has saved another snapshot in the meantime.
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
		// Recording a loss keeps the checkpoint, but removes segments. A merge may keep it too, but uses up a file number.
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
			p.addTo(&stats)
			err = look(p)
		}
		if errors.Is(err, errVersion) { // Attach treats it as damaged too
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

// addTo adds the part to the stats of its index.
func (p part) addTo(s *Stats) {
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

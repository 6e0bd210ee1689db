package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writing is a segment's file while it is written, beside its final name. The nil *writing writes nothing.
type writing struct {
	path   string
	file   *os.File
	places []place
	at     uint64
	err    error // the first one; nothing is written after it
}

const unfinished = ".tmp"

func newWriting(path string) (*writing, error) {
	f, err := os.OpenFile(path+unfinished, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	return &writing{path: path, file: f, places: make([]place, sectionCount), at: uint64(formatSize)}, nil
}

// put writes the sections of some groups and lets go of them.
func (w *writing) put(s *segment, these groups) {
	if w == nil {
		return
	}
	figures := s.figures()
	for i, one := range s.sections(&figures) {
		if !these.has(one.group) {
			continue
		}
		w.section(i, one.data.bytes())
		one.data.drop()
	}
}

func (w *writing) section(i int, p []byte) {
	w.at = (w.at + formatAlign - 1) &^ (formatAlign - 1)
	w.places[i] = place{w.at, uint64(len(p)), sumOf(p)}
	if w.err == nil && len(p) > 0 {
		_, w.err = w.file.WriteAt(p, int64(w.at))
	}
	w.at += uint64(len(p))
}

// abandon takes the unfinished file away.
func (w *writing) abandon() error {
	if w == nil {
		return nil
	}
	return errors.Join(w.file.Close(), os.Remove(w.path+unfinished))
}

// finish makes the file lasting, gives it its name and opens it.
func (w *writing) finish() (*segment, error) {
	size := (w.at + formatAlign - 1) &^ (formatAlign - 1)
	if w.err == nil {
		w.err = w.file.Truncate(int64(size))
	}
	if w.err == nil {
		_, w.err = w.file.WriteAt(header(w.places, size), 0)
	}
	if w.err == nil {
		w.err = w.file.Sync()
	}
	w.err = errors.Join(w.err, w.file.Close())
	if w.err == nil {
		w.err = os.Rename(w.path+unfinished, w.path)
	}
	if w.err == nil {
		w.err = syncDir(filepath.Dir(w.path))
	}
	if w.err != nil {
		return nil, errors.Join(fmt.Errorf("write segment %s: %w", filepath.Base(w.path), w.err), os.Remove(w.path+unfinished))
	}
	s, err := openSegment(w.path)
	if err == nil {
		s.file.verified.Store(uint64(allGroups)) // it was memory a moment ago
	}
	return s, err
}

package importer

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencapi/capi/internal/catalog"
)

// heldLinks are the connections that wait until all companies are written, in the order of the files. A connection that is written
// before its target has to wait in the database and be found again, which takes ten times as long. All but the last heldMax
// are in a temporary file.
type heldLinks struct {
	dir    string // of the file
	total  int    // how many were added
	recent []catalog.Connection
	file   *os.File
	out    *bufio.Writer
	enc    *gob.Encoder
}

const (
	heldMax   = 50_000
	heldChunk = 1_000 // connections that are decoded at once
)

func (h *heldLinks) add(links ...catalog.Connection) error {
	h.total += len(links)
	h.recent = append(h.recent, links...)
	if len(h.recent) < heldMax {
		return nil
	}
	if err := h.spill(); err != nil {
		return fmt.Errorf("keep connections in a temporary file: %w", err)
	}
	return nil
}

func (h *heldLinks) spill() (err error) {
	if h.file == nil {
		if h.file, err = os.CreateTemp(h.dir, "capi-import-*"); err != nil {
			return err
		}
		_ = os.Remove(h.file.Name()) // so that nothing is left if the process is killed; Windows removes it in close
		h.out = bufio.NewWriterSize(h.file, 1<<20)
		h.enc = gob.NewEncoder(h.out)
	}
	for first := 0; first < len(h.recent); first += heldChunk {
		if err := h.enc.Encode(h.recent[first:min(first+heldChunk, len(h.recent))]); err != nil {
			return err
		}
	}
	clear(h.recent)
	h.recent = h.recent[:0]
	return nil
}

// each calls fn with the connections, a part at a time, and forgets them. fn may keep the part.
func (h *heldLinks) each(fn func([]catalog.Connection) error) error {
	if h.file != nil {
		if err := h.eachSpilled(fn); err != nil {
			return err
		}
	}
	recent := h.recent
	h.recent = nil
	if len(recent) == 0 {
		return nil
	}
	return fn(recent)
}

func (h *heldLinks) eachSpilled(fn func([]catalog.Connection) error) error {
	err := h.out.Flush()
	if err == nil {
		_, err = h.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("read connections from a temporary file: %w", err)
	}
	for in := gob.NewDecoder(bufio.NewReaderSize(h.file, 1<<20)); ; {
		var part []catalog.Connection
		err := in.Decode(&part)
		if errors.Is(err, io.EOF) {
			return h.close()
		}
		if err != nil {
			return fmt.Errorf("read connections from a temporary file: %w", err)
		}
		if err := fn(part); err != nil {
			return err
		}
	}
}

// close removes the temporary file.
func (h *heldLinks) close() error {
	if h.file == nil {
		return nil
	}
	f := h.file
	h.file = nil
	err := f.Close()
	if removed := os.Remove(f.Name()); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

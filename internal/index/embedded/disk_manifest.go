package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
)

// manifest describes the saved snapshot: a line of JSON, then a line with the hexadecimal CRC-32C of the first. Files that
// it does not name do not belong to the index.
//
// Versions: 1; 2 adds the checkpoint, which the catalog must have too; 3 adds the format of the segments.
type manifest struct {
	Version    int    `json:"version"`
	Format     int    `json:"format"`  // the formatVersion of the segments
	Catalog    string `json:"catalog"` // the Source's origin
	Index      string `json:"index"`   // unique name of the directory's index
	Checkpoint string `json:"mark"`    // the catalog has it if it shares the snapshot's history; empty before the first save
	Seq        uint64 `json:"seq"`     // the snapshot contains the catalog's changes up to this sequence number
	Next       uint64 `json:"next"`    // the number of the next segment's file
	// Companies are missing because a segment was damaged.
	Lost     bool            `json:"lost,omitempty"`
	Segments []manifestEntry `json:"segments"`
}

type manifestEntry struct {
	Name      string `json:"name"`
	Companies int    `json:"companies"`      // live ones
	Deleted   []byte `json:"dead,omitempty"` // slots as a roaring bitmap, without the holes
}

const (
	manifestVersion = 3
	manifestName    = "manifest"
	segmentSuffix   = ".seg"
)

func segmentName(number uint64) string { return fmt.Sprintf("%08x%s", number, segmentSuffix) }

// readManifest reads the directory's manifest. The error is os.ErrNotExist if it does not exist, and errVersion if it has
// another version.
func readManifest(dir string) (manifest, error) {
	p, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return manifest{}, fmt.Errorf("read index: %w", err)
	}
	m, err := parseManifest(p)
	if err != nil && !errors.Is(err, errVersion) {
		return manifest{}, &DamageError{manifestName, "file", err.Error()}
	}
	return m, err
}

func parseManifest(p []byte) (m manifest, err error) {
	line, sum, ok := strings.Cut(string(p), "\n")
	want, err := strconv.ParseUint(strings.TrimSuffix(sum, "\n"), 16, 32)
	if !ok || err != nil || crc32.Checksum([]byte(line), castagnoli) != uint32(want) {
		return m, errors.New("wrong checksum")
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		return m, err
	}
	if m.Version != manifestVersion {
		return m, fmt.Errorf("version %d: %w", m.Version, errVersion)
	}
	if m.Format != formatVersion {
		return m, fmt.Errorf("segments of version %d: %w", m.Format, errVersion)
	}
	for _, e := range m.Segments {
		if filepath.Base(e.Name) != e.Name || filepath.Ext(e.Name) != segmentSuffix {
			return m, fmt.Errorf("%q is not the name of a segment", e.Name)
		}
	}
	return m, nil
}

// write replaces the directory's manifest atomically and durably.
func (m manifest) write(dir string) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	text := fmt.Appendf(line, "\n%08x\n", crc32.Checksum(line, castagnoli))
	path := filepath.Join(dir, manifestName)
	if err := writeSynced(path+tmpSuffix, text); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := os.Rename(path+tmpSuffix, path); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return syncDir(dir)
}

func writeSynced(path string, p []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// entryOf returns the manifest's entry of a part.
func entryOf(p part) manifestEntry {
	e := manifestEntry{Name: p.file.name, Companies: p.companies()}
	if deleted := p.deleted[len(p.holes):]; len(deleted) > 0 {
		b := roaring.BitmapOf(deleted...)
		b.RunOptimize()
		e.Deleted = company.SetFrom(b).Bytes()
	}
	return e
}

// open opens the segment and applies the entry's deleted slots.
func (e manifestEntry) open(dir string) (part, error) {
	deleted, err := company.ParseSet(e.Deleted)
	if err != nil {
		return part{}, &DamageError{e.Name, "deleted slots", err.Error()}
	}
	s, err := openSegment(filepath.Join(dir, e.Name))
	if err != nil {
		return part{}, err
	}
	var p part
	err = s.file.mapping.guardRead(e.Name, "holes", func() error {
		p = newPart(s)
		return nil
	})
	if err != nil {
		return part{}, err
	}
	for _, slot := range deleted.Bitmap().ToArray() {
		if int(slot) >= s.slots || !p.live.has(slot) {
			return part{}, &DamageError{e.Name, "deleted slots", fmt.Sprintf("slot %d has no live company", slot)}
		}
		p.live.clear(slot)
		p.deleted = append(p.deleted, slot)
	}
	if p.companies() != e.Companies {
		return part{}, &DamageError{e.Name, "deleted slots", fmt.Sprintf("%d companies instead of %d", p.companies(), e.Companies)}
	}
	return p, nil
}

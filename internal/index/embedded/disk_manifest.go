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

// manifest is one moment of an index on disk: a line of JSON, then a line with its CRC-32C in hexadecimal digits. What
// it does not name is not part of the index.
//
// Versions: 1; 2 has a mark that the catalog must hold, too.
type manifest struct {
	Version    int    `json:"version"`
	Catalog    string `json:"catalog"` // the Source's origin
	Index      string `json:"index"`   // a name that no other directory's index has
	Checkpoint string `json:"mark"`    // what the catalog holds for the index if its past is the moment's; empty before the first save
	Seq        uint64 `json:"seq"`     // the catalog's sequence number up to which the moment holds every change
	Next       uint64 `json:"next"`    // the number of the next segment's file
	// Lost tells that companies are missing because a segment was damaged.
	Lost     bool            `json:"lost,omitempty"`
	Segments []manifestEntry `json:"segments"`
}

type manifestEntry struct {
	Name      string `json:"name"`
	Companies int    `json:"companies"`      // alive
	Deleted   []byte `json:"dead,omitempty"` // slots, as a roaring bitmap, without the holes
}

const (
	manifestVersion = 2
	manifestName    = "manifest"
	segmentSuffix   = ".seg"
)

func segmentName(number uint64) string { return fmt.Sprintf("%08x%s", number, segmentSuffix) }

// readManifest reads the directory's manifest; os.ErrNotExist without one, errVersion for another version's.
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
		return m, errors.New("checksum differs")
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		return m, err
	}
	if m.Version != manifestVersion {
		return m, fmt.Errorf("version %d: %w", m.Version, errVersion)
	}
	for _, e := range m.Segments {
		if filepath.Base(e.Name) != e.Name || filepath.Ext(e.Name) != segmentSuffix {
			return m, fmt.Errorf("%q is no name of a segment", e.Name)
		}
	}
	return m, nil
}

// write replaces the directory's manifest: after a crash it is the old one or the new one.
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

// entryOf is a part as the manifest names it.
func entryOf(p part) manifestEntry {
	e := manifestEntry{Name: p.file.name, Companies: p.companies()}
	if dead := p.deleted[len(p.holes):]; len(dead) > 0 {
		b := roaring.BitmapOf(dead...)
		b.RunOptimize()
		e.Deleted = company.SetFrom(b).Bytes()
	}
	return e
}

// open opens the segment and lets die what the manifest says.
func (e manifestEntry) open(dir string) (part, error) {
	dead, err := company.ParseSet(e.Deleted)
	if err != nil {
		return part{}, &DamageError{e.Name, "dead", err.Error()}
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
	for _, slot := range dead.Bitmap().ToArray() {
		if int(slot) >= s.slots || !p.live.has(slot) {
			return part{}, &DamageError{e.Name, "dead", fmt.Sprintf("slot %d holds no company", slot)}
		}
		p.live.clear(slot)
		p.deleted = append(p.deleted, slot)
	}
	if p.companies() != e.Companies {
		return part{}, &DamageError{e.Name, "dead", fmt.Sprintf("%d companies instead of %d", p.companies(), e.Companies)}
	}
	return p, nil
}

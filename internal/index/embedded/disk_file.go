package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A segment's file has a header of formatSize bytes, then the sections, each aligned to 64 bytes. The header consists of:
// the magic number, the version, the number of sections, the file's size; for each section its offset, size and CRC-32C; a
// CRC-32C of all that. Numbers are in the byte order of the machine that wrote the file. The magic number reveals it, and a
// machine with the other order treats the file as another version.
//
// Versions: 1; 2 has rows of equal width, and where each value begins in a sort order; 3 has breaks among the words, and
// words joined across apostrophes; 4 leaves unknown ids out of the targets' keys, and stores a category in as few bytes as
// possible; 5 has the names of each company's known fields; 6 has words with signs (C++, .NET), an ampersand as a word, and words
// joined across hyphens and points; 7 has domains.
const (
	formatMagic   = 0x53_45_47_2d_49_50_41_43 // CAPI-SEG in little endian
	formatVersion = 7
	formatEntry   = 8 + 8 + 8
	formatSize    = 8 + 4 + 4 + 8 + sectionCount*formatEntry + 4
	formatAlign   = 64
)

// errVersion is returned for a valid file of another version of the program or of a machine with another byte order.
var errVersion = errors.New("another format version")

// DamageError says which part of which file is damaged.
type DamageError struct {
	Segment string // the file's name
	Section string
	Problem string
}

func (d *DamageError) Error() string {
	return fmt.Sprintf("index segment %s is damaged: %s: %s", d.Segment, d.Section, d.Problem)
}

// extent is the location of a section in its file.
type extent struct {
	offset, size uint64
	sum          uint32
}

// file is the file that a segment's slices point into.
type file struct {
	name     string
	path     string
	mapping  mapping
	sections []section
	extents  []extent

	verified    atomic.Uint64 // groups whose checksums were verified
	mu          sync.Mutex    // held during verification
	verifiedAll time.Time     // start of the last verification of all bytes; guarded by mu
	damage      error         // the damage that was found; no group can be verified any more; guarded by mu
}

// openSegment maps a file and returns a segment whose slices point into it. It reads only openingGroups. The file stays
// mapped as long as the segment is reachable, so users of its slices must keep the segment alive (runtime.KeepAlive).
func openSegment(path string) (*segment, error) {
	m, err := openMapping(path)
	if err != nil {
		return nil, err
	}
	var s *segment
	name := filepath.Base(path)
	err = m.guardRead(name, "file", func() (err error) {
		s, err = parseSegment(name, m)
		return err
	})
	if err != nil {
		m.unmap()
		return nil, err
	}
	s.file.path = path
	runtime.AddCleanup(s.file, mapping.unmap, m)
	return s, nil
}

func openMapping(path string) (mapping, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return mapping{}, &DamageError{filepath.Base(path), "file", "is missing"}
	}
	if err != nil {
		return mapping{}, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close() // the mapping stays valid
	info, err := f.Stat()
	if err != nil {
		return mapping{}, fmt.Errorf("open segment: %w", err)
	}
	if info.Size() < int64(formatSize) {
		return mapping{}, &DamageError{filepath.Base(path), "header", fmt.Sprintf("the file has only %d bytes", info.Size())}
	}
	return mapFile(f, int(info.Size()))
}

// parseSegment returns the segment in a file's bytes.
func parseSegment(name string, m mapping) (*segment, error) {
	extents, err := readHeader(m.bytes)
	if errors.Is(err, errVersion) {
		return nil, err
	}
	if err != nil {
		return nil, &DamageError{name, "header", err.Error()}
	}
	var scalars []uint64
	s := &segment{}
	f := &file{name: name, mapping: m, extents: extents, sections: s.sections(&scalars)}
	for i, p := range extents {
		if err := f.sections[i].data.set(m.bytes[p.offset : p.offset+p.size : p.offset+p.size]); err != nil {
			return nil, &DamageError{name, f.sections[i].name, err.Error()}
		}
	}
	if err := f.verify(openingGroups()); err != nil {
		return nil, err
	}
	if err := s.setScalars(scalars); err != nil {
		return nil, &DamageError{name, "scalars", err.Error()}
	}
	s.file = f
	return s, nil
}

func readHeader(p []byte) ([]extent, error) {
	if len(p) < formatSize {
		return nil, fmt.Errorf("%d bytes", len(p))
	}
	order := binary.NativeEndian
	switch magic, version := order.Uint64(p), order.Uint32(p[8:]); {
	case magic == formatMagic && version != formatVersion:
		return nil, fmt.Errorf("version %d: %w", version, errVersion)
	case binary.BigEndian.Uint64(p) == formatMagic || binary.LittleEndian.Uint64(p) == formatMagic:
		if magic != formatMagic {
			return nil, fmt.Errorf("another byte order: %w", errVersion)
		}
	default:
		return nil, errors.New("not an index segment")
	}
	if order.Uint32(p[12:]) != uint32(sectionCount) || order.Uint64(p[16:]) != uint64(len(p)) {
		return nil, errors.New("wrong file size or number of sections")
	}
	if sumOf(p[:formatSize-4]) != order.Uint32(p[formatSize-4:]) {
		return nil, errors.New("wrong checksum")
	}
	extents := make([]extent, sectionCount)
	for i := range extents {
		extents[i] = extentAt(p, i)
		if at, size := extents[i].offset, extents[i].size; at%formatAlign != 0 || at > uint64(len(p)) || size > uint64(len(p))-at {
			return nil, fmt.Errorf("section %d exceeds the file", i)
		}
	}
	return extents, nil
}

// extentAt returns the i-th extent in a header.
func extentAt(p []byte, i int) extent {
	e := p[24+i*formatEntry:]
	return extent{binary.NativeEndian.Uint64(e), binary.NativeEndian.Uint64(e[8:]), binary.NativeEndian.Uint32(e[16:])}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// header returns the header that readHeader parses.
func header(extents []extent, size uint64) []byte {
	order := binary.NativeEndian
	p := order.AppendUint64(make([]byte, 0, formatSize), formatMagic)
	p = order.AppendUint32(p, formatVersion)
	p = order.AppendUint32(p, uint32(len(extents)))
	p = order.AppendUint64(p, size)
	for _, one := range extents {
		p = order.AppendUint64(p, one.offset)
		p = order.AppendUint64(p, one.size)
		p = order.AppendUint64(p, uint64(one.sum))
	}
	return order.AppendUint32(p, sumOf(p))
}

// verify verifies the checksums of the groups, once per process. Every group must be verified before a query reads it.
func (s *segment) verify(want groups) error {
	if s.file == nil || groups(s.file.verified.Load())&want == want {
		return nil
	}
	return s.file.verify(want)
}

func (f *file) verify(want groups) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.damage != nil {
		return f.damage
	}
	for g := range groupCount {
		if !want.has(g) || groups(f.verified.Load()).has(g) {
			continue
		}
		for i := range f.sections {
			if f.sections[i].group != g {
				continue
			}
			if err := f.verifySection(i); err != nil {
				return f.setDamage(err)
			}
		}
		f.verified.Or(uint64(groupSet(g)))
	}
	return nil
}

// verifyAll verifies the whole file, including groups that were verified before, unless it has done so after since. It
// returns early, without an error, if quit is closed; quit may be nil.
func (f *file) verifyAll(since time.Time, quit <-chan struct{}) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.damage != nil || f.verifiedAll.After(since) {
		return f.damage
	}
	began := time.Now()
	if err := f.verifyHeader(); err != nil {
		return f.setDamage(err)
	}
	for i := range f.sections {
		select {
		case <-quit:
			return nil
		default:
		}
		if err := f.verifySection(i); err != nil {
			return f.setDamage(err)
		}
	}
	f.verified.Store(uint64(allGroups))
	f.verifiedAll = began
	return nil
}

// checkSize checks that the file was not truncated since it was mapped. A removed file is fine, because it stays mapped.
func (f *file) checkSize() error {
	info, err := os.Stat(f.path)
	if err != nil || info.Size() >= int64(len(f.mapping.bytes)) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.damage != nil {
		return f.damage
	}
	return f.setDamage(&DamageError{f.name, "file", fmt.Sprintf("was truncated to %d of %d bytes", info.Size(), len(f.mapping.bytes))})
}

func (f *file) setDamage(damage error) error {
	f.damage = damage
	f.verified.Store(0)
	return damage
}

// verifySection compares a section with its checksum.
func (f *file) verifySection(i int) error {
	p, name := f.extents[i], f.sections[i].name
	return f.mapping.guardRead(f.name, name, func() error {
		if sumOf(f.mapping.bytes[p.offset:p.offset+p.size]) != p.sum {
			return &DamageError{f.name, name, "wrong checksum"}
		}
		return nil
	})
}

func (f *file) verifyHeader() error {
	return f.mapping.guardRead(f.name, "header", func() error {
		extents, err := readHeader(f.mapping.bytes)
		if err == nil && !slices.Equal(extents, f.extents) {
			err = errors.New("it was changed")
		}
		if err != nil {
			return &DamageError{f.name, "header", err.Error()}
		}
		return nil
	})
}

// fileWriter writes a segment's file under a temporary name. A nil *fileWriter writes nothing.
type fileWriter struct {
	path    string
	file    *os.File
	extents []extent
	offset  uint64
	err     error // the first error; nothing is written after it
}

const tmpSuffix = ".tmp"

func newFileWriter(path string) (*fileWriter, error) {
	f, err := os.OpenFile(path+tmpSuffix, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	return &fileWriter{path: path, file: f, extents: make([]extent, sectionCount), offset: uint64(formatSize)}, nil
}

// writeGroups writes the sections of the groups and frees their slices.
func (w *fileWriter) writeGroups(s *segment, these groups) {
	if w == nil {
		return
	}
	scalars := s.scalars()
	for i, one := range s.sections(&scalars) {
		if !these.has(one.group) {
			continue
		}
		p := one.data.bytes()
		w.offset = (w.offset + formatAlign - 1) &^ (formatAlign - 1)
		w.extents[i] = extent{w.offset, uint64(len(p)), sumOf(p)}
		if w.err == nil && len(p) > 0 {
			_, w.err = w.file.WriteAt(p, int64(w.offset))
		}
		w.offset += uint64(len(p))
		one.data.drop()
	}
}

// discard removes the unfinished file.
func (w *fileWriter) discard() error {
	if w == nil {
		return nil
	}
	return errors.Join(w.file.Close(), os.Remove(w.path+tmpSuffix))
}

// finish syncs the file, gives it its name and opens it.
func (w *fileWriter) finish() (*segment, error) {
	size := (w.offset + formatAlign - 1) &^ (formatAlign - 1)
	if w.err == nil {
		w.err = w.file.Truncate(int64(size))
	}
	if w.err == nil {
		_, w.err = w.file.WriteAt(header(w.extents, size), 0)
	}
	if w.err == nil {
		w.err = w.file.Sync()
	}
	w.err = errors.Join(w.err, w.file.Close())
	if w.err == nil {
		w.err = os.Rename(w.path+tmpSuffix, w.path)
	}
	if w.err == nil {
		w.err = syncDir(filepath.Dir(w.path))
	}
	if w.err != nil {
		return nil, errors.Join(fmt.Errorf("write segment %s: %w", filepath.Base(w.path), w.err), os.Remove(w.path+tmpSuffix))
	}
	s, err := openSegment(w.path)
	if err == nil {
		s.file.verified.Store(uint64(allGroups)) // it was just written from memory
	}
	return s, err
}

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

// A segment's file is: a header of formatSize bytes, then the sections, each from a multiple of 64 on. The header is the
// magic, the version, the number of sections, the file's size; then of each section its place, its size and its CRC-32C;
// then a CRC-32C of all that. Numbers are in the byte order of the machine that wrote the file, which the magic tells:
// another machine takes the file for one of another version.
//
// Versions: 1; 2 has rows of one width, and where each value begins in an order; 3 has breaks among the words,
// and words that apostrophes part in one; 4 leaves unknown ids out of the keys of targets, and
// gives a category as few bytes as it needs.
const (
	formatMagic   = 0x53_45_47_2d_49_50_41_43 // CAPI-SEG where the least byte comes first
	formatVersion = 4
	formatEntry   = 8 + 8 + 8
	formatSize    = 8 + 4 + 4 + 8 + sectionCount*formatEntry + 4
	formatAlign   = 64
)

// errVersion is the answer to a file that another version of the program, or another machine, wrote well.
var errVersion = errors.New("another version of the format")

// DamageError tells which part of which file is not what was written.
type DamageError struct {
	Segment string // the file's name
	Section string
	Problem string
}

func (d *DamageError) Error() string {
	return fmt.Sprintf("index segment %s is damaged: %s: %s", d.Segment, d.Section, d.Problem)
}

// place is where a section stands in its file.
type extent struct {
	offset, size uint64
	sum          uint32
}

// file is the file that a segment's slices are views of.
type file struct {
	name     string
	path     string
	mapping  mapping
	sections []section
	extents  []extent

	verified    atomic.Uint64 // groups whose bytes are what was written
	mu          sync.Mutex    // one verification at a time
	verifiedAll time.Time     // when the latest comparison of all bytes began; guarded by mu
	damage      error         // the damage that was found, after which no group is verified any more; guarded by mu
}

// openSegment maps a file and takes its slices as views, without reading more of it than openingGroups. The file stays
// mapped for as long as the segment is reachable: who holds a slice of it keeps the segment alive (runtime.KeepAlive).
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
	defer f.Close() // a mapping does not need it
	info, err := f.Stat()
	if err != nil {
		return mapping{}, fmt.Errorf("open segment: %w", err)
	}
	if info.Size() < int64(formatSize) {
		return mapping{}, &DamageError{filepath.Base(path), "header", fmt.Sprintf("the file has only %d bytes", info.Size())}
	}
	return mapFile(f, int(info.Size()))
}

// segmentOf makes the segment of a file's bytes.
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
		return nil, &DamageError{name, "figures", err.Error()}
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
		return nil, errors.New("the file's size or number of sections differs")
	}
	if sumOf(p[:formatSize-4]) != order.Uint32(p[formatSize-4:]) {
		return nil, errors.New("checksum differs")
	}
	extents := make([]extent, sectionCount)
	for i := range extents {
		extents[i] = extentAt(p, i)
		if at, size := extents[i].offset, extents[i].size; at%formatAlign != 0 || at > uint64(len(p)) || size > uint64(len(p))-at {
			return nil, fmt.Errorf("section %d reaches beyond the file", i)
		}
	}
	return extents, nil
}

func extentAt(p []byte, section int) extent {
	e := p[24+section*formatEntry:]
	return extent{binary.NativeEndian.Uint64(e), binary.NativeEndian.Uint64(e[8:]), binary.NativeEndian.Uint32(e[16:])}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// header is what readHeader reads.
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

// need checks, once, that the groups' bytes are what was written. No query reads a group without it.
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

// compare checks everything, what was checked before too, unless it did so since the time given. It ends early, without
// an error, when quit is closed; nil is never closed.
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

// uncut checks that the file is still as long as it is mapped. It may be gone: that takes nothing from the mapping.
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
	return f.setDamage(&DamageError{f.name, "file", fmt.Sprintf("was cut to %d of %d bytes", info.Size(), len(f.mapping.bytes))})
}

func (f *file) setDamage(damage error) error {
	f.damage = damage
	f.verified.Store(0)
	return damage
}

// check compares a section with its checksum.
func (f *file) verifySection(i int) error {
	p, name := f.extents[i], f.sections[i].name
	return f.mapping.guardRead(f.name, name, func() error {
		if sumOf(f.mapping.bytes[p.offset:p.offset+p.size]) != p.sum {
			return &DamageError{f.name, name, "checksum differs"}
		}
		return nil
	})
}

func (f *file) verifyHeader() error {
	return f.mapping.guardRead(f.name, "header", func() error {
		extents, err := readHeader(f.mapping.bytes)
		if err == nil && !slices.Equal(extents, f.extents) {
			err = errors.New("it is another file's")
		}
		if err != nil {
			return &DamageError{f.name, "header", err.Error()}
		}
		return nil
	})
}

// writing is a segment's file while it is written, beside its final name. The nil *writing writes nothing.
type fileWriter struct {
	path    string
	file    *os.File
	extents []extent
	offset  uint64
	err     error // the first one; nothing is written after it
}

const tmpSuffix = ".tmp"

func newFileWriter(path string) (*fileWriter, error) {
	f, err := os.OpenFile(path+tmpSuffix, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	return &fileWriter{path: path, file: f, extents: make([]extent, sectionCount), offset: uint64(formatSize)}, nil
}

// put writes the sections of some groups and lets go of them.
func (w *fileWriter) writeGroups(s *segment, these groups) {
	if w == nil {
		return
	}
	scalars := s.scalars()
	for i, one := range s.sections(&scalars) {
		if !these.has(one.group) {
			continue
		}
		w.writeSection(i, one.data.bytes())
		one.data.drop()
	}
}

func (w *fileWriter) writeSection(i int, p []byte) {
	w.offset = (w.offset + formatAlign - 1) &^ (formatAlign - 1)
	w.extents[i] = extent{w.offset, uint64(len(p)), sumOf(p)}
	if w.err == nil && len(p) > 0 {
		_, w.err = w.file.WriteAt(p, int64(w.offset))
	}
	w.offset += uint64(len(p))
}

// abandon takes the unfinished file away.
func (w *fileWriter) discard() error {
	if w == nil {
		return nil
	}
	return errors.Join(w.file.Close(), os.Remove(w.path+tmpSuffix))
}

// finish makes the file lasting, gives it its name and opens it.
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
		s.file.verified.Store(uint64(allGroups)) // it was memory a moment ago
	}
	return s, err
}

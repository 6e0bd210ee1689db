//go:build !unix

package embedded

import (
	"fmt"
	"io"
	"os"
	"unsafe"
)

// mapping is a file's bytes in memory, read as a whole on systems where files are not mapped.
type mapping struct{ bytes []byte }

func mapFile(f *os.File, size int) (mapping, error) {
	words := make([]uint64, (size+7)/8) // for alignment
	p := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:size]
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, int64(size)), p); err != nil {
		return mapping{}, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return mapping{p}, nil
}

func (mapping) unmap() {}

// syncDir does nothing on systems where directories cannot be synced; a rename is durable there.
func syncDir(string) error { return nil }

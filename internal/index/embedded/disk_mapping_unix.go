//go:build unix

package embedded

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapping is a memory-mapped file.
type mapping struct{ bytes []byte }

func mapFile(f *os.File, size int) (mapping, error) {
	p, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return mapping{}, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	return mapping{p}, nil
}

// unmap releases the memory; nothing may refer to it any more.
func (m mapping) unmap() {
	_ = unix.Munmap(m.bytes) // cannot fail for a mapping of mapFile
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

//go:build linux || darwin

package diskspace

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func of(dir string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return Space{}, fmt.Errorf("measure disk space of %s: %w", dir, err)
	}
	block := uint64(s.Bsize) //nolint:gosec // never negative; its type differs between platforms
	return Space{FreeBytes: s.Bavail * block, TotalBytes: s.Blocks * block}, nil
}

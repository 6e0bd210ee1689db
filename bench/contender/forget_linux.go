package contender

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Forget drops the files below dir from the system's cache, as after a reboot, and returns the number of bytes that
// stay cached, or -1 if the system (Linux before 6.5) cannot report it. No process may have the files mapped.
func Forget(dir string) (leftBytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		left, err := forget(path)
		if left < 0 || leftBytes < 0 {
			leftBytes = -1
		} else {
			leftBytes += left
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drop files from memory: %w", err)
	}
	return leftBytes, nil
}

func forget(path string) (leftBytes int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := f.Sync(); err != nil { // a page that is yet to be written stays
		return 0, err
	}
	fd := int(f.Fd()) //nolint:gosec // a file's number is small
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED); err != nil {
		return 0, err
	}
	var pages unix.Cachestat_t
	err = unix.Cachestat(uint(fd), &unix.CachestatRange{}, &pages, 0) //nolint:gosec // not negative
	if errors.Is(err, unix.ENOSYS) {
		return -1, nil
	}
	return int64(pages.Cache) * int64(os.Getpagesize()), err //nolint:gosec // of memory
}

package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock locks the file until it is closed. It returns false if another process holds the lock.
func lock(f *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	// A locked region cannot be read, so lock a byte far beyond the end of the file.
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

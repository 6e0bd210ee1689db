// Package filelock holds locks that end with their process, also if it is killed. Their files stay.
package filelock

import (
	"errors"
	"fmt"
	"os"
)

// Lock is an exclusive lock of a file, held until Close or until the process ends.
type Lock struct{ f *os.File }

// ErrLocked reports that another process, or another Lock of this one, holds the lock.
var ErrLocked = errors.New("filelock: locked by another process")

// Try locks the file, which it creates with mode 0600 if it does not exist. It does not wait: a lock that is held is
// ErrLocked.
func Try(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return TryFile(f)
}

// TryFile locks an open file, which the Lock then owns; the file is closed if it fails.
func TryFile(f *os.File) (*Lock, error) {
	switch ok, err := lock(f); {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	case !ok:
		return nil, errors.Join(ErrLocked, f.Close())
	}
	return &Lock{f}, nil
}

// Write replaces the content of the locked file.
func (l *Lock) Write(content []byte) error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt(content, 0)
	return err
}

// Close releases the lock. It does nothing for a nil Lock or a closed one. The file stays: if it were removed, two
// processes could lock two files of the same name.
func (l *Lock) Close() error {
	if l == nil || l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return f.Close()
}

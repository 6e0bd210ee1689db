package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Lock is held by the one server of a data directory.
type Lock struct{ f *os.File }

// lockData takes the server's lock of a data directory; it ends with the process, also after a crash.
func lockData(dir string) (*Lock, error) {
	path := filepath.Join(dir, "serve.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	ok, err := tryLock(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory %s: %w", dir, err), f.Close())
	}
	if !ok {
		holder, _ := os.ReadFile(path) // only to name the process
		return nil, errors.Join(inUse(dir, strings.TrimSpace(string(holder))), f.Close())
	}
	if err := errors.Join(f.Truncate(0), writePID(f)); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory %s: %w", dir, err), f.Close())
	}
	return &Lock{f}, nil
}

func writePID(f *os.File) error {
	_, err := fmt.Fprintf(f, "%d\n", os.Getpid())
	return err
}

func inUse(dir, pid string) error {
	by := "another capi serve"
	if pid != "" {
		by += " (process " + pid + ")"
	}
	return fmt.Errorf("data directory %s is in use by %s; stop it first, or choose another directory with --data. "+
		"Every other command works beside a running server", dir, by)
}

// Close gives the lock back; the nil Lock has nothing to give, nor has a closed one. The file stays: removing it would let two servers lock two files of one name.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	f := l.f
	l.f = nil
	if f == nil {
		return nil
	}
	return f.Close()
}

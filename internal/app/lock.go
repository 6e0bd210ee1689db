package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencapi/capi/internal/filelock"
)

// lockData takes the lock of a directory, which only one server can hold. If another process holds it, the error names it.
func lockData(dir string) (*filelock.Lock, error) {
	path := filepath.Join(dir, "serve.lock")
	lock, err := filelock.Try(path)
	if errors.Is(err, filelock.ErrLocked) {
		holder, _ := os.ReadFile(path) // best effort: only to name the process
		return nil, inUse(dir, strings.TrimSpace(string(holder)))
	}
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	if err := lock.Write(fmt.Appendln(nil, os.Getpid())); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory %s: %w", dir, err), lock.Close())
	}
	return lock, nil
}

func inUse(dir, pid string) error {
	by := "another capi serve"
	if pid != "" {
		by += " (process " + pid + ")"
	}
	return fmt.Errorf("data directory %s is in use by %s; stop it first, or choose another directory with --data. "+
		"All other commands work while a server is running", dir, by)
}

package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/filelock"
)

// An import holds the lock for microseconds to see whether a server runs. A lock that stays held through all tries is a server's.
const (
	probeTries = 3
	probeTime  = 20 * time.Millisecond
)

func lockFile(dir string) string { return filepath.Join(dir, "serve.lock") }

// Alone reports whether no server uses the database. It is false on PostgreSQL, where servers may run on other machines.
func (a *App) Alone() bool {
	if a.Config.Postgres() != "" {
		return false
	}
	lock, err := filelock.Try(lockFile(a.Config.Data))
	if err != nil {
		return false // also if it cannot be known
	}
	return lock.Close() == nil
}

// lockData takes the lock of a directory, which only one server can hold. If another process holds it, the error names it.
func lockData(dir string) (*filelock.Lock, error) {
	path := lockFile(dir)
	lock, err := filelock.Try(path)
	for range probeTries { // an import may be looking whether a server runs
		if !errors.Is(err, filelock.ErrLocked) {
			break
		}
		time.Sleep(probeTime)
		lock, err = filelock.Try(path)
	}
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

package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/opencapi/capi/internal/filelock"
)

// registry is the directory in which running servers register themselves, each with a file that it keeps locked. A file
// without a lock was left by a server that was killed. Servers on other machines may share the directory.
type registry string

// entry is what a server's file says.
type entry struct {
	Host   string `json:"host"`
	PID    int    `json:"pid"`
	Socket string `json:"socket"` // absolute path; reachable on Host only
}

// String is how people tell the server from others.
func (e entry) String() string { return fmt.Sprintf("%s/%d", e.Host, e.PID) }

// here reports whether the server runs on this machine.
func (e entry) here() bool {
	host, err := os.Hostname()
	return err == nil && host == e.Host
}

// registration is a running server's own entry, with what has to be closed when it stops.
type registration struct {
	net.Listener
	path string // of the entry's file
	lock *filelock.Lock
	temp string // the directory that was created for the socket; empty if the socket is in the registry
}

const (
	entrySuffix  = ".json"
	socketSuffix = ".sock"

	// socketPathMax is the longest path of a Unix socket that every platform takes: macOS has room for 104 bytes with a
	// zero at the end.
	socketPathMax = 103
)

// register listens at a new Unix socket and registers it.
func (r registry) register() (_ *registration, err error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(string(r), 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(string(r), "*"+entrySuffix) // mode 0600
	if err != nil {
		return nil, err
	}
	reg := &registration{path: f.Name()}
	defer func() {
		if err != nil {
			err = errors.Join(err, reg.unregister())
		}
	}()
	if reg.lock, err = filelock.TryFile(f); err != nil {
		return nil, err
	}
	socket, err := reg.listen()
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(entry{Host: host, PID: os.Getpid(), Socket: socket})
	if err != nil {
		return nil, err
	}
	return reg, reg.lock.Write(content)
}

// listen listens beside the entry's file, or in a temporary directory if the path is too long for a socket or the file
// system of the data directory takes none. Either directory is its owner's alone, and so is the socket.
func (r *registration) listen() (socket string, err error) {
	beside, err := filepath.Abs(r.path)
	if err != nil {
		return "", err
	}
	socket = beside[:len(beside)-len(entrySuffix)] + socketSuffix
	if len(socket) <= socketPathMax {
		if r.Listener, err = net.Listen("unix", socket); err == nil {
			return socket, nil
		}
	}
	if r.temp, err = os.MkdirTemp("", "capi-*"); err != nil { // mode 0700
		return "", err
	}
	socket = filepath.Join(r.temp, "socket")
	r.Listener, err = net.Listen("unix", socket)
	return socket, err
}

// unregister removes the entry. The listener removes the socket when it is closed, which the server has done by now.
func (r *registration) unregister() error {
	var errs []error
	if r.Listener != nil {
		if err := r.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if r.temp != "" {
		errs = append(errs, os.Remove(r.temp))
	}
	// On Windows an open file cannot be removed.
	return errors.Join(append(errs, r.lock.Close(), os.Remove(r.path))...)
}

// running returns the entries of the servers that run, on whatever machine.
func (r registry) running() (all []entry, err error) {
	err = r.each(func(path string, abandoned bool) error {
		if abandoned {
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(content) == 0 {
			return nil // the server has just stopped, or is just starting
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(content, &e); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// clear removes what killed servers have left.
func (r registry) clear() error {
	return r.each(func(path string, abandoned bool) error {
		if !abandoned {
			return nil
		}
		var e entry
		if content, err := os.ReadFile(path); err == nil && json.Unmarshal(content, &e) == nil && e.here() {
			os.Remove(e.Socket) // it may be gone, as after a restart of the machine
			if filepath.Dir(e.Socket) != filepath.Dir(path) {
				os.Remove(filepath.Dir(e.Socket))
			}
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// each calls fn with each entry's file, and whether it was left by a server that was killed.
func (r registry) each(fn func(path string, abandoned bool) error) error {
	files, err := os.ReadDir(string(r))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, file := range files {
		if filepath.Ext(file.Name()) != entrySuffix {
			continue
		}
		path := filepath.Join(string(r), file.Name())
		abandoned, err := isAbandoned(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = fn(path, abandoned)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isAbandoned reports whether nobody holds the lock of the file.
func isAbandoned(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	lock, err := filelock.TryFile(f)
	if errors.Is(err, filelock.ErrLocked) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, lock.Close()
}

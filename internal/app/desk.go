package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/indexing"
)

// desk is where capi doctor asks a running server about its index: an address that only this machine reaches, and a
// key that only those who may read the data directory know. Both stand in a file there for as long as the server runs.
type desk struct {
	app *App

	mu     sync.Mutex
	path   string // of the file; empty while closed
	cancel context.CancelFunc
	server *http.Server
	group  sync.WaitGroup
	one    chan struct{} // holds a token while an audit runs: a second one waits
}

const (
	serversDir = "servers"
	auditPath  = "/audit/index"

	// The file is touched, and one that has not been for long is of a server that was killed.
	deskTouchEvery   = 20 * time.Second
	deskAbandonAfter = 2 * time.Minute
)

// Start opens the desk; a second call does nothing. A server without one serves as well, so a fault is only logged.
func (d *desk) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.path != "" {
		return nil
	}
	if err := d.open(ctx); err != nil {
		d.app.Log.WarnContext(ctx, "capi doctor will not find this server", "error", err)
	}
	return nil
}

func (d *desk) open(ctx context.Context) error {
	if err := clearAbandoned(d.app.Config.Data); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	at, err := register(d.app.Config.Data, "http://"+listener.Addr().String())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.path, d.one = at.path, make(chan struct{}, 1)
	d.server = &http.Server{
		Handler: d.handler(at.Key), ReadHeaderTimeout: readHeaderTimeout,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	d.group.Go(func() { d.server.Serve(listener) }) //nolint:errcheck // it ends with Shutdown
	d.group.Go(func() { touch(ctx, at.path) })
	return nil
}

// Stop closes the desk; who is being answered is cut off. A second call does nothing.
func (d *desk) Stop(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.path == "" {
		return nil
	}
	err := os.Remove(d.path)
	d.path = ""
	d.cancel()
	err = errors.Join(err, d.server.Shutdown(ctx))
	d.group.Wait()
	return err
}

// register writes the file, whole at once.
func register(data, url string) (server, error) {
	host, err := os.Hostname()
	if err != nil {
		return server{}, err
	}
	s := server{URL: url, Key: rand.Text(), Host: host, PID: os.Getpid()}
	dir := filepath.Join(data, serversDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return server{}, err
	}
	content, err := json.Marshal(s)
	if err != nil {
		return server{}, err
	}
	f, err := os.CreateTemp(dir, "*.new") // mode 0600
	if err != nil {
		return server{}, err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return server{}, errors.Join(err, os.Remove(f.Name()))
	}
	s.path = f.Name()[:len(f.Name())-len("new")] + "json"
	return s, os.Rename(f.Name(), s.path)
}

// clearAbandoned removes the files of servers that were killed.
func clearAbandoned(data string) error {
	entries, err := os.ReadDir(filepath.Join(data, serversDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < deskAbandonAfter {
			continue
		}
		if err := os.Remove(filepath.Join(data, serversDir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func touch(ctx context.Context, path string) {
	tick := time.NewTicker(deskTouchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			os.Chtimes(path, now, now) //nolint:errcheck // at worst doctor does not find this server
		}
	}
}

// line is one line of an answer, with one of its fields. An answer without an end was cut off.
type line struct {
	Done    int            `json:"done,omitempty"`
	Total   int            `json:"total,omitempty"`
	Finding *audit.Finding `json:"finding,omitempty"`
	Error   string         `json:"error,omitempty"`
	End     bool           `json:"end,omitempty"`
}

func (d *desk) handler(key string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+auditPath, func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+key)) != 1 {
			http.Error(w, "wrong key", http.StatusForbidden)
			return
		}
		d.auditIndex(r.Context(), w)
	})
	return mux
}

func (d *desk) auditIndex(ctx context.Context, w http.ResponseWriter) {
	select {
	case d.one <- struct{}{}:
		defer func() { <-d.one }()
	case <-ctx.Done():
		return
	}
	out := json.NewEncoder(w)
	say := func(l line) { // who does not listen any more has ended the context
		out.Encode(l) //nolint:errcheck // see above
		http.NewResponseController(w).Flush()
	}
	found, err := indexing.AuditIndex(ctx, indexing.AuditOptions{
		Catalog: d.app.Catalog, Index: d.app.Index, Progress: func(done, total int) { say(line{Done: done, Total: total}) },
	})
	switch {
	case ctx.Err() != nil:
		return // the server stops, which an answer without an end tells
	case err != nil:
		say(line{Error: err.Error()})
		return
	}
	for _, f := range found {
		say(line{Finding: &f})
	}
	say(line{End: true})
}

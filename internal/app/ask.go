package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/internal/audit"
)

// server is a running server as its desk's file names it.
type server struct {
	URL  string `json:"url"`
	Key  string `json:"key"`
	Host string `json:"host"`
	PID  int    `json:"pid"`

	path string
}

// String is how people tell the server from others.
func (s server) String() string { return fmt.Sprintf("%s/%d", s.Host, s.PID) }

// servers are those that run on the data directory, on whatever machine, and perhaps some that were killed just now.
func (a *App) servers() ([]server, error) {
	dir := filepath.Join(a.Config.Data, serversDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []server
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || filepath.Ext(e.Name()) != ".json" || time.Since(info.ModTime()) > deskAbandonAfter {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		var s server
		if err := json.Unmarshal(content, &s); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		all = append(all, s)
	}
	return all, nil
}

// here tells whether the server can be reached from this machine.
func (s server) here() bool {
	host, err := os.Hostname()
	return err == nil && host == s.Host
}

// errGone is why a server cannot be asked that was killed, or ended while it was asked.
var errGone = errors.New("the server has ended")

func isGone(err error) bool { return errors.Is(err, errGone) }

// auditIndex has the server hold its index to the catalog.
func (s server) auditIndex(ctx context.Context, progress func(done, total int)) ([]audit.Finding, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+auditPath, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.Key)
	r.Close = true
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, errGone
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errGone // another program has its port by now
	}
	return readFindings(ctx, answer.Body, progress)
}

func readFindings(ctx context.Context, r io.Reader, progress func(done, total int)) ([]audit.Finding, error) {
	var found []audit.Finding
	in := json.NewDecoder(r)
	for {
		var l line
		err := in.Decode(&l)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, errGone
		case l.Error != "":
			return nil, errors.New(l.Error)
		case l.End:
			return found, nil
		case l.Finding != nil:
			found = append(found, *l.Finding)
		default:
			progress(l.Done, l.Total)
		}
	}
}

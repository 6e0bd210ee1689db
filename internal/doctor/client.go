package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"

	"github.com/opencapi/capi/internal/audit"
)

// audit has every running server on this machine audit its index: an index is in the memory of its server, which alone
// has what it answers from.
func (r registry) audit(ctx context.Context, progress func(done, total int)) (findings []audit.Finding, err error) {
	servers, err := r.running()
	if err != nil {
		return nil, err
	}
	audited, elsewhere := 0, 0
	for _, s := range servers {
		if !s.here() {
			elsewhere++
			continue
		}
		found, err := s.auditIndex(ctx, progress)
		if errors.Is(err, errStopped) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ask server %s: %w", s, err)
		}
		audited++
		for _, f := range found {
			f.Subject = fmt.Sprintf("%s of server %s", f.Subject, s)
			findings = append(findings, f)
		}
	}
	switch {
	case audited > 0:
		return findings, nil
	case elsewhere > 0:
		return nil, skippedError(fmt.Sprintf("no server runs on this machine, %d on others; run it there too", elsewhere))
	}
	return nil, skippedError("no server runs; each builds its index from the catalog when it starts")
}

// errStopped reports that the server was killed, or stopped while it was auditing.
var errStopped = errors.New("the server has stopped")

// auditIndex has the server compare its index with the catalog.
func (e entry) auditIndex(ctx context.Context, progress func(done, total int)) ([]audit.Finding, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
		},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server"+auditPath, nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport}).Do(r)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil:
		return nil, errStopped
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", response.Status)
	}
	return readFindings(ctx, response.Body, progress)
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
			return nil, errStopped
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

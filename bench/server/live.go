package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"

	"github.com/opencapi/capi/bench/workload"
)

// Live is a running server, with its catalog also opened by this process, as an import does.
type Live struct {
	*server
	data    *app.App
	options Options
	dir     string
	looks   *client.Client // of its own: the other's clock is for searches
}

// OpenLive serves a directory that Load has filled.
func OpenLive(ctx context.Context, o Options, dir string) (*Live, error) {
	s, err := start(ctx, o, dir)
	if err != nil {
		return nil, err
	}
	data, err := openData(ctx, dir, "")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	looks := client.New(s.url, s.token, client.Options{HTTP: &http.Client{Transport: &http.Transport{}}})
	return &Live{server: s, data: data, options: o, dir: dir, looks: looks}, nil
}

// Close stops the server.
func (l *Live) Close() error { return errors.Join(l.data.Close(), l.server.Close()) }

// Skips reports whether the operation is not supported.
func (l *Live) Skips(op workload.Op) bool { return l.options.skip(op) }

// Buy buys a company, and returns the duration of the request.
func (l *Live) Buy(ctx context.Context, c id.Company) (time.Duration, error) {
	start := time.Now()
	_, err := l.client.CreateExport(ctx, client.ExportRequest{
		Name: "one", SourceType: "set", Set: &client.SetRef{Companies: []string{c.String()}}, ExportFormat: "csv",
	})
	return time.Since(start), err
}

// Import imports a file as operators do, in a process of its own.
func (l *Live) Import(ctx context.Context, file string) error {
	out, err := exec.CommandContext(ctx, l.options.Program, "import", "--data", l.dir, "--rejects", "none", file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("import: %w\n%s", err, out)
	}
	return nil
}

// WriteOthers writes a file of n companies with connections that are like those of the workload, but other ones.
func WriteOthers(path string, w *workload.Workload, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	lines := json.NewEncoder(buffered)
	for i := range n {
		r := recordOf(w.Company(i%w.Len + 1))
		r.ID, r.Domain = id.New[id.Company]().String(), fmt.Sprintf("other%d-%s", i/w.Len, r.Domain)
		r.Name += " Other"
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	return errors.Join(buffered.Flush(), f.Close())
}

const (
	commitPoll = time.Millisecond
	lookEvery  = 10 * time.Millisecond
	seenWithin = time.Minute
)

// Change imports companies that exist by id; their connections, which are left out, stay. Seen then waits
// until a search over HTTP for the word in their descriptions finds all of them, and returns how long after the
// commit that was.
func (l *Live) Change(ctx context.Context, companies []*company.Company, word string) (seen func() (time.Duration, error), err error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	committed, err := l.watchCommit(watching)
	if err != nil {
		return nil, err
	}
	summary, err := importLines(ctx, l.data, func(lines *json.Encoder) error {
		for _, c := range companies {
			r := recordOf(c)
			r.Connections = nil
			if err := lines.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if summary.Updated != len(companies) {
		return nil, fmt.Errorf("the import updated %d of %d companies", summary.Updated, len(companies))
	}
	commit, ok := <-committed
	if !ok {
		return nil, errors.New("the catalog's sequence number cannot be read")
	}
	return func() (time.Duration, error) { return l.look(ctx, word, len(companies), commit) }, nil
}

// watchCommit returns a time at most commitPoll before the next change of the catalog became visible.
func (l *Live) watchCommit(ctx context.Context) (<-chan time.Time, error) {
	before, err := l.data.Catalog.Seq(ctx)
	if err != nil {
		return nil, err
	}
	committed := make(chan time.Time, 1)
	go func() {
		defer close(committed)
		for last := time.Now(); ; {
			asked := time.Now()
			now, err := l.data.Catalog.Seq(ctx)
			switch {
			case err != nil:
				return
			case now != before:
				committed <- last
				return
			}
			last = asked
			time.Sleep(commitPoll)
		}
	}()
	return committed, nil
}

// look searches until it finds this many.
func (l *Live) look(ctx context.Context, word string, want int, since time.Time) (time.Duration, error) {
	for {
		found, err := l.looks.Search(ctx, client.SearchRequest{Filters: client.Filters{Query: word}, Limit: 1, Facets: []string{}})
		after := time.Since(since)
		switch {
		case err != nil:
			return 0, err
		case found.Total == want:
			return after, nil
		case after > seenWithin:
			return 0, fmt.Errorf("after %s a search finds %d of %d changed companies", after, found.Total, want)
		}
		time.Sleep(lookEvery)
	}
}

package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/testkit/bucket"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/workload"
)

// Nodes are servers of one PostgreSQL database and one bucket.
type Nodes struct {
	options Options
	dir     string // of the loaded data; below it are those of the nodes
	store   *bucket.Server
	nodes   []*Node
}

// Node is a server that many clients may call at once.
type Node struct {
	*server
	http *http.Client
}

// The environment has the URL of the PostgreSQL server.
const postgresVariable = "CAPI_TEST_POSTGRES_URL"

// NodesKind loads the catalog into a PostgreSQL database for OpenNodes.
func NodesKind(o Options) contender.Kind {
	store := "nodes"
	if o.Unconnected {
		store = "nodes-unconnected"
	}
	return contender.Kind{
		Name: "nodes", About: "capi serve on PostgreSQL", Store: store,
		Load: func(ctx context.Context, w *workload.Workload, dir string) error {
			var err error
			if o.DB, err = newDatabase(ctx, loadedName(dir), ""); err != nil {
				return err
			}
			return o.load(ctx, w, dir)
		},
	}
}

// loadedName returns the name of the database that belongs to the data in dir.
func loadedName(dir string) string {
	return "capi_bench_" + filepath.Base(filepath.Dir(dir)) + "_" + filepath.Base(dir)
}

// newDatabase replaces the database by a copy of another one, or by an empty one, and returns its URL.
func newDatabase(ctx context.Context, name, template string) (string, error) {
	given := os.Getenv(postgresVariable)
	if given == "" {
		return "", errors.New("no server: " + postgresVariable + " is not set; use make bench-load")
	}
	u, err := url.Parse(given)
	if err != nil {
		return "", err
	}
	c, err := pgx.Connect(ctx, given)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	create := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		create += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + pgx.Identifier{name}.Sanitize() + " WITH (FORCE)", create} {
		if _, err := c.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	u.Path = "/" + name
	return u.String(), nil
}

// OpenNodes starts n new servers on a copy of the database that belongs to dir, with a new bucket of versitygw, the program. It returns
// when the index is in the bucket.
func OpenNodes(ctx context.Context, o Options, dir, versitygw string, n int) (x *Nodes, err error) {
	x = &Nodes{options: o, dir: dir}
	if x.options.DB, err = newDatabase(ctx, loadedName(dir)+"_run", loadedName(dir)); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(dir, "bucket")); err != nil {
		return nil, err
	}
	if x.store, err = bucket.New(ctx, versitygw, filepath.Join(dir, "bucket")); err != nil {
		return nil, err
	}
	x.options.Settings = append(x.options.Settings, bucket.Settings(x.store.Address, x.store.Address)...)
	x.options.Settings = append(x.options.Settings, "CAPI_KEY_FILE="+filepath.Join(dir, "links.key"))
	for i := range n {
		if _, err := x.StartNew(ctx, fmt.Sprint("node-", i+1)); err != nil {
			return nil, errors.Join(err, x.Close())
		}
	}
	if err := x.stored(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// StartNew starts another server, with an empty data directory of that name below the loaded one.
func (x *Nodes) StartNew(ctx context.Context, name string) (*Node, error) {
	dir := filepath.Join(x.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(x.dir, tokenFile))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, tokenFile), token, 0o600)); err != nil {
		return nil, err
	}
	s, err := start(ctx, x.options, dir)
	if err != nil {
		return nil, err
	}
	node := nodeOf(s, x.options)
	x.nodes = append(x.nodes, node)
	return node, nil
}

func nodeOf(s *server, o Options) *Node {
	return &Node{s, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1_000, DisableCompression: !o.Gzip}}}
}

// OpenAlone starts a server on a copy of the SQLite database and the files in dir, without other nodes.
func OpenAlone(ctx context.Context, o Options, dir string) (*Node, error) {
	run := dir + "-run"
	if err := errors.Join(os.RemoveAll(run), os.CopyFS(run, os.DirFS(dir))); err != nil {
		return nil, err
	}
	s, err := start(ctx, o, run)
	if err != nil {
		return nil, err
	}
	return nodeOf(s, o), nil
}

// All returns the running servers.
func (x *Nodes) All() []*Node { return x.nodes }

// Stop stops a server.
func (x *Nodes) Stop(n *Node) error {
	for i, other := range x.nodes {
		if other == n {
			x.nodes = append(x.nodes[:i:i], x.nodes[i+1:]...)
		}
	}
	return n.Close()
}

// stored waits until the bucket has a whole snapshot of the index.
func (x *Nodes) stored(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		var snapshot struct{ Files []json.RawMessage } // none while it is being stored for the first time
		content, err := os.ReadFile(filepath.Join(x.dir, "bucket", "capi", "capi", "index", "snapshot.json"))
		if err == nil && json.Unmarshal(content, &snapshot) == nil && len(snapshot.Files) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no server has stored its index: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close stops the servers and the bucket.
func (x *Nodes) Close() (err error) {
	for _, n := range x.nodes {
		err = errors.Join(err, n.Close())
	}
	x.nodes = nil
	x.store.Kill()
	return err
}

// ReadyAfter returns the time from the server's start until it said that it was ready.
func (n *Node) ReadyAfter() time.Duration { return n.readyAfter }

// Request sends an operation and reads the whole answer without decoding it. It is safe for concurrent use.
func (n *Node) Request(ctx context.Context, op workload.Op) error {
	path, status := "/companies/search", http.StatusOK
	var body any = searchOf(op)
	filters := filtersOf(op.Filters)
	switch op.Kind {
	case workload.Split:
		path, status = "/exports/quote", http.StatusCreated
		body = client.ExportRequest{SearchFilters: &filters, SortBy: sortName(op.Sort), SortOrder: "desc"}
	case workload.Search, workload.Select, workload.Price:
	case workload.Buy:
		path, status = "/exports", http.StatusCreated
		body = client.ExportRequest{Name: "bench", SearchFilters: &filters, OnlyNew: true, Limit: workload.BuyRows}
	}
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/api/v1"+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+n.token)
	r.Header.Set("Content-Type", "application/json")
	if op.Kind == workload.Buy {
		r.Header.Set("Idempotency-Key", rand.Text()) // without a key, equal purchases at once are taken for one
	}
	a, err := n.http.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != status && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", a.Status, answer[:min(len(answer), 300)])
	}
	return err
}

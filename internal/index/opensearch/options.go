package opensearch

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/index"
)

// Options are what Open needs. Addresses and Name must be set.
type Options struct {
	// Addresses are URLs of nodes of the cluster, such as http://127.0.0.1:9200. A request that one does not answer goes to the next.
	Addresses []string
	// Name is the alias under which the index is found. The index itself is named NAME-TIME.
	Name string

	User, Password string // empty: no Authorization header

	// TLS, for addresses with https.
	CAFile            string // certificates to trust, in PEM, instead of those of the system
	CertFile, KeyFile string // a client certificate and its key, in PEM

	// Source is the catalog that the index is derived from. nil: every index is trusted.
	Source index.Source

	// Replace also opens what is ErrForeign, except for what was not made by this program, so that Rebuild can replace it.
	Replace bool

	Shards   int // of an index that is created. Defaults to 1.
	Replicas int // of an index that is created. Defaults to 0.

	// Poll is how often the index looks for what another server has applied. Defaults to 500ms.
	Poll time.Duration
	// Timeout is how long a search may take. Defaults to 15s; writes may take four times as long.
	Timeout time.Duration
	// Remember is how long a snapshot is kept after a cursor of it was returned last. Defaults to 15m.
	Remember time.Duration
	// RememberMax is the maximum number of snapshots kept for cursors; the oldest are closed first. Defaults to 50: a node of
	// OpenSearch keeps 300 for all servers that use it unless search.max_open_pit_context says otherwise. When it keeps no more,
	// this index closes all of its own.
	RememberMax int

	Log *slog.Logger // Defaults to no logging.

	// Transport sends the requests in place of one of the index's own, which is made from the settings of TLS. For tests.
	Transport http.RoundTripper
}

func (o Options) withDefaults() Options {
	o.Shards, o.Replicas = max(o.Shards, 1), max(o.Replicas, 0)
	for _, d := range []struct {
		of    *time.Duration
		value time.Duration
	}{{&o.Poll, 500 * time.Millisecond}, {&o.Timeout, 15 * time.Second}, {&o.Remember, 15 * time.Minute}} {
		if *d.of <= 0 {
			*d.of = d.value
		}
	}
	if o.RememberMax <= 0 {
		o.RememberMax = 50
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

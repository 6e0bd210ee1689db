package opensearch_test

import (
	"context"
	"crypto/rand"
	"flag"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/indextest"
	"github.com/opencapi/capi/internal/index/opensearch"
	"github.com/opencapi/capi/internal/index/opensearch/opensearchtest"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// TestMain draws fewer random cases than indextest does of an index in the same process, where creating one takes no time.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", strconv.Itoa(effort.Times(8, 100))); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// address returns the URL of a node of the server.
func address(t testing.TB) string {
	t.Helper()
	return "http://" + opensearchtest.Find(t).Addresses[0]
}

// options returns the options of an index of its own name.
func options(t testing.TB) opensearch.Options {
	t.Helper()
	return opensearch.Options{
		Addresses: []string{address(t)}, Name: "t" + strings.ToLower(rand.Text()), Timeout: time.Minute,
		Poll: time.Hour, // unless a test is about other servers
	}
}

// open opens an index that is deleted at the end of the test.
func open(t testing.TB, o opensearch.Options) *opensearch.Index {
	t.Helper()
	ix, err := opensearch.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, ix.Close())
		drop(t, o)
	})
	return ix
}

func drop(t testing.TB, o opensearch.Options) {
	ctx := context.WithoutCancel(t.Context())
	o.Replace = true
	ix, err := opensearch.Open(ctx, o)
	require.NoError(t, err)
	require.NoError(t, ix.Drop(ctx))
	require.NoError(t, ix.Close())
}

// restarted is an index that can be restarted, and that Close deletes.
type restarted struct {
	*opensearch.Index
	options opensearch.Options
}

func (r *restarted) Save(context.Context) error { return nil }

func (r *restarted) Restart(t testing.TB, _ bool) index.Index {
	require.NoError(t, r.Forget(t.Context()))
	require.NoError(t, r.Index.Close())
	ix, err := opensearch.Open(t.Context(), r.options)
	require.NoError(t, err)
	return &restarted{ix, r.options}
}

func (r *restarted) Close() error {
	if err := r.Drop(context.Background()); err != nil {
		return err
	}
	return r.Index.Close()
}

func TestIndexKeepsTheContract(t *testing.T) {
	opensearchtest.Find(t)
	var opened atomic.Int32
	indextest.Run(t, func(t testing.TB) index.Index {
		o := options(t)
		if opened.Add(1)%3 == 0 {
			o.Shards = 3
		}
		ix, err := opensearch.Open(t.Context(), o)
		require.NoError(t, err)
		return &restarted{ix, o}
	})
}

package embedded_test

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/index/indextest"
)

// benched is an index on disk that prints its memory and file sizes when it is restarted.
type benched struct{ *diskIndex }

func (k benched) Restart(t testing.TB, _ bool) index.Index {
	require.NoError(t, k.Close())
	stats, damages, err := embedded.Inspect(k.dir)
	require.NoError(t, err)
	require.Empty(t, damages)
	fmt.Fprintf(os.Stderr, "%d segments of %.1f bytes a company on disk:", len(stats.Segments), float64(stats.Bytes)/float64(stats.Companies))
	slices.SortFunc(stats.Sections, func(a, b embedded.SectionStats) int { return cmp.Compare(b.Bytes, a.Bytes) })
	for _, s := range stats.Sections[:20] {
		fmt.Fprintf(os.Stderr, " %s %.1f", s.Name, float64(s.Bytes)/float64(stats.Companies))
	}
	fmt.Fprintln(os.Stderr)
	again := benched{openKept(t, k.dir, embedded.Options{})}
	t.Cleanup(func() {
		debug.FreeOSMemory()
		status, _ := os.ReadFile("/proc/self/status") // on Linux
		fmt.Fprintln(os.Stderr, "memory of its own after all searches:", string(anonymous.Find(status)))
	})
	return again
}

var anonymous = regexp.MustCompile(`RssAnon:.*`)

func BenchmarkEmbedded(b *testing.B) {
	indextest.Bench(b, func(t testing.TB) index.Index { return benched{openKept(t, t.TempDir(), embedded.Options{})} })
}

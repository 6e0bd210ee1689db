package embedded

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

// followed is an index that follows a catalog of companies, a change each, and saves only when it is told to.
type followed struct {
	*Index
	log safeBuffer
}

func follows(t testing.TB, dir string, c Source) *followed {
	f := &followed{}
	f.Index = Open(Options{SaveEvery: time.Hour, Log: slog.New(slog.NewTextHandler(&f.log, nil))})
	require.NoError(t, f.Attach(t.Context(), dir, c))
	return f
}

func (f *followed) apply(t testing.TB, c *markedCatalog, companies ...*company.Company) {
	c.mu.Lock()
	c.seq++
	seq := c.seq
	c.mu.Unlock()
	require.NoError(t, f.Apply(t.Context(), changesOf(companies), seq))
}

// marked is a saved index of three companies that a killed process has left, and its catalog.
func marked(t testing.TB) (dir string, c *markedCatalog) {
	dir, c = t.TempDir(), &markedCatalog{}
	f := follows(t, dir, c)
	f.apply(t, c, companytest.Slice(1, 3)...)
	require.NoError(t, f.Close())
	return dir, c
}

func TestAnIndexIsTrustedOnlyByACatalogOfItsPast(t *testing.T) {
	t.Parallel()
	dir, c := marked(t)
	older := c.backup() // holds what the index was saved with first
	f := follows(t, dir, c)
	require.Equal(t, uint64(1), f.Seq())
	f.apply(t, c, companytest.Slice(1, 5)[3:]...)
	require.NoError(t, f.Close())
	newer := c.backup()
	older.seq, newer.seq, c.seq = 7, 7, 7 // each went on for itself
	for name, test := range map[string]struct {
		catalog *markedCatalog
		seq     uint64
		len     int
	}{
		"not restored":                        {c.backup(), 2, 5},
		"a backup that the index has outrun":  {older, 0, 0},
		"a backup that knows the index":       {newer, 2, 5},
		"a backup from before the first save": {&markedCatalog{seq: 7}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := t.TempDir()
			require.NoError(t, os.CopyFS(own, os.DirFS(dir)))
			f := follows(t, own, test.catalog)
			require.Equal(t, test.seq, f.Seq())
			require.Equal(t, test.len, f.Len())
			if test.seq == 0 {
				require.Contains(t, f.log.String(), "restored from a backup")
			} else {
				require.Empty(t, f.log.String())
			}
			require.NoError(t, f.Close())
			require.Zero(t, test.catalog.calls, "attaching writes nothing")
		})
	}
}

func TestACrashBetweenMarkAndManifestLeavesATrustedIndex(t *testing.T) {
	t.Parallel()
	dir, c := marked(t)
	before := c.backup().marks
	f := follows(t, dir, c)
	f.apply(t, c, companytest.Slice(1, 4)[3:]...)
	c.after = errors.New("killed")
	require.ErrorIs(t, f.Close(), c.after)
	c.after = nil
	require.Len(t, c.marks, 2)

	f = follows(t, dir, c)
	require.Equal(t, uint64(1), f.Seq(), "the older moment")
	require.Equal(t, 3, f.Len())
	f.apply(t, c, companytest.Slice(1, 4)[3:]...)
	require.NoError(t, f.Close())
	require.Len(t, c.marks, 2, "what the crash left is gone")
	require.Contains(t, c.marks, before[0], "a crash right now would leave the manifest that names it")

	f = follows(t, dir, c)
	require.Equal(t, uint64(3), f.Seq())
	require.NoError(t, f.Close())
}

func TestAnIndexThatCannotMarkItsCatalogIsNotSaved(t *testing.T) {
	t.Parallel()
	dir, c := marked(t)
	before, err := readManifest(dir)
	require.NoError(t, err)
	f := follows(t, dir, c)
	f.apply(t, c, companytest.Slice(1, 4)[3:]...)
	c.before = errors.New("database is away")
	require.ErrorIs(t, f.Save(t.Context()), c.before)
	now, err := readManifest(dir)
	require.NoError(t, err)
	require.Equal(t, before, now)
	require.Equal(t, 4, f.Len(), "it goes on in memory")
	c.before = nil
	require.NoError(t, f.Close())
	f = follows(t, dir, c)
	require.Equal(t, 4, f.Len())
	require.NoError(t, f.Close())
}

func TestAnIndexMarksItsCatalogOnlyAfterChanges(t *testing.T) {
	t.Parallel()
	dir, c := marked(t)
	require.Equal(t, 1, c.calls)
	f := follows(t, dir, c)
	require.NoError(t, f.Save(t.Context()))
	require.Equal(t, 1, c.calls)
	f.apply(t, c, companytest.Slice(1, 8)[3:]...)
	require.NoError(t, f.Save(t.Context()))
	require.Equal(t, 2, c.calls)
	f.MergeAll()
	require.NoError(t, f.Close())
	require.Equal(t, 2, c.calls, "merges tell nothing new about the catalog")
	stats, damages, err := Inspect(dir)
	require.NoError(t, err)
	require.Empty(t, damages)
	require.Len(t, stats.Segments, 1, "but they are saved")
	f = follows(t, dir, c)
	require.Equal(t, uint64(2), f.Seq())
	require.NoError(t, f.Close())
}

func TestWhatComesBackAfterDamageIsMarkedAnew(t *testing.T) {
	t.Parallel()
	dir, c := marked(t)
	m, err := readManifest(dir)
	require.NoError(t, err)
	harm(t, filepath.Join(dir, m.Segments[0].Name), -1)
	f := follows(t, dir, c)
	require.Zero(t, f.Seq())
	lost, err := readManifest(dir)
	require.NoError(t, err)
	require.True(t, lost.Lost)
	require.Equal(t, m.Checkpoint, lost.Checkpoint)
	require.NoError(t, f.Close())

	backup := c.backup()
	f = follows(t, dir, c) // the loss is known, and the catalog is its own
	require.NotContains(t, f.log.String(), "backup")
	require.NoError(t, f.Apply(t.Context(), changesOf(companytest.Slice(1, 3)), 0))
	require.NoError(t, f.Apply(t.Context(), nil, 1))
	require.NoError(t, f.Close())
	require.Equal(t, 2, c.calls, "its sequence number is the same, but what came back is as the catalog had it later")
	f = follows(t, dir, backup)
	require.Zero(t, f.Len())
	require.NoError(t, f.Close())
}

// As by a database that fails over to a replica which had not followed: numbers that the index knows are given anew.
func TestAnIndexWhoseCatalogIsSetBackMeanwhileIsTrustedNoMore(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &markedCatalog{}
	f := follows(t, dir, c)
	all := companytest.Slice(1, 10)
	f.apply(t, c, all[:3]...)
	require.NoError(t, f.Save(t.Context()))
	older := c.backup()
	f.apply(t, c, all[3:4]...)
	require.NoError(t, f.Save(t.Context()))
	f.apply(t, c, all[4:5]...)
	require.NoError(t, f.Save(t.Context()))
	c.marks = older.marks // the catalog's numbers went on to where they were
	f.apply(t, c, all[7:8]...)
	require.ErrorIs(t, f.Close(), errSetBack)
	f = follows(t, dir, c)
	require.Zero(t, f.Seq())
	require.Contains(t, f.log.String(), "restored from a backup")
	require.NoError(t, f.Close())
}

func TestADatabaseThatIsHeldDelaysNoStopForLong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := &markedCatalog{held: true}
		ix := Open(Options{SaveEvery: time.Second})
		require.NoError(t, ix.Attach(t.Context(), dir, c))
		require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 3)), 1))
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		require.False(t, ix.merging.TryLock(), "a save waits")
		begun := time.Now()
		require.ErrorIs(t, ix.Close(), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(begun), checkpointTimeout)
		require.Less(t, checkpointTimeout, 10*time.Second, "well within the time that a server has to stop")
	})
}

func TestASaveThatWaitedInVainIsNotDueAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ix := Open(Options{SaveEvery: 3 * time.Second})
		require.NoError(t, ix.Attach(t.Context(), dir, &markedCatalog{held: true}))
		ix.merger.stop()
		require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 3)), 1))
		require.ErrorIs(t, ix.Save(t.Context()), context.DeadlineExceeded)
		require.False(t, ix.saveDue())
		time.Sleep(3 * time.Second)
		require.True(t, ix.saveDue())
	})
}

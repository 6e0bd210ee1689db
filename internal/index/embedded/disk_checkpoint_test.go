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

// follower is an index that follows a catalog of companies, one change each, and saves only when it is closed.
type follower struct {
	*Index
	log safeBuffer
}

func openFollower(t testing.TB, dir string, c Source) *follower {
	f := &follower{}
	f.Index = Open(Options{SaveEvery: time.Hour, Log: slog.New(slog.NewTextHandler(&f.log, nil))})
	require.NoError(t, f.Attach(t.Context(), dir, c))
	return f
}

func (f *follower) apply(t testing.TB, c *restorableCatalog, companies ...*company.Company) {
	c.mu.Lock()
	c.seq++
	seq := c.seq
	c.mu.Unlock()
	require.NoError(t, f.Apply(t.Context(), changesOf(companies), seq))
}

// savedIndex returns the directory of a saved index of three companies, and its catalog.
func savedIndex(t testing.TB) (dir string, c *restorableCatalog) {
	dir, c = t.TempDir(), &restorableCatalog{}
	f := openFollower(t, dir, c)
	f.apply(t, c, companytest.Slice(1, 3)...)
	require.NoError(t, f.Close())
	return dir, c
}

func TestAnIndexIsTrustedOnlyIfTheCatalogHasItsCheckpoint(t *testing.T) {
	t.Parallel()
	dir, c := savedIndex(t)
	older := c.backup() // has the checkpoint of the first save
	f := openFollower(t, dir, c)
	require.Equal(t, uint64(1), f.Seq())
	f.apply(t, c, companytest.Slice(1, 5)[3:]...)
	require.NoError(t, f.Close())
	newer := c.backup()
	older.seq, newer.seq, c.seq = 7, 7, 7 // each has changed on its own since
	for name, test := range map[string]struct {
		catalog *restorableCatalog
		seq     uint64
		len     int
	}{
		"not restored":                        {c.backup(), 2, 5},
		"a backup that the index has outrun":  {older, 0, 0},
		"a backup that knows the index":       {newer, 2, 5},
		"a backup from before the first save": {&restorableCatalog{seq: 7}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := t.TempDir()
			require.NoError(t, os.CopyFS(own, os.DirFS(dir)))
			f := openFollower(t, own, test.catalog)
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

func TestACrashBetweenCheckpointAndManifestLeavesATrustedIndex(t *testing.T) {
	t.Parallel()
	dir, c := savedIndex(t)
	before := c.backup().checkpoints
	f := openFollower(t, dir, c)
	f.apply(t, c, companytest.Slice(1, 4)[3:]...)
	c.after = errors.New("killed")
	require.ErrorIs(t, f.Close(), c.after)
	c.after = nil
	require.Len(t, c.checkpoints, 2)

	f = openFollower(t, dir, c)
	require.Equal(t, uint64(1), f.Seq(), "the older snapshot")
	require.Equal(t, 3, f.Len())
	f.apply(t, c, companytest.Slice(1, 4)[3:]...)
	require.NoError(t, f.Close())
	require.Len(t, c.checkpoints, 2, "the files left by the crash were removed")
	require.Contains(t, c.checkpoints, before[0], "a crash right now would leave the manifest that names it")

	f = openFollower(t, dir, c)
	require.Equal(t, uint64(3), f.Seq())
	require.NoError(t, f.Close())
}

func TestAnIndexIsNotSavedWithoutACheckpoint(t *testing.T) {
	t.Parallel()
	dir, c := savedIndex(t)
	before, err := readManifest(dir)
	require.NoError(t, err)
	f := openFollower(t, dir, c)
	f.apply(t, c, companytest.Slice(1, 4)[3:]...)
	c.before = errors.New("database is away")
	require.ErrorIs(t, f.Save(t.Context()), c.before)
	now, err := readManifest(dir)
	require.NoError(t, err)
	require.Equal(t, before, now)
	require.Equal(t, 4, f.Len(), "it continues in memory")
	c.before = nil
	require.NoError(t, f.Close())
	f = openFollower(t, dir, c)
	require.Equal(t, 4, f.Len())
	require.NoError(t, f.Close())
}

func TestCheckpointsAreSavedOnlyAfterChanges(t *testing.T) {
	t.Parallel()
	dir, c := savedIndex(t)
	require.Equal(t, 1, c.calls)
	f := openFollower(t, dir, c)
	require.NoError(t, f.Save(t.Context()))
	require.Equal(t, 1, c.calls)
	f.apply(t, c, companytest.Slice(1, 8)[3:]...)
	require.NoError(t, f.Save(t.Context()))
	require.Equal(t, 2, c.calls)
	f.MergeAll()
	require.NoError(t, f.Close())
	require.Equal(t, 2, c.calls, "a merge needs no new checkpoint")
	stats, damages, err := Inspect(dir)
	require.NoError(t, err)
	require.Empty(t, damages)
	require.Len(t, stats.Segments, 1, "but they are saved")
	f = openFollower(t, dir, c)
	require.Equal(t, uint64(2), f.Seq())
	require.NoError(t, f.Close())
}

func TestARepairedIndexGetsANewCheckpoint(t *testing.T) {
	t.Parallel()
	dir, c := savedIndex(t)
	m, err := readManifest(dir)
	require.NoError(t, err)
	damageFile(t, filepath.Join(dir, m.Segments[0].Name), -1)
	f := openFollower(t, dir, c)
	require.Zero(t, f.Seq())
	lost, err := readManifest(dir)
	require.NoError(t, err)
	require.True(t, lost.Lost)
	require.Equal(t, m.Checkpoint, lost.Checkpoint)
	require.NoError(t, f.Close())

	backup := c.backup()
	f = openFollower(t, dir, c) // the loss is recorded, and it is the same catalog
	require.NotContains(t, f.log.String(), "backup")
	require.NoError(t, f.Apply(t.Context(), changesOf(companytest.Slice(1, 3)), 0))
	require.NoError(t, f.Apply(t.Context(), nil, 1))
	require.NoError(t, f.Close())
	require.Equal(t, 2, c.calls, "the sequence number is the same, but the restored companies are from a later state of the catalog")
	f = openFollower(t, dir, backup)
	require.Zero(t, f.Len())
	require.NoError(t, f.Close())
}

// As after a failover to a replica that lagged behind: sequence numbers that the index knows are assigned again.
func TestAnIndexIsNotTrustedAfterARestoreOfARunningCatalog(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &restorableCatalog{}
	f := openFollower(t, dir, c)
	all := companytest.Slice(1, 10)
	f.apply(t, c, all[:3]...)
	require.NoError(t, f.Save(t.Context()))
	older := c.backup()
	f.apply(t, c, all[3:4]...)
	require.NoError(t, f.Save(t.Context()))
	f.apply(t, c, all[4:5]...)
	require.NoError(t, f.Save(t.Context()))
	c.checkpoints = older.checkpoints // the catalog's sequence number has reached its old value
	f.apply(t, c, all[7:8]...)
	require.ErrorIs(t, f.Close(), errRestored)
	f = openFollower(t, dir, c)
	require.Zero(t, f.Seq())
	require.Contains(t, f.log.String(), "restored from a backup")
	require.NoError(t, f.Close())
}

func TestALockedDatabaseDelaysCloseOnlyBriefly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := &restorableCatalog{locked: true}
		ix := Open(Options{SaveEvery: time.Second})
		require.NoError(t, ix.Attach(t.Context(), dir, c))
		require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 3)), 1))
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		require.False(t, ix.merging.TryLock(), "a save waits")
		begun := time.Now()
		require.ErrorIs(t, ix.Close(), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(begun), checkpointTimeout)
		require.Less(t, checkpointTimeout, 10*time.Second, "well within a server's shutdown timeout")
	})
}

func TestASaveThatTimedOutIsNotDueAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ix := Open(Options{SaveEvery: 3 * time.Second})
		require.NoError(t, ix.Attach(t.Context(), dir, &restorableCatalog{locked: true}))
		ix.merger.stop()
		require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 3)), 1))
		require.ErrorIs(t, ix.Save(t.Context()), context.DeadlineExceeded)
		require.False(t, ix.saveDue())
		time.Sleep(3 * time.Second)
		require.True(t, ix.saveDue())
	})
}

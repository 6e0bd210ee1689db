package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// openVerified opens an index, verifies all checksums and returns it with the file of its largest segment.
func openVerified(t testing.TB, dir string, o Options) (*Index, *file) {
	t.Helper()
	ix := Open(o)
	require.NoError(t, ix.Attach(t.Context(), dir, sourceOfTests))
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	var largest *file
	for _, p := range ix.current.Load().parts {
		require.NoError(t, p.verify(allGroups))
		if largest == nil || len(p.file.mapping.bytes) > len(largest.mapping.bytes) {
			largest = p.file
		}
	}
	return ix, largest
}

// overwrite changes an open file in place, so that its mappings change too.
func overwrite(t testing.TB, f *file, at, size uint64, with byte) {
	t.Helper()
	w, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = w.WriteAt(bytes.Repeat([]byte{with}, int(size)), int64(at))
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

// flip flips one bit of a section.
func flip(t testing.TB, f *file, section string) {
	t.Helper()
	for i, s := range f.sections {
		if s.name == section {
			at := f.extents[i].offset + f.extents[i].size/2
			overwrite(t, f, at, 1, f.mapping.bytes[at]^1)
			return
		}
	}
	t.Fatalf("no section %q", section)
}

func requireRepaired(t *testing.T, ix *Index, dir string, want []index.Result) {
	t.Helper()
	require.Equal(t, want, answers(t, ix))
	require.NoError(t, ix.Close())
	stats, damages, err := Verify(t.Context(), dir)
	require.NoError(t, err)
	require.Empty(t, damages)
	require.False(t, stats.Lost)
	require.Equal(t, uint64(2), stats.Seq)
}

func TestARunningIndexSurvivesTruncatedFiles(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 600)
	whole, want := onDisk(t, companies)
	known, err := Open(Options{}).lookedUp(t, whole, givens(t, companies))
	require.NoError(t, err)
	page := int64(os.Getpagesize())
	for _, share := range []int64{0, 10, 25, 50, 75, 90, 99} { // percent of the file that is kept
		t.Run(fmt.Sprint(share, " percent"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			ix, f := openVerified(t, dir, Options{})
			require.NoError(t, os.Truncate(f.path, int64(len(f.mapping.bytes))*share/100/page*page))
			follow(t, ix, companies)
			for _, g := range givens(t, companies) {
				got, err := ix.Lookup(t.Context(), []query.Given{g})
				require.NoError(t, err)
				require.Equal(t, known[g.Param+g.Value], got[0])
			}
			require.Equal(t, want, answers(t, ix))
			require.Eventually(t, func() bool { return ix.losses.Load() > 0 && !ix.lost.Load() }, time.Minute, time.Millisecond)
			requireRepaired(t, ix, dir, want)
		})
	}
}

// lookedUp looks up the values.
func (ix *Index) lookedUp(t testing.TB, dir string, given []query.Given) (map[string]index.Known, error) {
	t.Helper()
	defer ix.Close()
	if err := ix.Attach(t.Context(), dir, sourceOfTests); err != nil {
		return nil, err
	}
	known, err := ix.Lookup(t.Context(), given)
	all := map[string]index.Known{}
	for i, g := range given {
		all[g.Param+g.Value] = known[i]
	}
	return all, err
}

func TestATruncatedFileIsNoticedWithoutAQuery(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	dir, want := onDisk(t, companies)
	ix, f := openVerified(t, dir, Options{})
	require.NoError(t, os.Truncate(f.path, int64(len(f.mapping.bytes))-1))
	follow(t, ix, companies)
	require.Eventually(t, func() bool { return ix.losses.Load() > 0 && !ix.lost.Load() }, time.Minute, time.Millisecond)
	requireRepaired(t, ix, dir, want)
}

// The rest of a truncated file's last page reads as zeros without a fault, and would be taken for numbers.
func TestATruncatedFileIsNotServedWhileASaveWaits(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	dir, want := onDisk(t, companies)
	ix, f := openVerified(t, dir, Options{})
	ix.merging.Lock() // like a save that waits for the catalog
	saved := sync.OnceFunc(ix.merging.Unlock)
	t.Cleanup(saved)
	ix.merger.wake()
	require.Eventually(t, func() bool { return len(ix.merger.signal) == 0 }, time.Minute, time.Millisecond)
	require.NoError(t, os.Truncate(f.path, int64(len(f.mapping.bytes))-1))
	require.Eventually(t, func() bool { return f.verified.Load() == 0 }, 30*time.Second, time.Millisecond, "noticed nevertheless")
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	for _, r := range testRequests(t) {
		_, err := ix.Search(ctx, r)
		require.ErrorIs(t, err, context.DeadlineExceeded, "it waits for the lost companies")
	}
	require.Zero(t, ix.losses.Load(), "the segment could not be dropped yet")
	saved()
	follow(t, ix, companies)
	requireRepaired(t, ix, dir, want)
}

// Each section in turn is overwritten with numbers that are out of range everywhere. Changes that cause no fault or panic
// are found by the scrub only.
func TestChangedBytesNeverCrashARunningIndex(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	whole, want := onDisk(t, companies)
	panicking := map[string]bool{"name ends": true, "name order": true, "cities": true}
	_, f := openVerified(t, whole, Options{})
	for i, section := range f.sections {
		if f.extents[i].size == 0 {
			continue
		}
		t.Run(fmt.Sprint(i, " ", section.name), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			ix, f := openVerified(t, dir, Options{})
			overwrite(t, f, f.extents[i].offset, f.extents[i].size, 0xff)
			follow(t, ix, companies)
			got := answers(t, ix)
			if panicking[section.name] {
				require.Equal(t, want, got)
			}
			ix.MergeAll()
			ix.scrubAll(nil)
			require.Eventually(t, func() bool { return ix.losses.Load() > 0 && !ix.lost.Load() }, time.Minute, time.Millisecond)
			requireRepaired(t, ix, dir, want)
		})
	}
}

func TestAMergeNeverSealsDamage(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	whole, want := onDisk(t, companies)
	for _, section := range []string{"texts", "updated", "name lengths", "rows"} {
		t.Run(section, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			ix, f := openVerified(t, dir, Options{})
			flip(t, f, section)
			ix.MergeAll()
			require.Eventually(t, func() bool { return ix.losses.Load() == 1 }, time.Minute, time.Millisecond)
			follow(t, ix, companies)
			requireRepaired(t, ix, dir, want)
		})
	}
}

func TestFilesAreScrubbedPeriodically(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	dir, want := onDisk(t, companies)
	var log safeBuffer
	ix, f := openVerified(t, dir, Options{ScrubEvery: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	flip(t, f, "texts")
	require.Eventually(t, func() bool { return strings.Contains(log.String(), f.name) }, time.Minute, time.Millisecond)
	follow(t, ix, companies)
	requireRepaired(t, ix, dir, want)
	require.Positive(t, Open(Options{}).options.ScrubEvery)
}

// Sparse numbers are listed in the file, and Apply reads them.
func TestAnApplyThatMeetsATruncatedFileKeepsTheIndexConsistent(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	for i, c := range companies {
		c.Number = company.Number(1 + 100*i)
	}
	dir, want := onDisk(t, companies)
	ix, f := openVerified(t, dir, Options{})
	require.NoError(t, os.Truncate(f.path, 0))
	ix.merging.Lock() // so that no segment is dropped yet
	ix.applying.Lock()
	err := ix.recoverFaults(nil, func() error { return ix.apply(changesOf(companies[:250]), 2) })
	ix.applying.Unlock()
	require.ErrorAs(t, err, new(*DamageError))
	for _, p := range ix.current.Load().parts {
		require.Equal(t, p.companies(), p.live.count(), "no company was deleted halfway")
	}
	ix.merging.Unlock()
	require.ErrorIs(t, ix.Apply(t.Context(), changesOf(companies[:250]), 2), index.ErrRepairing)
	follow(t, ix, companies)
	requireRepaired(t, ix, dir, want)
}

func TestCursorsOfASnapshotWithLostFilesContinueInTheNewest(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	dir, _ := onDisk(t, companies)
	ix, f := openVerified(t, dir, Options{})
	by := query.Sort{By: query.ByName}
	first, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 100})
	require.NoError(t, err)
	kept := ix.current.Load() // keeps the file mapped
	open, err := os.OpenFile(f.path, os.O_RDWR, 0)
	require.NoError(t, err)
	ix.MergeAll()
	require.NotContains(t, ix.current.Load().parts[0].file.name, f.name)
	require.NoError(t, open.Truncate(0))
	require.NoError(t, open.Close())
	rest, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 300, Cursor: first.Next})
	require.NoError(t, err)
	require.Len(t, rest.Page, 200)
	require.Zero(t, ix.losses.Load(), "nothing was lost")
	require.NotEmpty(t, kept.parts)
}

func TestBugsStillPanic(t *testing.T) {
	t.Parallel()
	dir, want := onDisk(t, companytest.Slice(1, 100))
	ix, _ := openVerified(t, dir, Options{})
	mistake := errors.New("a bug")
	var read *snapshot
	require.PanicsWithValue(t, mistake, func() {
		_ = ix.answerComplete(t.Context(), &read, func() error { panic(mistake) })
	})
	func() {
		defer func() { require.ErrorIs(t, recover().(error), mistake) }()
		_ = ix.answerComplete(t.Context(), &read, func() error {
			runBoth(func() {}, func() { panic(mistake) })
			return nil
		})
	}()
	require.Equal(t, want, answers(t, ix))
	require.Zero(t, ix.losses.Load())
}

func TestABugVerifiesTheFilesAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 100)
	dir, want := onDisk(t, companies)
	ix, f := openVerified(t, dir, Options{})
	read := ix.current.Load()
	mistaken := func() time.Time {
		require.Panics(t, func() { _ = ix.answerComplete(t.Context(), &read, func() error { panic("a bug") }) })
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.verifiedAll
	}
	first := mistaken()
	require.NotZero(t, first)
	require.Equal(t, first, mistaken())
	ix.lastCleanPanic.Store(time.Now().Add(-time.Minute).UnixNano())
	require.NotEqual(t, first, mistaken())
	require.NoError(t, os.Truncate(f.path, 0))
	follow(t, ix, companies)
	require.Equal(t, want, answers(t, ix), "files are verified after every fault")
}

func TestBothGoroutinesSurviveATruncatedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	size := 16 * os.Getpagesize()
	require.NoError(t, os.WriteFile(path, make([]byte, size), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	m, err := mapFile(f, size)
	require.NoError(t, err)
	defer m.unmap()
	require.NoError(t, f.Close())
	require.NoError(t, os.Truncate(path, 0))
	touch := func() { sumOf(m.bytes) }
	for name, fn := range map[string]func(){
		"first":  func() { runBoth(touch, func() {}) },
		"second": func() { runBoth(func() {}, touch) },
		"both":   func() { runBoth(touch, touch) },
	} {
		err := m.guardRead("segment", "section", func() error {
			fn()
			return nil
		})
		require.ErrorAs(t, err, new(*DamageError), name)
	}
}

func TestAClosedIndexSurvivesATruncatedFile(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	dir, _ := onDisk(t, companies)
	ix, f := openVerified(t, dir, Options{})
	require.NoError(t, ix.Close())
	require.NoError(t, os.Truncate(f.path, 0))
	require.True(t, ix.noteDamage(f.verifyAll(time.Now(), nil)))
	ix.dropDamaged(t.Context())
	require.ErrorIs(t, ix.Apply(t.Context(), nil, 4), index.ErrRepairing)
}

func TestRunningSearchesSurviveATruncatedFile(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 600)
	dir, want := onDisk(t, companies)
	ix, _ := openVerified(t, dir, Options{})
	follow(t, ix, companies)
	request := testRequests(t)
	got, errs := make([][]*index.Result, 8), make([]error, 8)
	var asking sync.WaitGroup
	for i := range got {
		asking.Go(func() {
			for _, r := range request {
				found, err := ix.Search(t.Context(), r)
				got[i], errs[i] = append(got[i], found), errors.Join(errs[i], err)
			}
		})
	}
	for _, p := range ix.current.Load().parts {
		size := len(p.file.mapping.bytes) / 2
		require.NoError(t, os.Truncate(p.file.path, int64(size-size%os.Getpagesize())))
	}
	asking.Wait()
	for i, all := range got {
		require.NoError(t, errs[i])
		for j, found := range all {
			found.Next = nil
			require.Equal(t, want[j], *found)
		}
	}
	require.Eventually(t, func() bool { return ix.losses.Load() > 0 && !ix.lost.Load() }, time.Minute, time.Millisecond)
	requireRepaired(t, ix, dir, want)
}

package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// sharedMemory is an index.Shared in memory. before is called before each change, and fails it.
type sharedMemory struct {
	mu     sync.Mutex
	files  map[string][]byte
	puts   []string
	before func(what, name string) error
	opened func(name string)
}

func newShared() *sharedMemory {
	return &sharedMemory{files: map[string][]byte{}, before: func(string, string) error { return nil }, opened: func(string) {}}
}

func (s *sharedMemory) Put(_ context.Context, name string, fn func(io.Writer) error) error {
	if err := s.before("put", name); err != nil {
		return err
	}
	var b bytes.Buffer
	_ = fn(io.Discard) // a first attempt whose connection is lost
	if err := fn(&b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[name] = b.Bytes()
	s.puts = append(s.puts, name)
	return nil
}

func (s *sharedMemory) Open(_ context.Context, name string) (io.ReadCloser, error) {
	s.opened(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.files[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", fs.ErrNotExist, name)
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (s *sharedMemory) Delete(_ context.Context, name string) error {
	if err := s.before("delete", name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
	return nil
}

func (s *sharedMemory) segments() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.files)), func(name string) bool { return name == sharedName })
}

// requireTidy checks that the files are those of the snapshot.
func (s *sharedMemory) requireTidy(t testing.TB) {
	t.Helper()
	current, err := readShared(t.Context(), s)
	require.NoError(t, err)
	var named []string
	for _, f := range current.Files {
		named = append(named, f.Name)
	}
	slices.Sort(named)
	require.Equal(t, named, s.segments())
	require.Empty(t, current.Pending)
}

// newServer returns an index in a new directory that has begun from the shared one, if seeded.
func newServer(t testing.TB, c Source, shared *sharedMemory) (f *follower, seeded bool) {
	t.Helper()
	f = &follower{}
	f.Index = Open(Options{SegmentMax: 1024, SaveEvery: time.Hour, Log: slog.New(slog.NewTextHandler(&f.log, nil))})
	dir := t.TempDir()
	seeded, err := f.Seed(t.Context(), dir, c, shared)
	require.NoError(t, err)
	require.NoError(t, f.Attach(t.Context(), dir, c))
	t.Cleanup(func() { _ = f.Close() })
	return f, seeded
}

// published returns an index of 240 companies that is shared, and their catalog.
func published(t testing.TB) (*follower, *restorableCatalog, *sharedMemory) {
	t.Helper()
	c, shared := &restorableCatalog{}, newShared()
	f, seeded := newServer(t, c, shared)
	require.False(t, seeded)
	companies := companytest.Slice(1, 240)
	f.apply(t, c, companies[:160]...)
	require.NoError(t, f.Save(t.Context()))
	f.apply(t, c, companies[120:]...)
	require.NoError(t, f.Publish(t.Context(), shared, time.Hour))
	return f, c, shared
}

func TestANewServerBeginsFromTheSharedIndex(t *testing.T) {
	t.Parallel()
	first, c, shared := published(t)
	shared.requireTidy(t)
	second, seeded := newServer(t, c, shared)
	require.True(t, seeded)
	require.Equal(t, first.Seq(), second.Seq())
	require.Equal(t, answers(t, first.Index), answers(t, second.Index))

	// Each goes on by itself, and keeps what it saves.
	more := companytest.Slice(2, 50)
	for _, f := range []*follower{first, second} {
		require.NoError(t, f.Apply(t.Context(), changesOf(more), 3))
		require.NoError(t, f.Save(t.Context()))
	}
	c.seq = 3
	require.Equal(t, answers(t, first.Index), answers(t, second.Index))
	dir := second.disk.dir
	require.NoError(t, second.Close())
	again := openFollower(t, dir, c)
	require.Equal(t, uint64(3), again.Seq())
	require.Empty(t, again.log.String())
	require.Equal(t, answers(t, first.Index), answers(t, again.Index))
	require.NoError(t, again.Close())
}

func TestOnlyChangedSegmentsAreStoredAgain(t *testing.T) {
	t.Parallel()
	f, c, shared := published(t)
	before, puts := shared.segments(), len(shared.puts)
	require.Len(t, before, 2)
	f.apply(t, c, companytest.Slice(3, 20)...)
	require.NoError(t, f.Publish(t.Context(), shared, time.Hour))
	require.Len(t, shared.puts, puts, "the last publication is less than an hour old")
	require.NoError(t, f.Publish(t.Context(), shared, 0))
	fresh := slices.DeleteFunc(slices.Clone(shared.puts[puts:]), func(name string) bool { return name == sharedName })
	require.NotEmpty(t, fresh)
	for _, name := range before {
		require.NotContains(t, fresh, name)
	}
	shared.requireTidy(t)
	puts = len(shared.puts)
	require.NoError(t, f.Publish(t.Context(), shared, 0))
	require.Len(t, shared.puts, puts, "nothing has changed")

	f.MergeAll()
	f.apply(t, c, companytest.Slice(4, 5)...)
	require.NoError(t, f.Publish(t.Context(), shared, 0))
	shared.requireTidy(t)
	require.NotSubset(t, shared.segments(), before, "what a merge has replaced is deleted")
	second, seeded := newServer(t, c, shared)
	require.True(t, seeded)
	require.Equal(t, answers(t, f.Index), answers(t, second.Index))
}

func TestTheSharedIndexOfAnotherServerIsReplacedOnceItIsOld(t *testing.T) {
	t.Parallel()
	_, c, shared := published(t)
	second, _ := newServer(t, c, shared)
	second.apply(t, c, companytest.Slice(3, 20)...)
	publisher := func() string {
		s, err := readShared(t.Context(), shared)
		require.NoError(t, err)
		return s.Publisher
	}
	own := second.disk.manifest.Index
	require.NoError(t, second.Publish(t.Context(), shared, time.Minute))
	require.NotEqual(t, own, publisher())
	s, err := readShared(t.Context(), shared)
	require.NoError(t, err)
	s.At = s.At.Add(-5 * time.Minute)
	require.NoError(t, s.write(t.Context(), shared))
	require.NoError(t, second.Publish(t.Context(), shared, time.Minute))
	require.Equal(t, own, publisher())
	shared.requireTidy(t)
}

func TestASharedIndexOfAnotherHistoryIsNotUsed(t *testing.T) {
	t.Parallel()
	c, shared := &restorableCatalog{}, newShared()
	f, _ := newServer(t, c, shared)
	f.apply(t, c, companytest.Slice(1, 300)...)
	require.NoError(t, f.Save(t.Context()))
	backup := c.backup()
	f.apply(t, c, companytest.Slice(2, 30)...)
	require.NoError(t, f.Publish(t.Context(), shared, 0))
	backup.seq = 9 // it has changed on its own since
	second, seeded := newServer(t, backup, shared)
	require.False(t, seeded)
	require.Zero(t, second.Seq())
	require.Contains(t, second.log.String(), "does not fit the catalog")

	second.apply(t, backup, companytest.Slice(1, 100)...)
	require.NoError(t, second.Publish(t.Context(), shared, time.Hour))
	shared.requireTidy(t)
	third, seeded := newServer(t, backup, shared)
	require.True(t, seeded, "the restored catalog's own index has replaced the other")
	require.Equal(t, answers(t, second.Index), answers(t, third.Index))

	f.disk.source = backup // the database of the first server was restored while it ran
	f.apply(t, c, companytest.Slice(5, 5)...)
	require.Error(t, f.Publish(t.Context(), shared, 0))
	fourth, _ := newServer(t, backup, shared)
	require.Equal(t, answers(t, second.Index), answers(t, fourth.Index))
}

func TestADamagedSharedIndexIsNeverUsed(t *testing.T) {
	t.Parallel()
	_, c, whole := published(t)
	names := append(whole.segments(), sharedName)
	for _, name := range names {
		for harm, do := range map[string]func([]byte) []byte{
			"cut":     func(p []byte) []byte { return p[:len(p)/2] },
			"empty":   func([]byte) []byte { return nil },
			"flipped": func(p []byte) []byte { p = bytes.Clone(p); p[len(p)/2] ^= 4; return p },
			"longer":  func(p []byte) []byte { return append(bytes.Clone(p), 0) },
		} {
			t.Run(harm+" "+name[len("index/"):], func(t *testing.T) {
				t.Parallel()
				shared := newShared()
				shared.files = maps.Clone(whole.files)
				shared.files[name] = do(shared.files[name])
				f, seeded := newServer(t, c, shared)
				require.False(t, seeded)
				require.Zero(t, f.Seq())
				require.NotEmpty(t, f.log.String())
				left, err := os.ReadDir(f.disk.dir)
				require.NoError(t, err)
				require.Empty(t, left, "what was fetched is removed")
			})
		}
	}
}

func TestAFlippedBitInAnyByteOfTheSharedSnapshotIsFound(t *testing.T) {
	t.Parallel()
	_, c, shared := published(t)
	var log bytes.Buffer
	ix := Open(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	whole, dir := shared.files[sharedName], t.TempDir()
	for i := range whole {
		p := bytes.Clone(whole)
		p[i] ^= 1 << (i % 8)
		shared.files[sharedName] = p
		log.Reset()
		if seeded, err := ix.Seed(t.Context(), dir, c, shared); seeded || err != nil || log.Len() == 0 {
			require.Fail(t, "a damaged snapshot was used, or was left out in silence", "byte %d: %t %v %q", i, seeded, err, &log)
		}
	}
	shared.files[sharedName] = whole
	seeded, err := ix.Seed(t.Context(), dir, c, shared)
	require.NoError(t, err)
	require.True(t, seeded)
}

func TestADamagedSharedSnapshotIsReplacedAndItsFilesAreDeleted(t *testing.T) {
	t.Parallel()
	for harm, do := range map[string]func([]byte) []byte{
		"of the sequence number": func(p []byte) []byte { return bytes.Replace(p, []byte(`"seq":2`), []byte(`"seq":1`), 1) },
		"of the JSON":            func(p []byte) []byte { return bytes.Replace(p, []byte(`{`), []byte(`[`), 1) },
		"of a SHA-256":           func(p []byte) []byte { return bytes.Replace(p, []byte(`"sha256":"`), []byte(`"sha256":"x`), 1) },
		"of version 1": func(p []byte) []byte {
			p = bytes.Replace(p, []byte(`{"version":2`), []byte(`{"version":1`), 1)
			return append(p[:bytes.LastIndexByte(p, ',')], '}')
		},
	} {
		t.Run(harm, func(t *testing.T) {
			t.Parallel()
			f, c, shared := published(t)
			damaged := do(bytes.Clone(shared.files[sharedName]))
			require.NotEqual(t, shared.files[sharedName], damaged)
			shared.files[sharedName] = damaged
			f.MergeAll()
			f.apply(t, c, companytest.Slice(3, 20)...)
			require.NoError(t, f.Publish(t.Context(), shared, time.Hour))
			require.Equal(t, harm != "of version 1", f.log.String() != "", "damage is logged, an older version is not damage")
			shared.requireTidy(t)
			second, seeded := newServer(t, c, shared)
			require.True(t, seeded)
			require.Equal(t, answers(t, f.Index), answers(t, second.Index))
		})
	}
}

func TestASnapshotThatIsReplacedWhileItIsFetchedIsFetchedAgain(t *testing.T) {
	t.Parallel()
	f, c, shared := published(t)
	f.MergeAll()
	f.apply(t, c, companytest.Slice(3, 20)...)
	var once sync.Once
	shared.opened = func(name string) {
		if name != sharedName {
			once.Do(func() { require.NoError(t, f.Publish(t.Context(), shared, 0)) })
		}
	}
	second, seeded := newServer(t, c, shared)
	require.True(t, seeded)
	require.Equal(t, answers(t, f.Index), answers(t, second.Index))
	shared.requireTidy(t)
}

// TestAPublicationThatFailsAnywhereLeavesTheSharedIndexUsable fails each change of the store in turn.
func TestAPublicationThatFailsAnywhereLeavesTheSharedIndexUsable(t *testing.T) {
	t.Parallel()
	for step := 1; ; step++ {
		f, c, shared := published(t)
		f.MergeAll()
		f.apply(t, c, companytest.Slice(3, 20)...)
		n := 0
		shared.before = func(string, string) error {
			if n++; n == step {
				return errors.New("the connection was lost")
			}
			return nil
		}
		err := f.Publish(t.Context(), shared, 0)
		shared.before = func(string, string) error { return nil }
		second, seeded := newServer(t, c, shared)
		require.True(t, seeded, "step %d", step)
		require.GreaterOrEqual(t, second.Seq(), uint64(2))
		if err == nil {
			require.Greater(t, step, 4)
			return
		}
		f.apply(t, c, companytest.Slice(4, 5)...)
		require.NoError(t, f.Publish(t.Context(), shared, 0))
		third, seeded := newServer(t, c, shared)
		require.True(t, seeded)
		require.Equal(t, answers(t, f.Index), answers(t, third.Index))
		shared.requireTidy(t)
	}
}

func TestServersThatPublishAtTheSameTimeLeaveOneWholeIndex(t *testing.T) {
	t.Parallel()
	for range effort.Times(2, 5) {
		c, shared := &restorableCatalog{}, newShared()
		companies := companytest.Slice(1, 200)
		servers := make([]*follower, 3)
		for i := range servers {
			servers[i], _ = newServer(t, c, shared)
			require.NoError(t, servers[i].Apply(t.Context(), changesOf(companies), 1))
		}
		c.seq = 1
		for round := range uint64(3) {
			var group sync.WaitGroup
			for _, f := range servers {
				group.Go(func() { _ = f.Publish(t.Context(), shared, 0) })
			}
			group.Wait()
			c.seq++
			for _, f := range servers {
				require.NoError(t, f.Apply(t.Context(), changesOf(companytest.Slice(round+5, 3)), c.seq))
			}
		}
		require.NoError(t, servers[0].Publish(t.Context(), shared, 0))
		f, seeded := newServer(t, c, shared)
		require.True(t, seeded)
		require.Equal(t, answers(t, servers[0].Index), answers(t, f.Index))
	}
}

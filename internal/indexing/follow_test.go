package indexing_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit"
)

// watched is an index that reports every Apply.
type watched struct {
	index.Index
	applied chan uint64
}

func (w watched) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	err := w.Index.Apply(ctx, changes, seq)
	select {
	case w.applied <- seq:
	case <-ctx.Done():
	}
	return err
}

func put(t testing.TB, b *catalog.Store, prefix string, n int) {
	t.Helper()
	batch := make([]catalog.Incoming, n)
	for i := range batch {
		batch[i] = catalog.Prepare(&company.Company{Name: fmt.Sprintf("%s %d", prefix, i)})
	}
	_, err := b.Put(t.Context(), nil, batch)
	require.NoError(t, err)
}

func TestTheIndexFollowsTheCatalog(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, "Before", 300)
		x := watched{embedded.Open(embedded.Options{}), make(chan uint64, 100)}
		t.Cleanup(func() { require.NoError(t, x.Close()) })
		f := indexing.NewFollower(indexing.FollowOptions{Catalog: b, Index: x})
		require.NoError(t, f.Build(t.Context()))
		require.Equal(t, 300, x.Len())
		require.Equal(t, uint64(1), x.Seq())
		require.NoError(t, f.Build(t.Context()), "a second build has nothing to do")

		f.Start(t.Context())
		f.Start(t.Context())
		t.Cleanup(f.Stop)
		for seq := uint64(2); seq < 5; seq++ {
			put(t, b, fmt.Sprintf("After %d", seq), 20)
			f.Notify()
			for x.Seq() < seq {
				<-x.applied
			}
		}
		require.Equal(t, 360, x.Len())
		f.Stop()
		f.Stop()
		require.Zero(t, f.Lag())

		put(t, b, "Late", 5)
		require.NoError(t, f.Build(t.Context()))
		require.Equal(t, 365, x.Len(), "an index that is behind reads only the changes")
	})
}

// TestAConnectionChangesWhatIsKnownOfItsSource covers has, missing and the facet known: a connection arrives without any other
// change of its company, and leaves when the import that brought it is undone.
func TestAConnectionChangesWhatIsKnownOfItsSource(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		x := embedded.Open(embedded.Options{})
		t.Cleanup(func() { require.NoError(t, x.Close()) })
		f := indexing.NewFollower(indexing.FollowOptions{Catalog: b, Index: x})
		load := func(file string) int64 {
			s, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{"-"}, Stdin: strings.NewReader(file)})
			require.NoError(t, err)
			return s.Import
		}
		found := func(filters query.Filters) int {
			require.NoError(t, f.Build(t.Context()))
			q, err := query.Parse(filters)
			require.NoError(t, err)
			r, err := x.Search(t.Context(), index.Request{Query: q, Sort: query.Sort{By: query.ByName}, Limit: 1})
			require.NoError(t, err)
			return r.Total
		}
		load("name,domain\nAcme,acme.example\nBolt,bolt.example\n")
		require.Equal(t, 0, found(query.Filters{Has: []string{"connections"}}))
		require.Equal(t, 2, found(query.Filters{Missing: []string{"connections"}}))
		number := load("name,domain,vendors\nAcme,acme.example,bolt.example\n")
		require.Equal(t, 1, found(query.Filters{Has: []string{"connections", "domain"}}))
		require.Equal(t, 1, found(query.Filters{Missing: []string{"connections"}}))
		_, err := testkit.New(t, services.Parts{DB: d}).Undo(t.Context(), number)
		require.NoError(t, err)
		require.Equal(t, 0, found(query.Filters{Has: []string{"connections"}}))
		require.Equal(t, 2, found(query.Filters{Missing: []string{"connections"}}))
	})
}

// losing is an index that loses companies during its first scans.
type losing struct {
	index.Index
	scans, losses int
}

func (l *losing) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	if seq > 0 {
		if l.scans++; l.scans <= l.losses {
			return fmt.Errorf("apply: %w", index.ErrRepairing)
		}
	}
	return l.Index.Apply(ctx, changes, seq)
}

func TestBuildStartsAgainIfTheIndexLosesCompanies(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := catalog.New(d)
	put(t, b, "Company", 300)
	var log, all bytes.Buffer
	x := &losing{Index: embedded.Open(embedded.Options{}), losses: 2}
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	f := indexing.NewFollower(indexing.FollowOptions{
		Catalog: b, Index: x, Poll: time.Millisecond,
		Log: slog.New(slog.NewMultiHandler(
			slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}), slog.NewTextHandler(&all, nil))),
	})
	require.NoError(t, f.Build(t.Context()))
	require.Equal(t, 3, x.scans)
	require.Equal(t, 300, x.Len())
	require.Equal(t, uint64(1), x.Seq())
	require.Zero(t, f.Lag())
	require.Empty(t, log.String(), "this is not a failure")
	require.Equal(t, 1, strings.Count(all.String(), "index cannot be changed now"), "once, however often it was tried")
}

// breaking is an index whose first scan fails at its end.
type breaking struct {
	index.Index
	broken bool
}

func (x *breaking) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	if seq > 0 && !x.broken {
		x.broken = true
		return context.DeadlineExceeded
	}
	return x.Index.Apply(ctx, changes, seq)
}

func TestCompaniesRemovedAfterAFailedScanLeaveTheIndex(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	number, err := b.Begin(t.Context(), nil)
	require.NoError(t, err)
	source := catalog.NewSource()
	source.Of(number)
	_, err = b.Put(t.Context(), source, []catalog.Incoming{catalog.Prepare(&company.Company{Name: "Removed"})})
	require.NoError(t, err)
	put(t, b, "Stays", 3)
	x := &breaking{Index: embedded.Open(embedded.Options{})}
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	f := indexing.NewFollower(indexing.FollowOptions{Catalog: b, Index: x})
	require.ErrorIs(t, f.Build(t.Context()), context.DeadlineExceeded)
	require.Equal(t, 4, x.Len())
	_, err = b.Undo(t.Context(), number, func(context.Context, *db.Tx) (company.Set, error) { return company.Set{}, nil })
	require.NoError(t, err)
	require.NoError(t, f.Build(t.Context()))
	require.Equal(t, 3, x.Len())
	seq, err := b.Seq(t.Context())
	require.NoError(t, err)
	require.Equal(t, seq, x.Seq())
}

// lines receives the messages of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestACatalogBehindItsIndexIsLogged(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	put(t, b, "Company", 3)
	x := embedded.Open(embedded.Options{})
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	log := make(lines, 10)
	f := indexing.NewFollower(indexing.FollowOptions{Catalog: b, Index: x, Poll: time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, f.Build(t.Context()))
	require.NoError(t, x.Apply(t.Context(), nil, 7)) // changes that the catalog does not have
	f.Start(t.Context())
	t.Cleanup(f.Stop)
	require.Contains(t, <-log, "restored from a backup")
	require.Positive(t, f.Lag())
}

func TestAnIndexThatLostEverythingIsRebuiltFromAnEmptyCatalog(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := catalog.New(d)
	number, err := b.Begin(t.Context(), nil)
	require.NoError(t, err)
	batch := make([]catalog.Incoming, 100)
	for i := range batch {
		batch[i] = catalog.Prepare(&company.Company{Name: fmt.Sprintf("Company %d", i)})
	}
	source := catalog.NewSource()
	source.Of(number)
	_, err = b.Put(t.Context(), source, batch)
	require.NoError(t, err)
	dir := t.TempDir()
	build := func() *embedded.Index {
		x := embedded.Open(embedded.Options{})
		require.NoError(t, x.Attach(t.Context(), dir, b))
		f := indexing.NewFollower(indexing.FollowOptions{Catalog: b, Index: x, Poll: time.Millisecond})
		require.NoError(t, f.Build(t.Context()))
		require.NoError(t, x.Close())
		return x
	}
	require.Equal(t, 100, build().Len())
	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	require.NotEmpty(t, segments)
	for _, path := range segments {
		require.NoError(t, os.Truncate(path, 100))
	}
	_, err = b.Undo(t.Context(), number, func(context.Context, *db.Tx) (company.Set, error) { return company.Set{}, nil })
	require.NoError(t, err)
	seq, err := b.Seq(t.Context())
	require.NoError(t, err)
	x := build()
	require.Zero(t, x.Len())
	require.Equal(t, seq, x.Seq())
}

package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/indexing"
)

// companiesNamed returns n companies of a kind as NDJSON.
func companiesNamed(kind string, n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `{"name": "%s %d", "domain": "%s-%d.test", "description": "made %s"}`+"\n", kind, i, kind, i, kind)
	}
	return s.String()
}

// total returns the number of companies of a kind that the server finds. It waits until the server answers.
func total(t *testing.T, s *apptest.Server, kind string) int {
	t.Helper()
	found, err := s.Client().Search(t.Context(), client.SearchRequest{Filters: client.Filters{Query: kind}})
	require.NoError(t, err)
	return found.Total
}

func importInto(t *testing.T, b *catalog.Store, companies string) {
	t.Helper()
	_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{"-"}, Stdin: strings.NewReader(companies)})
	require.NoError(t, err)
}

// copyDB copies a closed SQLite database.
func copyDB(t *testing.T, to, from string) {
	t.Helper()
	p, err := os.ReadFile(from)
	require.NoError(t, err)
	for _, suffix := range []string{"-wal", "-shm"} {
		_, err := os.Stat(from + suffix)
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	require.NoError(t, os.WriteFile(to, p, 0o600))
}

func TestAnIndexNeverReturnsCompaniesThatARestoredCatalogLacks(t *testing.T) {
	t.Parallel()
	data, backup := t.TempDir(), t.TempDir()+"/backup.db"
	at := func(c *config.Config) { c.Data = data }
	first := apptest.Start(t, apptest.Options{Config: at, Companies: companiesNamed("first", 20)})
	require.Equal(t, 20, total(t, first, "first"))
	require.NoError(t, first.Stop())
	require.NoError(t, first.Close())
	file := first.Config.SQLiteFile()
	copyDB(t, backup, file)

	second := apptest.Start(t, apptest.Options{Config: at, Companies: companiesNamed("undone", 20)})
	require.Equal(t, 20, total(t, second, "undone"))
	require.NoError(t, second.Stop())
	ahead, err := second.IndexStats()
	require.NoError(t, err)
	require.NoError(t, second.Close())
	require.Equal(t, 40, ahead.Companies)

	copyDB(t, file, backup)
	third, err := app.Open(t.Context(), second.Config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	for i := range 3 {
		importInto(t, third.Catalog, companiesNamed(fmt.Sprint("instead", i), 10))
	}
	seq, err := third.Catalog.Seq(t.Context())
	require.NoError(t, err)
	require.Greater(t, seq, ahead.Seq, "the sequence number alone does not show that the catalog was restored")
	require.NoError(t, third.Close())

	fourth := apptest.Start(t, apptest.Options{Config: at})
	for kind, want := range map[string]int{"first": 20, "undone": 0, "instead0": 10, "instead1": 10, "instead2": 10} {
		t.Run(kind, func(t *testing.T) {
			require.Equal(t, want, total(t, fourth, kind), kind)
		})
	}
	require.NoError(t, fourth.Stop())
	check, err := fourth.VerifyIndex(t.Context())
	require.NoError(t, err)
	require.Empty(t, check.Damages)
	require.Equal(t, 50, check.Companies)
	require.Equal(t, check.CatalogSeq, check.Seq)
}

// attach opens the index in a directory, as a server with this catalog does.
func attach(t *testing.T, dir string, source embedded.Source) *embedded.Index {
	t.Helper()
	ix := embedded.Open(embedded.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	require.NoError(t, ix.Attach(t.Context(), dir, source))
	return ix
}

func catchUp(t *testing.T, b *catalog.Store, ix *embedded.Index) {
	t.Helper()
	require.NoError(t, indexing.NewFollower(indexing.FollowOptions{Catalog: b, Index: ix}).Build(t.Context()))
}

func TestAnIndexIsKeptWithABackupThatHasItsCheckpoint(t *testing.T) {
	t.Parallel()
	file, dir := dbtest.SQLiteFile(t), t.TempDir()
	d := dbtest.Open(t, file)
	b := catalog.New(d)
	importInto(t, b, companiesNamed("first", 20))
	ix := attach(t, dir, b)
	catchUp(t, b, ix)
	seq := ix.Seq()
	require.NoError(t, ix.Close())
	require.NoError(t, d.Close())
	copyDB(t, file+".backup", file)
	b = catalog.New(dbtest.Open(t, file+".backup"))
	importInto(t, b, companiesNamed("second", 5))
	ix = attach(t, dir, b)
	require.Equal(t, seq, ix.Seq())
	require.Equal(t, 20, ix.Len())
	catchUp(t, b, ix)
	require.Equal(t, 25, ix.Len())
	require.NoError(t, ix.Close())
}

// killed is a catalog that fails right after it has saved a checkpoint, as if the process were killed then.
type killed struct{ *catalog.Store }

var errKilled = errors.New("killed")

func (k killed) SaveCheckpoint(ctx context.Context, index, checkpoint, keep string, seq uint64) error {
	return errors.Join(k.Store.SaveCheckpoint(ctx, index, checkpoint, keep, seq), errKilled)
}

func TestAProcessKilledAfterItsCheckpointLeavesATrustedIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir, b := t.TempDir(), catalog.New(d)
		importInto(t, b, companiesNamed("first", 20))
		ix := attach(t, dir, b)
		catchUp(t, b, ix)
		seq := ix.Seq()
		require.NoError(t, ix.Close())

		for i := range 3 {
			importInto(t, b, companiesNamed(fmt.Sprint("later", i), 5))
			ix = attach(t, dir, killed{b})
			require.Equal(t, seq, ix.Seq(), "the index is at the checkpoint saved last")
			catchUp(t, b, ix)
			require.ErrorIs(t, ix.Close(), errKilled)
		}
		ix = attach(t, dir, b)
		require.Equal(t, seq, ix.Seq())
		catchUp(t, b, ix)
		require.Equal(t, 35, ix.Len())
		require.NoError(t, ix.Close())
	})
}

func TestSeveralServersKeepTheirOwnCheckpoints(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, dirs := catalog.New(d), []string{t.TempDir(), t.TempDir()}
		for round := range 3 {
			importInto(t, b, companiesNamed(fmt.Sprint("round", round), 5))
			for _, dir := range dirs {
				ix := attach(t, dir, b)
				require.Equal(t, 5*round, ix.Len(), "the saved index is trusted, even if other servers have saved theirs since")
				catchUp(t, b, ix)
				require.NoError(t, ix.Close())
			}
		}
	})
}

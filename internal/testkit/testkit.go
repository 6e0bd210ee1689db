// Package testkit builds the program's stores and use cases for tests, as the program builds them. Nothing is replaced
// unless a test chooses to.
package testkit

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/job"
)

// Fixture is all stores and use cases, over real back ends.
type Fixture struct{ *services.Services }

// New returns a Fixture over the parts. Parts that are missing are a fresh SQLite database, an index in memory, files in a
// temporary folder, and a log of errors in the test's output. The index is closed with the test.
func New(t testing.TB, p services.Parts) *Fixture {
	t.Helper()
	if p.DB == nil {
		p.DB = dbtest.SQLite(t)
	}
	if p.Index == nil {
		p.Index = embedded.Open(embedded.Options{Answers: 32})
	}
	if p.Blobs == nil {
		p.Blobs = Files(t)
	}
	if p.Key == nil {
		p.Key = bytes.Repeat([]byte{7}, 32)
	}
	if p.Log == nil {
		p.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	}
	t.Cleanup(func() { require.NoError(t, p.Index.Close()) })
	return &Fixture{services.Build(p)}
}

// Files returns a blob store in a temporary folder.
func Files(t testing.TB) *file.Store {
	t.Helper()
	files, err := file.Open(file.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	require.NoError(t, err)
	return files
}

// Put stores the companies in the catalog and the index.
func (f *Fixture) Put(t testing.TB, companies ...*company.Company) {
	t.Helper()
	for len(companies) > 0 {
		n := min(len(companies), 2000)
		batch := make([]catalog.Incoming, n)
		for i, c := range companies[:n] {
			batch[i] = catalog.Prepare(c)
		}
		report, err := f.Catalog.Put(t.Context(), nil, batch)
		require.NoError(t, err)
		require.Len(t, report.Numbers, n)
		companies = companies[n:]
	}
	f.Follow(t)
}

// Follow applies to the index what has changed in the catalog.
func (f *Fixture) Follow(t testing.TB) {
	t.Helper()
	for more := true; more; {
		var changes []catalog.Change
		var upTo uint64
		var err error
		changes, upTo, more, err = f.Catalog.Changes(t.Context(), f.Index.Seq(), 5_000)
		require.NoError(t, err)
		applied := make([]index.Change, len(changes))
		for i, c := range changes {
			applied[i] = index.Change(c)
		}
		require.NoError(t, f.Index.Apply(t.Context(), applied, upTo))
	}
}

// Undo undoes an import.
func (f *Fixture) Undo(ctx context.Context, number int64) (catalog.Undone, error) {
	return importer.Undo(ctx, f.UndoOptions(), number)
}

// Work runs jobs until the test ends.
func (f *Fixture) Work(t testing.TB) {
	t.Helper()
	r := job.NewRunner(f.Jobs, f.Exports.Handlers())
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(t.Context())) })
}

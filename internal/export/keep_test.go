package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/job"
)

// keeping has files deleted after a day, and earlier records kept for the time.
func keeping(records time.Duration) export.Options {
	o := exportOptions
	o.FilesKept, o.RecordsKept = 24*time.Hour, records
	return o
}

// age makes the export's file older.
func (s *fixture) age(t *testing.T, e export.Export, by time.Duration) {
	t.Helper()
	s.exec(t, `UPDATE export SET file_at = file_at - $2 WHERE id = $1`, e.ID, by.Microseconds())
}

// deleteOld deletes the old files, and returns how many jobs did so.
func (s *fixture) deleteOld(t *testing.T, x *export.Exports) int {
	t.Helper()
	require.NoError(t, x.PruneFiles(t.Context()))
	return s.deleteGivenUp(t, x)
}

func (s *fixture) deleteGivenUp(t *testing.T, x *export.Exports) (n int) {
	t.Helper()
	const q = `SELECT COUNT(*) FROM job WHERE kind = $1 AND state = 'queued'`
	require.NoError(t, s.db.Read().QueryRowContext(t.Context(), q, export.OldFileKind).Scan(&n))
	runner := job.NewRunner(s.jobs, map[string]job.Handler{export.OldFileKind: x.Handlers()[export.OldFileKind]})
	require.NoError(t, runner.Start(t.Context()))
	require.Eventually(t, func() bool {
		var left int
		const q = `SELECT COUNT(*) FROM job WHERE kind = $1 AND state IN ('queued', 'running')`
		require.NoError(t, s.db.Read().QueryRowContext(t.Context(), q, export.OldFileKind).Scan(&left))
		return left == 0
	}, time.Minute, 5*time.Millisecond)
	require.NoError(t, runner.Stop(t.Context()))
	return n
}

// follow returns what a link leads to.
func (s *fixture) follow(t *testing.T, link string) (status int, content []byte) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	s.blobs.Store.(*file.Store).Handler(func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusNotFound)
	}).ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// fetch downloads the export's file, checks it against its manifest, and returns it with the manifest.
func (s *fixture) fetch(t *testing.T, x *export.Exports, e export.Export) ([]byte, export.Manifest) {
	t.Helper()
	links, err := x.Download(t.Context(), s.caller, e.ID)
	require.NoError(t, err)
	status, content := s.follow(t, links.File)
	require.Equal(t, http.StatusOK, status)
	status, described := s.follow(t, links.Manifest)
	require.Equal(t, http.StatusOK, status)
	m, err := export.ParseManifest(bytes.NewReader(described))
	require.NoError(t, err)
	checks, err := m.Verify(bytes.NewReader(content))
	require.NoError(t, err)
	for _, c := range checks {
		require.True(t, c.OK, c.Problem())
	}
	return content, m
}

// rename changes the names of companies, and prunes as a server does for some minutes.
func (s *fixture) rename(t *testing.T, x *export.Exports, suffix string) {
	t.Helper()
	companies, err := s.catalog.ByNumbers(t.Context(), []company.Number{1, 2, 3})
	require.NoError(t, err)
	for _, c := range companies {
		changed := *c
		changed.Name += suffix
		_, err := s.catalog.Put(t.Context(), nil, []catalog.Incoming{catalog.Prepare(&changed)})
		require.NoError(t, err)
	}
	for range 3 {
		require.NoError(t, x.Prune(t.Context()))
	}
}

func TestADeletedFileIsWrittenAgainAsItWasBought(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		x := s.with(keeping(time.Hour))
		r := between(1, 20)
		r.Format, r.Options.Compression = format.CSV, format.Gzip
		e := s.buy(t, r)
		s.runJobs(t, 1)
		bought, described := s.fetch(t, x, e)
		s.rename(t, x, ", renamed")
		s.age(t, e, 25*time.Hour)
		require.Equal(t, 1, s.deleteOld(t, x))
		_, err := s.blobs.Stat(t.Context(), "exports/"+e.Workspace.String()+"/"+e.ID.String()+".csv.gz")
		require.ErrorIs(t, err, blob.ErrNotFound)
		require.Nil(t, s.get(t, e).FileAt)
		s.auditClean(t)

		again, manifest := s.fetch(t, x, e)
		require.Equal(t, bought, again)
		require.Equal(t, described, manifest)
		require.Zero(t, s.balance(t))
		require.Equal(t, described.SHA256, manifest.SHA256)
		s.auditClean(t)
		require.Zero(t, s.deleteOld(t, x), "the new file is kept for another day")
	})
}

func TestADeletedFileIsWrittenWithTheDataOfTodayIfTheEarlierIsGone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		x := s.with(keeping(0))
		e := s.buy(t, between(1, 20))
		s.runJobs(t, 1)
		bought, described := s.fetch(t, x, e)
		require.Nil(t, described.RowsAsOf)
		s.rename(t, x, ", renamed")
		s.age(t, e, 25*time.Hour)
		require.Equal(t, 1, s.deleteOld(t, x))

		before := time.Now()
		again, manifest := s.fetch(t, x, e)
		old, now := rowsOf(t, bought), rowsOf(t, again)
		require.Len(t, now, len(old))
		for i, r := range now {
			require.Equal(t, old[i].ID, r.ID)
			require.Equal(t, i < 3, strings.HasSuffix(r.Name, ", renamed"), r.Name)
		}
		require.WithinRange(t, *manifest.RowsAsOf, before.Add(-time.Second), time.Now())
		links, err := x.Download(t.Context(), s.caller, e.ID)
		require.NoError(t, err)
		require.Equal(t, manifest.RowsAsOf, links.RowsAsOf)
		s.auditClean(t)

		s.rename(t, x, " again")
		same, _ := s.fetch(t, x, e)
		require.Equal(t, again, same, "while there is a file, it stays as it is")
		s.age(t, e, 25*time.Hour)
		require.Equal(t, 1, s.deleteOld(t, x))
		latest, _ := s.fetch(t, x, e)
		require.True(t, strings.HasSuffix(rowsOf(t, latest)[0].Name, ", renamed again"))
		s.auditClean(t)
	})
}

func TestNoFileIsDeletedWhileALinkToItWorks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		x := s.with(keeping(0))
		e := s.buy(t, between(1, 20))
		require.Zero(t, s.deleteOld(t, x), "an unfinished export has no file")
		s.runJobs(t, 1)
		s.age(t, e, 23*time.Hour+59*time.Minute)
		links, err := x.Download(t.Context(), s.caller, e.ID)
		require.NoError(t, err)
		s.age(t, e, 15*time.Minute)
		require.Zero(t, s.deleteOld(t, x))
		status, _ := s.follow(t, links.File)
		require.Equal(t, http.StatusOK, status)

		_, err = x.Download(t.Context(), s.caller, e.ID)
		require.NoError(t, err)
		s.age(t, e, 23*time.Hour)
		require.Zero(t, s.deleteOld(t, x), "the download counts as a use")
		s.age(t, e, 2*time.Hour)
		require.Equal(t, 1, s.deleteOld(t, x))
		require.NoError(t, s.another().PruneFiles(t.Context()), "without the setting, nothing is deleted")
	})
}

func TestAFileThatCannotBeWrittenAgainIsWrittenByTheNextDownload(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		x := s.with(keeping(0))
		e := s.buy(t, between(1, 20))
		s.runJobs(t, 1)
		s.age(t, e, 25*time.Hour)
		require.Equal(t, 1, s.deleteOld(t, x))
		full := errors.New("no space left on device")
		for _, fails := range []string{".json", ".manifest.json"} {
			s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
				if strings.HasSuffix(key, fails) {
					return blob.Info{}, full
				}
				return next(ctx, key, fn)
			}
			_, err := x.Download(t.Context(), s.caller, e.ID)
			require.ErrorIs(t, err, full)
			require.Nil(t, s.get(t, e).FileAt)
			s.auditClean(t)
		}
		s.blobs.put = nil
		s.fetch(t, x, e)
		s.auditClean(t)
	})
}

// TestDownloadsAndDeletionsAtTheSameTimeAgree has several servers download one export, and delete its file and change its
// companies all the while. Every link that was handed out leads to a file that its manifest describes.
func TestDownloadsAndDeletionsAtTheSameTimeAgree(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 50, 50)
		e := s.buy(t, between(1, 50))
		s.runJobs(t, 1)
		servers := []*export.Exports{s.with(keeping(0)), s.with(keeping(0)), s.with(keeping(0))}
		for range 6 {
			s.age(t, e, 25*time.Hour)
			s.deleteOld(t, servers[0])
			s.rename(t, servers[0], " x")
			var group sync.WaitGroup
			links := make([]export.Links, 2*len(servers))
			errs := make([]error, len(links))
			for i := range links {
				group.Go(func() { links[i], errs[i] = servers[i%len(servers)].Download(t.Context(), s.caller, e.ID) })
			}
			s.rename(t, servers[0], " y")
			group.Wait()
			require.NoError(t, errors.Join(errs...))
			s.deleteGivenUp(t, servers[0])
			for _, l := range links {
				status, content := s.follow(t, l.File)
				require.Equal(t, http.StatusOK, status)
				_, described := s.follow(t, l.Manifest)
				m, err := export.ParseManifest(bytes.NewReader(described))
				require.NoError(t, err)
				checks, err := m.Verify(bytes.NewReader(content))
				require.NoError(t, err)
				for _, c := range checks {
					require.True(t, c.OK, c.Problem())
				}
			}
			s.auditClean(t)
		}
	})
}

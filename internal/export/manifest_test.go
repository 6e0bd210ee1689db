package export_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
)

// manifest returns the manifest of the export's file.
func (s *fixture) manifest(t *testing.T, e export.Export) []byte {
	t.Helper()
	r, err := s.blobs.Open(t.Context(), fmt.Sprintf("exports/%s/%s.%s.manifest.json", e.Workspace, e.ID, format.Extension(e.Format, e.Options)))
	require.NoError(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return b
}

func TestCompletedExportHasAManifestThatDescribesItsFile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 30, 30)
		r := between(1, 20)
		r.Name, r.Options = "Größte & beste", format.Options{BOM: true}
		r.Format = format.CSV
		e := s.buy(t, r)
		s.runJobs(t, 1)
		e = s.get(t, e)
		m, err := export.ParseManifest(bytes.NewReader(s.manifest(t, e)))
		require.NoError(t, err)
		var filters bytes.Buffer
		require.NoError(t, json.Compact(&filters, m.Filters))
		m.Filters = filters.Bytes()
		require.Equal(t, export.Manifest{
			Version: 1, Export: e.ID, Workspace: e.Workspace, Transaction: &e.Figures.TransactionID, CreatedAt: e.CreatedAt,
			Name: "Größte & beste", Source: export.SourceSearch, Filters: r.Filters, Sort: "employee_count asc",
			FileName: e.FileName(), Format: format.CSV, Options: r.Options, SchemaVersion: format.SchemaVersion,
			Columns: format.Columns(format.CSV, format.Options{}), Rows: 20, SizeBytes: e.SizeBytes, SHA256: hex.EncodeToString(e.SHA256[:]),
		}, m)
		checks, err := m.Verify(bytes.NewReader(s.file(t, e)))
		require.NoError(t, err)
		for _, c := range checks {
			require.True(t, c.OK, "%+v", c)
		}

		// From a list of owned companies, so that nothing is charged and there is no ledger entry.
		list, err := s.lists.Create(t.Context(), s.caller.Workspace, "Mine")
		require.NoError(t, err)
		_, _, err = s.lists.Add(t.Context(), s.caller.Workspace, list.ID, s.owned(t))
		require.NoError(t, err)
		e = s.buy(t, export.Request{Name: "Again", Source: export.SourceList, List: list.ID})
		s.runJobs(t, 1)
		m, err = export.ParseManifest(bytes.NewReader(s.manifest(t, e)))
		require.NoError(t, err)
		require.Equal(t, &list.ID, m.List)
		require.Nil(t, m.Transaction)
		require.JSONEq(t, "null", string(m.Filters))
		s.auditClean(t)
	})
}

func TestASecondRunWritesTheSameManifest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		e := s.buy(t, between(1, 20))
		s.runJobs(t, 1)
		first := s.manifest(t, e)
		s.exec(t, `UPDATE export SET status = 'processing', size_bytes = 0, sha256 = NULL WHERE id = $1`, e.ID)
		s.crashWorker(t, e)
		s.runJobs(t, 1)
		require.Equal(t, string(first), string(s.manifest(t, e)))
		s.auditClean(t)
	})
}

func TestNoExportCompletesWithoutItsManifest(t *testing.T) {
	t.Parallel()
	for name, crash := range crashes() {
		if name == "within the file" {
			continue // a manifest is too short to be cut off
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, 20, 20)
				e := s.buy(t, between(1, 20))
				var early, crashed atomic.Bool
				s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
					if !strings.HasSuffix(key, ".manifest.json") {
						return next(ctx, key, fn)
					}
					if now, err := s.Get(ctx, s.caller, e.ID); err != nil || now.Status != export.StatusProcessing {
						early.Store(true)
					}
					if crashed.CompareAndSwap(false, true) {
						return crash(ctx, key, fn, next)
					}
					return next(ctx, key, fn)
				}
				s.runJobs(t, 2)
				require.True(t, crashed.Load())
				require.False(t, early.Load(), "completed before its manifest was written")
				s.requireCompleted(t, e, 20)
				s.auditClean(t)
			})
		})
	}
}

func TestACancelledExportLeavesNoManifest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 20)
		e := s.buy(t, between(1, 20))
		s.blobs.put = func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error) {
			info, err := next(ctx, key, fn)
			if strings.HasSuffix(key, ".manifest.json") {
				_, cancelErr := s.Cancel(ctx, s.caller, e.ID)
				err = errors.Join(err, cancelErr)
			}
			return info, err
		}
		s.runJobs(t, 1)
		require.Equal(t, export.StatusCancelled, s.get(t, e).Status)
		for _, suffix := range []string{"", ".manifest.json", ".manifest.json.jws"} {
			_, err := s.blobs.Stat(t.Context(), fmt.Sprintf("exports/%s/%s.json%s", e.Workspace, e.ID, suffix))
			require.ErrorIs(t, err, blob.ErrNotFound)
		}
		s.auditClean(t)
	})
}

func TestManifestIsDownloadedUnderTheNameOfItsFile(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 20, 20)
	e := s.buy(t, between(1, 20))
	s.runJobs(t, 1)
	links, err := s.Download(t.Context(), s.caller, e.ID)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	s.blobs.Store.(*file.Store).Handler(refuse).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, links.Manifest, nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, string(s.manifest(t, e)), w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Contains(t, w.Header().Get("Content-Disposition"), e.FileName()+".manifest.json")
}

func TestVerifyFindsEveryChangeOfTheFile(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 20, 40)
	for _, f := range format.All() {
		r := between(1, 20)
		r.Format = f
		e := s.buy(t, r)
		s.runJobs(t, 1)
		m, err := export.ParseManifest(bytes.NewReader(s.manifest(t, e)))
		require.NoError(t, err)
		whole := s.file(t, e)
		failed := func(m export.Manifest, content []byte) (names []string) {
			checks, err := m.Verify(bytes.NewReader(content))
			require.NoError(t, err)
			require.Len(t, checks, 4)
			for _, c := range checks {
				if !c.OK {
					names = append(names, c.Name)
				}
			}
			return names
		}
		require.Empty(t, failed(m, whole))
		for i := 0; i < len(whole); i += 97 {
			changed := bytes.Clone(whole)
			changed[i] ^= 1
			require.Contains(t, failed(m, changed), "sha256")
		}
		require.Subset(t, failed(m, whole[:len(whole)/2]), []string{"size", "sha256", "rows"})
		require.Contains(t, failed(m, nil), "columns")
		m.Rows++
		require.Equal(t, []string{"rows"}, failed(m, whole))
		m.Rows--
		m.Columns = m.Columns[1:]
		require.Equal(t, []string{"columns"}, failed(m, whole))
	}
}

func TestVerifyDistinguishesAnUnreadableFileFromADamagedOne(t *testing.T) {
	t.Parallel()
	broken := errors.New("bad sector")
	for _, f := range format.All() {
		_, err := export.Manifest{Format: f}.Verify(iotest.ErrReader(broken))
		require.ErrorIs(t, err, broken)
	}
}

func TestParseManifestSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                          "not a manifest",
		"id,name\r\n":               "not a manifest",
		"{}":                        "manifest_version is missing",
		`{"manifest_version":2}`:    "reads versions up to 1",
		`{"manifest_version":1}`:    "incomplete",
		strings.Repeat(" ", 17<<20): "longer than 16 MiB",
	} {
		_, err := export.ParseManifest(strings.NewReader(content))
		require.ErrorContains(t, err, want)
	}
}

package file_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/blobtest"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/fault"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Harness {
		s := open(t, t.TempDir())
		mux := http.NewServeMux()
		mux.Handle(file.Path, s.Handler(refuse))
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		return blobtest.Harness{Store: s, Do: func(r *http.Request) (*http.Response, error) {
			full, err := r.URL.Parse(server.URL + r.URL.String())
			if err != nil {
				return nil, err
			}
			r.URL = full
			return server.Client().Do(r)
		}}
	})
}

func open(t *testing.T, dir string) *file.Store {
	t.Helper()
	key, err := file.LoadKey(filepath.Join(t.TempDir(), "signing.key"))
	require.NoError(t, err)
	s, err := file.Open(file.Options{Dir: dir, Key: key})
	require.NoError(t, err)
	return s
}

func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	switch fault.CodeOf(err) {
	case fault.InvalidLink:
		w.WriteHeader(http.StatusForbidden)
	case fault.RangeNotSatisfiable:
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
	case fault.NotFound:
		w.WriteHeader(http.StatusNotFound)
	case fault.MethodNotAllowed:
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func TestOnlyGetAndHeadAreServed(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, file.Path+"k", nil)
	open(t, t.TempDir()).Handler(refuse).ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}

func TestOpenRemovesFilesOfCrashedWriters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	abandoned, recent := filepath.Join(dir, ".unfinished", "put-1"), filepath.Join(dir, ".unfinished", "put-2")
	for _, path := range []string{abandoned, recent} {
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
	}
	old := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(abandoned, old, old))
	s := open(t, dir)
	require.NoFileExists(t, abandoned)
	require.FileExists(t, recent)
	require.NoError(t, s.ClearUnfinished())
	require.NoFileExists(t, recent, "a process that is alone removes every unfinished file")
}

func TestAllProcessesShareOnePrivateSigningKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "signing.key")
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := file.LoadKey(path)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	wg.Wait()
	for _, key := range keys {
		require.Len(t, key, 32)
		require.Equal(t, keys[0], key)
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestDamagedSigningKeyIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signing.key")
	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err := file.LoadKey(path)
	require.ErrorContains(t, err, path)
	_, err = file.Open(file.Options{Dir: t.TempDir(), Key: []byte("short")})
	require.Error(t, err)
}

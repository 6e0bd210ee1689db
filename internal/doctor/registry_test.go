package doctor

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/index/embedded"
)

// start starts a server over an empty catalog that registers itself in the directory.
func start(t *testing.T, servers string) *Server {
	t.Helper()
	ix := embedded.Open(embedded.Options{})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	s := NewServer(ServerOptions{
		Servers: servers, Catalog: catalog.New(dbtest.SQLite(t)), Index: ix, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, s.Start(t.Context()))
	require.NotNil(t, s.registered)
	t.Cleanup(func() { require.NoError(t, s.Stop(t.Context())) })
	return s
}

func TestServersAreReachedWhateverTheLengthOfTheirPath(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"short": "s", "long": strings.Repeat("long", socketPathMax/4)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, err := os.MkdirTemp("", "") // shorter than t.TempDir
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, os.RemoveAll(base)) })
			servers := filepath.Join(base, dir)
			first, second := start(t, servers), start(t, servers)
			running, err := registry(servers).running()
			require.NoError(t, err)
			require.Len(t, running, 2)
			for _, e := range running {
				require.Equal(t, name == "short", filepath.Dir(e.Socket) == servers, e.Socket)
				found, err := e.auditIndex(t.Context(), func(int, int) {})
				require.NoError(t, err)
				require.Empty(t, found)
			}
			for _, s := range []*Server{first, second} {
				require.NoError(t, s.Stop(t.Context()))
				require.NoError(t, s.Stop(t.Context()), "a second call does nothing")
			}
			left, err := os.ReadDir(servers)
			require.NoError(t, err)
			require.Empty(t, left)
			for _, e := range running {
				require.NoFileExists(t, e.Socket)
				_, err := e.auditIndex(t.Context(), func(int, int) {})
				require.ErrorIs(t, err, errStopped)
			}
		})
	}
}

func TestWhatAKilledServerLeavesIsRemovedByTheNext(t *testing.T) {
	t.Parallel()
	servers := filepath.Join(t.TempDir(), strings.Repeat("long", socketPathMax/4))
	killed, err := registry(servers).register()
	require.NoError(t, err)
	require.NoError(t, killed.lock.Close()) // as the end of the process does; the socket stays
	running, err := registry(servers).running()
	require.NoError(t, err)
	require.Empty(t, running)

	start(t, servers)
	require.NoFileExists(t, killed.path)
	require.NoDirExists(t, killed.temp)
	require.NoError(t, killed.Close())
}

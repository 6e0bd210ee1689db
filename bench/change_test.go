package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/workload"
)

func TestChangedCompaniesKeepWhoTheyAre(t *testing.T) {
	t.Parallel()
	w, err := workload.New(1000)
	require.NoError(t, err)
	m := changeMeasure{workload: w, batch: 200}
	changed := map[company.Number]bool{}
	for range 5 {
		companies, word := m.nextBatch()
		require.Len(t, companies, 200)
		for _, c := range companies {
			was := w.Company(int(c.Number))
			require.Equal(t, was.ID, c.ID)
			require.Equal(t, was.Name, c.Name)
			require.Equal(t, was.Domain, c.Domain)
			require.Equal(t, was.Connections, c.Connections)
			require.Contains(t, c.Description, " "+word)
			require.NotEqual(t, was.Technologies, c.Technologies)
			changed[c.Number] = true
		}
	}
	require.Len(t, changed, w.Len, "each once before any comes again")
}

func TestACopyHasAllFilesAndSharesOnlySegments(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "store")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "index"), 0o700))
	for _, name := range []string{"capi.db", "index/manifest", "index/1.seg"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	to, err := copyOf(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Dir(dir), filepath.Dir(to))
	for name, shared := range map[string]bool{"capi.db": false, "index/manifest": false, "index/1.seg": true} {
		p, err := os.ReadFile(filepath.Join(to, name))
		require.NoError(t, err)
		require.Equal(t, name, string(p))
		was, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		is, err := os.Stat(filepath.Join(to, name))
		require.NoError(t, err)
		require.Equal(t, shared, os.SameFile(was, is), name)
	}
}

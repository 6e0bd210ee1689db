package importer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

func TestEveryFieldOfACompanyCanBeChosenForAColumn(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, f := range importer.Fields() {
		require.NotEmpty(t, f.Label, f.Name)
		require.False(t, names[f.Name], f.Name)
		names[f.Name] = true
	}
	for _, f := range company.Fields {
		if f.Kind != company.KindTime {
			require.True(t, names[f.Name], f.Name)
		}
	}
	require.Contains(t, importer.Relations(), "investor")
}

func TestFilesOfAFolderAreNamedWithoutIt(t *testing.T) {
	t.Parallel()
	b, dir := catalog.New(dbtest.SQLite(t)), t.TempDir()
	for name, content := range map[string]string{
		"-": "name,domain\nAcme,acme.example\n", "a[1]*.csv": "name,domain\nBolt,bolt.example\n,\nCog\n", "none.csv": "size,colour\n1,red\n",
		"page.csv": "<!doctype html><html><body>Sign in</body></html>",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, importer.Check("none.csv", importer.Options{Dir: dir}))
	err := importer.Check("page.csv", importer.Options{Dir: dir})
	require.ErrorContains(t, err, "this is an HTML page")
	require.NotContains(t, err.Error(), dir)
	s, err := importer.Import(t.Context(), importer.Options{
		Catalog: b, Dir: dir, Files: []string{"-", "a[1]*.csv", "none.csv"}, Rejects: importer.RejectsIn(filepath.Join(dir, "rejects")),
	})
	require.ErrorIs(t, err, importer.ErrNoColumns)
	require.NotContains(t, err.Error(), dir)
	require.Equal(t, []string{"-", "a[1]*.csv", "none.csv"}, []string{s.Sources[0].File, s.Sources[1].File, s.Sources[2].File})
	require.True(t, s.Sources[2].Unread)
	require.Len(t, s.Sources[2].Columns, 2)
	require.Equal(t, []string{"Acme", "Bolt"}, names(t, b))
}

func TestEachTableHasAMappingOfItsOwn(t *testing.T) {
	t.Parallel()
	b, dir := catalog.New(dbtest.SQLite(t)), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.csv"), []byte("label,code\nAcme,x\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.csv"), []byte("code,label\nBolt,x\n"), 0o600))
	s, err := importer.Import(t.Context(), importer.Options{
		Catalog: b, Dir: dir, Files: []string{"a.csv", "b.csv"},
		MapTable: func(file string, table int) importer.Mapping {
			require.Zero(t, table)
			return importer.Mapping{Map: map[string][]string{"name": {map[string]string{"a.csv": "label", "b.csv": "code"}[file]}}}
		},
	})
	require.NoError(t, err)
	require.Equal(t, 2, s.Added)
	require.Equal(t, []string{"Acme", "Bolt"}, names(t, b))
}

func TestRejectsOfFilesWithTheSameNameAreAllKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := importer.RejectsIn(dir)
	for _, name := range []string{"a/x.csv", "b/x.csv", "x.csv.gz"} {
		f, err := open(name, ".csv")
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, all, 3)
	info, err := all[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

package load

import (
	"context"
	"encoding/csv"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"

	"github.com/opencapi/capi/bench/workload"
)

func TestEveryRowIsInTheFiles(t *testing.T) {
	t.Parallel()
	w, err := workload.New(500)
	require.NoError(t, err)
	f, err := Write(w, t.TempDir())
	require.NoError(t, err)
	require.Equal(t, 500, f.CompanyCount)
	require.Positive(t, f.ConnectionsCount)
	for path, n := range map[string]int{f.Companies: f.CompanyCount, f.Connections: f.ConnectionsCount} {
		in, err := os.Open(path)
		require.NoError(t, err)
		defer in.Close()
		rows, err := csv.NewReader(in).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, n+1, "with a header")
	}
}

func TestSQLiteLoadsEveryRow(t *testing.T) {
	t.Parallel()
	e := SQLite()
	if e.Missing != "" {
		required.Missing(t, "sqlite3", "%s", e.Missing)
	}
	w, err := workload.New(500)
	require.NoError(t, err)
	f, err := Write(w, t.TempDir())
	require.NoError(t, err)
	dir := t.TempDir()
	companies, connections, err := e.Run(t.Context(), dir, f)
	require.NoError(t, err)
	require.Positive(t, companies.Wall)
	require.Positive(t, connections.Wall)
	out, err := exec.CommandContext(t.Context(), "sqlite3", dir+"/load.db", "SELECT count(*) FROM company; SELECT count(*) > 0 FROM connection").Output()
	require.NoError(t, err)
	require.Equal(t, "500\n1\n", string(out))
}

func TestALoadThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	e := Engine{
		Name: "none", Prepare: clean,
		Command: func(ctx context.Context, _, _ string) *exec.Cmd {
			return exec.CommandContext(ctx, "sh", "-c", "echo no disk >&2; exit 3")
		},
	}
	_, _, err := e.Run(t.Context(), t.TempDir(), Files{Companies: "a.csv"})
	require.ErrorContains(t, err, "no disk")
}

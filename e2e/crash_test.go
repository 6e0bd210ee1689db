package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	tick                 = 20 * time.Millisecond
	secondOnABusyMachine = 5 * time.Second // the guarantee is one second, but other tests run at the same time
)

func TestKilledServerFinishesEveryExportAfterARestartAndChargesOnce(t *testing.T) {
	t.Parallel()
	const (
		catalogSize = 12_000
		jobs        = 8
		size        = 10_000 // of each export
	)
	s := newFixture(t, 1_000_000)
	s.settings = append(s.settings, "CAPI_WORKERS=1")
	s.load(t, companies(0, catalogSize, nil))
	v := s.serve(t)
	c := s.client(v)

	exports := make([]string, jobs)
	charged := 0
	for i := range exports {
		var e created
		c.must(t, http.StatusCreated, "POST", "/exports", exportOf(fmt.Sprint("crash ", i),
			map[string]any{"employee_count_min": 100 * i, "employee_count_max": 100*i + size - 1}), &e)
		require.Equal(t, size, e.Requested)
		charged += e.Charged
		exports[i] = e.Job.ID
	}
	require.Equal(t, size+100*(jobs-1), charged)
	c.wait(t, exports[0]) // the first is complete, the next is being written
	v.kill(t)

	s.requireHealthy(t) // unfinished exports are not findings
	half := s.write(t, filepath.Join("files", ".unfinished", "put-half"), "half a file")
	v = s.serve(t)
	require.NoFileExists(t, half, "unfinished files of the killed server are deleted")
	c = s.client(v)
	for i, export := range exports {
		c.wait(t, export)
		file := rows(t, c.file(t, export))
		require.Len(t, file, size)
		distinct := map[string]bool{}
		for _, row := range file {
			distinct[row["domain"]] = true
		}
		require.Len(t, distinct, size)
		require.True(t, distinct[fmt.Sprintf("c%d.example", 100*i)], "the file has the rows of this export")
	}
	require.Regexp(t, `msg="job ended".* export_id=\S+ rows=10000 size_bytes=\d+ result=done`, v.stderr.String(), "the second server must have had exports to complete")
	require.Equal(t, 1_000_000-charged, c.credits(t).Balance)
	s.requireHealthy(t)
}

func TestASecondServerIsRefusedUntilTheFirstStops(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 0)
	v := s.serve(t)
	out, err := s.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "is in use by another capi serve")
	v.stop(t)
	s.serve(t).stop(t) // the lock is released
}

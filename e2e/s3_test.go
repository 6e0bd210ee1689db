package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/s3/s3test"
)

// inBucket returns the settings of a server whose files are in a bucket.
func inBucket(endpoint, bucket string) []string {
	return append(s3test.Env(), "CAPI_FILES=s3://"+bucket+"/capi?region="+s3test.Region+"&path_style=true&endpoint="+url.QueryEscape(endpoint))
}

func TestExportsInABucketSurviveAKilledServerAndAKilledStore(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	s := newFixture(t, 100_000, inBucket(store.Endpoint, store.NewBucket(t))...)
	s.load(t, companies(0, 12_000, nil))
	v := s.serve(t)
	c := s.client(v)

	var first created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("first", map[string]any{"employee_count_max": 999}), &first)
	c.wait(t, first.Job.ID)
	require.Len(t, rows(t, c.file(t, first.Job.ID)), 1_000)
	var link struct {
		URL string `json:"download_url"`
	}
	c.must(t, http.StatusOK, "POST", "/exports/"+first.Job.ID+"/download", nil, &link)
	require.True(t, strings.HasPrefix(link.URL, store.Endpoint), "the bucket serves the file: %s", link.URL)
	require.NoDirExists(t, filepath.Join(s.data, "files"))

	var exports []string
	for i := range 4 {
		var e created
		c.must(t, http.StatusCreated, "POST", "/exports", exportOf(fmt.Sprint("large ", i),
			map[string]any{"employee_count_min": 100 * i, "employee_count_max": 100*i + 9_999}), &e)
		exports = append(exports, e.Job.ID)
	}
	store.Down() // while they are written
	v.kill(t)
	out, err := s.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "check that it can be reached")
	store.Up(t)
	c = s.client(s.serve(t))
	for _, export := range exports {
		c.wait(t, export)
		require.Len(t, rows(t, c.file(t, export)), 10_000)
	}
	s.requireHealthy(t)
}

func TestAWrongBucketIsAnErrorBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	bucket := store.NewBucket(t)
	for name, wrong := range map[string]struct {
		settings []string
		problem  string
	}{
		"bucket":      {inBucket(store.Endpoint, "no-such-bucket"), "there is no such bucket: create it, or correct --files"},
		"secret":      {append(inBucket(store.Endpoint, bucket), "AWS_SECRET_ACCESS_KEY=wrong"), "the credentials are wrong"},
		"endpoint":    {append(inBucket("http://127.0.0.1:1", bucket), "AWS_MAX_ATTEMPTS=1"), "check that it can be reached"},
		"the setting": {[]string{"CAPI_FILES=s3:/exports"}, "--files: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &fixture{data: t.TempDir(), settings: wrong.settings}
			out, err := s.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), wrong.problem)
			require.NotContains(t, string(out), "goroutine")
			written, err := os.ReadDir(s.data)
			require.NoError(t, err)
			require.Empty(t, written)
		})
	}
}

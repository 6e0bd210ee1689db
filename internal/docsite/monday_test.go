package docsite_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/testkit/required"
)

// everyMonday is the section of the README that a data team follows.
var everyMonday = regexp.MustCompile("(?s)## Every Monday, into your bucket\n.*?```console\n(.*?)```")

// The commands of the README, with a bucket with keys that may only write and a channel, then a Monday on which one company is new.
func TestEveryMondayOfTheReadmeArrivesInTheBucketAndTheChannel(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		required.Missing(t, "curl", "curl is missing")
	}
	store := s3test.Start(t)
	bucket := store.NewBucket(t)
	key, secret := store.NewUser(t, bucket, "s3:PutObject", "s3:AbortMultipartUpload")
	messages := make(chan string, 100)
	channel := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		messages <- string(body)
	}))
	t.Cleanup(channel.Close)
	s := apptest.Start(t, apptest.Options{Companies: companies, Credits: 1000, Config: func(c *config.Config) {
		c.WebhookAllow, c.DestinationAllow = "127.0.0.0/8", "127.0.0.0/8"
	}})

	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	section := everyMonday.FindStringSubmatch(string(readme))
	require.NotNil(t, section)
	commands := section[1]
	for from, to := range map[string]string{
		"https://capi.example.com": s.URL, `"acme-data"`: `"` + bucket + `"`, `"region": "eu-central-1"`: `"endpoint": "` + store.Endpoint + `"`,
		"AKIA…": key, `"…"`: `"` + secret + `"`, "https://hooks.slack.com/services/T00/B00/XXXX": channel.URL,
	} {
		require.Contains(t, commands, from)
		commands = strings.ReplaceAll(commands, from, to)
	}
	sh := exec.CommandContext(t.Context(), "sh", "-eu", "-c", commands)
	sh.Env = append(os.Environ(), "TOKEN="+ownersToken(t, s))
	out, err := sh.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), `"detail"`, "%s", out)
	require.Contains(t, string(out), `"next_run":{"status":"nothing_new"`, "the answer has the price of the next run")

	_, err = importer.Import(t.Context(), importer.Options{Catalog: s.Catalog, Files: []string{"-"}, Stdin: strings.NewReader(
		`{"name":"Newcomer","domain":"newcomer.example","country":"US","industries":["Fintech"],"description":"A fintech."}` + "\n",
	)})
	require.NoError(t, err)
	c := s.Client()
	require.Eventually(t, func() bool {
		found, err := c.Search(t.Context(), client.SearchRequest{Filters: client.Filters{Query: "fintech", Countries: []string{"US"}}})
		require.NoError(t, err)
		return found.Total == 3
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error { // it is Monday
		_, err := tx.ExecContext(t.Context(), `UPDATE standing_order SET next_at = $1`, db.Time(time.Now()))
		return err
	}))
	var manifest string
	require.Eventually(t, func() bool {
		for _, k := range store.Keys(t, bucket) {
			if strings.HasSuffix(k, ".manifest.json") {
				manifest = k
			}
		}
		return manifest != ""
	}, 60*time.Second, 50*time.Millisecond)
	require.Regexp(t, `^companies/dt=\d{4}-\d\d-\d\d/_new-us-fintech-.*\.parquet\.manifest\.json$`, manifest)
	var about struct {
		Rows    int
		Deliver string
		Name    string
	}
	require.NoError(t, json.Unmarshal(store.Read(t, bucket, manifest), &about))
	require.Equal(t, 1, about.Rows, "only what is new")
	require.Equal(t, "added", about.Deliver)
	balance, err := s.Credits.Balance(t.Context(), s.Workspace)
	require.NoError(t, err)
	require.EqualValues(t, 999, balance)

	var heard string
	for !strings.Contains(heard, "New US fintech") || !strings.Contains(heard, "companies/dt=") {
		select {
		case m := <-messages:
			require.Regexp(t, `^\{"text":".+"\}\s*$`, m)
			heard += m
		case <-time.After(60 * time.Second):
			require.Fail(t, "the channel did not hear of the file", heard)
		}
	}
}

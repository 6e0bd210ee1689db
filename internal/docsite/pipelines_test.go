package docsite_test

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/testkit/required"
)

// readers returns a Python with the packages of scripts/readers.txt.
func readers(t *testing.T, packages string) string {
	t.Helper()
	python := cmp.Or(os.Getenv("CAPI_TEST_PYTHON"), "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import "+packages).Run(); err != nil {
		required.Missing(t, "readers", "%s lacks one of %s, which are in scripts/readers.txt: %v", python, packages, err)
	}
	return python
}

// blockOf returns the only code block of the page about pipelines that has the text.
func blockOf(t *testing.T, text string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "guide", "pipelines.md"))
	require.NoError(t, err)
	var found []string
	for _, fence := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(fence[1], text) {
			found = append(found, fence[1])
		}
	}
	require.Len(t, found, 1, text)
	return found[0]
}

// Two deliveries with keys that may only write, of which the second has a company that has changed.
func TestDeliveriesAreReadAsThePageAboutPipelinesSays(t *testing.T) {
	t.Parallel()
	python := readers(t, "duckdb, pandas, pyarrow, s3fs")
	store := s3test.Start(t)
	bucket := store.NewBucket(t)
	key, secret := store.NewUser(t, bucket, "s3:PutObject", "s3:AbortMultipartUpload")
	s := apptest.Start(t, apptest.Options{Companies: companies, Credits: 10, Config: func(c *config.Config) { c.DestinationAllow = "127.0.0.0/8" }})
	lake, err := s.Destinations.Create(t.Context(), destination.Destination{
		Workspace: s.Workspace, Name: "Data lake", Kind: destination.S3, Prefix: "companies/dt={date}/",
		Bucket: destination.Bucket{Name: bucket, Endpoint: store.Endpoint, PathStyle: true, AccessKey: key},
	}, destination.Secrets{SecretKey: secret})
	require.NoError(t, err)
	c := s.Client()
	deliver := func(filters client.Filters) *client.Export {
		t.Helper()
		made, err := c.CreateExport(t.Context(), client.ExportRequest{Name: "New", SearchFilters: &filters, ExportFormat: "parquet", DestinationID: lake.ID.String()})
		require.NoError(t, err)
		var e *client.Export
		require.Eventually(t, func() bool {
			e, err = c.Export(t.Context(), made.ExportJob.ID)
			require.NoError(t, err)
			return e.Delivery.Status == "delivered"
		}, 30*time.Second, 10*time.Millisecond)
		return e
	}
	first := deliver(client.Filters{})
	_, err = importer.Import(t.Context(), importer.Options{
		Catalog: s.Catalog, Files: []string{"-"}, Stdin: strings.NewReader(`{"name":"Ledger","domain":"ledger.example","employee_count":91}` + "\n"),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		found, err := c.Search(t.Context(), client.SearchRequest{Filters: client.Filters{EmployeeCountMin: new(int64(91)), EmployeeCountMax: new(int64(91))}, Limit: 1})
		require.NoError(t, err)
		return found.Total == 1
	}, 30*time.Second, 10*time.Millisecond)
	second := deliver(client.Filters{ChangedSince: first.ID})
	require.Equal(t, 1, second.TotalRecords)

	run := func(text string) string {
		t.Helper()
		code := blockOf(t, text)
		for from, to := range map[string]string{
			"AKIA…": s3test.AccessKey, `secret="…"`: fmt.Sprintf("secret=%q", s3test.SecretKey), "https://storage.example.com": store.Endpoint, "acme-data": bucket,
		} {
			require.Contains(t, code, from)
			code = strings.ReplaceAll(code, from, to)
		}
		cmd := exec.CommandContext(t.Context(), python, "-c", code)
		cmd.Stderr = t.Output()
		out, err := cmd.Output()
		require.NoError(t, err, code)
		return strings.TrimSpace(string(out))
	}
	day := first.CreatedAt.UTC().Format(time.DateOnly)
	date := strings.ReplaceAll(first.CreatedAt.UTC().Format("2006, 1, 2"), "-", "")
	require.Equal(t, fmt.Sprintf("[('Acme Payments', 120, datetime.date(%[1]s)), ('Example Robotics', 240, datetime.date(%[1]s)), ('Ledger', 91, datetime.date(%[1]s))]", date),
		run("register_filesystem"), day)
	var rows [][]any
	require.NoError(t, json.Unmarshal([]byte(run("import pandas")), &rows))
	require.Len(t, rows, 3)
	require.Equal(t, []any{"Acme Payments", 120.}, rows[0][:2])
	require.Equal(t, []any{"Ledger", 91.}, rows[2][:2])
	require.Greater(t, rows[2][2], rows[0][2], "from the second delivery")
}

func TestTheSQLOfThePageAboutPipelinesCanBeParsed(t *testing.T) {
	t.Parallel()
	python := readers(t, "sqlglot")
	const parse = `
import sqlglot, sys
for statement in sqlglot.parse(sys.stdin.read(), dialect=sys.argv[1], error_level=sqlglot.ErrorLevel.RAISE):
    print(type(statement).__name__)
`
	for comment, want := range map[string]string{"Snowflake": "Create Create Copy Create", "BigQuery": "Create Create"} {
		cmd := exec.CommandContext(t.Context(), python, "-c", parse, strings.ToLower(comment))
		cmd.Stdin, cmd.Stderr = strings.NewReader(blockOf(t, "-- "+comment)), t.Output()
		out, err := cmd.Output()
		require.NoError(t, err, comment)
		require.Equal(t, want, strings.Join(strings.Fields(string(out)), " "), "a statement that is not understood is a Command")
	}
}

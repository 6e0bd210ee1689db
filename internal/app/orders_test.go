package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/importer"
)

func TestAServerRunsAnOrderAfterAnImportAndDeliversItsFile(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Companies: `{"name":"Acme","domain":"acme.example"}`, Credits: 10})
	ctx, c := t.Context(), s.Client()
	order, err := c.CreateOrder(ctx, client.OrderRequest{
		Name: "New", SearchFilters: &client.Filters{}, Schedule: client.Schedule{After: "import"}, Baseline: true, Columns: []string{"name"},
	})
	require.NoError(t, err)
	_, err = importer.Import(ctx, importer.Options{Catalog: s.Catalog, Files: []string{"-"}, Stdin: strings.NewReader(`{"name":"Later","domain":"later.example"}`)})
	require.NoError(t, err)
	var run client.OrderRun
	require.Eventually(t, func() bool {
		runs, err := c.OrderRuns(ctx, order.ID, "", 0)
		require.NoError(t, err)
		run = runs.Items[0]
		return run.Cause == "import"
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, "exported", run.Status, "%s", run.Message)
	_, err = c.Wait(ctx, *run.ExportID, 10*time.Millisecond, nil)
	require.NoError(t, err)
	link, err := c.DownloadLink(ctx, *run.ExportID)
	require.NoError(t, err)
	for url, content := range map[string]string{link.URL: "name\r\nLater\r\n", link.ManifestURL: order.ID} {
		r, err := http.Get(url)
		require.NoError(t, err)
		got, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Contains(t, string(got), content)
	}
	credits, err := c.Credits(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 9, credits.Balance)
}

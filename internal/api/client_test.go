package api_test

import (
	"bytes"
	"encoding/csv"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
)

func TestTheClientSearchesBuysAndDownloads(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	h := stocked(t, 130, settings{publicURL: "http://" + server.Listener.Addr().String()})
	h.work(t)
	server.Config.Handler = h
	server.Start()
	t.Cleanup(server.Close)
	ctx, c := t.Context(), client.New(server.URL, h.writer, client.Options{})

	seen := map[string]bool{}
	for company, err := range c.SearchAll(ctx, client.SearchRequest{Limit: 50}) {
		require.NoError(t, err)
		require.False(t, seen[company.ID])
		seen[company.ID] = true
	}
	require.Len(t, seen, 130)
	found, err := c.Search(ctx, client.SearchRequest{Filters: client.Filters{Countries: []string{"US"}}, SortBy: "name"})
	require.NoError(t, err)
	require.Equal(t, found.Total, found.Credits.NewCount)
	whole, err := c.Company(ctx, found.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, found.Items[0].Name, whole.Name)
	require.NotNil(t, whole.Attributes)

	order := client.ExportRequest{Name: "US", SearchFilters: &client.Filters{Countries: []string{"US"}}}
	quote, err := c.Quote(ctx, order)
	require.NoError(t, err)
	require.True(t, quote.Affordable)
	made, err := c.CreateExport(ctx, client.ExportRequest{Name: "US", QuoteID: quote.ID})
	require.NoError(t, err)
	require.Equal(t, quote.Cost, made.CreditsCharged)
	done, err := c.Wait(ctx, made.ExportJob.ID, 5*time.Millisecond, func(*client.Export) {})
	require.NoError(t, err)
	require.Equal(t, client.ExportCompleted, done.Status)
	var file bytes.Buffer
	size, err := c.Download(ctx, done.ID, &file)
	require.NoError(t, err)
	require.Equal(t, *done.FileSizeBytes, size)
	rows, err := csv.NewReader(&file).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+made.RequestedCount)
	credits, err := c.Credits(ctx)
	require.NoError(t, err)
	require.Equal(t, 1000-quote.Cost, credits.Balance)
	exports, err := c.Exports(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, done.ID, exports.Items[0].ID)

	list, err := c.CreateList(ctx, "a list")
	require.NoError(t, err)
	change, err := c.AddToList(ctx, list.ID, client.ListMembers{CompanyIDs: []string{whole.ID}})
	require.NoError(t, err)
	require.Equal(t, 1, change.Changed)
	members, err := c.ListCompanies(ctx, list.ID, "", 0)
	require.NoError(t, err)
	require.True(t, members.Items[0].Unlocked)
	_, err = c.RemoveFromList(ctx, list.ID, client.ListMembers{CompanyIDs: []string{whole.ID}})
	require.NoError(t, err)
	renamed, err := c.RenameList(ctx, list.ID, "another")
	require.NoError(t, err)
	require.Equal(t, "another", renamed.Name)
	lists, err := c.Lists(ctx, "", 0)
	require.NoError(t, err)
	require.Len(t, lists.Items, 1)
	require.NoError(t, c.DeleteList(ctx, list.ID))

	_, err = c.List(ctx, list.ID)
	var failure *client.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, 404, failure.Status)
	require.Equal(t, client.CodeNotFound, failure.Code)
	require.NotEmpty(t, failure.RequestID)
}

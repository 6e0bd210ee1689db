package api_test

import (
	"bytes"
	"encoding/csv"
	"net/http"
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

func TestTheClientFollowsTheEventLog(t *testing.T) {
	t.Parallel()
	h := stocked(t, 200, settings{limits: "exports.create=off"})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx, c := t.Context(), client.New(server.URL, h.writer, client.Options{})
	buy := func() string {
		made, err := c.CreateExport(ctx, client.ExportRequest{Name: "x", SearchFilters: &client.Filters{}, Limit: 1})
		require.NoError(t, err)
		return made.ExportJob.ID
	}
	last, seen := "", 0
	for range 110 {
		buy()
	}
	for e, err := range c.EventsAfter(ctx, []string{"export.created"}, "") {
		require.NoError(t, err)
		last, seen = e.ID, seen+1
	}
	require.Equal(t, 110, seen)
	export := buy()
	for e, err := range c.EventsAfter(ctx, nil, last) {
		require.NoError(t, err)
		require.Equal(t, "export.created", e.Type)
		require.Contains(t, string(e.Data), export)
		last = e.ID
	}
	for _, err := range c.EventsAfter(ctx, []string{"nonsense"}, last) {
		refused := (*client.Error)(nil)
		require.ErrorAs(t, err, &refused)
		require.Equal(t, client.CodeValidation, refused.Code)
	}
}

func TestTheClientManagesWebhooks(t *testing.T) {
	t.Parallel()
	h := stocked(t, 10, settings{})
	server, receiver := httptest.NewServer(h), httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	t.Cleanup(receiver.Close)
	ctx, c := t.Context(), client.New(server.URL, h.ownersToken(t, h.ws), client.Options{})
	made, err := c.CreateWebhook(ctx, client.WebhookRequest{URL: receiver.URL, Types: []string{"export.*"}, Description: "mine"})
	require.NoError(t, err)
	require.NotEmpty(t, made.Secret)
	all, err := c.Webhooks(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	changed, err := c.UpdateWebhook(ctx, made.ID, client.WebhookChange{Description: new("ours")})
	require.NoError(t, err)
	read, err := c.Webhook(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, changed, read)
	require.Equal(t, "ours", read.Description)
	rotated, err := c.RotateWebhook(ctx, made.ID, 24*time.Hour)
	require.NoError(t, err)
	require.NotEqual(t, made.Secret, rotated.Secret)
	tested, err := c.TestWebhook(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, "delivered", tested.State)
	_, err = c.CreateExport(ctx, client.ExportRequest{Name: "x", SearchFilters: &client.Filters{}})
	require.NoError(t, err)
	require.NoError(t, h.Events.Publish(ctx))
	sent, err := c.Deliveries(ctx, made.ID, "", 1)
	require.NoError(t, err)
	again, err := c.ReplayDelivery(ctx, made.ID, sent.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, sent.Items[0].EventID, again.EventID)
	require.NoError(t, c.DeleteWebhook(ctx, made.ID))
}

func TestTheClientManagesOrders(t *testing.T) {
	t.Parallel()
	h := stocked(t, 10, settings{})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx, c := t.Context(), client.New(server.URL, h.writer, client.Options{})
	made, err := c.CreateOrder(ctx, client.OrderRequest{
		Name: "New", SearchFilters: &client.Filters{}, Schedule: client.Schedule{Cron: "0 8 * * MON"}, MaxCredits: new(int64(4)), AboveCap: "fill",
	})
	require.NoError(t, err)
	require.EqualValues(t, 4, made.NextRun.Cost)
	run, err := c.RunOrder(ctx, made.ID)
	require.NoError(t, err)
	require.EqualValues(t, 4, run.CreditsCharged)
	bought, err := c.Export(ctx, *run.ExportID)
	require.NoError(t, err)
	require.Equal(t, made.ID, *bought.OrderID)
	runs, err := c.OrderRuns(ctx, made.ID, "", 0)
	require.NoError(t, err)
	require.Equal(t, []client.OrderRun{*run}, runs.Items)
	changed, err := c.UpdateOrder(ctx, made.ID, client.OrderChange{Remove: []string{"max_credits"}, Schedule: &client.Schedule{After: "import"}})
	require.NoError(t, err)
	require.EqualValues(t, 6, changed.NextRun.Cost)
	paused, err := c.PauseOrder(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, "paused", paused.State)
	_, err = c.ResumeOrder(ctx, made.ID)
	require.NoError(t, err)
	read, err := c.Order(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, changed, read)
	all, err := c.Orders(ctx, "", 0)
	require.NoError(t, err)
	require.Len(t, all.Items, 1)
	require.NoError(t, c.DeleteOrder(ctx, made.ID))
}

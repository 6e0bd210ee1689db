package main

import (
	"context"
	"fmt"
	"log"

	"github.com/opencapi/capi/client"
)

func main() {
	ctx := context.Background()
	api := client.New("https://capi.example.com", "cornect_your_token_here", client.Options{})

	// Each Monday at 8:00 in Berlin: US fintech that is new from now on, as Parquet, for at most 200 credits.
	credits := int64(200)
	order, err := api.CreateOrder(ctx, client.OrderRequest{
		Name:          "New US fintech",
		SearchFilters: &client.Filters{Query: "fintech", Countries: []string{"US"}},
		Schedule:      client.Schedule{Cron: "0 8 * * MON", TimeZone: "Europe/Berlin"},
		Deliver:       "added", Baseline: true,
		MaxCredits: &credits, AboveCap: "fill",
		ExportFormat: "parquet",
	})
	if err != nil {
		log.Fatal(err)
	}

	// Do not wait for Monday.
	run, err := api.RunOrder(ctx, order.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status, run.TotalRecords, "companies for", run.CreditsCharged, "credits; next run", order.NextRunAt)
}

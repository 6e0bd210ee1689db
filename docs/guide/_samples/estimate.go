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

	quote, err := api.Quote(ctx, client.ExportRequest{
		SearchFilters: &client.Filters{Countries: []string{"US"}},
		Limit:         10,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quote.RequestedCount, "companies would cost", quote.Cost, "of", quote.Balance, "credits")
	if !quote.Affordable {
		return
	}
	created, err := api.CreateExport(ctx, client.ExportRequest{Name: "Ten US companies", QuoteID: quote.ID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("charged", created.CreditsCharged)
}

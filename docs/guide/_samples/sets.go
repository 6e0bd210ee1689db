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

	list, err := api.CreateList(ctx, "Customers")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := api.AddToList(ctx, list.ID, client.ListMembers{Domains: []string{"acmepayments.example"}}); err != nil {
		log.Fatal(err)
	}
	customers := client.SetRef{ListID: list.ID}

	// Companies in the US that are not customers yet.
	us := client.Filters{Countries: []string{"US"}}
	others := us
	others.NotIn = []client.SetRef{customers}
	found, err := api.Search(ctx, client.SearchRequest{Filters: others, Facets: []string{}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Total, "companies,", found.Credits.NewCount, "of them new")

	// How the customers and what the workspace owns overlap, with the price of each part.
	compared, err := api.CompareSets(ctx, customers, client.SetRef{Owned: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, region := range compared.Regions {
		fmt.Println("in", region.In, region.Count, "companies for", region.NewCount, "credits")
	}

	// The same companies as a set: priced, then bought for that price.
	set := client.SetRef{AllOf: []client.SetRef{{Search: &us}, {Not: &customers}}}
	quote, err := api.Quote(ctx, client.ExportRequest{SourceType: "set", Set: &set})
	if err != nil {
		log.Fatal(err)
	}
	created, err := api.CreateExport(ctx, client.ExportRequest{Name: "Not customers yet", QuoteID: quote.ID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("quoted", quote.Cost, "charged", created.CreditsCharged)
}

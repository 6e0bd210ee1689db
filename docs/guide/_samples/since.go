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

	// Leave opted-out companies out of everything that is searched and bought from now on.
	list, err := api.CreateList(ctx, "Opted out")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := api.AddToList(ctx, list.ID, client.ListMembers{Domains: []string{"opted-out.example"}}); err != nil {
		log.Fatal(err)
	}
	if _, err := api.ExcludeList(ctx, list.ID, true); err != nil {
		log.Fatal(err)
	}

	// What came into the catalog since an export, and what was added or changed since then.
	us := client.Filters{Countries: []string{"US"}}
	last, err := api.CreateExport(ctx, client.ExportRequest{Name: "US", SearchFilters: &us})
	if err != nil {
		log.Fatal(err)
	}
	added, changed := us, us
	added.AddedSince, changed.ChangedSince = last.ExportJob.ID, last.ExportJob.ID
	for _, filters := range []client.Filters{added, changed} {
		found, err := api.Search(ctx, client.SearchRequest{Filters: filters, Facets: []string{}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(found.Total, "companies,", found.ExcludedCount, "left out")
	}
}

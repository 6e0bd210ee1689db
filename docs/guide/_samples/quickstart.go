package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/opencapi/capi/client"
)

func main() {
	ctx := context.Background()
	api := client.New("https://capi.example.com", "cornect_your_token_here", client.Options{})

	created, err := api.CreateExport(ctx, client.ExportRequest{
		Name:          "US fintech",
		SearchFilters: &client.Filters{Query: "fintech", Countries: []string{"US"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(created.RequestedCount, "companies for", created.CreditsCharged, "credits")

	job, err := api.Wait(ctx, created.ExportJob.ID, time.Second, nil)
	if err != nil {
		log.Fatal(err)
	}
	if job.Status != "completed" {
		log.Fatalf("the export is %s", job.Status)
	}
	file, err := os.Create("us-fintech.csv")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := api.Download(ctx, job.ID, file); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
}

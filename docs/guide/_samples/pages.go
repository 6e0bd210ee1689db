package main

import (
	"context"
	"fmt"
	"log"

	"github.com/opencapi/capi/client"
)

func main() {
	api := client.New("https://capi.example.com", "cornect_your_token_here", client.Options{})
	search := client.SearchRequest{Filters: client.Filters{Countries: []string{"US"}}, Limit: 100, Facets: []string{}}
	for company, err := range api.SearchAll(context.Background(), search) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(company.Name)
	}
}

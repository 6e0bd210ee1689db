package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"github.com/opencapi/capi/client"
)

// insist tries up to five times. A read can be repeated as it is; a purchase is named by a quote, whose companies cost
// nothing the second time.
func insist(fn func() error) error {
	for attempt := 1; ; attempt++ {
		err := fn()
		var told *client.Error
		answered := errors.As(err, &told)
		passing := !answered || told.Status == 408 || told.Status == 429 || told.Status >= 500 || told.Code == "REQUEST_IN_FLIGHT"
		if err == nil || attempt == 5 || !passing {
			return err
		}
		wait := time.Duration(float64(time.Second) * float64(int(1)<<attempt) * (0.5 + rand.Float64()))
		if answered && told.RetryAfter > 0 {
			wait = told.RetryAfter
		}
		time.Sleep(wait)
	}
}

func main() {
	ctx := context.Background()
	api := client.New("https://capi.example.com", "cornect_your_token_here", client.Options{})
	var quote *client.Quote
	err := insist(func() (err error) {
		quote, err = api.Quote(ctx, client.ExportRequest{
			SearchFilters: &client.Filters{Query: "fintech", Countries: []string{"US"}},
		})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	var created *client.Created
	err = insist(func() (err error) {
		created, err = api.CreateExport(ctx, client.ExportRequest{Name: "US fintech, week 10", QuoteID: quote.ID})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("charged", created.CreditsCharged)
}

package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/opencapi/capi/client"
)

// serve answers like a CAPI server would, so that the example runs without one.
func serve() *httptest.Server {
	mux := http.NewServeMux()
	answer := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	answer("POST /api/v1/companies/search", `{"total": 2, "items": [{"name": "Ada Bank"}, {"name": "Grace Pay"}],
		"credits": {"already_unlocked": 0, "new_count": 2}}`)
	answer("POST /api/v1/exports/quote", `{"quote_id": "q1", "cost": 2, "affordable": true}`)
	answer("POST /api/v1/exports", `{"export_job": {"id": "e1", "status": "pending"}, "credits_charged": 2}`)
	answer("GET /api/v1/exports/e1", `{"id": "e1", "status": "completed", "total_records": 2}`)
	mux.HandleFunc("GET /api/v1/exports/e2", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail": {"code": "NOT_FOUND", "message": "There is no export e2 in this workspace."}}`)
	})
	return httptest.NewServer(mux)
}

// Search for companies, ask what they cost, and buy them.
func Example() {
	ctx := context.Background()
	server := serve()
	defer server.Close()
	c := client.New(server.URL, "cornect_your_token", client.Options{})

	fintech := client.Filters{Query: "fintech", Countries: []string{"US"}}
	found, err := c.Search(ctx, client.SearchRequest{Filters: fintech, Limit: 10})
	if err != nil {
		panic(err)
	}
	for _, company := range found.Items {
		fmt.Println(company.Name)
	}

	quote, err := c.Quote(ctx, client.ExportRequest{SearchFilters: &fintech})
	if err != nil {
		panic(err)
	}
	fmt.Println("costs", quote.Cost, "credits")
	created, err := c.CreateExport(ctx, client.ExportRequest{Name: "US fintech", QuoteID: quote.ID})
	if err != nil {
		panic(err)
	}
	export, err := c.Wait(ctx, created.ExportJob.ID, time.Second, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(export.Status == client.ExportCompleted, export.TotalRecords, "rows")

	_, err = c.Export(ctx, "e2")
	if e, ok := errors.AsType[*client.Error](err); ok && e.Code == client.CodeNotFound {
		fmt.Println(e.Message)
	}
	// Output:
	// Ada Bank
	// Grace Pay
	// costs 2 credits
	// true 2 rows
	// There is no export e2 in this workspace.
}

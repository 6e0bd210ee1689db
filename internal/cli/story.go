package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

// fintech is the selection of the published example.
var fintech = client.Filters{Query: "fintech", Countries: []string{"US"}}

// heading starts a step.
func (s *session) heading(n int, text string) {
	line := fmt.Sprintf("%d  %s", n, text)
	if terminalWidth(s.out) > 0 {
		line = "\x1b[1m" + line + "\x1b[0m"
	}
	s.printf("\n%s\n", line)
}

// typed shows what a person would type.
func (s *session) typed(format string, args ...any) { s.printf("   $ "+format+"\n", args...) }

// told shows the answer.
func (s *session) told(format string, args ...any) { s.printf("   "+format+"\n", args...) }

// indented runs fn with its output moved in under the step.
func (s *session) indented(fn func(*session)) {
	var b bytes.Buffer
	inner := *s
	inner.out = &b
	fn(&inner)
	for line := range strings.Lines(b.String()) {
		s.printf("   %s", line)
	}
}

func (d *demo) load(s *session, n int) error {
	s.heading(1, fmt.Sprintf("Load %s made-up companies", count(n)))
	path, err := d.save("companies.ndjson.gz", func(w io.Writer) error { return writeCompanies(w, n) })
	if err != nil {
		return err
	}
	s.typed("capi import %s", filepath.Base(path))
	m, err := s.importFiles(s.ctx, d.app, []string{path})
	if err != nil {
		return err
	}
	took := time.Duration(m.Took)
	s.told("%s and %s loaded in %s, %s.", plural(m.Added+m.Updated+m.Unchanged, "company", "companies"),
		plural(m.Connections.Added+m.Connections.Unchanged, "connection", "connections"), seconds(took),
		rate(m.Read+m.Connections.Read, true, took))
	return nil
}

func writeCompanies(w io.Writer, n int) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	e := json.NewEncoder(z)
	for c := range companytest.Generate(demoSeed, n) {
		if err := e.Encode(sourceOf(c)); err != nil {
			return err
		}
	}
	return z.Close()
}

// sourceOf is the company as a source file has it.
func sourceOf(c *company.Company) map[string]any {
	connections := make([]map[string]string, len(c.Connections))
	for i, k := range c.Connections {
		connections[i] = map[string]string{"category": k.Category, "connected_name": k.Name, "connected_domain": k.Domain}
	}
	return map[string]any{
		"id": c.ID, "name": c.Name, "domain": c.Domain, "website": c.Website, "linkedin_url": c.LinkedInURL,
		"description": c.Description, "country": c.Country, "state": c.State, "city": c.City, "industries": c.Industries,
		"naics_codes": c.NAICSCodes, "technologies": c.Technologies, "technology_categories": c.TechnologyCategories,
		"employee_count": c.EmployeeCount, "founded_year": c.FoundedYear, "connections": connections,
	}
}

// tell does what a client would, from the search to the export that costs nothing any more.
func (d *demo) tell(ctx context.Context, s *session, base string, c *client.Client) error {
	if err := answers(ctx, base); err != nil {
		return err
	}
	s.heading(3, "Search: fintech companies in the United States")
	if err := s.tellSearch(ctx, c); err != nil {
		return err
	}
	s.heading(4, "Quote: what would all of them cost?")
	order := client.ExportRequest{Name: "US fintech 50+", SearchFilters: &fintech}
	quote, err := s.tellQuote(ctx, c, order)
	if err != nil {
		return err
	}
	s.heading(5, "Export them, for what was quoted")
	s.told(`POST /api/v1/exports  {"name":"US fintech 50+","quote_id":"%s"}`, quote.ID)
	export, err := s.tellExport(ctx, c, client.ExportRequest{Name: order.Name, QuoteID: quote.ID})
	if err != nil {
		return err
	}
	s.heading(6, "Download the file")
	if err := d.tellDownload(ctx, s, c, export); err != nil {
		return err
	}
	s.heading(7, "What did it cost? The ledger")
	if err := s.tellLedger(ctx, c); err != nil {
		return err
	}
	s.heading(8, "The same export once more")
	s.told(`POST /api/v1/exports  {"name":"US fintech 50+","search_filters":{"query":"fintech","countries":["US"]}}`)
	if _, err := s.tellExport(ctx, c, order); err != nil {
		return err
	}
	s.heading(9, "More than the balance covers")
	return s.tellRefusal(ctx, c)
}

// answers waits until the server does, so that the times told are those of its work and not of its start.
func answers(ctx context.Context, base string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func (s *session) tellSearch(ctx context.Context, c *client.Client) error {
	s.told(`POST /api/v1/companies/search  {"query":"fintech","countries":["US"]}`)
	started := time.Now()
	r, err := c.Search(ctx, client.SearchRequest{Filters: fintech, Limit: 5})
	if err != nil {
		return err
	}
	s.told("%s in %s. The workspace has %s of them already; the rest would cost %s.\n", plural(r.Total, "company", "companies"),
		seconds(time.Since(started)), count(r.Credits.AlreadyUnlocked), plural(r.Credits.NewCount, "credit", "credits"))
	rows := make([][]string, 0, len(r.Items))
	for _, i := range r.Items {
		rows = append(rows, []string{i.Name, text(i.Domain), text(i.City), number(i.EmployeeCount)})
	}
	s.indented(func(s *session) { s.printTable([]string{"NAME", "DOMAIN", "CITY", ">EMPLOYEES"}, rows) })
	s.printf("\n")
	s.told("Industries:   %s", facet(r.Aggregations.Industries))
	s.told("States:       %s", facet(r.Aggregations.States))
	s.told("Technologies: %s", facet(r.Aggregations.Technologies))
	return nil
}

const facetValuesShown = 4

func facet(counts []client.Count) string {
	var parts []string
	for _, c := range counts[:min(len(counts), facetValuesShown)] {
		parts = append(parts, c.Value+" "+count(c.Count))
	}
	return strings.Join(parts, ", ")
}

func text(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

func number(n *int64) string {
	if n == nil {
		return "-"
	}
	return count(*n)
}

func (s *session) tellQuote(ctx context.Context, c *client.Client, r client.ExportRequest) (*client.Quote, error) {
	s.told(`POST /api/v1/exports/quote  {"search_filters":{"query":"fintech","countries":["US"]}}`)
	q, err := c.Quote(ctx, r)
	if err != nil {
		return nil, err
	}
	s.told("%s, %s owned: %s of a balance of %s. Nothing is charged yet.", plural(q.RequestedCount, "company", "companies"),
		count(q.AlreadyUnlocked), plural(q.Cost, "credit", "credits"), count(q.Balance))
	return q, nil
}

const demoPoll = 100 * time.Millisecond

func (s *session) tellExport(ctx context.Context, c *client.Client, r client.ExportRequest) (*client.Export, error) {
	created, err := c.CreateExport(ctx, r)
	if err != nil {
		return nil, err
	}
	s.told("%s, %s owned, %s new: charged %s.", plural(created.RequestedCount, "company", "companies"),
		count(created.AlreadyUnlocked), count(created.NewCount), plural(created.CreditsCharged, "credit", "credits"))
	s.told("GET /api/v1/exports/%s", created.ExportJob.ID)
	b := newBar(s.err, int64(created.RequestedCount))
	e, err := c.Wait(ctx, created.ExportJob.ID, demoPoll, func(e *client.Export) {
		b.show(int64(e.ProcessedRecords), e.Status)
	})
	b.clear()
	if err != nil {
		return nil, err
	}
	if e.Status != "completed" {
		return nil, fmt.Errorf("export %s: %s: %s", e.ID, e.Status, text(e.Error))
	}
	s.told("%s, %s.", e.Status, plural(e.ProcessedRecords, "row", "rows"))
	return e, nil
}

func (d *demo) tellDownload(ctx context.Context, s *session, c *client.Client, e *client.Export) error {
	s.told("POST /api/v1/exports/%s/download", e.ID)
	path, err := d.save("us-fintech-50."+e.ExportFormat, func(w io.Writer) error {
		_, err := c.Download(ctx, e.ID, w)
		return err
	})
	if err != nil {
		return err
	}
	d.kept = path
	size := int64(0)
	if e.FileSizeBytes != nil {
		size = *e.FileSizeBytes
	}
	s.told("%s, %s. Its first rows, some of the columns:\n", path, humanize.Bytes(uint64(size))) //nolint:gosec // a size is not negative
	rows, err := firstRows(path, 3, "name", "country", "city", "industries", "employee_count", "founded_year")
	if err != nil {
		return err
	}
	s.indented(func(s *session) { s.printTable(rows[0], rows[1:]) })
	return nil
}

func (s *session) tellLedger(ctx context.Context, c *client.Client) error {
	s.told("GET /api/v1/credits")
	credits, err := c.Credits(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range credits.RecentTransactions {
		rows = append(rows, []string{moment(t.CreatedAt), signed(t.Amount), t.Reason, text(t.Reference)})
	}
	s.indented(func(s *session) { s.printTable([]string{"TIME (UTC)", ">AMOUNT", "REASON", "REFERENCE"}, rows) })
	s.told("Balance: %s.", plural(credits.Balance, "credit", "credits"))
	return nil
}

// tellRefusal orders everything, which a small demo can pay for, so that an order that goes through is no error.
func (s *session) tellRefusal(ctx context.Context, c *client.Client) error {
	s.told(`POST /api/v1/exports  {"name":"Everything","search_filters":{}}`)
	_, err := c.CreateExport(ctx, client.ExportRequest{Name: "Everything", SearchFilters: &client.Filters{}})
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusPaymentRequired {
		s.told("%d %s: %s", refused.Status, refused.Code, refused.Message)
	} else if err != nil {
		return err
	}
	credits, err := c.Credits(ctx)
	if err != nil {
		return err
	}
	s.told("Balance: still %s.", plural(credits.Balance, "credit", "credits"))
	return nil
}

// firstRows is the heading and the first n rows of a CSV file, only the columns named.
func firstRows(path string, n int, columns ...string) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	heading, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	at := make(map[string]int, len(heading))
	for i, name := range heading {
		at[name] = i
	}
	rows := [][]string{columns}
	for range n {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		row := make([]string, len(columns))
		for i, name := range columns {
			row[i] = shortened(record[at[name]])
		}
		rows = append(rows, row)
	}
	return rows, nil
}

const cellRunesMax = 40

func shortened(s string) string {
	if r := []rune(s); len(r) > cellRunesMax {
		return string(r[:cellRunesMax-1]) + "…"
	}
	return s
}

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

// fintech is the search of the documentation's example.
var fintech = client.Filters{Query: "fintech", Countries: []string{"US"}, EmployeeCountMin: new(int64(50))}

// heading prints the heading of a step.
func (s *session) heading(n int, text string) {
	line := fmt.Sprintf("%d  %s", n, text)
	if terminalWidth(s.out) > 0 {
		line = "\x1b[1m" + line + "\x1b[0m"
	}
	s.printf("\n%s\n", line)
}

// command prints a command as typed at a prompt.
func (s *session) command(format string, args ...any) { s.printf("   $ "+format+"\n", args...) }

// output prints a line of output.
func (s *session) output(format string, args ...any) { s.printf("   "+format+"\n", args...) }

// indented runs fn and indents its output.
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
	s.command("capi import %s", filepath.Base(path))
	m, err := s.importFiles(s.ctx, d.app, []string{path})
	if err != nil {
		return err
	}
	took := time.Duration(m.Took)
	s.output("Loaded %s and %s in %s, %s.", plural(m.Added+m.Updated+m.Unchanged, "company", "companies"),
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

// sourceOf returns the company as a record of a source file.
func sourceOf(c *company.Company) map[string]any {
	connections := make([]map[string]string, len(c.Connections))
	for i, k := range c.Connections {
		connections[i] = map[string]string{"category": k.Category, "connected_name": k.Name, "connected_domain": k.Domain}
	}
	record := map[string]any{"id": c.ID, "connections": connections}
	for i := range company.Fields {
		switch f := &company.Fields[i]; f.Kind {
		case company.KindText:
			record[f.Name] = *f.Text(c)
		case company.KindList:
			record[f.Name] = *f.List(c)
		case company.KindInteger:
			record[f.Name] = *f.Int(c)
		case company.KindID, company.KindTime, company.KindConnections, company.KindAttributes:
		}
	}
	return record
}

// tour does what a client does, from a search to an export that is free because it was bought before.
func (d *demo) tour(ctx context.Context, s *session, base string, c *client.Client) error {
	if err := waitUntilServing(ctx, base); err != nil {
		return err
	}
	s.heading(3, "Search for fintech companies in the United States with 50 employees or more")
	if err := s.showSearch(ctx, c); err != nil {
		return err
	}
	s.heading(4, "Get a quote: what would all of them cost?")
	request := client.ExportRequest{Name: "US fintech 50+", SearchFilters: &fintech}
	quote, err := s.showQuote(ctx, c, request)
	if err != nil {
		return err
	}
	s.heading(5, "Export them at the quoted price")
	s.output(`POST /api/v1/exports  {"name":"US fintech 50+","quote_id":"%s"}`, quote.ID)
	export, err := s.showExport(ctx, c, client.ExportRequest{Name: request.Name, QuoteID: quote.ID})
	if err != nil {
		return err
	}
	s.heading(6, "Download the file")
	if err := d.showDownload(ctx, s, c, export); err != nil {
		return err
	}
	s.heading(7, "Read the ledger: what did it cost?")
	if err := s.showLedger(ctx, c); err != nil {
		return err
	}
	s.heading(8, "Export the same companies again, for free")
	s.output(`POST /api/v1/exports  {"name":"US fintech 50+","search_filters":{"query":"fintech","countries":["US"],"employee_count_min":50}}`)
	if _, err := s.showExport(ctx, c, request); err != nil {
		return err
	}
	s.heading(9, "Try to export more than the balance covers")
	return s.showRefusal(ctx, c)
}

// waitUntilServing waits for the first response, so that the times shown do not include the start of the server.
func waitUntilServing(ctx context.Context, base string) error {
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

func (s *session) showSearch(ctx context.Context, c *client.Client) error {
	s.output(`POST /api/v1/companies/search  {"query":"fintech","countries":["US"],"employee_count_min":50}`)
	started := time.Now()
	r, err := c.Search(ctx, client.SearchRequest{Filters: fintech, Limit: 5})
	if err != nil {
		return err
	}
	s.output("Found %s in %s. The workspace owns %s of them already; the others would cost %s.\n", plural(r.Total, "company", "companies"),
		seconds(time.Since(started)), count(r.Credits.AlreadyUnlocked), plural(r.Credits.NewCount, "credit", "credits"))
	rows := make([][]string, 0, len(r.Items))
	for _, i := range r.Items {
		rows = append(rows, []string{i.Name, text(i.Domain), text(i.City), number(i.EmployeeCount)})
	}
	s.indented(func(s *session) { s.printTable([]string{"NAME", "DOMAIN", "CITY", ">EMPLOYEES"}, rows) })
	s.printf("\n")
	s.output("Industries:   %s", facet(r.Aggregations.Industries))
	s.output("States:       %s", facet(r.Aggregations.States))
	s.output("Technologies: %s", facet(r.Aggregations.Technologies))
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

func (s *session) showQuote(ctx context.Context, c *client.Client, r client.ExportRequest) (*client.Quote, error) {
	s.output(`POST /api/v1/exports/quote  {"search_filters":{"query":"fintech","countries":["US"],"employee_count_min":50}}`)
	q, err := c.Quote(ctx, r)
	if err != nil {
		return nil, err
	}
	s.output("%s, %s of them owned: %s, with a balance of %s. Nothing is charged yet.", plural(q.RequestedCount, "company", "companies"),
		count(q.AlreadyUnlocked), plural(q.Cost, "credit", "credits"), count(q.Balance))
	return q, nil
}

const demoPoll = 100 * time.Millisecond

func (s *session) showExport(ctx context.Context, c *client.Client, r client.ExportRequest) (*client.Export, error) {
	created, err := c.CreateExport(ctx, r)
	if err != nil {
		return nil, err
	}
	s.output("%s, %s owned, %s new: charged %s.", plural(created.RequestedCount, "company", "companies"),
		count(created.AlreadyUnlocked), count(created.NewCount), plural(created.CreditsCharged, "credit", "credits"))
	s.output("GET /api/v1/exports/%s", created.ExportJob.ID)
	b := newBar(s.err, int64(created.RequestedCount))
	e, err := c.Wait(ctx, created.ExportJob.ID, demoPoll, func(e *client.Export) {
		b.show(int64(e.ProcessedRecords), string(e.Status))
	})
	b.clear()
	if err != nil {
		return nil, err
	}
	if e.Status != client.ExportCompleted {
		return nil, fmt.Errorf("export %s: %s: %s", e.ID, e.Status, text(e.Error))
	}
	s.output("%s, %s.", e.Status, plural(e.ProcessedRecords, "row", "rows"))
	return e, nil
}

func (d *demo) showDownload(ctx context.Context, s *session, c *client.Client, e *client.Export) error {
	s.output("POST /api/v1/exports/%s/download", e.ID)
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
	s.output("Saved as %s, %s. The first rows, with some of the columns:\n", path, humanize.Bytes(uint64(size))) //nolint:gosec // a size is not negative
	rows, err := firstRows(path, 3, "name", "country", "city", "industries", "employee_count", "founded_year")
	if err != nil {
		return err
	}
	s.indented(func(s *session) { s.printTable(rows[0], rows[1:]) })
	return nil
}

func (s *session) showLedger(ctx context.Context, c *client.Client) error {
	s.output("GET /api/v1/credits")
	credits, err := c.Credits(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range credits.RecentTransactions {
		rows = append(rows, []string{timestamp(t.CreatedAt), signed(t.Amount), t.Reason, text(t.Reference)})
	}
	s.indented(func(s *session) { s.printTable([]string{"TIME (UTC)", ">AMOUNT", "REASON", "REFERENCE"}, rows) })
	s.output("The balance is %s.", plural(credits.Balance, "credit", "credits"))
	return nil
}

// showRefusal tries to export everything. A small demo can pay for that, so success is not an error.
func (s *session) showRefusal(ctx context.Context, c *client.Client) error {
	s.output(`POST /api/v1/exports  {"name":"Everything","search_filters":{}}`)
	quote, err := c.Quote(ctx, client.ExportRequest{SearchFilters: &client.Filters{}})
	if err != nil {
		return err
	}
	_, err = c.CreateExport(ctx, client.ExportRequest{Name: "Everything", SearchFilters: &client.Filters{}})
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusPaymentRequired {
		s.output("%d %s: %s", refused.Status, refused.Code, refused.Message)
		if quote.CappedAt10k {
			s.output("One export has at most 10,000 companies. Of those that this one would have, the workspace owns %s.", count(quote.AlreadyUnlocked))
		}
	} else if err != nil {
		return err
	}
	credits, err := c.Credits(ctx)
	if err != nil {
		return err
	}
	s.output("The balance is still %s.", plural(credits.Balance, "credit", "credits"))
	return nil
}

// firstRows returns the heading and the first n rows of a CSV file, with only the named columns.
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

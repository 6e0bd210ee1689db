package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ExportRequest orders an export, or asks what it would cost. The zero values of SourceType and ExportFormat are the
// server's defaults, search and csv. A search needs SearchFilters; empty ones select everything. A QuoteID stands in
// place of all that says what to export, and at what terms.
type ExportRequest struct {
	Name          string      `json:"name,omitempty"`
	QuoteID       string      `json:"quote_id,omitempty"`
	SourceType    string      `json:"source_type,omitempty"`
	SearchFilters *Filters    `json:"search_filters,omitempty"`
	SortBy        string      `json:"sort_by,omitempty"`
	SortOrder     string      `json:"sort_order,omitempty"`
	ListID        string      `json:"list_id,omitempty"`
	ExportFormat  string      `json:"export_format,omitempty"`
	Columns       []string    `json:"columns,omitempty"` // of the file, in this order; none for all
	CSVOptions    *CSVOptions `json:"csv_options,omitempty"`

	Limit                 int    `json:"limit,omitempty"`                   // companies at most; 0 is the server's cap
	OnlyNew               bool   `json:"only_new,omitempty"`                // leave out what the workspace has already
	OnInsufficientBalance string `json:"on_insufficient_balance,omitempty"` // fail, the default, or partial
	MaxCredits            *int64 `json:"max_credits,omitempty"`             // what it may cost; nil for all that there is
}

// CSVOptions are what a CSV file can be told to differ in.
type CSVOptions struct {
	BOM         bool `json:"bom,omitempty"`
	RawFormulas bool `json:"raw_formulas,omitempty"`
}

// Figures are the credit math of an export, in companies; one costs one credit.
type Figures struct {
	RequestedCount  int   `json:"requested_count"`
	AlreadyUnlocked int   `json:"already_unlocked"`
	NewCount        int   `json:"new_count"`
	Cost            int64 `json:"cost"`
	CreditsCharged  int64 `json:"credits_charged"`
	WouldSkip       int   `json:"would_skip"`
	CappedAt10k     bool  `json:"capped_at_10k"`
}

// Created is an export that was ordered, and what it cost.
type Created struct {
	ExportJob struct {
		ID           string `json:"id"`
		Name         string `json:"name"`
		Status       string `json:"status"`
		ExportFormat string `json:"export_format"`
		SourceType   string `json:"source_type"`
	} `json:"export_job"`
	Figures
	TransactionID *string   `json:"transaction_id"`
	Warnings      []Warning `json:"warnings"`
}

// Quote is what an export would cost now, and will cost at most until ExpiresAt if it is created with the ID.
type Quote struct {
	ID        string    `json:"quote_id"`
	ExpiresAt time.Time `json:"expires_at"`
	Figures
	Balance    int64     `json:"balance"`
	Affordable bool      `json:"affordable"`
	Warnings   []Warning `json:"warnings"`
}

// Export is an export, how far it is, and what it cost.
type Export struct {
	ID               string     `json:"id"`
	WorkspaceID      string     `json:"workspace_id"`
	Name             string     `json:"name"`
	ExportFormat     string     `json:"export_format"`
	SourceType       string     `json:"source_type"`
	Status           string     `json:"status"`
	TotalRecords     int        `json:"total_records"`
	ProcessedRecords int        `json:"processed_records"`
	FileSizeBytes    *int64     `json:"file_size_bytes"`
	CreatedAt        time.Time  `json:"created_at"`
	CompletedAt      *time.Time `json:"completed_at"`
	Figures
	TransactionID   *string  `json:"transaction_id"`
	CreditsRefunded int64    `json:"credits_refunded"`
	Error           *string  `json:"error"`
	SearchFilters   *Filters `json:"search_filters"`
	ListID          *string  `json:"list_id"`
	QuoteID         *string  `json:"quote_id"`

	Limit                 *int   `json:"limit"`
	OnlyNew               bool   `json:"only_new"`
	OnInsufficientBalance string `json:"on_insufficient_balance"`
	MaxCredits            *int64 `json:"max_credits"`
}

// Final holds once the export will not change any more.
func (e *Export) Final() bool {
	return e.Status != "pending" && e.Status != "processing"
}

// CreateExport orders an export and charges for its new companies.
func (c *Client) CreateExport(ctx context.Context, r ExportRequest) (*Created, error) {
	var created Created
	if err := c.create(ctx, "/exports", r, &created); err != nil {
		return nil, err
	}
	return &created, nil
}

// Quote tells what CreateExport would charge now, and promises to charge no more for 15 minutes; it charges nothing.
func (c *Client) Quote(ctx context.Context, r ExportRequest) (*Quote, error) {
	var quote Quote
	if err := c.create(ctx, "/exports/quote", r, &quote); err != nil {
		return nil, err
	}
	return &quote, nil
}

// Export is an export as it stands.
func (c *Client) Export(ctx context.Context, id string) (*Export, error) {
	var e Export
	if err := c.call(ctx, http.MethodGet, "/exports/"+url.PathEscape(id), nil, &e); err != nil {
		return nil, err
	}
	return &e, nil
}

// Exports is one page of the workspace's exports, newest first. A limit of 0 is the server's default.
func (c *Client) Exports(ctx context.Context, cursor string, limit int) (*Page[Export], error) {
	var p Page[Export]
	if err := c.call(ctx, http.MethodGet, "/exports"+page(cursor, limit), nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// Wait asks every so often until the export is final, and tells progress each time if it is not nil; told to slow down,
// it does. An export that failed is no error; look at its Status.
func (c *Client) Wait(ctx context.Context, id string, every time.Duration, progress func(*Export)) (*Export, error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var e *Export
		err := patiently(ctx, func() (err error) {
			e, err = c.Export(ctx, id)
			return err
		})
		if err != nil {
			return nil, err
		}
		if progress != nil {
			progress(e)
		}
		if e.Final() {
			return e, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// Link is where an export's file and its manifest can be fetched without a token until it expires.
type Link struct {
	URL         string    `json:"download_url"`
	ManifestURL string    `json:"manifest_url"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// DownloadLink is a fresh link to the export's file.
func (c *Client) DownloadLink(ctx context.Context, id string) (*Link, error) {
	var l Link
	if err := c.call(ctx, http.MethodPost, "/exports/"+url.PathEscape(id)+"/download", nil, &l); err != nil {
		return nil, err
	}
	return &l, nil
}

// Download writes the export's file to w and tells its size in bytes.
func (c *Client) Download(ctx context.Context, id string, w io.Writer) (int64, error) {
	link, err := c.DownloadLink(ctx, id)
	if err != nil {
		return 0, err
	}
	return c.fetch(ctx, id, link.URL, w)
}

// DownloadManifest writes the export's manifest to w: JSON that says what the file must be, for capi verify.
func (c *Client) DownloadManifest(ctx context.Context, id string, w io.Writer) error {
	link, err := c.DownloadLink(ctx, id)
	if err != nil {
		return err
	}
	_, err = c.fetch(ctx, id, link.ManifestURL, w)
	return err
}

func (c *Client) fetch(ctx context.Context, id, link string, w io.Writer) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("fetch file of export %s: %w", id, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, errorOf(answer)
	}
	n, err := io.Copy(w, answer.Body)
	if err != nil {
		return n, fmt.Errorf("fetch file of export %s: %w", id, err)
	}
	return n, nil
}

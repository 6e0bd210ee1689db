package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ExportRequest asks for an export or for its price. SourceType defaults to search, ExportFormat to csv; the other formats
// are json, ndjson, parquet and xlsx. A search needs SearchFilters; empty ones select every company. A QuoteID replaces
// everything that says what to export, and at what terms.
type ExportRequest struct {
	Name          string      `json:"name,omitempty"`
	QuoteID       string      `json:"quote_id,omitempty"`
	SourceType    string      `json:"source_type,omitempty"`
	SearchFilters *Filters    `json:"search_filters,omitempty"`
	Set           *SetRef     `json:"set,omitempty"`
	SortBy        string      `json:"sort_by,omitempty"`
	SortOrder     string      `json:"sort_order,omitempty"`
	ListID        string      `json:"list_id,omitempty"`
	MatchID       string      `json:"match_id,omitempty"` // of a MatchResult, for SourceType match
	ExportFormat  string      `json:"export_format,omitempty"`
	Columns       []string    `json:"columns,omitempty"`     // of the file, in this order; empty for all
	HeaderRow     string      `json:"header_row,omitempty"`  // of a csv or xlsx file: name, the default, or label
	PresetID      string      `json:"preset_id,omitempty"`   // in place of Columns and HeaderRow
	Compression   string      `json:"compression,omitempty"` // of a csv, json or ndjson file: none, the default, gzip or zstd
	CSVOptions    *CSVOptions `json:"csv_options,omitempty"`
	DestinationID string      `json:"destination_id,omitempty"` // where the file is delivered when it is ready; empty for the download alone

	Limit                 int    `json:"limit,omitempty"`                   // companies at most; 0 is the server's cap
	OnlyNew               bool   `json:"only_new,omitempty"`                // leave out what the workspace has unlocked already
	OnlyOwned             bool   `json:"only_owned,omitempty"`              // leave out everything else
	ExcludeListID         string `json:"exclude_list_id,omitempty"`         // leave out the companies on this list
	OnInsufficientBalance string `json:"on_insufficient_balance,omitempty"` // fail, the default, or partial
	MaxCredits            *int64 `json:"max_credits,omitempty"`             // what it may cost at most; nil for the whole balance
}

// CSVOptions are the options of a CSV file.
type CSVOptions struct {
	BOM         bool `json:"bom,omitempty"`
	RawFormulas bool `json:"raw_formulas,omitempty"`
}

// Figures are the counts and the price of an export. A company costs one credit.
type Figures struct {
	RequestedCount  int   `json:"requested_count"`
	AlreadyUnlocked int   `json:"already_unlocked"`
	NewCount        int   `json:"new_count"`
	Cost            int64 `json:"cost"`
	CreditsCharged  int64 `json:"credits_charged"`
	WouldSkip       int   `json:"would_skip"`
	CappedAt10k     bool  `json:"capped_at_10k"`
}

// Created is a new export and what it cost.
type Created struct {
	ExportJob struct {
		ID           string       `json:"id"`
		Name         string       `json:"name"`
		Status       ExportStatus `json:"status"`
		ExportFormat string       `json:"export_format"`
		SourceType   string       `json:"source_type"`
	} `json:"export_job"`
	Figures
	ExcludedCount int       `json:"excluded_count"` // left out because they are on an excluded list
	TransactionID *string   `json:"transaction_id"`
	Warnings      []Warning `json:"warnings"`
}

// Quote is the price of an export. An export created with the ID costs no more than that until ExpiresAt.
type Quote struct {
	ID        string    `json:"quote_id"`
	ExpiresAt time.Time `json:"expires_at"`
	Figures
	ExcludedCount int       `json:"excluded_count"` // left out because they are on an excluded list
	Balance       int64     `json:"balance"`
	BudgetLeft    *int64    `json:"budget_left"`
	Affordable    bool      `json:"affordable"`
	Warnings      []Warning `json:"warnings"`
}

// Export is an export with its progress and what it cost.
type Export struct {
	ID               string       `json:"id"`
	WorkspaceID      string       `json:"workspace_id"`
	Name             string       `json:"name"`
	ExportFormat     string       `json:"export_format"`
	HeaderRow        string       `json:"header_row"`
	Compression      string       `json:"compression"`
	SourceType       string       `json:"source_type"`
	Status           ExportStatus `json:"status"`
	TotalRecords     int          `json:"total_records"`
	ProcessedRecords int          `json:"processed_records"`
	FileSizeBytes    *int64       `json:"file_size_bytes"`
	CreatedAt        time.Time    `json:"created_at"`
	CompletedAt      *time.Time   `json:"completed_at"`
	Figures
	TransactionID   *string  `json:"transaction_id"`
	CreditsRefunded int64    `json:"credits_refunded"`
	Error           *string  `json:"error"`
	SearchFilters   *Filters `json:"search_filters"`
	ListID          *string  `json:"list_id"`
	MatchID         *string  `json:"match_id"`
	QuoteID         *string  `json:"quote_id"`

	Limit                 *int    `json:"limit"`
	OnlyNew               bool    `json:"only_new"`
	OnlyOwned             bool    `json:"only_owned"`
	ExcludeListID         *string `json:"exclude_list_id"`
	OnInsufficientBalance string  `json:"on_insufficient_balance"`
	MaxCredits            *int64  `json:"max_credits"`

	OrderID *string `json:"order_id"` // the standing order that bought it
	Deliver *string `json:"deliver"`  // what the order delivers of its source

	Delivery *ExportDelivery `json:"delivery"` // nil without a destination
}

// Final reports whether the export has ended: completed, failed or cancelled.
func (e *Export) Final() bool { return e.Status.Final() }

// CreateExport creates an export and charges for its new companies.
func (c *Client) CreateExport(ctx context.Context, r ExportRequest) (*Created, error) {
	var created Created
	if err := c.create(ctx, "/exports", r, &created); err != nil {
		return nil, err
	}
	return &created, nil
}

// Quote returns what CreateExport would charge now and fixes that price for 15 minutes. It charges nothing.
func (c *Client) Quote(ctx context.Context, r ExportRequest) (*Quote, error) {
	var quote Quote
	if err := c.create(ctx, "/exports/quote", r, &quote); err != nil {
		return nil, err
	}
	return &quote, nil
}

// Export returns the current state of an export.
func (c *Client) Export(ctx context.Context, id string) (*Export, error) {
	var e Export
	if err := c.call(ctx, http.MethodGet, "/exports/"+url.PathEscape(id), nil, &e); err != nil {
		return nil, err
	}
	return &e, nil
}

// Exports returns one page of the workspace's exports, newest first. A limit of 0 is the server's default.
func (c *Client) Exports(ctx context.Context, cursor string, limit int) (*Page[Export], error) {
	var p Page[Export]
	if err := c.call(ctx, http.MethodGet, "/exports"+page(cursor, limit), nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// Wait polls the export at the interval every until it is final, and calls progress each time unless that is nil. It waits
// when the server limits its rate. A failed export is not an error: check its Status.
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

// Link has the addresses of an export's file, its manifest and the signature of the manifest. They need no token and work until ExpiresAt.
type Link struct {
	URL         string    `json:"download_url"`
	ManifestURL string    `json:"manifest_url"`
	ExpiresAt   time.Time `json:"expires_at"`

	// ManifestSignatureURL is the address of a detached JWS over the bytes of the manifest; empty if the server does not sign.
	ManifestSignatureURL string `json:"manifest_signature_url"`

	// RowsAsOf is when the data in the file was read, if that was after the purchase; otherwise nil. A server may delete old files,
	// and writes them again when they are asked for.
	RowsAsOf *time.Time `json:"rows_as_of"`
}

// DownloadLink returns a new link to the export's file.
func (c *Client) DownloadLink(ctx context.Context, id string) (*Link, error) {
	var l Link
	if err := c.call(ctx, http.MethodPost, "/exports/"+url.PathEscape(id)+"/download", nil, &l); err != nil {
		return nil, err
	}
	return &l, nil
}

// Download writes the export's file to w and returns its size in bytes.
func (c *Client) Download(ctx context.Context, id string, w io.Writer) (int64, error) {
	link, err := c.DownloadLink(ctx, id)
	if err != nil {
		return 0, err
	}
	return c.fetch(ctx, id, link.URL, w)
}

// DownloadManifest writes the export's manifest to w: the JSON that capi verify checks a file against.
func (c *Client) DownloadManifest(ctx context.Context, id string, w io.Writer) error {
	link, err := c.DownloadLink(ctx, id)
	if err != nil {
		return err
	}
	_, err = c.fetch(ctx, id, link.ManifestURL, w)
	return err
}

// DownloadManifestSignature writes the signature of the export's manifest to w. It is a detached JWS, whose key is among those of Keys.
func (c *Client) DownloadManifestSignature(ctx context.Context, id string, w io.Writer) error {
	link, err := c.DownloadLink(ctx, id)
	if err != nil {
		return err
	}
	if link.ManifestSignatureURL == "" {
		return errors.New("the server does not sign manifests")
	}
	_, err = c.fetch(ctx, id, link.ManifestSignatureURL, w)
	return err
}

// keysBytesMax is far more than the keys of an installation need.
const keysBytesMax = 1 << 20

// Keys returns the public keys that signatures of the server are verified with: a JSON Web Key Set.
func (c *Client) Keys(ctx context.Context) ([]byte, error) {
	r, err := newRequest(ctx, http.MethodGet, c.base+"/.well-known/jwks.json", nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errorOf(response)
	}
	keys, err := io.ReadAll(io.LimitReader(response.Body, keysBytesMax))
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	return keys, nil
}

func (c *Client) fetch(ctx context.Context, id, link string, w io.Writer) (int64, error) {
	r, err := newRequest(ctx, http.MethodGet, link, nil)
	if err != nil {
		return 0, err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("fetch file of export %s: %w", id, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, errorOf(response)
	}
	n, err := io.Copy(w, response.Body)
	if err != nil {
		return n, fmt.Errorf("fetch file of export %s: %w", id, err)
	}
	return n, nil
}

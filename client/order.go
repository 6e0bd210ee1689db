package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// OrderRequest describes a standing order to create. Deliver is added, the default, changed, left or all.
type OrderRequest struct {
	Name            string     `json:"name"`
	Schedule        Schedule   `json:"schedule"`
	Deliver         string     `json:"deliver,omitempty"`
	Baseline        bool       `json:"baseline,omitempty"`          // deliver only what comes later
	MaxCredits      *int64     `json:"max_credits,omitempty"`       // of one run; nil for no limit
	MaxCreditsTotal *int64     `json:"max_credits_total,omitempty"` // of all runs together; nil for no limit
	AboveCap        string     `json:"above_cap,omitempty"`         // of a run that costs more: skip, the default, or fill
	Missed          string     `json:"missed,omitempty"`            // runs that no server was there for: catch_up, the default, or skip
	EndsAt          *time.Time `json:"ends_at,omitempty"`

	SourceType    string      `json:"source_type,omitempty"` // search, the default, list or set
	SearchFilters *Filters    `json:"search_filters,omitempty"`
	Set           *SetRef     `json:"set,omitempty"`
	SortBy        string      `json:"sort_by,omitempty"`
	SortOrder     string      `json:"sort_order,omitempty"`
	ListID        string      `json:"list_id,omitempty"`
	ExportFormat  string      `json:"export_format,omitempty"`
	Columns       []string    `json:"columns,omitempty"`
	HeaderRow     string      `json:"header_row,omitempty"`
	PresetID      string      `json:"preset_id,omitempty"` // in place of Columns and HeaderRow, which the order keeps
	Compression   string      `json:"compression,omitempty"`
	CSVOptions    *CSVOptions `json:"csv_options,omitempty"`
	Limit         int         `json:"limit,omitempty"`
	OnlyNew       bool        `json:"only_new,omitempty"`
	OnlyOwned     bool        `json:"only_owned,omitempty"`
	ExcludeListID string      `json:"exclude_list_id,omitempty"`
	DestinationID string      `json:"destination_id,omitempty"` // where the files are delivered; empty for the download alone
}

// Schedule says when an order runs: at the times of a cron expression in a time zone, or after each import.
type Schedule struct {
	Cron     string `json:"cron,omitempty"`
	TimeZone string `json:"time_zone,omitempty"` // empty for UTC
	After    string `json:"after,omitempty"`     // import, in place of Cron
}

// OrderChange says what to change of an order; nil for what stays.
type OrderChange struct {
	Name            *string    `json:"name,omitempty"`
	Schedule        *Schedule  `json:"schedule,omitempty"`
	MaxCredits      *int64     `json:"max_credits,omitempty"`
	MaxCreditsTotal *int64     `json:"max_credits_total,omitempty"`
	AboveCap        *string    `json:"above_cap,omitempty"`
	Missed          *string    `json:"missed,omitempty"`
	EndsAt          *time.Time `json:"ends_at,omitempty"`
	DestinationID   string     `json:"destination_id,omitempty"` // empty for what it is
	Remove          []string   `json:"remove,omitempty"`         // max_credits, max_credits_total, ends_at, destination_id
}

// Order is a standing order. State is active, paused or ended.
type Order struct {
	ID              string     `json:"id"`
	Name            string     `json:"name"`
	State           string     `json:"state"`
	Deliver         string     `json:"deliver"`
	Schedule        Schedule   `json:"schedule"`
	Missed          string     `json:"missed"`
	AboveCap        string     `json:"above_cap"`
	MaxCredits      *int64     `json:"max_credits"`
	MaxCreditsTotal *int64     `json:"max_credits_total"`
	CreditsSpent    int64      `json:"credits_spent"` // less what was refunded
	EndsAt          *time.Time `json:"ends_at"`
	NextRunAt       *time.Time `json:"next_run_at"`
	PausedAt        *time.Time `json:"paused_at"`
	PausedReason    string     `json:"paused_reason"`
	DelayedReason   string     `json:"delayed_reason"`
	TokenID         *string    `json:"token_id"`  // in whose name it buys, or
	PersonID        *string    `json:"person_id"` // the member
	CreatedAt       time.Time  `json:"created_at"`

	SourceType    string   `json:"source_type"`
	SearchFilters *Filters `json:"search_filters"`
	ListID        *string  `json:"list_id"`
	ExportFormat  string   `json:"export_format"`
	HeaderRow     string   `json:"header_row"`
	Compression   string   `json:"compression"`
	Columns       []string `json:"columns"` // empty for all
	Limit         *int     `json:"limit"`
	OnlyNew       bool     `json:"only_new"`
	OnlyOwned     bool     `json:"only_owned"`
	ExcludeListID *string  `json:"exclude_list_id"`
	DestinationID *string  `json:"destination_id"`

	NextRun *NextRun `json:"next_run"` // nil in a list of orders, and from PauseOrder and ResumeOrder
}

// NextRun is what the next run of an order would do if it took place now. Status is exported, nothing_new or skipped.
type NextRun struct {
	Status string `json:"status"`
	Figures
	ExcludedCount int       `json:"excluded_count"`
	Code          ErrorCode `json:"code"`
	Message       string    `json:"message"`
	Warnings      []Warning `json:"warnings"`
}

// OrderRun is a run of an order. Status is baseline, exported, nothing_new or skipped.
type OrderRun struct {
	ID              string        `json:"id"`
	OrderID         string        `json:"order_id"`
	ScheduledAt     time.Time     `json:"scheduled_at"`
	CreatedAt       time.Time     `json:"created_at"`
	Cause           string        `json:"cause"` // creation, schedule, import or request
	Status          string        `json:"status"`
	MissedRuns      int           `json:"missed_runs"` // further ones that this one stands for
	Code            string        `json:"code"`        // an ErrorCode or MISSED, like Message why it exported nothing
	Message         string        `json:"message"`
	ExportID        *string       `json:"export_id"`
	ExportStatus    *ExportStatus `json:"export_status"`
	TotalRecords    int           `json:"total_records"`
	CreditsCharged  int64         `json:"credits_charged"`
	CreditsRefunded int64         `json:"credits_refunded"`
}

func orderPath(id, more string) string { return "/orders/" + url.PathEscape(id) + more }

// CreateOrder creates a standing order. It buys nothing now.
func (c *Client) CreateOrder(ctx context.Context, r OrderRequest) (*Order, error) {
	return created[Order](ctx, c, "/orders", r)
}

// Orders returns one page of the workspace's orders, newest first. A limit of 0 is the server's default.
func (c *Client) Orders(ctx context.Context, cursor string, limit int) (*Page[Order], error) {
	return answer[Page[Order]](ctx, c, http.MethodGet, "/orders"+page(cursor, limit), nil)
}

// Order returns an order, with the price of its next run.
func (c *Client) Order(ctx context.Context, id string) (*Order, error) {
	return answer[Order](ctx, c, http.MethodGet, orderPath(id, ""), nil)
}

// UpdateOrder changes an order, which from then on buys in the name of this token.
func (c *Client) UpdateOrder(ctx context.Context, id string, change OrderChange) (*Order, error) {
	return answer[Order](ctx, c, http.MethodPatch, orderPath(id, ""), change)
}

// DeleteOrder deletes an order. Its exports stay.
func (c *Client) DeleteOrder(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, orderPath(id, ""), nil, nil)
}

// PauseOrder stops the schedule of an order.
func (c *Client) PauseOrder(ctx context.Context, id string) (*Order, error) {
	return created[Order](ctx, c, orderPath(id, "/pause"), nil)
}

// ResumeOrder continues the schedule of a paused order, in the name of this token.
func (c *Client) ResumeOrder(ctx context.Context, id string) (*Order, error) {
	return created[Order](ctx, c, orderPath(id, "/resume"), nil)
}

// RunOrder runs an order at once, beside its schedule, in the name of this token.
func (c *Client) RunOrder(ctx context.Context, id string) (*OrderRun, error) {
	return created[OrderRun](ctx, c, orderPath(id, "/run"), nil)
}

// OrderRuns returns one page of an order's runs, newest first. A limit of 0 is the server's default.
func (c *Client) OrderRuns(ctx context.Context, order, cursor string, limit int) (*Page[OrderRun], error) {
	return answer[Page[OrderRun]](ctx, c, http.MethodGet, orderPath(order, "/runs"+page(cursor, limit)), nil)
}

// created is answer for a POST that takes effect once, however often it is sent.
func created[T any](ctx context.Context, c *Client, path string, in any) (*T, error) {
	var out T
	if err := c.create(ctx, path, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

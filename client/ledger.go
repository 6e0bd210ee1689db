package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// LedgerEntry is a full entry of the ledger. Actor.Type is token, person or system.
type LedgerEntry struct {
	ID           string    `json:"id"`
	Amount       int64     `json:"amount"`
	BalanceAfter int64     `json:"balance_after"`
	Reason       string    `json:"reason"`
	Reference    *string   `json:"reference"`
	ExportID     *string   `json:"export_id"`
	Note         *string   `json:"note"`
	CreatedAt    time.Time `json:"created_at"`
	Actor        struct {
		Type string  `json:"type"`
		ID   *string `json:"id"`
		Name *string `json:"name"`
	} `json:"actor"`
}

// LedgerFilter selects entries of the ledger. The zero LedgerFilter selects all.
type LedgerFilter struct {
	From   time.Time // inclusive
	To     time.Time // exclusive
	Reason string
}

func (f LedgerFilter) query() url.Values {
	q := url.Values{}
	if !f.From.IsZero() {
		q.Set("from", f.From.Format(time.RFC3339Nano))
	}
	if !f.To.IsZero() {
		q.Set("to", f.To.Format(time.RFC3339Nano))
	}
	if f.Reason != "" {
		q.Set("reason", f.Reason)
	}
	return q
}

// Transactions returns one page of the selected ledger entries, newest first. A limit of 0 is the server's default.
func (c *Client) Transactions(ctx context.Context, f LedgerFilter, cursor string, limit int) (*Page[LedgerEntry], error) {
	var p Page[LedgerEntry]
	if err := c.call(ctx, http.MethodGet, "/credits/transactions"+paged(f.query(), cursor, limit), nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// TransactionsCSV writes all selected entries to w as CSV.
func (c *Client) TransactionsCSV(ctx context.Context, f LedgerFilter, w io.Writer) error {
	return c.csv(ctx, "/credits/transactions", f.query(), w)
}

// CancelExport cancels an export that is pending or processing, and refunds what it was charged for companies that no
// other export delivers. Cancelling it again changes nothing.
func (c *Client) CancelExport(ctx context.Context, id string) (*Export, error) {
	var e Export
	if err := c.call(ctx, http.MethodPost, "/exports/"+url.PathEscape(id)+"/cancel", nil, &e); err != nil {
		return nil, err
	}
	return &e, nil
}

// Receipt is one page of a receipt: what each row of an export's file cost.
type Receipt struct {
	ExportID        string       `json:"export_id"`
	Status          ExportStatus `json:"status"`
	CreditsCharged  int64        `json:"credits_charged"`
	CreditsRefunded int64        `json:"credits_refunded"`
	TransactionID   *string      `json:"transaction_id"`
	ReadAt          time.Time    `json:"read_at"` // it has no later refunds
	Page[ReceiptLine]
}

// ReceiptLine is one row. Status is charged, owned or refunded.
type ReceiptLine struct {
	CompanyID  string     `json:"company_id"`
	Name       string     `json:"name"`
	Domain     *string    `json:"domain"`
	Status     string     `json:"status"`
	Credits    int        `json:"credits"`
	UnlockedBy string     `json:"unlocked_by"`
	UnlockedAt time.Time  `json:"unlocked_at"`
	RefundedAt *time.Time `json:"refunded_at"`

	LockedFields []string `json:"locked_fields,omitempty"` // as in Company
}

// Receipt returns one page of an export's receipt, in the file's order. A limit of 0 is the server's default.
func (c *Client) Receipt(ctx context.Context, id, cursor string, limit int) (*Receipt, error) {
	var r Receipt
	path := "/exports/" + url.PathEscape(id) + "/receipt" + page(cursor, limit)
	if err := c.call(ctx, http.MethodGet, path, nil, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// ReceiptCSV writes the whole receipt of an export to w as CSV.
func (c *Client) ReceiptCSV(ctx context.Context, id string, w io.Writer) error {
	_, err := c.SignedReceiptCSV(ctx, id, w)
	return err
}

// SignedReceiptCSV is ReceiptCSV, and returns the signature of what it has written: a detached JWS, whose key is among those of Keys.
func (c *Client) SignedReceiptCSV(ctx context.Context, id string, w io.Writer) (signature string, err error) {
	return c.signedCSV(ctx, "/exports/"+url.PathEscape(id)+"/receipt", url.Values{}, w)
}

// Statement is what happened to the credits of the workspace in a month.
type Statement struct {
	WorkspaceID    string        `json:"workspace_id"`
	Month          string        `json:"month"`
	From           time.Time     `json:"from"`
	To             time.Time     `json:"to"`
	OpeningBalance int64         `json:"opening_balance"`
	ClosingBalance int64         `json:"closing_balance"`
	Items          []LedgerEntry `json:"items"` // oldest first
}

// Statement returns the statement of a month that has ended, such as 2026-02.
func (c *Client) Statement(ctx context.Context, month string) (*Statement, error) {
	return answer[Statement](ctx, c, http.MethodGet, "/credits/statements/"+url.PathEscape(month), nil)
}

// SignedStatementCSV writes the entries of a month to w as CSV, and returns the signature of what it has written.
func (c *Client) SignedStatementCSV(ctx context.Context, month string, w io.Writer) (signature string, err error) {
	return c.signedCSV(ctx, "/credits/statements/"+url.PathEscape(month), url.Values{}, w)
}

// csv copies a CSV response to w. A response that is cut off is an error.
func (c *Client) csv(ctx context.Context, path string, q url.Values, w io.Writer) error {
	_, err := c.signedCSV(ctx, path, q, w)
	return err
}

// signedCSV is csv, and returns the signature of the response; empty without one.
func (c *Client) signedCSV(ctx context.Context, path string, q url.Values, w io.Writer) (signature string, err error) {
	q.Set("format", "csv")
	r, err := newRequest(ctx, http.MethodGet, c.base+"/api/v1"+path+"?"+q.Encode(), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.http.Do(r)
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", path, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", errorOf(response)
	}
	if _, err := io.Copy(w, response.Body); err != nil {
		return "", fmt.Errorf("read response to GET %s: %w", path, err)
	}
	return response.Header.Get("JWS-Signature"), nil
}

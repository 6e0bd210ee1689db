package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Webhook is an address to which the events of the workspace are sent. Verify requests with a library of the Standard Webhooks
// specification.
type Webhook struct {
	ID             string     `json:"id"`
	URL            string     `json:"url"`
	Description    string     `json:"description"`
	Types          []string   `json:"types"` // empty for all
	Format         string     `json:"format"`
	Enabled        bool       `json:"enabled"`
	DisabledAt     *time.Time `json:"disabled_at"`
	DisabledReason string     `json:"disabled_reason"`
	FailingSince   *time.Time `json:"failing_since"`
	OldSecretUntil *time.Time `json:"old_secret_until"`
	CreatedAt      time.Time  `json:"created_at"`
	Secret         string     `json:"secret"` // only from CreateWebhook and RotateWebhook
}

// WebhookRequest describes a webhook to create. Without types it gets all events. Format is event, the default, or text, for a message
// in a chat.
type WebhookRequest struct {
	URL         string   `json:"url"`
	Types       []string `json:"types,omitempty"`
	Format      string   `json:"format,omitempty"`
	Description string   `json:"description,omitempty"`
}

// WebhookChange says what to change of a webhook; nil for what stays.
type WebhookChange struct {
	URL         *string   `json:"url,omitempty"`
	Types       *[]string `json:"types,omitempty"`
	Format      *string   `json:"format,omitempty"`
	Description *string   `json:"description,omitempty"`
	Enabled     *bool     `json:"enabled,omitempty"`
}

// Delivery is the sending of one event to one webhook. State is pending, delivered or failed.
type Delivery struct {
	ID             string     `json:"id"`
	EventID        string     `json:"event_id"`
	EventType      string     `json:"event_type"`
	State          string     `json:"state"`
	Attempts       int        `json:"attempts"`
	CreatedAt      time.Time  `json:"created_at"`
	AttemptedAt    *time.Time `json:"attempted_at"`
	NextAttemptAt  *time.Time `json:"next_attempt_at"`
	ResponseStatus *int       `json:"response_status"`
	ResponseBody   string     `json:"response_body"`
	TookMS         *int64     `json:"took_ms"`
	Error          string     `json:"error"`
}

func webhookPath(id, more string) string { return "/webhooks/" + url.PathEscape(id) + more }

// CreateWebhook creates a webhook. Its secret cannot be read again.
func (c *Client) CreateWebhook(ctx context.Context, r WebhookRequest) (*Webhook, error) {
	return answer[Webhook](ctx, c, http.MethodPost, "/webhooks", r)
}

// Webhooks returns all webhooks of the workspace, oldest first.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	page, err := answer[Page[Webhook]](ctx, c, http.MethodGet, "/webhooks", nil)
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}

// Webhook returns a webhook.
func (c *Client) Webhook(ctx context.Context, id string) (*Webhook, error) {
	return answer[Webhook](ctx, c, http.MethodGet, webhookPath(id, ""), nil)
}

// UpdateWebhook changes a webhook.
func (c *Client) UpdateWebhook(ctx context.Context, id string, change WebhookChange) (*Webhook, error) {
	return answer[Webhook](ctx, c, http.MethodPatch, webhookPath(id, ""), change)
}

// DeleteWebhook deletes a webhook with its deliveries.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, webhookPath(id, ""), nil, nil)
}

// RotateWebhook replaces the secret of a webhook. For the overlap, rounded down to hours, requests have a signature of each secret.
func (c *Client) RotateWebhook(ctx context.Context, id string, overlap time.Duration) (*Webhook, error) {
	return answer[Webhook](ctx, c, http.MethodPost, webhookPath(id, "/rotate"), map[string]int{"overlap_hours": int(overlap.Hours())})
}

// TestWebhook sends a test message at once and returns what came of it.
func (c *Client) TestWebhook(ctx context.Context, id string) (*Delivery, error) {
	return answer[Delivery](ctx, c, http.MethodPost, webhookPath(id, "/test"), nil)
}

// Deliveries returns one page of a webhook's deliveries, newest first. A limit of 0 is the server's default.
func (c *Client) Deliveries(ctx context.Context, webhook, cursor string, limit int) (*Page[Delivery], error) {
	return answer[Page[Delivery]](ctx, c, http.MethodGet, webhookPath(webhook, "/deliveries"+page(cursor, limit)), nil)
}

// ReplayDelivery sends the event of a delivery again and returns the new delivery.
func (c *Client) ReplayDelivery(ctx context.Context, webhook, delivery string) (*Delivery, error) {
	var d Delivery
	if err := c.create(ctx, webhookPath(webhook, "/deliveries/"+url.PathEscape(delivery)+"/replay"), nil, &d); err != nil {
		return nil, err
	}
	return &d, nil
}

func answer[T any](ctx context.Context, c *Client, method, path string, in any) (*T, error) {
	var out T
	if err := c.call(ctx, method, path, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

package api

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/webhook"
)

// Webhook is an address to which the events of the workspace are sent.
type Webhook struct {
	ID             id.Webhook `json:"id" format:"uuid" doc:"The id of the webhook."`
	URL            string     `json:"url" doc:"Where events are sent, with a POST."`
	Description    *string    `json:"description" doc:"What the webhook is for; null without a description."`
	Types          []string   `json:"types" doc:"The types of events that are sent; empty for all."`
	Format         string     `json:"format" enum:"event,text" doc:"What is sent: event, or text for a message in a chat."`
	Enabled        bool       `json:"enabled" doc:"Whether events are sent."`
	DisabledAt     *time.Time `json:"disabled_at" doc:"Since when no events are sent; null if they are."`
	DisabledReason *string    `json:"disabled_reason" doc:"Why no events are sent; null if they are."`
	FailingSince   *time.Time `json:"failing_since" doc:"The first failed attempt since the last success; null without one."`
	OldSecretUntil *time.Time `json:"old_secret_until" doc:"Until when the secret before the last rotation signs as well; null without one."`
	CreatedAt      time.Time  `json:"created_at" doc:"When it was created."`
	Secret         string     `json:"secret,omitempty" doc:"The secret that requests are signed with. It is only in the answer that creates or rotates it." example:"whsec_ZXhhbXBsZSBzZWNyZXQgb2YgYSB3ZWJob29rIDMyIQ=="`
}

// WebhooksResponse holds all webhooks of the workspace.
type WebhooksResponse struct {
	Items []Webhook `json:"items" doc:"The webhooks, oldest first. A workspace has at most 10."`
}

// WebhookRequest describes a webhook to create.
type WebhookRequest struct {
	URL         string   `json:"url" required:"true" minLength:"1" maxLength:"2000" doc:"An https address that is public. It is checked at once, and again whenever a request is sent."`
	Types       []string `json:"types,omitempty" maxItems:"50" doc:"Only events of these types; export.* stands for all types of exports. Without it, all."`
	Format      string   `json:"format,omitempty" enum:"event,text" default:"event" doc:"event sends the event. text sends {\"text\": \"…\"} with a sentence about it, which the incoming webhooks of Slack and Mattermost show as a message."`
	Description string   `json:"description,omitempty" maxLength:"200" doc:"What the webhook is for."`
}

// WebhookChange says what to change of a webhook.
type WebhookChange struct {
	URL         *string         `json:"url,omitempty" minLength:"1" maxLength:"2000" doc:"Another address."`
	Types       *[]string       `json:"types,omitempty" maxItems:"50" doc:"Other types; empty for all."`
	Format      *webhook.Format `json:"format,omitempty" enum:"event,text" doc:"Another format."`
	Description *string         `json:"description,omitempty" maxLength:"200" doc:"Another description; empty for none."`
	Enabled     *bool           `json:"enabled,omitempty" doc:"Whether events are sent. Events that happen while it is disabled are not sent later."`
}

// RotateRequest says how to rotate a secret.
type RotateRequest struct {
	OverlapHours int `json:"overlap_hours" minimum:"0" maximum:"168" doc:"For how long requests are signed with the old secret too."`
}

// Delivery is the sending of one event to one webhook.
type Delivery struct {
	ID             id.Delivery `json:"id" format:"uuid" doc:"The id of the delivery."`
	EventID        id.Event    `json:"event_id" format:"uuid" doc:"The event, as in webhook-id."`
	EventType      string      `json:"event_type" doc:"The type of the event."`
	State          string      `json:"state" enum:"pending,delivered,failed" doc:"pending while attempts follow, delivered after a success, failed if there are no more."`
	Attempts       int         `json:"attempts" doc:"How many attempts were made."`
	CreatedAt      time.Time   `json:"created_at" doc:"When the delivery was created."`
	AttemptedAt    *time.Time  `json:"attempted_at" doc:"The last attempt; null before the first."`
	NextAttemptAt  *time.Time  `json:"next_attempt_at" doc:"The next attempt; null if there is none, or it is due."`
	ResponseStatus *int        `json:"response_status" doc:"Status of the last answer; null without one."`
	ResponseBody   *string     `json:"response_body" doc:"The first 2 KiB of the last answer; null without any."`
	TookMS         *int64      `json:"took_ms" doc:"How long the last attempt took, in milliseconds; null before the first."`
	Error          *string     `json:"error" doc:"Why the last attempt failed; null if it did not."`
}

// DeliveriesResponse is one page of deliveries.
type DeliveriesResponse struct {
	Items      []Delivery `json:"items" doc:"The deliveries of this page, newest first."`
	NextCursor *string    `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
}

type (
	newWebhookInput struct{ Body WebhookRequest }
	oneWebhookInput struct {
		Webhook id.Webhook `path:"webhook_id" format:"uuid" doc:"The id of the webhook."`
	}
	changeWebhookInput struct {
		oneWebhookInput
		Body WebhookChange
	}
	rotateWebhookInput struct {
		oneWebhookInput
		Body RotateRequest
	}
	deliveriesInput struct {
		oneWebhookInput
		State string `query:"state" enum:"pending,delivered,failed" doc:"Only deliveries in this state."`
		pageInput
	}
	replayInput struct {
		oneWebhookInput
		Delivery id.Delivery `path:"delivery_id" format:"uuid" doc:"The id of the delivery."`
	}
)

func webhookOf(h webhook.Webhook, secret string) *Webhook {
	types := h.Types
	if types == nil {
		types = []string{}
	}
	return &Webhook{
		ID: h.ID, URL: h.URL, Description: orNull(h.Description), Types: types, Format: string(h.Format), Enabled: h.DisabledAt == nil, DisabledAt: h.DisabledAt,
		DisabledReason: orNull(h.DisabledWhy), FailingSince: h.FailingSince, OldSecretUntil: h.OldSecretUntil, CreatedAt: h.CreatedAt, Secret: secret,
	}
}

func deliveryOf(d webhook.Delivery) Delivery {
	out := Delivery{
		ID: d.ID, EventID: d.Event, EventType: string(d.Type), State: string(d.State), Attempts: d.Attempts, CreatedAt: d.CreatedAt,
		AttemptedAt: d.AttemptedAt, NextAttemptAt: d.NextAt, ResponseStatus: d.Status, ResponseBody: orNull(d.Response), Error: orNull(d.Error),
	}
	if d.AttemptedAt != nil {
		out.TookMS = new(d.Took.Milliseconds())
	}
	return out
}

// requireOwner returns Forbidden unless the token belongs to an owner: webhooks carry events that only owners may read.
func requireOwner(caller auth.Caller) error { return forOwners(caller, "manage webhooks") }

func (s *server) createWebhook(ctx context.Context, caller auth.Caller, in *newWebhookInput) (*Webhook, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	secret, made, err := s.Webhooks.Create(ctx, webhook.Webhook{
		Workspace: caller.Workspace, URL: in.Body.URL, Types: in.Body.Types, Format: webhook.Format(in.Body.Format), Description: in.Body.Description,
	})
	if err != nil {
		return nil, err
	}
	return webhookOf(made, secret), nil
}

func (s *server) listWebhooks(ctx context.Context, caller auth.Caller, _ *nothingIn) (*WebhooksResponse, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	all, err := s.Webhooks.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := &WebhooksResponse{Items: []Webhook{}}
	for _, h := range all {
		out.Items = append(out.Items, *webhookOf(h, ""))
	}
	return out, nil
}

func (s *server) getWebhook(ctx context.Context, caller auth.Caller, in *oneWebhookInput) (*Webhook, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	h, err := s.Webhooks.Get(ctx, caller.Workspace, in.Webhook)
	if err != nil {
		return nil, err
	}
	return webhookOf(h, ""), nil
}

func (s *server) updateWebhook(ctx context.Context, caller auth.Caller, in *changeWebhookInput) (*Webhook, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	h, err := s.Webhooks.Update(ctx, caller.Workspace, in.Webhook, webhook.Change(in.Body))
	if err != nil {
		return nil, err
	}
	return webhookOf(h, ""), nil
}

func (s *server) deleteWebhook(ctx context.Context, caller auth.Caller, in *oneWebhookInput) (*nothingOut, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	return &nothingOut{}, s.Webhooks.Delete(ctx, caller.Workspace, in.Webhook)
}

func (s *server) rotateWebhook(ctx context.Context, caller auth.Caller, in *rotateWebhookInput) (*Webhook, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	secret, h, err := s.Webhooks.Rotate(ctx, caller.Workspace, in.Webhook, time.Duration(in.Body.OverlapHours)*time.Hour)
	if err != nil {
		return nil, err
	}
	return webhookOf(h, secret), nil
}

func (s *server) testWebhook(ctx context.Context, caller auth.Caller, in *oneWebhookInput) (*Delivery, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	d, err := s.Webhooks.Test(ctx, caller.Workspace, in.Webhook)
	if err != nil {
		return nil, err
	}
	return new(deliveryOf(d)), nil
}

func (s *server) listDeliveries(ctx context.Context, caller auth.Caller, in *deliveriesInput) (*DeliveriesResponse, error) {
	if err := requireOwner(caller); err != nil {
		return nil, err
	}
	scope := cursor.NewScope("deliveries", caller.Workspace, in.Webhook, in.State)
	before, err := readCursor(scope, in.Cursor, id.Parse[id.Delivery])
	if err != nil {
		return nil, err
	}
	all, err := s.Webhooks.Deliveries(ctx, caller.Workspace, in.Webhook, webhook.State(in.State), before, in.size()+1)
	if err != nil {
		return nil, err
	}
	out := &DeliveriesResponse{Items: []Delivery{}}
	if len(all) > in.size() {
		all = all[:in.size()]
		out.NextCursor = nextCursor(scope, all[len(all)-1].ID)
	}
	for _, d := range all {
		out.Items = append(out.Items, deliveryOf(d))
	}
	return out, nil
}

func (s *server) replayDelivery(ctx context.Context, caller auth.Caller, in *replayInput, a *idempotency.Attempt) error {
	if err := requireOwner(caller); err != nil {
		return err
	}
	_, err := s.Webhooks.Replay(ctx, caller.Workspace, in.Webhook, in.Delivery, idempotency.Last(a, rendered(deliveryOf)))
	return err
}

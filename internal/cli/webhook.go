package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/webhook"
)

type webhookCommand struct {
	List       webhookList       `cmd:"" help:"List a workspace's webhooks."`
	Create     webhookCreate     `cmd:"" help:"Create a webhook and print its secret."`
	Update     webhookUpdate     `cmd:"" help:"Change, enable or disable a webhook."`
	Rotate     webhookRotate     `cmd:"" help:"Replace a webhook's secret and print the new one."`
	Test       webhookTest       `cmd:"" help:"Send a test message at once."`
	Deliveries webhookDeliveries `cmd:"" help:"List a webhook's deliveries."`
	Replay     webhookReplay     `cmd:"" help:"Send the event of a delivery again."`
	Delete     webhookDelete     `cmd:"" help:"Delete a webhook with its deliveries."`
}

// inWorkspace is part of every command about something of a workspace that has an id of its own.
type inWorkspace struct {
	Workspace workspaceID `required:"" env:"CAPI_WORKSPACE" placeholder:"ID" help:"The workspace."`
}

// webhookRow is a webhook as JSON.
type webhookRow struct {
	ID             id.Webhook `json:"id"`
	URL            string     `json:"url"`
	Description    string     `json:"description"`
	Types          []string   `json:"types"` // empty for all
	Format         string     `json:"format"`
	Enabled        bool       `json:"enabled"`
	DisabledReason string     `json:"disabled_reason"`
	FailingSince   *time.Time `json:"failing_since"`
	OldSecretUntil *time.Time `json:"old_secret_until"`
	CreatedAt      time.Time  `json:"created_at"`
	Secret         string     `json:"secret,omitempty"`
}

func rowOfWebhook(h webhook.Webhook, secret string) webhookRow {
	return webhookRow{h.ID, h.URL, h.Description, append([]string{}, h.Types...), string(h.Format), h.DisabledAt == nil, h.DisabledWhy, h.FailingSince, h.OldSecretUntil, h.CreatedAt, secret}
}

// webhookState returns the state of a webhook for a table.
func webhookState(h webhook.Webhook) string {
	switch {
	case h.DisabledAt != nil:
		return "disabled"
	case h.FailingSince != nil:
		return "failing"
	}
	return "active"
}

// allowFlag is part of the commands that look at an address.
type allowFlag struct {
	WebhookAllow string `name:"webhook-allow" env:"CAPI_WEBHOOK_ALLOW" placeholder:"ADDRESSES" help:"Addresses or networks that webhooks may have although they are private, as for capi serve."`
}

// withWebhooks opens the data and calls fn.
func (s *session) withWebhooks(f allowFlag, fn func(context.Context, *webhook.Webhooks) error) error {
	s.config.WebhookAllow = f.WebhookAllow
	if err := s.config.ValidateWebhooks(); err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	return fn(s.ctx, a.Webhooks)
}

type webhookList struct {
	inWorkspace
	jsonFlag
}

// Run prints the webhooks, oldest first.
func (c *webhookList) Run(s *session) error {
	return s.withWebhooks(allowFlag{}, func(ctx context.Context, w *webhook.Webhooks) error {
		all, err := w.List(ctx, c.Workspace.Workspace)
		if err != nil {
			return err
		}
		items, rows := make([]webhookRow, len(all)), make([][]string, len(all))
		for i, h := range all {
			items[i] = rowOfWebhook(h, "")
			types := "all"
			if len(h.Types) > 0 {
				types = strings.Join(h.Types, ",")
			}
			rows[i] = []string{h.ID.String(), webhookState(h), h.URL, types, timestamp(h.CreatedAt)}
		}
		if c.JSON {
			return s.printJSON(map[string]any{"items": items})
		}
		if len(rows) == 0 {
			s.printf("No webhooks.\n")
			return nil
		}
		s.printTable([]string{"ID", "STATE", "URL", "EVENTS", "CREATED (UTC)"}, rows)
		return nil
	})
}

type webhookCreate struct {
	inWorkspace
	allowFlag
	URL         string   `arg:"" name:"url" help:"An https address that is public, or one that --webhook-allow of the server allows."`
	Types       []string `name:"types" placeholder:"TYPES" help:"Only these types of events, such as export.*,credits.low (default: all)."`
	Format      string   `enum:"event,text" default:"event" help:"What is sent: event, or text, a sentence that the incoming webhooks of Slack and Mattermost show as a message (default event)."`
	Description string   `placeholder:"TEXT" help:"What it is for."`
	jsonFlag
}

// Help is shown below the summary.
func (webhookCreate) Help() string {
	return `The secret is printed once and cannot be read again; if it is lost, rotate it. Examples:

    capi webhook create https://example.com/hooks/capi --workspace ID
    capi webhook create https://example.com/hooks/capi --workspace ID --types export.*,credits.low
    capi webhook create https://hooks.slack.com/services/T00/B00/XXXX --workspace ID --format text`
}

// Run creates the webhook.
func (c *webhookCreate) Run(s *session) error {
	return s.withWebhooks(c.allowFlag, func(ctx context.Context, w *webhook.Webhooks) error {
		secret, h, err := w.Create(ctx, webhook.Webhook{Workspace: c.Workspace.Workspace, URL: c.URL, Types: c.Types, Format: webhook.Format(c.Format), Description: c.Description})
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(rowOfWebhook(h, secret))
		}
		s.printf("Created webhook %s. Its secret, shown only this once:\n\n%s\n", h.ID, secret)
		return nil
	})
}

type webhookUpdate struct {
	inWorkspace
	allowFlag
	ID          webhookID `arg:"" help:"The webhook."`
	URL         *string   `name:"url" placeholder:"URL" help:"Another address."`
	Types       *string   `name:"types" placeholder:"TYPES" help:"Other types of events, separated by commas; all for all."`
	Format      *string   `placeholder:"FORMAT" help:"Another format: event or text."`
	Description *string   `placeholder:"TEXT" help:"Another description."`
	Enable      bool      `xor:"able" help:"Send events again, from now on."`
	Disable     bool      `xor:"able" help:"Send no events."`
	jsonFlag
}

// Run changes the webhook.
func (c *webhookUpdate) Run(s *session) error {
	change := webhook.Change{URL: c.URL, Description: c.Description}
	if c.Types != nil {
		types := []string{}
		if *c.Types != "all" {
			types = strings.Split(*c.Types, ",")
		}
		change.Types = &types
	}
	if c.Format != nil {
		change.Format = new(webhook.Format(*c.Format))
	}
	if c.Enable || c.Disable {
		change.Enabled = &c.Enable
	}
	if change == (webhook.Change{}) {
		return fault.Invalid(fault.FieldError{Message: "Say what to change: --url, --types, --format, --description, --enable or --disable."})
	}
	return s.withWebhooks(c.allowFlag, func(ctx context.Context, w *webhook.Webhooks) error {
		h, err := w.Update(ctx, c.Workspace.Workspace, c.ID.Webhook, change)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(rowOfWebhook(h, ""))
		}
		s.printf("Webhook %s is %s.\n", h.ID, webhookState(h))
		return nil
	})
}

type webhookRotate struct {
	inWorkspace
	ID      webhookID `arg:"" help:"The webhook."`
	Overlap overlap   `default:"24h" placeholder:"TIME" help:"How long requests are signed with the old secret too, at most 7d; 0 ends it at once (default ${default})."`
	jsonFlag
}

// Run replaces the secret.
func (c *webhookRotate) Run(s *session) error {
	return s.withWebhooks(allowFlag{}, func(ctx context.Context, w *webhook.Webhooks) error {
		secret, h, err := w.Rotate(ctx, c.Workspace.Workspace, c.ID.Webhook, time.Duration(c.Overlap))
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(rowOfWebhook(h, secret))
		}
		s.printf("The new secret, shown only this once:\n\n%s\n", secret)
		if h.OldSecretUntil != nil {
			s.printf("\nThe old one signs too until %s UTC.\n", timestamp(*h.OldSecretUntil))
		}
		return nil
	})
}

type webhookTest struct {
	inWorkspace
	allowFlag
	ID webhookID `arg:"" help:"The webhook."`
	jsonFlag
}

// Run sends the message. It fails if the receiver does not accept it.
func (c *webhookTest) Run(s *session) error {
	return s.withWebhooks(c.allowFlag, func(ctx context.Context, w *webhook.Webhooks) error {
		d, err := w.Test(ctx, c.Workspace.Workspace, c.ID.Webhook)
		if err != nil {
			return err
		}
		switch {
		case c.JSON:
			err = s.printJSON(rowOfDelivery(d))
		case d.State == webhook.Delivered:
			s.printf("The test arrived in %d ms.\n", d.Took.Milliseconds())
		default:
			s.printf("The test did not arrive: %s\n", d.Error)
		}
		if err == nil && d.State != webhook.Delivered {
			return errFindings
		}
		return err
	})
}

// deliveryRow is a delivery as JSON.
type deliveryRow struct {
	ID             id.Delivery   `json:"id"`
	EventID        id.Event      `json:"event_id"`
	EventType      string        `json:"event_type"`
	State          webhook.State `json:"state"`
	Attempts       int           `json:"attempts"`
	CreatedAt      time.Time     `json:"created_at"`
	NextAttemptAt  *time.Time    `json:"next_attempt_at"`
	ResponseStatus *int          `json:"response_status"`
	ResponseBody   string        `json:"response_body"`
	Error          string        `json:"error"`
}

func rowOfDelivery(d webhook.Delivery) deliveryRow {
	return deliveryRow{d.ID, d.Event, string(d.Type), d.State, d.Attempts, d.CreatedAt, d.NextAt, d.Status, d.Response, d.Error}
}

type webhookDeliveries struct {
	inWorkspace
	ID    webhookID `arg:"" help:"The webhook."`
	State string    `enum:",pending,delivered,failed" default:"" placeholder:"STATE" help:"Only those that are pending, delivered or failed."`
	Limit rowsMax   `default:"50" placeholder:"N" help:"The most deliveries to show (default ${default})."`
	jsonFlag
}

// Run prints the newest deliveries of the last 30 days.
func (c *webhookDeliveries) Run(s *session) error {
	return s.withWebhooks(allowFlag{}, func(ctx context.Context, w *webhook.Webhooks) error {
		all, err := w.Deliveries(ctx, c.Workspace.Workspace, c.ID.Webhook, webhook.State(c.State), id.Delivery{}, int(c.Limit))
		if err != nil {
			return err
		}
		items, rows := make([]deliveryRow, len(all)), make([][]string, len(all))
		for i, d := range all {
			items[i] = rowOfDelivery(d)
			answer := "-"
			if d.Status != nil {
				answer = strconv.Itoa(*d.Status)
			}
			rows[i] = []string{d.ID.String(), timestamp(d.CreatedAt), string(d.Type), string(d.State), count(d.Attempts), answer, d.Error}
		}
		if c.JSON {
			return s.printJSON(map[string]any{"items": items})
		}
		if len(rows) == 0 {
			s.printf("No deliveries.\n")
			return nil
		}
		s.printTable([]string{"ID", "TIME (UTC)", "EVENT", "STATE", ">ATTEMPTS", "ANSWER", "ERROR"}, rows)
		return nil
	})
}

type webhookReplay struct {
	inWorkspace
	ID       webhookID  `arg:"" help:"The webhook."`
	Delivery deliveryID `arg:"" help:"The delivery."`
	jsonFlag
}

// Run sends the event again. A server that runs does so.
func (c *webhookReplay) Run(s *session) error {
	return s.withWebhooks(allowFlag{}, func(ctx context.Context, w *webhook.Webhooks) error {
		d, err := w.Replay(ctx, c.Workspace.Workspace, c.ID.Webhook, c.Delivery.Delivery)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(rowOfDelivery(d))
		}
		s.printf("The server sends event %s again, in delivery %s.\n", d.Event, d.ID)
		return nil
	})
}

type webhookDelete struct {
	inWorkspace
	ID webhookID `arg:"" help:"The webhook."`
}

// Run deletes the webhook.
func (c *webhookDelete) Run(s *session) error {
	return s.withWebhooks(allowFlag{}, func(ctx context.Context, w *webhook.Webhooks) error {
		if err := w.Delete(ctx, c.Workspace.Workspace, c.ID.Webhook); err != nil {
			return err
		}
		s.printf("Deleted webhook %s.\n", c.ID.Webhook)
		return nil
	})
}

type (
	webhookID  struct{ id.Webhook }
	deliveryID struct{ id.Delivery }
)

// UnmarshalText accepts the canonical text of an id.
func (w *webhookID) UnmarshalText(p []byte) (err error) {
	if w.Webhook, err = id.Parse[id.Webhook](string(p)); err != nil {
		return fmt.Errorf("%q is not a webhook ID; capi webhook list shows the IDs", p)
	}
	return nil
}

// UnmarshalText accepts the canonical text of an id.
func (d *deliveryID) UnmarshalText(p []byte) (err error) {
	if d.Delivery, err = id.Parse[id.Delivery](string(p)); err != nil {
		return fmt.Errorf("%q is not a delivery ID; capi webhook deliveries shows the IDs", p)
	}
	return nil
}

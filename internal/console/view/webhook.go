package view

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

// Webhooks is the page of a workspace's webhooks.
type Webhooks struct {
	Webhooks []webhook.Webhook
	Form     WebhookForm
	Faults   map[string]string
}

// WebhookForm is the form of a webhook, as it was filled in.
type WebhookForm struct {
	URL, Description string
	Types            []string // empty for all
	Format           webhook.Format
}

// WebhookFormOf returns the form of a webhook as it is.
func WebhookFormOf(h webhook.Webhook) WebhookForm {
	return WebhookForm{URL: h.URL, Description: h.Description, Types: h.Types, Format: h.Format}
}

// ReadWebhook reads the form.
func ReadWebhook(form url.Values) WebhookForm {
	return WebhookForm{
		URL: strings.TrimSpace(form.Get("url")), Description: form.Get("description"), Types: slices.Concat([]string{}, form["type"]),
		Format: cmp.Or(webhook.Format(form.Get("format")), webhook.FormatEvent),
	}
}

// WebhookFaults are the errors of the form as sentences.
func WebhookFaults(faults map[string]string) map[string]string {
	said := make(map[string]string, len(faults))
	for field, message := range faults {
		switch field {
		case "": // a sentence
			said[field] = message
		case "types": // which begins with the type
			said[field] = message + "."
		default:
			said[field] = "This " + message + "."
		}
	}
	return said
}

// WebhookDetail is the page of one webhook.
type WebhookDetail struct {
	webhook.Webhook
	Secret string // only right after it was made
	Form   WebhookForm
	Faults map[string]string

	State      webhook.State // of the deliveries that are shown; empty for all
	Deliveries []webhook.Delivery
	Later      bool   // it is not the first page of deliveries
	Next       string // the next one
}

// At returns the address of the deliveries in a state, older than one.
func (d WebhookDetail) At(ctx context.Context, state webhook.State, before string) string {
	q := url.Values{}
	if state != "" {
		q.Set("state", string(state))
	}
	if before != "" {
		q.Set("before", before)
	}
	rest := ""
	if len(q) > 0 {
		rest = "?" + q.Encode()
	}
	return WebhookPath(ctx, d.ID, rest+"#deliveries")
}

// WebhookPath returns the path of a webhook's page, or of something below it.
func WebhookPath(ctx context.Context, h id.Webhook, rest string) string {
	return ViewerOf(ctx).Path("/webhooks/" + h.String() + rest)
}

// webhookName returns what the webhook is called.
func webhookName(h webhook.Webhook) string { return cmp.Or(h.Description, h.URL) }

// webhookState returns the state of the webhook, and its colour class.
func webhookState(h webhook.Webhook) (text, tone string) {
	switch {
	case h.DisabledAt != nil:
		return "Disabled", "bad"
	case h.FailingSince != nil:
		return "Failing", "warn"
	}
	return "Active", "good"
}

// webhookTypes returns the types that a webhook gets, for people.
func webhookTypes(h webhook.Webhook) string {
	if len(h.Types) == 0 {
		return "all"
	}
	return strings.Join(h.Types, ", ")
}

// eventKind is a kind of events with its types.
type eventKind struct {
	Name  string // as in export.*
	Types []event.Entry
}

func eventKinds() (kinds []eventKind) {
	for _, e := range event.Catalogue() {
		kind, _, _ := strings.Cut(string(e.Type), ".")
		if name := kind + ".*"; len(kinds) == 0 || kinds[len(kinds)-1].Name != name {
			kinds = append(kinds, eventKind{Name: name})
		}
		last := &kinds[len(kinds)-1]
		last.Types = append(last.Types, e)
	}
	return kinds
}

// deliveryTone returns the colour class of a delivery's state.
func deliveryTone(s webhook.State) string {
	switch s {
	case webhook.Delivered:
		return "good"
	case webhook.Failed:
		return "bad"
	case webhook.Pending:
	}
	return "warn"
}

// answered returns the status of the last answer.
func answered(d webhook.Delivery) string {
	if d.Status == nil {
		return "none"
	}
	return strconv.Itoa(*d.Status)
}

// oldSecretSigns reports whether the secret before the last rotation still signs.
func oldSecretSigns(h webhook.Webhook) bool {
	return h.OldSecretUntil != nil && h.OldSecretUntil.After(time.Now())
}

// Notifications is the page of which emails a person wants from a workspace.
type Notifications struct {
	workspace.Notifications
	Low     *int64 // the balance below which the credits are low; nil for never
	CanMail bool   // the server can send emails
}

// ReadNotifications reads the form.
func ReadNotifications(form url.Values) workspace.Notifications {
	return workspace.Notifications{
		Exports: form.Get("exports") != "", Low: form.Get("low") != "", Orders: form.Get("orders") != "", Deliveries: form.Get("deliveries") != "",
	}
}

// ReadLow reads a low balance; nil if it is empty. Faults: Validation.
func ReadLow(text string) (*int64, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil //nolint:nilnil // none is set
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > credit.BalanceMax {
		return nil, fault.Invalid(fault.FieldError{Field: "low_balance", Message: fmt.Sprintf("must be a whole number from 1 to %d, or empty for never", int64(credit.BalanceMax))})
	}
	return &n, nil
}

// lowText returns the low balance as the form has it.
func lowText(low *int64) string {
	if low == nil {
		return ""
	}
	return strconv.FormatInt(*low, 10)
}

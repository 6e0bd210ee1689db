package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/webhook"
)

// webhookTests is how many test messages a workspace may send: each waits for a server elsewhere.
var webhookTests = ratelimit.PerMinute(10)

func (s *server) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	return s.webhooksPage(w, r, http.StatusOK, view.Webhooks{})
}

func (s *server) webhooksPage(w http.ResponseWriter, r *http.Request, status int, page view.Webhooks) (err error) {
	if page.Webhooks, err = s.Webhooks.List(r.Context(), view.ViewerOf(r.Context()).Workspace.ID); err != nil {
		return err
	}
	return render(w, r, status, view.WebhooksPage(page))
}

// createWebhook creates a webhook. Its page shows the secret, only once.
func (s *server) createWebhook(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	form := view.ReadWebhook(r.PostForm)
	secret, made, err := s.Webhooks.Create(ctx, webhook.Webhook{Workspace: v.Workspace.ID, URL: form.URL, Types: form.Types, Format: form.Format, Description: form.Description})
	if faults := fieldErrors(err); faults != nil {
		return s.webhooksPage(w, r, http.StatusUnprocessableEntity, view.Webhooks{Form: form, Faults: view.WebhookFaults(faults)})
	}
	if err != nil {
		return err
	}
	return s.reveal(w, r, view.WebhookPath(ctx, made.ID, ""), secret)
}

// showWebhook shows a webhook and its deliveries, and its secret if it has just been created or rotated.
func (s *server) showWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	page := view.WebhookDetail{Webhook: h, Form: view.WebhookFormOf(h), Secret: s.revealed(w, r)}
	return s.webhookPage(w, r, http.StatusOK, page)
}

func (s *server) webhookPage(w http.ResponseWriter, r *http.Request, status int, page view.WebhookDetail) error {
	ctx, q := r.Context(), r.URL.Query()
	switch state := webhook.State(q.Get("state")); state {
	case webhook.Pending, webhook.Delivered, webhook.Failed:
		page.State = state
	}
	before, err := id.Parse[id.Delivery](q.Get("before"))
	page.Later = err == nil
	if page.Deliveries, err = s.Webhooks.Deliveries(ctx, page.Workspace, page.ID, page.State, before, pageSize+1); err != nil {
		return err
	}
	if len(page.Deliveries) > pageSize {
		page.Deliveries = page.Deliveries[:pageSize]
		page.Next = page.At(ctx, page.State, page.Deliveries[pageSize-1].ID.String())
	}
	return render(w, r, status, view.WebhookPage(page))
}

// webhookOf returns the webhook in the path.
func (s *server) webhookOf(r *http.Request) (webhook.Webhook, error) {
	hook, err := id.Parse[id.Webhook](r.PathValue("webhook_id"))
	if err != nil {
		return webhook.Webhook{}, fault.New(fault.NotFound, "This workspace has no such webhook.")
	}
	return s.Webhooks.Get(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, hook)
}

func (s *server) changeWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	form := view.ReadWebhook(r.PostForm)
	_, err = s.Webhooks.Update(r.Context(), h.Workspace, h.ID, webhook.Change{URL: &form.URL, Types: &form.Types, Format: &form.Format, Description: &form.Description})
	if faults := fieldErrors(err); faults != nil {
		return s.webhookPage(w, r, http.StatusUnprocessableEntity, view.WebhookDetail{Webhook: h, Form: form, Faults: view.WebhookFaults(faults)})
	}
	return s.afterWebhook(w, r, h, err, "Saved. It applies to events from now on.")
}

func (s *server) enableWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	enabled, notice := r.PostFormValue("enabled") == "1", "The webhook is disabled. Events from now on are not sent."
	if enabled {
		notice = "The webhook is enabled and gets the events from now on."
	}
	_, err = s.Webhooks.Update(r.Context(), h.Workspace, h.ID, webhook.Change{Enabled: &enabled})
	return s.afterWebhook(w, r, h, err, notice)
}

func (s *server) rotateWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(r.PostFormValue("hours"))
	if err != nil || hours < 0 || hours > int(webhook.OverlapMax/time.Hour) {
		hours = -1 // Rotate refuses it with a message
	}
	if hours > 0 && h.OldSecretUntil != nil {
		s.warn(r.Context(), "The secret was not changed: the secret before it still signs. Wait until that ends, or enter 0 hours to end both at once.")
		return redirect(w, r, view.WebhookPath(r.Context(), h.ID, ""))
	}
	secret, _, err := s.Webhooks.Rotate(r.Context(), h.Workspace, h.ID, time.Duration(hours)*time.Hour)
	if err != nil {
		return s.afterWebhook(w, r, h, err, "")
	}
	return s.reveal(w, r, view.WebhookPath(r.Context(), h.ID, ""), secret)
}

func (s *server) testWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	if err := s.limit("webhook test "+h.Workspace.String(), webhookTests); err != nil {
		return err
	}
	d, err := s.Webhooks.Test(r.Context(), h.Workspace, h.ID)
	if err == nil && d.State != webhook.Delivered {
		s.warn(r.Context(), "The test did not arrive. "+d.Error)
		return redirect(w, r, view.WebhookPath(r.Context(), h.ID, ""))
	}
	return s.afterWebhook(w, r, h, err, fmt.Sprintf("The test arrived in %d ms.", d.Took.Milliseconds()))
}

func (s *server) replayDelivery(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	delivery, err := id.Parse[id.Delivery](r.PathValue("delivery_id"))
	if err != nil {
		return fault.New(fault.NotFound, "This webhook has no such delivery.")
	}
	_, err = s.Webhooks.Replay(r.Context(), h.Workspace, h.ID, delivery)
	return s.afterWebhook(w, r, h, err, "The event is sent again, with the same webhook-id.")
}

func (s *server) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	if err := s.Webhooks.Delete(r.Context(), h.Workspace, h.ID); err != nil {
		return err
	}
	s.notice(r.Context(), "The webhook was deleted.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/webhooks"))
}

// afterWebhook leads back to the page of the webhook, with the notice or with what the person can correct.
func (s *server) afterWebhook(w http.ResponseWriter, r *http.Request, h webhook.Webhook, err error, notice string) error {
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "Nothing was changed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), notice)
	}
	return redirect(w, r, view.WebhookPath(r.Context(), h.ID, ""))
}

// setLow sets the balance below which the credits of the workspace are low.
func (s *server) setLow(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	low, err := view.ReadLow(r.PostFormValue("low"))
	if err == nil {
		err = s.Credits.SetLow(r.Context(), v.Workspace.ID, low)
	}
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "The low balance was not changed: "+messageOf(err))
	case err != nil:
		return err
	case low == nil:
		s.notice(r.Context(), "A low balance is not reported any more.")
	default:
		s.notice(r.Context(), fmt.Sprintf("A purchase or a correction that takes the balance below %d is reported from now on.", *low))
	}
	return redirect(w, r, v.Path("/notifications"))
}

// showNotifications shows which emails the person wants from the workspace.
func (s *server) showNotifications(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	wanted, err := s.Workspaces.Notifications(ctx, v.Workspace.ID, v.Person.ID)
	if err != nil {
		return err
	}
	low, err := s.Credits.Low(ctx, v.Workspace.ID)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.NotificationsPage(view.Notifications{Notifications: wanted, Low: low, CanMail: s.Notifier.Enabled()}))
}

func (s *server) setNotifications(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	err := s.Workspaces.SetNotifications(ctx, v.Workspace.ID, v.Person.ID, view.ReadNotifications(r.PostForm))
	if err != nil {
		return err
	}
	s.notice(ctx, "Saved.")
	return redirect(w, r, v.Path("/notifications"))
}

// tellsOfExports reports whether the person wants an email when an export of theirs has ended, unless they choose otherwise.
func (s *server) tellsOfExports(ctx context.Context) (bool, error) {
	v := view.ViewerOf(ctx)
	wanted, err := s.Workspaces.Notifications(ctx, v.Workspace.ID, v.Person.ID)
	return wanted.Exports, err
}

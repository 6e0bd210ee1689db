package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const (
	// PerWorkspaceMax is how many webhooks a workspace may have.
	PerWorkspaceMax = 10

	// OverlapMax is how long an old secret may sign beside the new one.
	OverlapMax = 7 * 24 * time.Hour

	descriptionLengthMax = 200
	secretPrefix         = "whsec_"
	secretBytes          = 32
)

// Webhook is an address to which the events of a workspace are sent.
type Webhook struct {
	ID          id.Webhook
	Workspace   id.Workspace
	URL         string
	Description string
	Types       []string // names that event.Select takes; empty for all
	Format      Format   // defaults to FormatEvent
	CreatedAt   time.Time

	OldSecretUntil *time.Time // until when the secret before the last rotation signs as well; nil without one
	FailingSince   *time.Time // the first failed attempt since the last success; nil without one
	DisabledAt     *time.Time // nil while events are sent
	DisabledWhy    string     // for people to read

	secret, oldSecret []byte // encrypted
}

// Format is what is sent.
type Format string

// The formats.
const (
	FormatEvent Format = "event" // a Message
	FormatText  Format = "text"  // an object with a sentence as its text, which chats show as a message
)

// Formats are all formats.
func Formats() []Format { return []Format{FormatEvent, FormatText} }

// Change is what to change of a webhook; nil for what stays.
type Change struct {
	URL         *string
	Types       *[]string
	Format      *Format
	Description *string
	Enabled     *bool
}

// Create creates a webhook and returns its secret, which cannot be read again. Faults: Validation for a bad address, an unknown type,
// an address that the workspace has already, and too many webhooks; Forbidden without a key to encrypt the secret with.
func (w *Webhooks) Create(ctx context.Context, h Webhook) (secret string, made Webhook, err error) {
	if w.sealer == nil {
		return "", Webhook{}, fault.New(fault.Forbidden, "This server has no key to encrypt secrets with, so it can have no webhooks.")
	}
	if err := w.check(ctx, &h); err != nil {
		return "", Webhook{}, err
	}
	h.ID, h.CreatedAt = id.New[id.Webhook](), db.FromTime(db.Time(time.Now()))
	secret, h.secret = w.newSecret(h.ID)
	types, err := json.Marshal(h.Types)
	if err != nil {
		return "", Webhook{}, err
	}
	err = w.db.Tx(ctx, func(tx *db.Tx) error {
		// The row of the workspace is locked, so that two webhooks created at once are counted one after the other.
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM workspace WHERE id = $1`+tx.ForUpdate(), h.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create webhook: %w", err)
		}
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM webhook WHERE workspace_id = $1`, h.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create webhook: %w", err)
		}
		if n >= PerWorkspaceMax {
			return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("The workspace has %d webhooks, the most that it may have. Delete one first.", n)})
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO webhook (id, workspace_id, url, description, types, format, secret, created_at, disabled_why)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')`,
			h.ID, h.Workspace, h.URL, h.Description, string(types), string(h.Format), h.secret, db.Time(h.CreatedAt))
		if err != nil {
			return w.explain(err)
		}
		return record(ctx, tx, auditlog.WebhookCreated, h, map[string]any{"url": h.URL, "types": h.Types, "format": h.Format})
	})
	if err != nil {
		return "", Webhook{}, err
	}
	return secret, h, nil
}

// check normalises the webhook and returns a Validation fault that lists every error.
func (w *Webhooks) check(ctx context.Context, h *Webhook) error {
	var errs []fault.FieldError
	address, message := w.checkURL(ctx, h.URL)
	if message != "" {
		errs = append(errs, fault.FieldError{Field: "url", Message: message})
	}
	h.URL = address
	if h.Description != "" {
		name, complaint := text.Name(h.Description, descriptionLengthMax)
		if complaint != "" {
			errs = append(errs, fault.FieldError{Field: "description", Message: complaint})
		}
		h.Description = name
	}
	if h.Types == nil {
		h.Types = []string{}
	}
	if h.Format = cmp.Or(h.Format, FormatEvent); !slices.Contains(Formats(), h.Format) {
		errs = append(errs, fault.FieldError{Field: "format", Message: "must be event or text"})
	}
	_, err := event.Select("types", h.Types)
	return fault.Invalid(append(errs, fault.Fields(err)...)...)
}

// explain returns the fault behind a second webhook of an address.
func (w *Webhooks) explain(err error) error {
	if w.db.Duplicate(err) {
		return invalid("url", "is the address of another webhook of this workspace; change that one, or rotate its secret if it is lost")
	}
	return fmt.Errorf("write webhook: %w", err)
}

func record(ctx context.Context, tx *db.Tx, action auditlog.Action, h Webhook, details map[string]any) error {
	name := h.Description
	if name == "" {
		name = h.URL
	}
	return auditlog.Record(ctx, tx, auditlog.Event{Workspace: h.Workspace, Action: action, Subject: "webhook:" + h.ID.String(), Name: name, Details: details})
}

func (w *Webhooks) newSecret(webhook id.Webhook) (secret string, sealed []byte) {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // it never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(raw), w.sealer.Seal(nil, nil, raw, []byte(webhook.String()))
}

const webhookColumns = `id, workspace_id, url, description, types, format, secret, old_secret, old_until, created_at, failing_since, disabled_at, disabled_why`

func scanWebhook(row db.Row) (h Webhook, err error) {
	var types string
	var created int64
	var oldUntil, failing, disabled sql.NullInt64
	err = row.Scan(&h.ID, &h.Workspace, &h.URL, &h.Description, &types, &h.Format, &h.secret, &h.oldSecret, &oldUntil, &created, &failing, &disabled, &h.DisabledWhy)
	if err != nil {
		return h, err
	}
	h.CreatedAt, h.FailingSince, h.DisabledAt = db.FromTime(created), db.FromNullTime(failing), db.FromNullTime(disabled)
	if until := db.FromNullTime(oldUntil); until != nil && time.Now().Before(*until) {
		h.OldSecretUntil = until
	}
	err = json.Unmarshal([]byte(types), &h.Types)
	return h, err
}

// List returns the webhooks of the workspace, oldest first.
func (w *Webhooks) List(ctx context.Context, ws id.Workspace) ([]Webhook, error) {
	all, err := db.Collect(ctx, w.db.Read(), scanWebhook, `SELECT `+webhookColumns+` FROM webhook WHERE workspace_id = $1 ORDER BY id`, ws)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

// Get returns a webhook of the workspace. Faults: NotFound.
func (w *Webhooks) Get(ctx context.Context, ws id.Workspace, webhook id.Webhook) (Webhook, error) {
	return one(ctx, w.db.Read(), ws, webhook, "")
}

func one(ctx context.Context, q db.Querier, ws id.Workspace, webhook id.Webhook, lock string) (Webhook, error) {
	h, err := scanWebhook(q.QueryRowContext(ctx, `SELECT `+webhookColumns+` FROM webhook WHERE id = $1 AND workspace_id = $2`+lock, webhook, ws))
	if errors.Is(err, sql.ErrNoRows) {
		return Webhook{}, fault.New(fault.NotFound, "There is no webhook %s in this workspace.", webhook)
	}
	if err != nil {
		return Webhook{}, fmt.Errorf("read webhook %s: %w", webhook, err)
	}
	return h, nil
}

// Update changes a webhook. A disabled one that is enabled gets the events from now on. Faults: as Create; NotFound.
func (w *Webhooks) Update(ctx context.Context, ws id.Workspace, webhook id.Webhook, c Change) (Webhook, error) {
	h, err := w.Get(ctx, ws, webhook)
	if err != nil {
		return Webhook{}, err
	}
	if h = c.apply(h); c.URL != nil || c.Types != nil || c.Format != nil || c.Description != nil {
		if err := w.check(ctx, &h); err != nil {
			return Webhook{}, err
		}
	}
	checked := h
	err = w.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if h, err = one(ctx, tx, ws, webhook, tx.ForUpdate()); err != nil {
			return err
		}
		if h = c.apply(h); c.Types != nil {
			h.Types = checked.Types
		}
		if c.URL != nil {
			h.URL = checked.URL
		}
		if c.Description != nil {
			h.Description = checked.Description
		}
		types, err := json.Marshal(h.Types)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE webhook SET url = $2, description = $3, types = $4, failing_since = $5, disabled_at = $6, disabled_why = $7,
			format = $8 WHERE id = $1`, h.ID, h.URL, h.Description, string(types), db.NullTime(h.FailingSince), db.NullTime(h.DisabledAt), h.DisabledWhy, string(h.Format))
		if err != nil {
			return w.explain(err)
		}
		return record(ctx, tx, auditlog.WebhookChanged, h, map[string]any{"url": h.URL, "types": h.Types, "format": h.Format, "enabled": h.DisabledAt == nil})
	})
	return h, err
}

func (c Change) apply(h Webhook) Webhook {
	if c.URL != nil {
		h.URL = *c.URL
	}
	if c.Description != nil {
		h.Description = *c.Description
	}
	if c.Types != nil {
		h.Types = *c.Types
	}
	if c.Format != nil {
		h.Format = *c.Format
	}
	if c.Enabled == nil || *c.Enabled == (h.DisabledAt == nil) {
		return h
	}
	h.FailingSince, h.DisabledAt, h.DisabledWhy = nil, nil, ""
	if !*c.Enabled {
		h.DisabledAt, h.DisabledWhy = new(time.Now()), "An owner disabled it."
	}
	return h
}

// Rotate replaces the secret and returns the new one, which cannot be read again. For the overlap, requests are signed with both.
// Faults: Validation for a bad overlap, and for an overlap while that of the last rotation lasts, because its old secret would end
// earlier than was promised; NotFound.
func (w *Webhooks) Rotate(ctx context.Context, ws id.Workspace, webhook id.Webhook, overlap time.Duration) (string, Webhook, error) {
	if overlap < 0 || overlap > OverlapMax {
		return "", Webhook{}, invalid("overlap_hours", fmt.Sprintf("must be between 0 and %d", int(OverlapMax.Hours())))
	}
	var h Webhook
	if w.sealer == nil {
		return "", h, fault.New(fault.Forbidden, "This server has no key to encrypt secrets with.")
	}
	secret, sealed := w.newSecret(webhook)
	err := w.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if h, err = one(ctx, tx, ws, webhook, tx.ForUpdate()); err != nil {
			return err
		}
		if overlap > 0 && h.OldSecretUntil != nil {
			return invalid("overlap_hours", fmt.Sprintf("must be 0 until %s, while the secret before the last rotation still signs; 0 ends that one and "+
				"the present one at once", h.OldSecretUntil.Format(time.RFC3339)))
		}
		h.oldSecret, h.OldSecretUntil = nil, nil
		if overlap > 0 {
			h.oldSecret, h.OldSecretUntil = h.secret, new(db.FromTime(db.Time(time.Now().Add(overlap))))
		}
		h.secret = sealed
		_, err = tx.ExecContext(ctx, `UPDATE webhook SET secret = $2, old_secret = $3, old_until = $4 WHERE id = $1`,
			h.ID, h.secret, h.oldSecret, db.NullTime(h.OldSecretUntil))
		if err != nil {
			return fmt.Errorf("rotate secret of webhook %s: %w", webhook, err)
		}
		return record(ctx, tx, auditlog.WebhookRotated, h, map[string]any{"overlap_hours": overlap.Hours()})
	})
	if err != nil {
		return "", Webhook{}, err
	}
	return secret, h, nil
}

// Delete deletes a webhook with its deliveries. Deliveries in progress may still arrive. Faults: NotFound.
func (w *Webhooks) Delete(ctx context.Context, ws id.Workspace, webhook id.Webhook) error {
	return w.db.Tx(ctx, func(tx *db.Tx) error {
		h, err := one(ctx, tx, ws, webhook, tx.ForUpdate())
		if err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM webhook_delivery WHERE webhook_id = $1`, `DELETE FROM webhook WHERE id = $1`} {
			if _, err := tx.ExecContext(ctx, q, webhook); err != nil {
				return fmt.Errorf("delete webhook %s: %w", webhook, err)
			}
		}
		return record(ctx, tx, auditlog.WebhookDeleted, h, map[string]any{"url": h.URL})
	})
}

package webhook

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/reach"
)

const (
	// DeliveriesKept is how long a delivery can be listed and sent again.
	DeliveriesKept = 30 * 24 * time.Hour

	// TestType is the type of the message that Test sends. It is not in the event log of the workspace.
	TestType event.Type = "webhook.test"

	responseBytesMax = 2 << 10 // of an answer that is stored; more is not read
	userAgent        = "CAPI-Webhooks/1"
)

// State is how far a delivery is.
type State string

// The states. The last two are final.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Delivery is the sending of one event to one webhook.
type Delivery struct {
	ID          id.Delivery
	Webhook     id.Webhook
	Event       id.Event
	Type        event.Type
	State       State
	Attempts    int
	CreatedAt   time.Time
	AttemptedAt *time.Time // the last attempt; nil before the first
	NextAt      *time.Time // the next attempt at the earliest; nil if there is none or it is due
	Status      *int       // of the last answer; nil without one
	Took        time.Duration
	Response    string // the start of the last answer's body
	Error       string // why the last attempt failed, for people to read
}

// Message is what is sent: an event as the API shows it.
type Message struct {
	ID        id.Event        `json:"id"`
	Type      event.Type      `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// TextMessage is what is sent to a webhook of FormatText, as the incoming webhooks of chats take it.
type TextMessage struct {
	Text string `json:"text"`
}

func (m Message) sentence() string {
	if m.Type == TestType {
		return "This is a test of a webhook."
	}
	return event.Sentence(m.Type, m.Data)
}

type payload struct {
	Delivery string `json:"delivery_id"`
}

// Published is the step of the event log that adds a delivery of each new event to each webhook that wants it.
func (w *Webhooks) Published(ctx context.Context, tx *db.Tx, events []event.Event) error {
	byWorkspace := map[id.Workspace][]Webhook{}
	for _, e := range events {
		hooks, known := byWorkspace[e.Workspace]
		if !known {
			var err error
			hooks, err = db.Collect(ctx, tx, scanWebhook, `SELECT `+webhookColumns+` FROM webhook
				WHERE workspace_id = $1 AND disabled_at IS NULL ORDER BY id`, e.Workspace)
			if err != nil {
				return fmt.Errorf("read webhooks: %w", err)
			}
			byWorkspace[e.Workspace] = hooks
		}
		for _, h := range hooks {
			if !h.wants(e.Type) {
				continue
			}
			if _, err := w.enqueue(ctx, tx, h.ID, e.ID, e.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// wants reports whether the webhook has chosen the type. A type that a later version no longer knows chooses nothing.
func (h Webhook) wants(t event.Type) bool {
	types, _ := event.Select("types", h.Types)
	return slices.Contains(types, t)
}

func (w *Webhooks) enqueue(ctx context.Context, tx *db.Tx, webhook id.Webhook, e id.Event, t event.Type) (Delivery, error) {
	d := Delivery{ID: id.New[id.Delivery](), Webhook: webhook, Event: e, Type: t, State: Pending, CreatedAt: db.FromTime(db.Time(time.Now()))}
	if err := insertDelivery(ctx, tx, d); err != nil {
		return d, err
	}
	_, err := w.jobs.Enqueue(ctx, tx, JobKind, payload{d.ID.String()})
	tx.OnCommit(w.jobs.Notify)
	return d, err
}

func insertDelivery(ctx context.Context, tx *db.Tx, d Delivery) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO webhook_delivery (id, webhook_id, event_id, event_type, state, attempts, created_at, attempted_at, status, took_us, response, error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, d.ID, d.Webhook, d.Event, string(d.Type), string(d.State), d.Attempts,
		db.Time(d.CreatedAt), db.NullTime(d.AttemptedAt), d.Status, d.Took.Microseconds(), d.Response, d.Error)
	if err != nil {
		return fmt.Errorf("write delivery: %w", err)
	}
	return nil
}

// deliver makes one attempt. It may be called again after a crash, so a receiver may get an event more than once.
func (w *Webhooks) deliver(ctx context.Context, j job.Job) error {
	d, h, err := w.ofJob(ctx, j)
	if err != nil || d.State != Pending {
		return err
	}
	j.Note("webhook_id", h.ID)
	if h.DisabledAt != nil {
		return w.db.Tx(ctx, func(tx *db.Tx) error {
			return errors.Join(j.Complete(ctx, tx), finish(ctx, tx, d, Failed, "The webhook was disabled before the event could be delivered."))
		})
	}
	e, err := event.Get(ctx, w.db.Read(), d.Event)
	if fault.CodeOf(err) == fault.NotFound {
		return w.db.Tx(ctx, func(tx *db.Tx) error {
			return errors.Join(j.Complete(ctx, tx), finish(ctx, tx, d, Failed, "The event is not in the log any more."))
		})
	}
	if err != nil {
		return err
	}
	gone, cause := w.attempt(ctx, h, Message{e.ID, e.Type, e.CreatedAt, e.Data}, &d)
	if ctx.Err() != nil {
		return ctx.Err() // the attempt was cut off here, not there
	}
	if d.Error == "" {
		return w.db.Tx(ctx, func(tx *db.Tx) error { return errors.Join(j.Complete(ctx, tx), succeed(ctx, tx, d)) })
	}
	if gone || d.Attempts > len(w.options.Pauses) {
		return w.db.Tx(ctx, func(tx *db.Tx) error {
			return errors.Join(j.Complete(ctx, tx), finish(ctx, tx, d, Failed, d.Error), w.blame(ctx, tx, d, gone))
		})
	}
	pause := w.options.Pauses[d.Attempts-1]
	pause += rand.N(pause/10 + 1)
	d.NextAt = new(time.Now().Add(pause))
	err = w.db.Tx(ctx, func(tx *db.Tx) error {
		return errors.Join(finish(ctx, tx, d, Pending, d.Error), w.blame(ctx, tx, d, false))
	})
	if err != nil {
		return err
	}
	return job.RetryAfter(cmp.Or(cause, errors.New(d.Error)), pause)
}

// ofJob returns the delivery of the job and its webhook. A delivery whose webhook was deleted is not pending.
func (w *Webhooks) ofJob(ctx context.Context, j job.Job) (d Delivery, h Webhook, err error) {
	delivery, err := deliveryOf(j)
	if err != nil {
		return d, h, job.Fatal(err)
	}
	j.Note("delivery_id", delivery)
	d, err = scanDelivery(w.db.Read().QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM webhook_delivery WHERE id = $1`, delivery))
	if errors.Is(err, sql.ErrNoRows) {
		return d, h, nil
	}
	if err == nil {
		h, err = scanWebhook(w.db.Read().QueryRowContext(ctx, `SELECT `+webhookColumns+` FROM webhook WHERE id = $1`, d.Webhook))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, h, nil
	}
	if err != nil {
		return d, h, fmt.Errorf("read delivery %s: %w", delivery, err)
	}
	return d, h, nil
}

func deliveryOf(j job.Job) (id.Delivery, error) {
	var p payload
	if err := j.Decode(&p); err != nil {
		return id.Delivery{}, err
	}
	return id.Parse[id.Delivery](p.Delivery)
}

// discard fails the delivery of a job that ended without an outcome too often.
func (w *Webhooks) discard(ctx context.Context, tx *db.Tx, j job.Job, _ error) error {
	delivery, err := deliveryOf(j)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to fail
	}
	_, err = tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = 'failed', next_at = NULL, error = $2 WHERE id = $1 AND state = 'pending'`,
		delivery, "It was given up, because the server ended or failed during its last attempts. Send it again.")
	return err
}

// attempt sends the message once and sets what came of it. It reports whether the receiver wants no more, and the technical reason if there
// was no answer.
func (w *Webhooks) attempt(ctx context.Context, h Webhook, m Message, d *Delivery) (gone bool, cause error) {
	d.Attempts++
	d.AttemptedAt, d.NextAt, d.Status, d.Response, d.Error = new(db.FromTime(db.Time(time.Now()))), nil, nil, "", ""
	defer func(began time.Time) { d.Took = time.Since(began) }(time.Now())
	r, err := w.request(ctx, h, m)
	if err != nil {
		d.Error = "Nothing was sent: " + err.Error() + "."
		return false, nil
	}
	client := w.encrypted
	if r.URL.Scheme == "http" {
		client = w.plain
	}
	answer, err := client.Do(r)
	if err != nil {
		d.Error = reach.Explain(err)
		return false, withoutAddress(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, responseBytesMax)) // what could be read of it
	d.Status, d.Response = &answer.StatusCode, strings.ToValidUTF8(strings.ReplaceAll(string(body), "\x00", ""), "")
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
	case code >= 300 && code < 400:
		d.Error = fmt.Sprintf("The answer was a redirect (%d), which is not followed. Change the address of the webhook.", code)
	default:
		d.Error = fmt.Sprintf("The answer was %s, not a success (200 to 299).", strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)))
	}
	return answer.StatusCode == http.StatusGone, nil
}

// withoutAddress returns the error of a request without its URL, which may be a secret, as those of chats are.
func withoutAddress(err error) error {
	if sending, ok := errors.AsType[*url.Error](err); ok {
		return sending.Err
	}
	return err
}

// request returns the signed request.
func (w *Webhooks) request(ctx context.Context, h Webhook, m Message) (*http.Request, error) {
	var sent any = m
	if h.Format == FormatText {
		sent = TextMessage{m.sentence()}
	}
	body, err := json.Marshal(sent)
	if err != nil {
		return nil, err
	}
	secrets := [][]byte{h.secret}
	if h.OldSecretUntil != nil {
		secrets = append(secrets, h.oldSecret)
	}
	at := time.Now()
	var signatures []string
	for _, sealed := range secrets {
		signature, err := w.sign(h.ID, sealed, m.ID.String(), at, body)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set(standardwebhooks.HeaderWebhookID, m.ID.String())
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return r, nil
}

var errSecret = errors.New("the secret cannot be decrypted with the key of this server; rotate it")

func (w *Webhooks) sign(webhook id.Webhook, sealed []byte, message string, at time.Time, body []byte) (string, error) {
	if w.sealer == nil {
		return "", errSecret
	}
	raw, err := w.sealer.Open(nil, nil, sealed, []byte(webhook.String()))
	if err != nil {
		return "", errSecret
	}
	signer, err := standardwebhooks.NewWebhook(base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		return "", err
	}
	return signer.Sign(message, at, body)
}

// finish writes what came of the last attempt.
func finish(ctx context.Context, tx *db.Tx, d Delivery, s State, message string) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = $2, attempts = $3, attempted_at = $4, next_at = $5, status = $6, took_us = $7,
		response = $8, error = $9 WHERE id = $1 AND state = 'pending'`, d.ID, string(s), d.Attempts, db.NullTime(d.AttemptedAt), db.NullTime(d.NextAt), d.Status,
		d.Took.Microseconds(), d.Response, message)
	if err != nil {
		return fmt.Errorf("write delivery %s: %w", d.ID, err)
	}
	return nil
}

func succeed(ctx context.Context, tx *db.Tx, d Delivery) error {
	if err := finish(ctx, tx, d, Delivered, ""); err != nil {
		return err
	}
	// Without a change there is no lock for which the deliveries to the same webhook would wait.
	_, err := tx.ExecContext(ctx, `UPDATE webhook SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL`, d.Webhook)
	return err
}

// blame notes that the webhook is failing. It disables the webhook if its receiver wants no more, or if a delivery has failed for good
// and nothing was delivered for FailingMax.
func (w *Webhooks) blame(ctx context.Context, tx *db.Tx, d Delivery, gone bool) error {
	now := *d.AttemptedAt
	_, err := tx.ExecContext(ctx, `UPDATE webhook SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL AND disabled_at IS NULL`, d.Webhook, db.Time(now))
	if err != nil || !gone && d.NextAt != nil {
		return err
	}
	since, why := now.Add(-w.options.FailingMax), fmt.Sprintf("Nothing could be delivered for %s. The last attempt: %s", days(w.options.FailingMax), d.Error)
	if gone {
		since, why = now, "The receiver answered 410 Gone, which asks for no more events."
	}
	h, err := scanWebhook(tx.QueryRowContext(ctx, `UPDATE webhook SET disabled_at = $2, disabled_why = $3
		WHERE id = $1 AND disabled_at IS NULL AND failing_since <= $4 RETURNING `+webhookColumns, d.Webhook, db.Time(now), why, db.Time(since)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("disable webhook %s: %w", d.Webhook, err)
	}
	return errors.Join(record(ctx, tx, auditlog.WebhookDisabled, h, map[string]any{"because": why}), w.notify(ctx, tx, h))
}

func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d.Hours()/24)) + " days"
	}
	return d.String()
}

// Test sends a message of TestType to the webhook at once and returns what came of it. It is not sent again. Faults: NotFound.
func (w *Webhooks) Test(ctx context.Context, ws id.Workspace, webhook id.Webhook) (Delivery, error) {
	h, err := w.Get(ctx, ws, webhook)
	if err != nil {
		return Delivery{}, err
	}
	now := db.FromTime(db.Time(time.Now()))
	d := Delivery{ID: id.New[id.Delivery](), Webhook: webhook, Event: id.New[id.Event](), Type: TestType, State: Delivered, CreatedAt: now}
	data, err := json.Marshal(map[string]any{"webhook_id": webhook, "message": "This is a test."})
	if err != nil {
		return Delivery{}, err
	}
	_, _ = w.attempt(ctx, h, Message{d.Event, TestType, now, data}, &d)
	if d.Error != "" {
		d.State = Failed
	}
	return d, w.db.Tx(ctx, func(tx *db.Tx) error { return insertDelivery(ctx, tx, d) })
}

// Replay sends the event of a delivery again, in a new delivery. The steps run last in the transaction. Faults: NotFound; Validation for
// a disabled webhook, for a test, and for an event that is no longer in the log.
func (w *Webhooks) Replay(ctx context.Context, ws id.Workspace, webhook id.Webhook, delivery id.Delivery, then ...db.Step[Delivery]) (Delivery, error) {
	var made Delivery
	err := w.db.Tx(ctx, func(tx *db.Tx) error {
		h, err := one(ctx, tx, ws, webhook, "")
		if err != nil {
			return err
		}
		d, err := scanDelivery(tx.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM webhook_delivery WHERE id = $1 AND webhook_id = $2`, delivery, webhook))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fault.New(fault.NotFound, "There is no delivery %s of this webhook. Deliveries are kept for %d days.", delivery, int(DeliveriesKept.Hours()/24))
		case err != nil:
			return fmt.Errorf("read delivery %s: %w", delivery, err)
		case h.DisabledAt != nil:
			return fault.Invalid(fault.FieldError{Message: "The webhook is disabled. Enable it first."})
		case d.Type == TestType:
			return fault.Invalid(fault.FieldError{Message: "The delivery is a test. Send another test instead."})
		}
		if _, err := event.Get(ctx, tx, d.Event); err != nil {
			if fault.CodeOf(err) == fault.NotFound {
				err = fault.Invalid(fault.FieldError{Message: "The event is no longer in the log, so it cannot be sent again."})
			}
			return err
		}
		if made, err = w.enqueue(ctx, tx, webhook, d.Event, d.Type); err != nil {
			return err
		}
		return db.Then(ctx, tx, made, then)
	})
	return made, err
}

const deliveryColumns = `id, webhook_id, event_id, event_type, state, attempts, created_at, attempted_at, next_at, status, COALESCE(took_us, 0), response, error`

func scanDelivery(row db.Row) (d Delivery, err error) {
	var created, took int64
	var attempted, next, status sql.NullInt64
	err = row.Scan(&d.ID, &d.Webhook, &d.Event, &d.Type, &d.State, &d.Attempts, &created, &attempted, &next, &status, &took, &d.Response, &d.Error)
	d.CreatedAt, d.AttemptedAt, d.NextAt, d.Took = db.FromTime(created), db.FromNullTime(attempted), db.FromNullTime(next), time.Duration(took)*time.Microsecond
	if status.Valid {
		d.Status = new(int(status.Int64))
	}
	return d, err
}

// Deliveries returns up to limit deliveries to the webhook older than before, newest first; the zero id starts with the newest. An empty
// state selects all. Faults: NotFound.
func (w *Webhooks) Deliveries(ctx context.Context, ws id.Workspace, webhook id.Webhook, s State, before id.Delivery, limit int) ([]Delivery, error) {
	if _, err := w.Get(ctx, ws, webhook); err != nil {
		return nil, err
	}
	all, err := db.Collect(ctx, w.db.Read(), scanDelivery, `SELECT `+deliveryColumns+` FROM webhook_delivery
		WHERE webhook_id = $1 AND id < $2 AND ($3 = '' OR state = $3) ORDER BY id DESC LIMIT $4`, webhook, before.Bound(), string(s), limit)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return all, nil
}

// Prune deletes final deliveries that are older than DeliveriesKept. Any number of processes may call it from time to time.
func (w *Webhooks) Prune(ctx context.Context) error {
	const old = `SELECT id FROM webhook_delivery WHERE created_at < $1 AND state <> 'pending' ORDER BY created_at`
	if err := w.db.Prune(ctx, "webhook_delivery", "id", old, db.Time(time.Now().Add(-DeliveriesKept))); err != nil {
		return fmt.Errorf("prune deliveries: %w", err)
	}
	return nil
}

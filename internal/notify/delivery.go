package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Skipped is a run of a standing order that was skipped.
type Skipped struct {
	Order       id.Order  `json:"order_id"`
	Run         id.Run    `json:"run_id"`
	Name        string    `json:"name"` // of the order
	ScheduledAt time.Time `json:"scheduled_at"`
	Code        string    `json:"code"`
	Message     string    `json:"message"` // why, for people to read
	Paused      bool      `json:"paused"`  // the order does not run any more
}

type skippedPayload struct {
	Workspace id.Workspace `json:"workspace_id"`
	Person    id.Person    `json:"person_id"`
	Skipped
}

func (p skippedPayload) note() (key string, value any) { return "order_id", p.Order }

// Skipped tells the members of the workspace who want to know that a run of an order was skipped, after the transaction. An order that is
// skipped again and again for the same reason is reported once. It does nothing without a mail server.
func (n *Notifier) Skipped(ctx context.Context, tx *db.Tx, ws id.Workspace, r Skipped) error {
	if !n.Enabled() {
		return nil
	}
	var status, code string
	err := tx.QueryRowContext(ctx, `SELECT status, code FROM order_run WHERE order_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1`, r.Order, r.Run).Scan(&status, &code)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("read runs of order %s: %w", r.Order, err)
	case err == nil && status == "skipped" && code == r.Code && !r.Paused:
		return nil
	}
	return n.tell(ctx, tx, ws, "mail_orders", skippedKind, func(p id.Person) any { return skippedPayload{ws, p, r} })
}

// Undelivered is an attempt to deliver an export that failed.
type Undelivered struct {
	Export id.Export  `json:"export_id"`
	Error  string     `json:"error"`           // why, for people to read
	NextAt *time.Time `json:"next_attempt_at"` // nil after the last attempt
}

type undeliveredPayload struct {
	Workspace id.Workspace `json:"workspace_id"`
	Person    id.Person    `json:"person_id"`
	Undelivered
}

func (p undeliveredPayload) note() (key string, value any) { return "export_id", p.Export }

// Undelivered tells the members of the workspace who want to know that an export could not be delivered, after the transaction: the last
// attempt of each export, and the first one unless the export before it is not there either. It does nothing without a mail server.
func (n *Notifier) Undelivered(ctx context.Context, tx *db.Tx, ws id.Workspace, d Undelivered) error {
	if !n.Enabled() {
		return nil
	}
	if d.NextAt != nil {
		var failing string
		err := tx.QueryRowContext(ctx, `SELECT b.error FROM export_delivery d JOIN export_delivery b ON b.destination_id = d.destination_id
			WHERE d.export_id = $1 AND b.export_id < d.export_id AND b.attempted_at IS NOT NULL ORDER BY b.export_id DESC LIMIT 1`, d.Export).Scan(&failing)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read deliveries before that of export %s: %w", d.Export, err)
		}
		if failing != "" {
			return nil
		}
	}
	return n.tell(ctx, tx, ws, "mail_deliveries", undeliveredKind, func(p id.Person) any { return undeliveredPayload{ws, p, d} })
}

// chosen ends the emails that members choose.
const chosen = "You get this email because you chose it under Notifications in the workspace."

// skippedLetter returns the address of a member and the email about a run that was skipped. The address is empty if nothing is to be sent.
func (s *sender) skippedLetter(ctx context.Context, p skippedPayload) (to string, l letter, err error) {
	to, workspace, err := s.wants(ctx, p.Workspace, p.Person, "mail_orders")
	if err != nil || to == "" {
		return "", letter{}, err
	}
	l = letter{
		Subject: "Order skipped: " + p.Name,
		Lines: []string{
			fmt.Sprintf("The standing order %s of the workspace %s skipped its run of %s. Nothing was charged.", p.Name, workspace, p.ScheduledAt.UTC().Format(timeFormat)),
			strings.TrimSuffix(p.Message, " Nothing was charged."), // which the line above says
		},
		Button: "Open the order", Link: s.links.Order(p.Workspace, p.Order), After: []string{"Further runs that are skipped for the same reason are not reported.", chosen},
	}
	if p.Paused {
		l.Subject, l.After = "Order paused: "+p.Name, []string{chosen}
	}
	return to, l, nil
}

// undeliveredLetter returns the address of a member and the email about an export that could not be delivered. The address is empty if
// nothing is to be sent.
func (s *sender) undeliveredLetter(ctx context.Context, p undeliveredPayload) (to string, l letter, err error) {
	var workspace, export string
	var destination sql.NullString
	err = s.DB.Read().QueryRowContext(ctx, `
		SELECT p.email, w.name, e.name, t.name
		FROM export_delivery d
		JOIN export e ON e.id = d.export_id
		JOIN workspace w ON w.id = d.workspace_id
		JOIN member m ON m.workspace_id = w.id AND m.person = $3 AND m.mail_deliveries <> 0 AND m.left_at IS NULL
		JOIN person p ON p.id = m.person AND p.removed_at IS NULL
		LEFT JOIN destination t ON t.id = d.destination_id
		WHERE d.export_id = $1 AND d.workspace_id = $2 AND d.state <> 'delivered'`, p.Export, p.Workspace, p.Person).Scan(&to, &workspace, &export, &destination)
	if errors.Is(err, sql.ErrNoRows) {
		return "", letter{}, nil
	}
	if err != nil {
		return "", letter{}, fmt.Errorf("read delivery of export %s: %w", p.Export, err)
	}
	failed := fmt.Sprintf("The export %s of the workspace %s could not be delivered", export, workspace)
	l = letter{
		Subject: "Not delivered: " + export, Button: "Open the export", Link: s.links.Export(p.Workspace, p.Export), After: []string{chosen},
	}
	switch {
	case !destination.Valid:
		l.Lines = []string{
			failed + ", because its destination was deleted.",
			"Download the file on its page, or export the companies again with another destination. Both are free.",
		}
	case p.NextAt == nil:
		l.Lines = []string{
			failed + " to the destination " + destination.String + ".", p.Error,
			"There are no further attempts. Correct the reason, then deliver it again on its page. It costs nothing.",
		}
	default:
		l.Lines = []string{
			failed + " to the destination " + destination.String + ".", p.Error, "It is tried again for about a day. Nothing is bought again.",
		}
	}
	return to, l, nil
}

// Package auditlog records who did what and when. Every store writes its entries in the transaction of the change that they
// report, so there is no change without an entry and no entry without a change. Entries are never changed or deleted.
package auditlog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/id"
)

// Action is what was done.
type Action string

// The actions.
const (
	WorkspaceCreated Action = "workspace.created"
	WorkspaceRenamed Action = "workspace.renamed"
	WorkspaceChanged Action = "workspace.settings_changed"
	WorkspaceDeleted Action = "workspace.deleted"

	VisibleFieldsChanged Action = "workspace.visible_fields_changed"

	DailyCompaniesChanged      Action = "workspace.daily_companies_changed"
	TokenDailyCompaniesChanged Action = "token.daily_companies_changed"

	MemberAdded       Action = "member.added"
	MemberRoleChanged Action = "member.role_changed"
	MemberRemoved     Action = "member.removed"

	MemberBudgetChanged Action = "member.budget_changed"

	PersonCreated   Action = "person.created"
	PersonRemoved   Action = "person.removed"
	PersonChanged   Action = "person.changed"
	PasswordSet     Action = "person.password_set"
	OperatorGranted Action = "operator.granted"
	OperatorRevoked Action = "operator.revoked"

	TwoFactorEnabled      Action = "two_factor.enabled"
	TwoFactorDisabled     Action = "two_factor.disabled"
	RecoveryCodesReplaced Action = "two_factor.codes_replaced"
	RecoveryCodeUsed      Action = "two_factor.recovery_code_used"

	PasskeyAdded   Action = "passkey.added"
	PasskeyRenamed Action = "passkey.renamed"
	PasskeyRemoved Action = "passkey.removed"
	PasskeyCopied  Action = "passkey.copy_refused" // the signature was right, but the counter shows that a copy of the key exists

	LinkCreated   Action = "link.created"
	LinkWithdrawn Action = "link.withdrawn"

	SignedIn     Action = "session.signed_in"
	CodeRefused  Action = "session.code_refused" // after the right password
	SessionEnded Action = "session.ended"

	TokenCreated  Action = "token.created"
	TokenRevoked  Action = "token.revoked"
	TokenRotated  Action = "token.rotated"
	BudgetChanged Action = "token.budget_changed"

	WebhookCreated  Action = "webhook.created"
	WebhookChanged  Action = "webhook.changed"
	WebhookRotated  Action = "webhook.rotated"
	WebhookDisabled Action = "webhook.disabled" // because it failed
	WebhookDeleted  Action = "webhook.deleted"

	OrderCreated Action = "order.created"
	OrderChanged Action = "order.changed"
	OrderPaused  Action = "order.paused"
	OrderResumed Action = "order.resumed"
	OrderDeleted Action = "order.deleted"

	DestinationCreated Action = "destination.created"
	DestinationChanged Action = "destination.changed"
	DestinationDeleted Action = "destination.deleted"

	PresetCreated Action = "preset.created"
	PresetChanged Action = "preset.changed"
	PresetDeleted Action = "preset.deleted"

	KeyAccepted Action = "key.accepted"

	SigningKeyRotated Action = "signing_key.rotated"
	SigningKeyRevoked Action = "signing_key.revoked"

	CreditsGranted Action = "credits.granted"

	ImportStarted Action = "import.started"
	ImportUndone  Action = "import.undone"
)

// Actions returns all actions, in the order in which they are shown.
func Actions() []Action {
	return []Action{
		WorkspaceCreated, WorkspaceRenamed, WorkspaceChanged, WorkspaceDeleted, VisibleFieldsChanged, DailyCompaniesChanged, MemberAdded, MemberRoleChanged, MemberRemoved, MemberBudgetChanged, PersonCreated, PersonRemoved,
		PersonChanged, PasswordSet, OperatorGranted, OperatorRevoked, TwoFactorEnabled, TwoFactorDisabled, RecoveryCodesReplaced, RecoveryCodeUsed,
		PasskeyAdded, PasskeyRenamed, PasskeyRemoved, PasskeyCopied, LinkCreated, LinkWithdrawn, SignedIn, CodeRefused, SessionEnded, TokenCreated,
		TokenRevoked, TokenRotated, BudgetChanged, TokenDailyCompaniesChanged,
		WebhookCreated, WebhookChanged, WebhookRotated, WebhookDisabled, WebhookDeleted,
		OrderCreated, OrderChanged, OrderPaused, OrderResumed, OrderDeleted, DestinationCreated, DestinationChanged, DestinationDeleted, PresetCreated, PresetChanged, PresetDeleted, KeyAccepted, SigningKeyRotated, SigningKeyRevoked, CreditsGranted, ImportStarted, ImportUndone,
	}
}

// Selectable returns what Filter.Action accepts: each kind of subject, followed by its actions.
func Selectable() (all []Action) {
	last := Action("")
	for _, a := range Actions() {
		kind, _, _ := strings.Cut(string(a), ".")
		if Action(kind) != last {
			last = Action(kind)
			all = append(all, last)
		}
		all = append(all, a)
	}
	return all
}

// ActorSystem is the actor of changes that nobody asked for.
const ActorSystem = "system"

// By is who makes a change, and from where.
type By struct {
	Actor   string // person:<id>, token:<id> or person:<login> at the command line; empty for ActorSystem
	Address string // of the client; empty at the command line
}

type byKey struct{}

// With returns a context in which changes are recorded as made by the given actor.
func With(ctx context.Context, by By) context.Context { return context.WithValue(ctx, byKey{}, by) }

// As returns a context in which the person makes changes, unless it has an actor already: somebody who uses a link is not known
// before.
func As(ctx context.Context, person id.Person) context.Context {
	by, _ := ctx.Value(byKey{}).(By)
	if by.Actor != "" {
		return ctx
	}
	by.Actor = "person:" + person.String()
	return With(ctx, by)
}

func byOf(ctx context.Context) By {
	by, _ := ctx.Value(byKey{}).(By)
	if by.Actor == "" {
		by.Actor = ActorSystem
	}
	return by
}

// Event is a change to record.
type Event struct {
	Workspace id.Workspace // zero for the whole installation
	Action    Action
	Subject   string         // what was changed: a kind and an id, such as token:<id>
	Name      string         // the name of the subject; if empty, that of the person, token or workspace
	Details   map[string]any // what else is worth knowing, without secrets; may be nil
}

// Record adds the event to the log, in the transaction of the change, as made by the actor of ctx.
func Record(ctx context.Context, tx *db.Tx, e Event) error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	details, err := json.Marshal(e.Details)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	by := byOf(ctx)
	var name string
	err = tx.QueryRowContext(ctx, `
		INSERT INTO audit_entry (id, created_at, workspace_id, actor, address, action, subject, name, details)
		VALUES ($1, $2, $3, $4, $5, $6, CAST($7 AS TEXT), COALESCE(NULLIF(CAST($8 AS TEXT), ''),
			(SELECT name FROM person WHERE id = substr($7, 8)), (SELECT name FROM token WHERE id = substr($7, 7)),
			(SELECT name FROM workspace WHERE id = substr($7, 11)), ''), $9)
		RETURNING name`,
		id.New[id.AuditEntry](), db.Time(time.Now()), sql.NullString{String: e.Workspace.String(), Valid: !e.Workspace.IsZero()},
		by.Actor, by.Address, string(e.Action), e.Subject, e.Name, string(details)).Scan(&name)
	if err == nil {
		err = publish(ctx, tx, e, by, name)
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	return nil
}

// idNames are the names of the ids of subjects in the data of an event, by the kind of the subject.
var idNames = map[string]string{"token": "token_id", "person": "person_id", "entry": "transaction_id"}

// publish adds the change to the event log of its workspace, if events report it. It leaves out the client's address, which only
// owners may see.
func publish(ctx context.Context, tx *db.Tx, e Event, by By, name string) error {
	reported := slices.ContainsFunc(event.Catalogue(), func(known event.Entry) bool { return string(known.Type) == string(e.Action) })
	if e.Workspace.IsZero() || !reported {
		return nil
	}
	data := maps.Clone(e.Details)
	kind, subject, _ := strings.Cut(e.Subject, ":")
	data[idNames[kind]] = subject
	if name != "" {
		data["name"] = name
	}
	data["actor"] = by.forEvents()
	return event.Record(ctx, tx, e.Workspace, event.Type(e.Action), data)
}

// forEvents returns who made a change, as an event says it. At the command line it is an operator: a login of the
// machine is nobody else's business.
func (by By) forEvents() map[string]any {
	kind, who, _ := strings.Cut(by.Actor, ":")
	switch _, err := id.Parse[id.Person](who); {
	case who == "":
		return map[string]any{"type": kind}
	case kind == "person" && err != nil:
		return map[string]any{"type": "operator"}
	}
	return map[string]any{"type": kind, "id": who}
}

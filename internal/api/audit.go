package api

import (
	"context"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// AuditEntry is an entry of the audit log.
type AuditEntry struct {
	ID        id.AuditEntry  `json:"id" format:"uuid" doc:"The id of the entry."`
	CreatedAt time.Time      `json:"created_at" doc:"When the change was made."`
	Actor     Actor          `json:"actor" doc:"Who made the change."`
	Address   *string        `json:"address" doc:"IP address of the person's browser; null for commands and programs."`
	Action    string         `json:"action" doc:"What was done: the kind of the subject, a dot, and what happened to it." example:"token.revoked"`
	Subject   string         `json:"subject" doc:"What it was done to: its kind and its id." example:"token:0195510c-0000-7000-8000-000000000001"`
	Name      *string        `json:"name" doc:"The name of the subject at that time; null without one."`
	Details   map[string]any `json:"details" doc:"What else is known of the change, depending on the action; it holds no secrets."`
}

// AuditResponse is one page of the audit log.
type AuditResponse struct {
	Items      []AuditEntry `json:"items" doc:"The entries of this page, newest first."`
	NextCursor *string      `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
	orCSV
}

type auditInput struct {
	From   time.Time `query:"from" doc:"Only entries at or after this time (RFC 3339)."`
	To     time.Time `query:"to" doc:"Only entries before this time (RFC 3339)."`
	Action string    `query:"action" doc:"Only entries of this action, such as token.revoked, or of all actions of a kind, such as token."`
	Actor  string    `query:"actor" doc:"Only what this actor did: its type, a colon and its id, as in person:0195510c-0000-7000-8000-000000000001."`
	Format string    `query:"format" enum:"json,csv" default:"json" doc:"csv returns all entries at once, without pages."`
	pageInput
}

// check returns a Validation fault for an unknown action, and if the parameters contradict each other.
func (in *auditInput) check() error {
	errs := in.unlessCSV(in.Format)
	if !in.From.IsZero() && !in.To.IsZero() && !in.From.Before(in.To) {
		errs = append(errs, fault.FieldError{Field: "to", Message: "must be later than from"})
	}
	if known := auditlog.Selectable(); in.Action != "" && !slices.Contains(known, auditlog.Action(in.Action)) {
		names := make([]string, len(known))
		for i, a := range known {
			names[i] = string(a)
		}
		message := "is not an action of the audit log"
		if near := text.Nearest(in.Action, names); near != "" {
			message += "; did you mean " + near + "?"
		}
		errs = append(errs, fault.FieldError{Field: "action", Message: message})
	}
	return fault.Invalid(errs...)
}

func (s *server) listAudit(ctx context.Context, caller auth.Caller, in *auditInput) (*AuditResponse, error) {
	if !caller.Owner {
		return nil, fault.New(fault.Forbidden, "The audit log is for owners of the workspace. Use a token that belongs to an owner.")
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	filter := auditlog.Filter{Workspace: caller.Workspace, Action: auditlog.Action(in.Action), Actor: in.Actor, From: in.From, To: in.To}
	if in.Format == formatCSV {
		return &AuditResponse{orCSV: orCSV{&httpx.CSV{FileName: "audit.csv", Columns: auditlog.Columns(), Rows: s.Audit.Rows(ctx, filter)}}}, nil
	}
	scope := cursor.NewScope("audit", caller.Workspace, in.From.UnixMicro(), in.To.UnixMicro(), in.Action, in.Actor)
	before, err := readCursor(scope, in.Cursor, id.Parse[id.AuditEntry])
	if err != nil {
		return nil, err
	}
	entries, err := s.Audit.Page(ctx, filter, before, in.size()+1)
	if err != nil {
		return nil, err
	}
	out := &AuditResponse{Items: []AuditEntry{}}
	if len(entries) > in.size() {
		entries = entries[:in.size()]
		out.NextCursor = nextCursor(scope, entries[len(entries)-1].ID)
	}
	for _, e := range entries {
		kind, actor := e.ActorParts()
		out.Items = append(out.Items, AuditEntry{
			ID: e.ID, CreatedAt: e.CreatedAt, Actor: Actor{Type: kind, ID: orNull(actor), Name: orNull(e.ActorName)},
			Address: orNull(e.Address), Action: string(e.Action), Subject: e.Subject, Name: orNull(e.Name), Details: e.Details,
		})
	}
	return out, nil
}

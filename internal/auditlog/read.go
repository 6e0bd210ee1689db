package auditlog

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Entry is an entry of the log.
type Entry struct {
	ID        id.AuditEntry
	CreatedAt time.Time
	Workspace id.Workspace // zero for the whole installation
	Actor     string
	ActorName string // of a person or token; empty for others
	Address   string
	Action    Action
	Subject   string
	Name      string
	Details   map[string]any
}

// ActorParts returns the kind of the actor (person, token or system), and what follows it.
func (e Entry) ActorParts() (kind, name string) {
	kind, name, _ = strings.Cut(e.Actor, ":")
	return kind, name
}

// Filter selects entries; the zero Filter selects all of the installation.
type Filter struct {
	Workspace id.Workspace // zero for all, and for what belongs to no workspace
	Action    Action       // empty for any; a name before the dot, such as token, for all of its actions
	Actor     string       // empty for any
	From      time.Time    // inclusive; zero for no bound
	To        time.Time    // exclusive; zero for no bound
}

// Store reads the table audit_entry. Safe for concurrent use.
type Store struct{ db *db.DB }

// New returns a store on d.
func New(d *db.DB) *Store { return &Store{d} }

// Page returns up to limit selected entries older than before, newest first; the zero id starts with the newest.
func (s *Store) Page(ctx context.Context, f Filter, before id.AuditEntry, limit int) ([]Entry, error) {
	from, to, older, workspace := int64(math.MinInt64), int64(math.MaxInt64), "g", "" // g is greater than any UUID
	if !f.From.IsZero() {
		from = db.Time(f.From)
	}
	if !f.To.IsZero() {
		to = db.Time(f.To)
	}
	if !before.IsZero() {
		older = before.String()
	}
	if !f.Workspace.IsZero() {
		workspace = f.Workspace.String()
	}
	all, err := db.Collect(ctx, s.db.Read(), scan, `
		SELECT a.id, a.created_at, a.workspace_id, a.actor, COALESCE(t.name, p.name, ''), a.address, a.action, a.subject, a.name, a.details
		FROM audit_entry a
		LEFT JOIN token t ON t.id = substr(a.actor, 7)  -- behind token:
		LEFT JOIN person p ON p.id = substr(a.actor, 8) -- behind person:
		WHERE a.id < $1 AND a.created_at >= $2 AND a.created_at < $3 AND ($4 = '' OR a.workspace_id = $4)
			AND ($5 = '' OR a.action = $5 OR substr(a.action, 1, length($5) + 1) = $5 || '.') AND ($6 = '' OR a.actor = $6)
		ORDER BY a.id DESC LIMIT $7`, older, from, to, workspace, string(f.Action), f.Actor, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return all, nil
}

func scan(row db.Row) (e Entry, err error) {
	var created int64
	var details string
	err = row.Scan(&e.ID, &created, &e.Workspace, &e.Actor, &e.ActorName, &e.Address, &e.Action, &e.Subject, &e.Name, &details)
	if err == nil {
		err = json.Unmarshal([]byte(details), &e.Details)
	}
	e.CreatedAt = db.FromTime(created)
	return e, err
}

// pageMax bounds the entries that Rows keeps in memory.
const pageMax = 1000

// Columns returns the names of the cells of Rows.
func Columns() []string {
	return []string{"created_at", "id", "workspace_id", "actor", "actor_name", "address", "action", "subject", "name", "details"}
}

// Rows returns a function that calls row with the cells of each selected entry, newest first.
func (s *Store) Rows(ctx context.Context, f Filter) func(row func(cells ...any) error) error {
	return func(row func(cells ...any) error) error {
		for before := (id.AuditEntry{}); ; {
			page, err := s.Page(ctx, f, before, pageMax)
			if err != nil {
				return err
			}
			for _, e := range page {
				details, err := json.Marshal(e.Details)
				if err != nil {
					return err
				}
				workspace := ""
				if !e.Workspace.IsZero() {
					workspace = e.Workspace.String()
				}
				err = row(e.CreatedAt, e.ID.String(), workspace, e.Actor, e.ActorName, e.Address, string(e.Action), e.Subject, e.Name, string(details))
				if err != nil {
					return err
				}
			}
			if len(page) < pageMax {
				return nil
			}
			before = page[len(page)-1].ID
		}
	}
}

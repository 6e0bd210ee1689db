package credit

import (
	"context"
	"strings"

	"github.com/opencapi/capi/internal/id"
)

// Columns returns the columns of a ledger as a table, in the order of the cells of Rows.
func Columns() []string {
	return []string{
		"id", "created_at", "amount", "balance_after", "reason", "reference", "export_id", "actor_type", "actor_id",
		"actor_name", "note",
	}
}

// Rows returns a function that calls row for each entry that f selects, newest first, as by Each. A cell is a string, an
// int64 or a time.Time.
func (b *Store) Rows(ctx context.Context, ws id.Workspace, f Filter) func(row func(cells ...any) error) error {
	return func(row func(cells ...any) error) error {
		return b.Each(ctx, ws, f, func(e Entry) error {
			return row(e.cells()...)
		})
	}
}

// cells returns the entry in the order of Columns.
func (e Entry) cells() []any {
	var export string
	if x := e.Export(); !x.IsZero() {
		export = x.String()
	}
	actor, actorID, actorName := e.ActorParts()
	return []any{
		e.ID.String(), e.CreatedAt, e.Amount, e.BalanceAfter, string(e.Reason), e.Reference, export, actor, actorID, actorName, e.Note,
	}
}

// ActorParts returns what made the entry: token, person or system; its id, empty for the system and for a person who
// logged in to the server's machine; and its name, empty if not known.
func (e Entry) ActorParts() (kind, actor, name string) {
	kind, rest, _ := strings.Cut(e.Actor, ":")
	switch kind {
	case "token":
		return kind, rest, e.ActorName
	case "person":
		if _, err := id.Parse[id.Person](rest); err != nil {
			return kind, "", rest
		}
		return kind, rest, e.ActorName
	}
	return ActorSystem, "", ""
}

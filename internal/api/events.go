package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Event is something that happened in the workspace. Webhooks send it as their body.
type Event struct {
	ID        id.Event       `json:"id" format:"uuid" doc:"The id of the event, which webhooks send as webhook-id."`
	Type      string         `json:"type" doc:"What happened: the kind of the subject, a dot, and what happened to it." example:"export.completed"`
	Timestamp time.Time      `json:"timestamp" doc:"When it happened."`
	Data      map[string]any `json:"data" doc:"What is known of it, depending on the type."`
}

// EventsResponse is one page of the event log.
type EventsResponse struct {
	Items      []Event `json:"items" doc:"The events of this page, oldest first."`
	NextCursor *string `json:"next_cursor" doc:"Cursor of the next page; null if there are no more events now."`
}

type eventsInput struct {
	Types string   `query:"types" doc:"Only events of these types, separated by commas; export.* stands for all types of exports. Without it, all that the token may read." example:"export.completed,credits.*"`
	After id.Event `query:"after" format:"uuid" doc:"Only events that follow the one with this id. To follow the log, send the id of the last event that you have."`
	pageInput
}

// readableTypes returns the types that the names select. Without names, those for owners are left out for others; with names,
// they are refused.
func readableTypes(caller auth.Caller, names string) ([]event.Type, error) {
	var given []string
	if names != "" {
		given = strings.Split(names, ",")
	}
	chosen, err := event.Select("types", given)
	if err != nil || caller.Owner {
		return chosen, err
	}
	var types []event.Type
	for _, t := range chosen {
		if !t.ForOwners() {
			types = append(types, t)
		} else if len(given) > 0 {
			return nil, fault.New(fault.Forbidden, "Events of the type %s are for owners of the workspace. Use a token that belongs to an owner, or leave the type out.", t)
		}
	}
	return types, nil
}

func (s *server) listEvents(ctx context.Context, caller auth.Caller, in *eventsInput) (*EventsResponse, error) {
	if in.Cursor != "" && !in.After.IsZero() {
		return nil, fault.Invalid(fault.FieldError{Field: "after", Message: "cannot be combined with cursor: a cursor continues after the page that it came from"})
	}
	types, err := readableTypes(caller, in.Types)
	if err != nil {
		return nil, err
	}
	scope := cursor.NewScope("events", caller.Workspace, types)
	after, err := readCursor(scope, in.Cursor, id.Parse[id.Event])
	if err != nil {
		return nil, err
	}
	if in.Cursor == "" {
		after = in.After
	}
	events, err := s.Events.Page(ctx, event.Filter{Workspace: caller.Workspace, Types: types}, after, in.size()+1)
	if err != nil {
		return nil, err
	}
	out := &EventsResponse{Items: []Event{}}
	if len(events) > in.size() {
		events = events[:in.size()]
		out.NextCursor = nextCursor(scope, events[len(events)-1].ID)
	}
	for _, e := range events {
		shown := Event{ID: e.ID, Type: string(e.Type), Timestamp: e.CreatedAt}
		if err := json.Unmarshal(e.Data, &shown.Data); err != nil {
			return nil, err
		}
		out.Items = append(out.Items, shown)
	}
	return out, nil
}

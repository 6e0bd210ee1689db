package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Event is something that happened in the workspace, as the event log and webhooks report it.
type Event struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"` // such as export.completed
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// Events returns one page of the event log: up to limit events that follow the one with the id after, oldest first. An empty after
// starts with the oldest event. Without types, it returns all that the token may read; export.* stands for all types of exports. A
// limit of 0 is the server's default.
func (c *Client) Events(ctx context.Context, types []string, after string, limit int) (*Page[Event], error) {
	q := url.Values{}
	if len(types) > 0 {
		q.Set("types", strings.Join(types, ","))
	}
	if after != "" {
		q.Set("after", after)
	}
	var p Page[Event]
	if err := c.call(ctx, http.MethodGet, "/events"+paged(q, "", limit), nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// EventsAfter returns all events that follow the one with the id after, oldest first, and ends with the newest. To follow the log,
// call it again with the id of the last event.
func (c *Client) EventsAfter(ctx context.Context, types []string, after string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			page, err := c.Events(ctx, types, after, 100)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range page.Items {
				if !yield(e, nil) {
					return
				}
				after = e.ID
			}
			if page.NextCursor == "" {
				return
			}
		}
	}
}

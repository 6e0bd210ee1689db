package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/httpx"
)

const (
	exportEventsEvery = 250 * time.Millisecond

	// exportEventsMax bounds a stream, so that the token is checked again from time to time. The client reconnects by itself.
	exportEventsMax = 10 * time.Minute
)

// ExportEvents is a stream of server-sent events about an export.
type ExportEvents struct {
	stream func(w http.ResponseWriter, r *http.Request) error
}

type exportEventsInput struct {
	oneExportInput
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that the client has, which clients of server-sent events send by themselves when they reconnect. It is not sent again."`
}

// exportEvents streams the export while it changes. Each event carries the whole state, so a client that reconnects misses nothing.
func (s *server) exportEvents(ctx context.Context, caller auth.Caller, in *exportEventsInput) (*ExportEvents, error) {
	e, err := s.Exports.Get(ctx, caller, in.Export)
	if err != nil {
		return nil, err
	}
	if e.Status.Final() && in.LastEventID == versionOf(e) {
		return &ExportEvents{func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent) // which tells a client not to reconnect
			return nil
		}}, nil
	}
	return &ExportEvents{func(w http.ResponseWriter, r *http.Request) error {
		began, sent := time.Now(), in.LastEventID
		_, err := httpx.StreamEvents(w, r, exportEventsEvery, s.Stopping, func(out *httpx.EventStream) (bool, error) {
			now, err := s.Exports.Get(ctx, caller, in.Export)
			if err != nil {
				return false, err
			}
			if version := versionOf(now); version != sent {
				detail, err := s.exportDetail(ctx, now)
				if err != nil {
					return false, err
				}
				body, err := httpx.Encode(detail)
				if err != nil {
					return false, err
				}
				if err := out.Send(eventNameOf(now.Status), version, string(body[:len(body)-1])); err != nil {
					return false, err
				}
				sent = version
			}
			return !now.Status.Final() && time.Since(began) < exportEventsMax, nil
		})
		if err != nil && r.Context().Err() == nil {
			s.Log.WarnContext(ctx, "stream cut off", "path", r.URL.Path, "error", err)
		}
		return nil
	}}, nil
}

// versionOf returns a text that changes whenever the state of the export does.
func versionOf(e export.Export) string {
	return string(e.Status) + "-" + strconv.Itoa(e.ProcessedRecords) + "-" + strconv.FormatInt(e.Refunded, 10)
}

func eventNameOf(s export.Status) string {
	if s.Final() {
		return "export." + string(s)
	}
	return "export.progress"
}

// streamOf returns what writes the response if it is a stream; nil if it is not.
func streamOf(out any) func(http.ResponseWriter, *http.Request) error {
	if o, ok := out.(*ExportEvents); ok && o != nil {
		return o.stream
	}
	return nil
}

// isStream reports whether responses of the type are streams of server-sent events.
func isStream(out reflect.Type) bool { return out == reflect.TypeFor[ExportEvents]() }

package event_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
)

// log is an event log with a workspace, and what its step was called with.
type log struct {
	*event.Log
	db *db.DB
	ws id.Workspace

	mu        sync.Mutex
	published []id.Event
}

func open(t *testing.T, d *db.DB) *log {
	w, err := testkit.New(t, services.Parts{DB: d}).Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Acme"})
	require.NoError(t, err)
	l := &log{db: d, ws: w.ID}
	l.Log = event.New(d, func(_ context.Context, tx *db.Tx, events []event.Event) error {
		tx.OnCommit(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, e := range events {
				l.published = append(l.published, e.ID)
			}
		})
		return nil
	})
	return l
}

func (l *log) record(ctx context.Context, tx *db.Tx, n int) error {
	return event.Record(ctx, tx, l.ws, event.ExportCreated, map[string]any{"n": n})
}

func (l *log) add(t *testing.T, n int) {
	t.Helper()
	require.NoError(t, l.db.Tx(t.Context(), func(tx *db.Tx) error { return l.record(t.Context(), tx, n) }))
}

func (l *log) page(t *testing.T, after id.Event, limit int) []event.Event {
	t.Helper()
	types, err := event.Select("types", nil)
	require.NoError(t, err)
	events, err := l.Page(t.Context(), event.Filter{Workspace: l.ws, Types: types}, after, limit)
	require.NoError(t, err)
	return events
}

func TestARolledBackChangeHasNoEvent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, crash := open(t, d), errors.New("crash")
		require.ErrorIs(t, d.Tx(t.Context(), func(tx *db.Tx) error { return errors.Join(l.record(t.Context(), tx, 1), crash) }), crash)
		require.Empty(t, l.page(t, id.Event{}, 10))
		l.add(t, 2)
		events := l.page(t, id.Event{}, 10)
		require.Len(t, events, 1)
		require.JSONEq(t, `{"n": 2}`, string(events[0].Data))
		require.Equal(t, event.ExportCreated, events[0].Type)
	})
}

// The older event commits last, after a reader has seen the newer one.
func TestAnEventThatCommitsLateIsNotMissed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Name() == "sqlite" {
			return // it has one writer at a time
		}
		l := open(t, d)
		recorded, seen, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- d.Tx(t.Context(), func(tx *db.Tx) error {
				err := l.record(t.Context(), tx, 1)
				close(recorded)
				<-seen
				return err
			})
		}()
		<-recorded
		l.add(t, 2)
		first := l.page(t, id.Event{}, 10)
		require.Len(t, first, 1)
		require.JSONEq(t, `{"n": 2}`, string(first[0].Data))
		close(seen)
		require.NoError(t, <-done)
		late := l.page(t, first[0].ID, 10)
		require.Len(t, late, 1)
		require.JSONEq(t, `{"n": 1}`, string(late[0].Data))
		require.Less(t, late[0].ID.String(), first[0].ID.String(), "it was written before")
	})
}

// Many write while one follows the log and others publish. The follower sees each event once, and the step gets each once.
func TestAFollowerSeesEachEventOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d)
		const writers, each = 4, 30
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range each {
					l.add(t, w*each+i)
					if i%5 == 0 {
						require.NoError(t, l.Publish(t.Context()))
					}
				}
			})
		}
		written := make(chan struct{})
		go func() {
			group.Wait()
			close(written)
		}()
		var seen []id.Event
		for ended := false; ; {
			var after id.Event
			if len(seen) > 0 {
				after = seen[len(seen)-1]
			}
			events := l.page(t, after, 7)
			for _, e := range events {
				seen = append(seen, e.ID)
			}
			if len(events) == 0 && ended {
				break
			}
			select {
			case <-written:
				ended = true
			default:
			}
		}
		require.Len(t, seen, writers*each)
		require.ElementsMatch(t, l.published, seen) // their order here is that in which publishers heard of their commits
		slices.SortFunc(seen, func(a, b id.Event) int { return slices.Compare(a.UUID[:], b.UUID[:]) })
		require.Len(t, slices.Compact(seen), writers*each)
	})
}

// A step that fails leaves the events without numbers, and is called with them again.
func TestAStepThatFailsIsCalledAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, crash := open(t, d), errors.New("crash")
		l.add(t, 1)
		failing := event.New(d, func(context.Context, *db.Tx, []event.Event) error { return crash })
		require.ErrorIs(t, failing.Publish(t.Context()), crash)
		require.NoError(t, l.Publish(t.Context()))
		require.Len(t, l.published, 1)
		require.NoError(t, l.Publish(t.Context()))
		require.Len(t, l.published, 1)
	})
}

func TestOldEventsArePrunedAndACursorToThemIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d)
		for i := range 3 {
			l.add(t, i)
		}
		events := l.page(t, id.Event{}, 10)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE event SET created_at = $1 WHERE id = $2`, db.Time(time.Now().Add(-event.Kept-time.Minute)), events[0].ID)
			return err
		}))
		require.NoError(t, l.Prune(t.Context()))
		require.Len(t, l.page(t, id.Event{}, 10), 2)
		_, err := l.Page(t.Context(), event.Filter{Workspace: l.ws}, events[0].ID, 10)
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err))
		require.ErrorContains(t, err, "Events are kept for 90 days")
		other := id.New[id.Workspace]()
		_, err = l.Page(t.Context(), event.Filter{Workspace: other}, events[1].ID, 10)
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err), "an event of another workspace is refused in the same words")
	})
}

func TestTypesAreSelectedByNameAndKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		given []string
		want  []event.Type
		err   string
	}{
		{"one", []string{"export.completed"}, []event.Type{event.ExportCompleted}, ""},
		{"a kind", []string{"credits.*", "credits.low"}, []event.Type{event.CreditsGranted, event.CreditsLow}, ""},
		{"misspelt", []string{"export.complete"}, nil, "did you mean export.completed?"},
		{"misspelt kind", []string{"exports.*"}, nil, "did you mean export.*?"},
		{"everything", []string{"*"}, nil, "is not a type of events"},
		{"empty", []string{""}, nil, "is not a type of events"},
		{"nonsense", []string{"zzzzzzzzzzzzzzzz"}, nil, "use a type such as export.completed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := event.Select("types", c.given)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	all, err := event.Select("types", nil)
	require.NoError(t, err)
	require.Len(t, all, len(event.Catalogue()))
}

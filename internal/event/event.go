// Package event is the log of what happened in workspaces, for programs that follow it. The audit log answers who did what; an
// event says what a program may want to act on, and is deleted after a while.
//
// An event is written in the transaction that it reports, so it is there if and only if that has committed. Publish numbers it
// afterwards. Numbers become visible in their order, so a reader that has seen a number has seen all below it.
package event

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Kept is how long an event stays in the log.
const Kept = 90 * 24 * time.Hour

// Event is an event of the log.
type Event struct {
	ID        id.Event
	Workspace id.Workspace
	Type      Type
	CreatedAt time.Time
	Data      json.RawMessage // an object
}

// Record adds an event to the log of the workspace, in the transaction that it reports. data must not contain secrets.
func Record(ctx context.Context, tx *db.Tx, ws id.Workspace, t Type, data map[string]any) error {
	content, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("record event %s: %w", t, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO event (id, workspace_id, type, created_at, data) VALUES ($1, $2, $3, $4, $5)`,
		id.New[id.Event](), ws, string(t), db.Time(time.Now()), string(content))
	if err != nil {
		return fmt.Errorf("record event %s: %w", t, err)
	}
	return nil
}

// Log reads the table event and numbers its rows. Safe for concurrent use, also by several processes on one database.
type Log struct {
	db        *db.DB
	published db.Step[[]Event]
}

// New returns the log of a database. The steps run in the transaction that numbers the events that they get, so once for each event.
func New(d *db.DB, published ...db.Step[[]Event]) *Log {
	return &Log{db: d, published: func(ctx context.Context, tx *db.Tx, events []Event) error { return db.Then(ctx, tx, events, published) }}
}

// publishMax bounds the events of one transaction, so that other writers do not wait long.
const publishMax = 200

// Publish numbers the events that have no number yet.
func (l *Log) Publish(ctx context.Context) error {
	for {
		n, err := l.publishSome(ctx)
		if err != nil {
			return fmt.Errorf("publish events: %w", err)
		}
		if n < publishMax {
			return nil
		}
	}
}

func (l *Log) publishSome(ctx context.Context) (n int, err error) {
	// Reading first keeps an idle log from taking the write lock.
	var some bool
	err = l.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM event WHERE seq IS NULL)`).Scan(&some)
	if err != nil || !some {
		return 0, err
	}
	err = l.db.Tx(ctx, func(tx *db.Tx) error {
		// The row is locked until the commit, so nobody sees a number before all lower ones.
		var seq int64
		if err := tx.QueryRowContext(ctx, `SELECT seq FROM event_state WHERE id = 1`+tx.ForUpdate()).Scan(&seq); err != nil {
			return err
		}
		events, err := db.Collect(ctx, tx, scan, `SELECT `+columns+` FROM event WHERE seq IS NULL ORDER BY id LIMIT $1`, publishMax)
		if err != nil {
			return err
		}
		for _, e := range events {
			seq++
			if _, err := tx.ExecContext(ctx, `UPDATE event SET seq = $2 WHERE id = $1`, e.ID, seq); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE event_state SET seq = $1 WHERE id = 1`, seq); err != nil {
			return err
		}
		n = len(events)
		return l.published(ctx, tx, events)
	})
	return n, err
}

// Filter selects events of a workspace.
type Filter struct {
	Workspace id.Workspace
	Types     []Type
}

// Page returns up to limit selected events that follow after, oldest first; the zero id starts with the oldest that is kept. It
// includes every event that has committed before the call. InvalidCursor if after is not in the workspace's log.
func (l *Log) Page(ctx context.Context, f Filter, after id.Event, limit int) ([]Event, error) {
	if err := l.Publish(ctx); err != nil {
		return nil, err
	}
	var seq int64
	if !after.IsZero() {
		const q = `SELECT seq FROM event WHERE id = $1 AND workspace_id = $2 AND seq IS NOT NULL`
		err := l.db.Read().QueryRowContext(ctx, q, after, f.Workspace).Scan(&seq)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, fault.New(fault.InvalidCursor, "There is no event %s in this workspace's log. Events are kept for %d days; "+
				"leave out after and cursor to read from the oldest event.", after, int(Kept.Hours()/24))
		}
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
	}
	types, err := json.Marshal(f.Types)
	if err != nil {
		return nil, err
	}
	events, err := db.Collect(ctx, l.db.Read(), scan, `SELECT `+columns+` FROM event
		WHERE workspace_id = $1 AND seq > $2 AND type IN (SELECT value FROM `+l.db.EachString("$3")+`) ORDER BY seq LIMIT $4`,
		f.Workspace, seq, string(types), limit)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

const columns = `id, workspace_id, type, created_at, data`

func scan(row db.Row) (e Event, err error) {
	var created int64
	var data string
	err = row.Scan(&e.ID, &e.Workspace, &e.Type, &created, &data)
	e.CreatedAt, e.Data = db.FromTime(created), json.RawMessage(data)
	return e, err
}

// Get returns an event. NotFound if it is not in the log.
func Get(ctx context.Context, q db.Querier, e id.Event) (Event, error) {
	got, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM event WHERE id = $1`, e))
	if errors.Is(err, sql.ErrNoRows) {
		return Event{}, fault.New(fault.NotFound, "The event %s is not in the log any more.", e)
	}
	if err != nil {
		return Event{}, fmt.Errorf("read event %s: %w", e, err)
	}
	return got, nil
}

// Prune deletes events that are older than Kept. Any number of processes may call it from time to time.
func (l *Log) Prune(ctx context.Context) error {
	const old = `SELECT id FROM event WHERE created_at < $1 AND seq IS NOT NULL ORDER BY created_at`
	if err := l.db.Prune(ctx, "event", "id", old, db.Time(time.Now().Add(-Kept))); err != nil {
		return fmt.Errorf("prune events: %w", err)
	}
	return nil
}

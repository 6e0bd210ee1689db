// Package delivery brings the files of completed exports to their destinations: first the file, then its manifest, which is the sign
// that everything is there. It buys nothing, and it does not know where a destination is.
//
//	                      the export is completed         file and manifest are there
//	pending, without a job ──────────────────────▶ pending ──────────────────────────▶ delivered
//	                                                 │  ▲                                  │
//	                       the last attempt failed   ▼  └──────────────────────────────────┤
//	                                               failed ─────────────────────────────────┘ Again
//
// An export always has the same paths at a destination, so a second run replaces what the first one wrote with the same content.
package delivery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
)

// JobKind is the kind of the jobs that deliver an export.
const JobKind = "export.deliver"

// State is how far a delivery is.
type State string

// The states, by their names in the API.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Delivery is the delivery of an export to a destination.
type Delivery struct {
	Export      id.Export
	Workspace   id.Workspace
	Destination id.Destination // which may have been deleted since
	State       State
	Attempts    int
	AttemptedAt *time.Time // the last attempt; nil before the first
	NextAt      *time.Time // the next attempt at the earliest; nil if there is none or it is due
	DeliveredAt *time.Time
	Path        string // of the file at the destination; empty until it is delivered
	Error       string // why the last attempt failed, for people to read

	job id.Job // zero until the export is completed
}

// Options are the settings of Deliveries.
type Options struct {
	// Pauses are the times between attempts, plus up to a tenth. Defaults to eleven attempts over a day.
	Pauses []time.Duration

	// Timeout bounds an attempt. Defaults to 30m.
	Timeout time.Duration
}

var pauses = []time.Duration{
	10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
}

// Deps are what Deliveries need.
type Deps struct {
	DB           *db.DB
	Jobs         *job.Queue
	Destinations *destination.Destinations
	Files        func(context.Context, id.Export) (export.Export, []export.File, error) // as export.Exports.Files
	Options
}

// Deliveries is the use case. Safe for concurrent use, also by several processes on one database.
type Deliveries struct {
	Deps
}

// New returns the use case.
func New(d Deps) *Deliveries {
	if d.Pauses == nil {
		d.Pauses = pauses
	}
	if d.Timeout == 0 {
		d.Timeout = 30 * time.Minute
	}
	return &Deliveries{d}
}

// Handlers returns the handlers of the jobs by kind, for a runner.
func (s *Deliveries) Handlers() map[string]job.Handler {
	return map[string]job.Handler{JobKind: {Run: s.deliver, OnDiscard: s.discard}}
}

type payload struct {
	Export string `json:"export_id"`
}

// Check returns a Validation fault if the workspace has no such destination.
func (s *Deliveries) Check(ctx context.Context, ws id.Workspace, d id.Destination) error {
	_, err := s.Destinations.Get(ctx, ws, d)
	if fault.CodeOf(err) == fault.NotFound {
		return fault.Invalid(fault.FieldError{Field: "destination_id", Message: "is not a destination of this workspace"})
	}
	return err
}

// Bought is a step of a purchase: it notes where the export is to be delivered.
func (s *Deliveries) Bought(ctx context.Context, tx *db.Tx, e export.Export) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO export_delivery (export_id, workspace_id, destination_id, state, attempts, created_at, path, error)
		VALUES ($1, $2, $3, 'pending', 0, $4, '', '')`, e.ID, e.Workspace, e.Destination, db.Time(e.CreatedAt))
	if err != nil {
		return fmt.Errorf("write delivery of export %s: %w", e.ID, err)
	}
	return nil
}

// Completed is the step that completes an export: it adds the job that delivers it, if it has a destination.
func (s *Deliveries) Completed(ctx context.Context, tx *db.Tx, e id.Export) error {
	d, err := one(ctx, tx, e, tx.ForUpdate())
	if err != nil || d.Export.IsZero() {
		return err
	}
	return s.enqueue(ctx, tx, e)
}

// enqueue adds the job, which from then on is the only one that may deliver.
func (s *Deliveries) enqueue(ctx context.Context, tx *db.Tx, e id.Export) error {
	j, err := s.Jobs.Enqueue(ctx, tx, JobKind, payload{e.String()})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE export_delivery SET job_id = $2, state = 'pending', attempts = 0, next_at = NULL, error = '' WHERE export_id = $1`, e, j)
	if err != nil {
		return fmt.Errorf("write delivery of export %s: %w", e, err)
	}
	tx.OnCommit(s.Jobs.Notify)
	return nil
}

// Again delivers an export again, or at once if its next attempt is later. It costs nothing. The steps run last in the transaction.
// Faults: NotFound; ExportNotCompleted; ExportNotDeliverable without a destination, if the destination was deleted, and while it is
// being delivered.
func (s *Deliveries) Again(ctx context.Context, ws id.Workspace, e id.Export, then ...db.Step[Delivery]) (d Delivery, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		var status export.Status
		err := tx.QueryRowContext(ctx, `SELECT status FROM export WHERE id = $1 AND workspace_id = $2`, e, ws).Scan(&status)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no export %s in this workspace.", e)
		}
		if err != nil {
			return fmt.Errorf("read export %s: %w", e, err)
		}
		if d, err = one(ctx, tx, e, tx.ForUpdate()); err != nil {
			return err
		}
		switch {
		case d.Export.IsZero():
			return fault.New(fault.ExportNotDeliverable, "The export has no destination. Download it, or create an export with a destination_id: what is exported again is free.")
		case status != export.StatusCompleted:
			return fault.New(fault.ExportNotCompleted, "The export is %s, so there is no file to deliver.", status).With("status", string(status))
		}
		if _, err := s.Destinations.Get(ctx, ws, d.Destination); fault.CodeOf(err) == fault.NotFound {
			return fault.New(fault.ExportNotDeliverable, "The destination was deleted. Download the file, or export the companies again with another destination_id: that is free.")
		} else if err != nil {
			return err
		}
		// After the row is locked: a job that is not running yet will find that it is no longer the one that delivers.
		var running bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM job WHERE id = $1 AND state = 'running')`, d.job).Scan(&running); err != nil {
			return fmt.Errorf("read job of delivery: %w", err)
		}
		if running {
			return fault.New(fault.ExportNotDeliverable, "The export is being delivered at this moment. Look at its delivery in a few seconds.")
		}
		if err := s.enqueue(ctx, tx, e); err != nil {
			return err
		}
		if d, err = one(ctx, tx, e, ""); err != nil {
			return err
		}
		return db.Then(ctx, tx, d, then)
	})
	return d, err
}

const columns = `d.export_id, d.workspace_id, d.destination_id, d.job_id, d.state, d.attempts, d.attempted_at, d.next_at, d.delivered_at, d.path, d.error, e.status`

func scan(row db.Row) (d Delivery, err error) {
	var attempted, next, delivered sql.NullInt64
	var status export.Status
	err = row.Scan(&d.Export, &d.Workspace, &d.Destination, &d.job, &d.State, &d.Attempts, &attempted, &next, &delivered, &d.Path, &d.Error, &status)
	d.AttemptedAt, d.NextAt, d.DeliveredAt = db.FromNullTime(attempted), db.FromNullTime(next), db.FromNullTime(delivered)
	return d.Of(status), err
}

// Of returns the delivery of an export that has the status: one that ended without a file delivers nothing.
func (d Delivery) Of(status export.Status) Delivery {
	if status == export.StatusFailed || status == export.StatusCancelled {
		d.State, d.Error = Failed, fmt.Sprintf("The export was not completed (%s), so there is nothing to deliver.", status)
	}
	return d
}

// one returns the delivery of an export; the zero Delivery if it has no destination.
func one(ctx context.Context, q db.Querier, e id.Export, lock string) (Delivery, error) {
	if lock != "" { // of the delivery alone, not of the export that is joined
		if _, err := db.Collect(ctx, q, db.Value[string], `SELECT export_id FROM export_delivery WHERE export_id = $1`+lock, e); err != nil {
			return Delivery{}, fmt.Errorf("lock delivery of export %s: %w", e, err)
		}
	}
	d, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM export_delivery d JOIN export e ON e.id = d.export_id WHERE d.export_id = $1`, e))
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, nil
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery of export %s: %w", e, err)
	}
	return d, nil
}

// Of returns the deliveries of those of the exports that have a destination.
func (s *Deliveries) Of(ctx context.Context, exports ...id.Export) (map[id.Export]Delivery, error) {
	ids, err := json.Marshal(exports)
	if err != nil {
		return nil, err
	}
	all, err := db.Collect(ctx, s.DB.Read(), scan, `SELECT `+columns+` FROM export_delivery d JOIN export e ON e.id = d.export_id
		WHERE d.export_id IN (SELECT value FROM `+s.DB.EachString("$1")+`)`, string(ids))
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	of := make(map[id.Export]Delivery, len(all))
	for _, d := range all {
		of[d.Export] = d
	}
	return of, nil
}

// Named is a delivery with the name of its export.
type Named struct {
	Delivery
	Name      string
	CreatedAt time.Time // of the export
}

// To returns up to limit deliveries to a destination of exports older than before, the newest export first; the zero id starts with the
// newest.
func (s *Deliveries) To(ctx context.Context, ws id.Workspace, d id.Destination, before id.Export, limit int) ([]Named, error) {
	all, err := db.Collect(ctx, s.DB.Read(), func(row db.Row) (n Named, err error) {
		var created int64
		n.Delivery, err = scan(withMore{row, []any{&n.Name, &created}})
		n.CreatedAt = db.FromTime(created)
		return n, err
	}, `SELECT `+columns+`, e.name, e.created_at FROM export_delivery d JOIN export e ON e.id = d.export_id
		WHERE d.workspace_id = $1 AND d.destination_id = $2 AND d.export_id < $3 ORDER BY d.export_id DESC LIMIT $4`, ws, d, before.Bound(), limit)
	if err != nil {
		return nil, fmt.Errorf("list deliveries to destination %s: %w", d, err)
	}
	return all, nil
}

// withMore scans further columns behind those of scan.
type withMore struct {
	db.Row
	more []any
}

func (r withMore) Scan(to ...any) error { return r.Row.Scan(append(to, r.more...)...) }

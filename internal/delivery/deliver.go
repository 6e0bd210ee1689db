package delivery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/remote"
)

// deliver makes one attempt. It may be called again after a crash, and then writes the same files.
func (s *Deliveries) deliver(ctx context.Context, j job.Job) error {
	e, err := exportOf(j)
	if err != nil {
		return job.Fatal(err)
	}
	j.Note("export_id", e)
	d, err := s.begin(ctx, j, e)
	if err != nil || d.Export.IsZero() {
		return err
	}
	j.Note("destination_id", d.Destination)
	attempt, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	path, err := s.send(attempt, d)
	if ctx.Err() != nil {
		return ctx.Err() // the attempt was cut off here, not there
	}
	if err == nil {
		return s.succeed(ctx, j, d, path)
	}
	return s.fail(ctx, j, d, err, explain(err, s.Timeout))
}

func exportOf(j job.Job) (id.Export, error) {
	var p payload
	if err := j.Decode(&p); err != nil {
		return id.Export{}, err
	}
	return id.Parse[id.Export](p.Export)
}

// begin counts the attempt. The zero Delivery says that this job is not, or is no longer, the one that delivers.
func (s *Deliveries) begin(ctx context.Context, j job.Job, e id.Export) (d Delivery, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE export_delivery SET attempts = attempts + 1, attempted_at = $3, next_at = NULL
			WHERE export_id = $1 AND job_id = $2 AND state = 'pending'`, e, j.ID, db.Time(time.Now()))
		if err != nil {
			return fmt.Errorf("begin delivery of export %s: %w", e, err)
		}
		d = Delivery{}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		d, err = one(ctx, tx, e, "")
		return err
	})
	return d, err
}

// errChanged says that a file in our store is not what was recorded. It is not delivered.
var errChanged = errors.New("the stored file does not have the recorded SHA-256")

// send brings the files of an export to its destination, the manifest last, and returns the path of the first.
func (s *Deliveries) send(ctx context.Context, d Delivery) (path string, err error) {
	to, server, err := s.Destinations.Open(ctx, d.Workspace, d.Destination)
	if err != nil {
		return "", err
	}
	defer server.Close()
	e, files, err := s.Files(ctx, d.Export)
	if err != nil {
		return "", err
	}
	folder := destination.Folder(to.Prefix, destination.Delivered{
		Export: e.ID, CreatedAt: e.CreatedAt, Order: e.Terms.Order, OrderName: e.OrderSlug(),
	})
	for i, f := range files {
		name := e.DeliveredName(!destination.NamesExport(to.Prefix)) + f.Suffix
		if i > 0 {
			name = export.BesideName(name)
		}
		err := server.Put(ctx, folder+name, f.ContentType, func(w io.Writer) error { return copyFile(ctx, w, f) })
		if err != nil {
			return "", err
		}
		if i == 0 {
			path = folder + name
		}
	}
	return path, nil
}

// copyFile copies a file of our store, and fails if it is not what was recorded.
func copyFile(ctx context.Context, w io.Writer, f export.File) error {
	r, err := f.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, hash), r); err != nil {
		return err
	}
	if f.SHA256 != [sha256.Size]byte{} && f.SHA256 != [sha256.Size]byte(hash.Sum(nil)) {
		return errChanged
	}
	return nil
}

// explain returns why an attempt failed, for people.
func explain(err error, timeout time.Duration) string {
	refused, atDestination := errors.AsType[*remote.Error](err)
	switch {
	case atDestination:
		return strings.ToValidUTF8(strings.ReplaceAll(refused.Message, "\x00", ""), "")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("The file was not there after %v. Check the connection of the destination.", timeout)
	case fault.CodeOf(err) == fault.NotFound:
		return "The destination was deleted."
	case fault.CodeOf(err) == fault.Forbidden:
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return f.Message
		}
	}
	return "The file could not be read on this server. The operator finds the reason in its log."
}

func (s *Deliveries) succeed(ctx context.Context, j job.Job, d Delivery, path string) error {
	d.State, d.Path, d.Error, d.DeliveredAt = Delivered, path, "", new(db.FromTime(db.Time(time.Now())))
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := j.Complete(ctx, tx); err != nil {
			return err
		}
		return finish(ctx, tx, d, event.ExportDelivered)
	})
}

// fail records a failed attempt and returns the error with which the job is tried again, unless it was the last one.
func (s *Deliveries) fail(ctx context.Context, j job.Job, d Delivery, cause error, why string) error {
	first := d.Error == ""
	d.Error = why
	if d.Attempts > len(s.Pauses) || fault.CodeOf(cause) == fault.NotFound {
		d.State = Failed
		return s.DB.Tx(ctx, func(tx *db.Tx) error {
			if err := j.Complete(ctx, tx); err != nil {
				return err
			}
			return finish(ctx, tx, d, event.ExportDeliveryFailed)
		})
	}
	pause := s.Pauses[d.Attempts-1]
	pause += rand.N(pause/10 + 1)
	d.NextAt = new(db.FromTime(db.Time(time.Now().Add(pause))))
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if first {
			return finish(ctx, tx, d, event.ExportDeliveryFailed)
		}
		return finish(ctx, tx, d, "")
	})
	if err != nil {
		return err
	}
	return job.RetryAfter(cause, pause)
}

// finish writes what came of an attempt, with an event unless its type is empty.
func finish(ctx context.Context, tx *db.Tx, d Delivery, t event.Type) error {
	res, err := tx.ExecContext(ctx, `UPDATE export_delivery SET state = $3, next_at = $4, delivered_at = COALESCE($5, delivered_at), path = CASE WHEN $6 = '' THEN path ELSE $6 END, error = $7
		WHERE export_id = $1 AND job_id = $2 AND state = 'pending'`, d.Export, d.job, string(d.State), db.NullTime(d.NextAt), db.NullTime(d.DeliveredAt), d.Path, d.Error)
	if err != nil {
		return fmt.Errorf("write delivery of export %s: %w", d.Export, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 || t == "" {
		return err
	}
	var name string
	if err := tx.QueryRowContext(ctx, `SELECT name FROM export WHERE id = $1`, d.Export).Scan(&name); err != nil {
		return fmt.Errorf("read name of export %s: %w", d.Export, err)
	}
	data := map[string]any{
		"export_id": d.Export, "name": name, "destination_id": d.Destination, "status": string(d.State), "attempts": d.Attempts,
	}
	if t == event.ExportDelivered {
		data["path"], data["delivered_at"] = d.Path, d.DeliveredAt
	} else {
		data["error"], data["next_attempt_at"] = d.Error, d.NextAt
	}
	return event.Record(ctx, tx, d.Workspace, t, data)
}

// discard fails the delivery of a job that ended without an outcome too often.
func (s *Deliveries) discard(ctx context.Context, tx *db.Tx, j job.Job, _ error) error {
	e, err := exportOf(j)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to fail
	}
	d, err := one(ctx, tx, e, tx.ForUpdate())
	if err != nil || d.job != j.ID {
		return err
	}
	d.State, d.NextAt, d.Error = Failed, nil, "It was given up, because the server ended or failed during its last attempts. Deliver it again."
	return finish(ctx, tx, d, event.ExportDeliveryFailed)
}

package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/job"
)

// OldFileKind is the kind of the jobs that delete the files that PruneFiles has chosen.
const OldFileKind = "export.delete_file"

const (
	// againMax is the number of files that Download writes again at a time. Other calls wait.
	againMax = 2
	// pruneFilesMax is the number of files that PruneFiles chooses in one transaction.
	pruneFilesMax = 100
	// linkSlack is the longest difference between the clocks of two servers.
	linkSlack = 5 * time.Minute
)

// PruneFiles deletes the files that were written, or last asked for after Options.FilesKept, longer ago than that. It
// deletes no file while a link to it works. The workspace still owns the companies, and Download writes the file again.
func (x *Exports) PruneFiles(ctx context.Context) error {
	if x.options.FilesKept == 0 {
		return nil
	}
	before := db.Time(time.Now().Add(-x.options.FilesKept - x.options.LinkTTL - linkSlack))
	for {
		var n int
		err := x.db.Tx(ctx, func(tx *db.Tx) error {
			old, err := many(ctx, tx, `SELECT `+columns+` FROM export WHERE file_at < $1 ORDER BY file_at LIMIT $2`, before, pruneFilesMax)
			n = len(old)
			for i := 0; i < n && err == nil; i++ {
				err = x.giveUpFile(ctx, tx, old[i], before)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("prune files: %w", err)
		}
		if n < pruneFilesMax {
			return nil
		}
	}
}

// giveUpFile forgets the export's file and has a job delete it.
func (x *Exports) giveUpFile(ctx context.Context, tx *db.Tx, e Export, before int64) error {
	const q = `UPDATE export SET file_at = NULL, file_revision = file_begun, rows_as_of = NULL
		WHERE id = $1 AND file_revision = $2 AND file_at < $3 RETURNING file_begun`
	old := oldFile{Export: e.ID.String()}
	err := tx.QueryRowContext(ctx, q, e.ID, e.revision, before).Scan(&old.UpTo)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // somebody asked for it in the meantime
	}
	if err == nil {
		_, err = x.jobs.Enqueue(ctx, tx, OldFileKind, old)
	}
	return err
}

// oldFile is the payload of OldFileKind.
type oldFile struct {
	Export string `json:"export_id"`
	UpTo   int64  `json:"up_to"` // the newest revision to delete
}

// deleteOldFile deletes all revisions that the job names. There is more than one if somebody crashed while writing one.
func (x *Exports) deleteOldFile(ctx context.Context, j job.Job) error {
	var old oldFile
	if err := j.Decode(&old); err != nil {
		return job.Fatal(err)
	}
	e, err := x.ofJob(ctx, j)
	if err != nil {
		return err
	}
	for e.revision = 0; e.revision <= old.UpTo; e.revision++ {
		if err := x.deleteFile(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// deleteFile deletes the file, its manifest and the signature, if they exist.
func (x *Exports) deleteFile(ctx context.Context, e Export) error {
	if err := errors.Join(x.blobs.Delete(ctx, e.key()), x.blobs.Delete(ctx, e.manifestKey()), x.blobs.Delete(ctx, e.signatureKey())); err != nil {
		return fmt.Errorf("delete file of export %s: %w", e.ID, err)
	}
	return nil
}

// keepFile makes sure that a completed export has a file for as long as a new link works, and returns the export with it.
func (x *Exports) keepFile(ctx context.Context, e Export) (Export, error) {
	if e.FileAt != nil && (x.options.FilesKept == 0 || time.Since(*e.FileAt) < x.options.FilesKept) {
		return e, nil
	}
	if e.FileAt != nil {
		const q = `UPDATE export SET file_at = $2 WHERE id = $1 AND file_revision = $3 AND file_at IS NOT NULL`
		if kept, err := x.changed(ctx, q, e.ID, db.Time(time.Now()), e.revision); kept || err != nil {
			return e, err
		}
	}
	select {
	case x.again <- struct{}{}:
		defer func() { <-x.again }()
	case <-ctx.Done():
		return Export{}, ctx.Err()
	}
	for {
		e, err := one(ctx, x.db.Read(), e.Workspace, e.ID)
		if err != nil || e.FileAt != nil {
			return e, err
		}
		if err := x.writeAgain(ctx, e); err != nil {
			return Export{}, err
		}
	}
}

// writeAgain writes the file of a completed export that has none. Everybody who does so has a revision of their own, and so a key;
// the first to finish completes the file, and the others delete theirs. It is no error if this file was not completed: the
// catalog may have lost the states that it was written from.
func (x *Exports) writeAgain(ctx context.Context, e Export) error {
	const begin = `UPDATE export SET file_begun = file_begun + 1 WHERE id = $1 RETURNING file_begun`
	err := x.db.Tx(ctx, func(tx *db.Tx) error { return tx.QueryRowContext(ctx, begin, e.ID).Scan(&e.revision) })
	if err != nil {
		return fmt.Errorf("begin file of export %s: %w", e.ID, err)
	}
	asOf := e.asOf
	from, err := x.catalog.PastFrom(ctx)
	if err == nil && from > asOf {
		e.RowsAsOf = new(time.Now().UTC().Truncate(time.Microsecond))
		asOf, err = x.catalog.Seq(ctx)
	}
	if err != nil {
		return err
	}
	var done atomic.Int64
	info, err := x.write(ctx, e, asOf, &done)
	if err != nil {
		return errors.Join(err, x.abandon(ctx, e))
	}
	completed, err := x.completeAgain(ctx, e, asOf, info)
	if err != nil {
		return err // the file may be the export's, so it stays
	}
	if !completed {
		return x.abandon(ctx, e)
	}
	x.log.InfoContext(ctx, "deleted file written again", "export_id", e.ID, "size_bytes", info.SizeBytes, "as_bought", e.RowsAsOf == nil)
	return nil
}

// abandon deletes a file that was begun and is not the export's, even if ctx has ended.
func (x *Exports) abandon(ctx context.Context, e Export) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	return x.deleteFile(ctx, e)
}

// completeAgain makes the file that was written the export's, unless there is another one or its rows may be wrong.
func (x *Exports) completeAgain(ctx context.Context, e Export, asOf uint64, info blob.Info) (bool, error) {
	if from, err := x.catalog.PastFrom(ctx); err != nil || from > asOf {
		return false, err
	}
	const q = `UPDATE export SET file_at = $3, file_revision = $2, rows_as_of = $4, size_bytes = $5, sha256 = $6
		WHERE id = $1 AND file_revision < $2 AND file_at IS NULL`
	return x.changed(ctx, q, e.ID, e.revision, db.Time(time.Now()), db.NullTime(e.RowsAsOf), info.SizeBytes, info.SHA256[:])
}

// changed runs a statement on one export and reports whether it changed it.
func (x *Exports) changed(ctx context.Context, q string, args ...any) (bool, error) {
	var n int64
	err := x.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, q, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("update file of export: %w", err)
	}
	return n > 0, nil
}

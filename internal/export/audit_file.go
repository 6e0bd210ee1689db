package export

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/db"
)

// auditPage is the number of exports that AuditFiles reads at a time.
const auditPage = 100

// AuditFiles checks that every completed export has a whole file with the rows that were paid for, and a manifest that
// agrees, and that no failed or cancelled export still has a file. It reads every file, so it is slow; it calls progress,
// unless that is nil, before each. Exports that complete while it runs may be left out.
func (x *Exports) AuditFiles(ctx context.Context, progress func(done, total int)) ([]audit.Finding, error) {
	var total int
	var last sql.NullString
	const q = `SELECT COUNT(*), MAX(id) FROM export WHERE status = 'completed'`
	if err := x.db.Read().QueryRowContext(ctx, q).Scan(&total, &last); err != nil {
		return nil, fmt.Errorf("audit files: %w", err)
	}
	a := fileAuditor{Exports: x}
	for after, done := "", 0; after < last.String; {
		const q = `SELECT ` + columns + ` FROM export WHERE status = 'completed' AND id > $1 AND id <= $2 ORDER BY id LIMIT $3`
		page, err := many(ctx, x.db.Read(), q, after, last.String, auditPage)
		if err != nil || len(page) == 0 {
			return a.findings, err
		}
		for _, e := range page {
			if progress != nil {
				progress(done, total)
			}
			if err := a.export(ctx, e); err != nil {
				return nil, fmt.Errorf("audit file of export %s: %w", e.ID, err)
			}
			done++
		}
		after = page[len(page)-1].ID.String()
	}
	err := a.leftovers(ctx)
	return a.findings, err
}

type fileAuditor struct {
	*Exports
	findings []audit.Finding
}

// export compares the manifest and the file with the database.
func (a *fileAuditor) export(ctx context.Context, e Export) error {
	m, err := a.promised(ctx, e)
	if err != nil {
		return err
	}
	return errors.Join(a.manifest(ctx, e, m), a.file(ctx, e, m))
}

// promised returns the manifest as the database alone defines it.
func (a *fileAuditor) promised(ctx context.Context, e Export) (Manifest, error) {
	var selectionBytes int
	const q = `SELECT COALESCE(SUM(length(companies)), 0) FROM export_selection WHERE export_id = $1`
	if err := a.db.Read().QueryRowContext(ctx, q, e.ID).Scan(&selectionBytes); err != nil {
		return Manifest{}, err
	}
	return e.manifest(selectionBytes/4, blob.Info{SizeBytes: e.SizeBytes, SHA256: e.SHA256}), nil
}

func (a *fileAuditor) manifest(ctx context.Context, e Export, promised Manifest) error {
	r, err := a.open(ctx, e, "manifest", e.manifestKey())
	if r == nil || err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, manifestBytesMax+1))
	if err != nil {
		return err
	}
	if _, err := ParseManifest(bytes.NewReader(content)); err != nil {
		a.find(e, "its manifest cannot be read: %v", err)
		return nil
	}
	if other := promised.differences(content); len(other) > 0 {
		a.find(e, "its manifest has a different %s than the database", strings.Join(other, ", "))
	}
	return nil
}

func (a *fileAuditor) file(ctx context.Context, e Export, promised Manifest) error {
	r, err := a.open(ctx, e, "file", e.key())
	if r == nil || err != nil {
		return err
	}
	defer r.Close()
	checks, err := promised.Verify(r)
	if err != nil {
		return err
	}
	// One finding is enough: the first failed check is the cause of the others.
	if i := slices.IndexFunc(checks, func(c Check) bool { return !c.OK }); i >= 0 {
		a.find(e, "its file is not the one that was paid for: %s", checks[i].Problem())
	}
	return nil
}

// open returns nil and adds a finding if there is no such file.
func (a *fileAuditor) open(ctx context.Context, e Export, what, key string) (io.ReadCloser, error) {
	r, err := a.blobs.Open(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		a.find(e, "its %s is missing: %s", what, key)
		return nil, nil //nolint:nilnil // see above
	}
	return r, err
}

func (a *fileAuditor) find(e Export, text string, args ...any) {
	a.findings = append(a.findings, audit.Found("export", e.ID, fmt.Sprintf(text, args...)))
}

// leftoverGrace is how long the file of a failed or cancelled export may remain. By then, workers that were writing it have
// noticed, and jobs that delete it have run several times.
const leftoverGrace = time.Hour

// leftovers finds files of failed and cancelled exports.
func (a *fileAuditor) leftovers(ctx context.Context) error {
	const q = `SELECT ` + columns + ` FROM export WHERE status IN ('failed', 'cancelled') AND completed_at < $1 AND id > $2
		ORDER BY id LIMIT $3`
	before := db.Time(time.Now().Add(-leftoverGrace))
	for after := ""; ; {
		page, err := many(ctx, a.db.Read(), q, before, after, auditPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if err := a.leftover(ctx, e); err != nil {
				return fmt.Errorf("look for files of export %s: %w", e.ID, err)
			}
		}
		after = page[len(page)-1].ID.String()
	}
}

func (a *fileAuditor) leftover(ctx context.Context, e Export) error {
	for _, key := range []string{e.key(), e.manifestKey()} {
		_, err := a.blobs.Stat(ctx, key)
		if errors.Is(err, blob.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		a.find(e, "it is %s, but its file still exists and may be deleted: %s", e.Status, key)
	}
	return nil
}

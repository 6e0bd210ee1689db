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
	"github.com/opencapi/capi/internal/signing"
)

// auditPage is the number of exports that AuditFiles reads at a time.
const auditPage = 100

// AuditFiles checks that every completed export whose file was not deleted by PruneFiles has a whole file with the rows that were
// paid for, and a manifest that agrees, and that no failed or cancelled export still has a file. It reads every file, so it is slow; it calls progress,
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
	if e.FileAt == nil {
		return nil
	}
	m, err := a.promised(ctx, e)
	if err != nil {
		return err
	}
	return errors.Join(a.manifest(ctx, e, m), a.file(ctx, e, m))
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
		return nil
	}
	return a.signature(ctx, e, content)
}

// signature ignores a missing signature and one of an unknown key: the next download replaces both.
func (a *fileAuditor) signature(ctx context.Context, e Export, manifest []byte) error {
	if !a.sign.Enabled() {
		return nil
	}
	signature, err := a.small(ctx, e.signatureKey(), signatureBytesMax)
	if err != nil || signature == nil {
		return err
	}
	keys, err := a.sign.Published(ctx)
	if err != nil {
		return err
	}
	if _, err := keys.Verify(manifest, string(signature)); err != nil && !errors.Is(err, signing.ErrUnknownKey) {
		a.find(e, "the signature of its manifest is wrong (%v); the next download replaces it", err)
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

// open returns nil if there is no such file, and adds a finding unless it was deleted in the meantime.
func (a *fileAuditor) open(ctx context.Context, e Export, what, key string) (io.ReadCloser, error) {
	r, err := a.blobs.Open(ctx, key)
	if !errors.Is(err, blob.ErrNotFound) {
		return r, err
	}
	now, err := one(ctx, a.db.Read(), e.Workspace, e.ID)
	if err == nil && now.FileAt != nil && now.revision == e.revision {
		a.find(e, "its %s is missing: %s", what, key)
	}
	return nil, err
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
	for _, key := range []string{e.key(), e.manifestKey(), e.signatureKey()} {
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

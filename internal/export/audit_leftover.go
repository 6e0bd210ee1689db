package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/db"
)

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

package unlock

import (
	"context"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Audit checks the log: no company is unlocked twice or taken back without being owned, sizes and numbers are right, and
// snapshots are the sum of their deltas. Each workspace is read in one state of the database, so it is correct while
// others write.
func (s *Store) Audit(ctx context.Context) ([]audit.Finding, error) {
	workspaces, err := db.Collect(ctx, s.db.Read(), db.Value[id.Workspace],
		`SELECT workspace_id FROM unlock_delta UNION SELECT workspace_id FROM unlock_snapshot`)
	if err != nil {
		return nil, fmt.Errorf("audit unlocks: %w", err)
	}
	var findings []audit.Finding
	for _, ws := range workspaces {
		a := logAudit{workspace: ws, sum: roaring.New()}
		if err := s.db.ReadTx(ctx, func(q db.Querier) error { return a.replay(ctx, q) }); err != nil {
			return nil, fmt.Errorf("audit unlocks of workspace %s: %w", ws, err)
		}
		findings = append(findings, a.findings...)
	}
	return findings, nil
}

// logAudit replays one workspace's log.
type logAudit struct {
	workspace id.Workspace
	sum       *roaring.Bitmap
	seq       int64
	findings  []audit.Finding
}

func (a *logAudit) replay(ctx context.Context, q db.Querier) error {
	s, err := readSnapshot(ctx, q, a.workspace)
	if errors.Is(err, company.ErrSet) {
		a.find("the snapshot cannot be read: %v", err)
		s, err = snapshot{}, nil
	}
	if err != nil {
		return err
	}
	err = eachDelta(ctx, q, a.workspace, func(d delta) {
		a.delta(d)
		if d.seq == s.seq {
			a.snapshot(s)
		}
	})
	if errors.Is(err, company.ErrSet) {
		a.find("%v; the deltas after it cannot be checked", err)
		return nil
	}
	if err == nil && s.seq > a.seq {
		a.find("snapshot %d is newer than the last delta, %d", s.seq, a.seq)
	}
	return err
}

func (a *logAudit) delta(d delta) {
	if d.seq != a.seq+1 {
		a.find("delta %d follows delta %d", d.seq, a.seq)
	}
	if n := d.companies.Len(); int64(n) != d.size {
		a.find("delta %d should have %d companies, but has %d", d.seq, d.size, n)
	}
	here := int(a.sum.AndCardinality(d.companies.Bitmap()))
	if d.change == adds && here > 0 {
		a.find("delta %d of export %s unlocks %d companies a second time", d.seq, d.export, here)
	}
	if missing := d.companies.Len() - here; d.change == takes && missing > 0 {
		a.find("delta %d of export %s takes back %d companies that are not owned", d.seq, d.export, missing)
	}
	d.applyTo(a.sum)
	a.seq = d.seq
}

func (a *logAudit) snapshot(s snapshot) {
	if !s.companies.Bitmap().Equals(a.sum) || s.size != int64(s.companies.Len()) {
		a.find("snapshot %d is not the sum of its deltas", s.seq)
	}
}

func (a *logAudit) find(format string, args ...any) {
	a.findings = append(a.findings, audit.Found("workspace", a.workspace, fmt.Sprintf(format, args...)))
}

package export_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
)

func TestAuditFindsInconsistencies(t *testing.T) {
	t.Parallel()
	key := func(e export.Export) string { return fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, e.Format) }
	for name, test := range map[string]struct {
		harm func(*testing.T, *fixture, export.Export)
		want string
	}{
		"a charge that differs from the unlocks": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE unlock_delta SET size = size - 1 WHERE export_id = $1`, e.ID)
		}, "unlocked 19"},
		"a ledger entry with a different amount": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE entry SET amount = -21 WHERE id = $1`, e.Figures.TransactionID)
		}, "the ledger has a charge of 21"},
		"a missing ledger entry": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `DELETE FROM entry WHERE id = $1`, e.Figures.TransactionID)
		}, "the ledger has a charge of 0"},
		"a refund without an entry": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE export SET credits_refunded = 3 WHERE id = $1`, e.ID)
		}, "took back 0"},
		"a missing selection": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `DELETE FROM export_selection WHERE export_id = $1`, e.ID)
		}, "selection of 0 bytes"},
		"an unfinished export whose job is done": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE export SET status = 'pending' WHERE id = $1`, e.ID)
		}, "its job is done"},
		"an export without a job": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE export SET status = 'processing', job_id = 'none' WHERE id = $1`, e.ID)
		}, "its job is missing"},
		"a missing file": {func(t *testing.T, s *fixture, e export.Export) {
			require.NoError(t, s.blobs.Delete(t.Context(), key(e)))
		}, "missing"},
		"a truncated file": {func(t *testing.T, s *fixture, e export.Export) {
			rewrite(t, s, key(e), s.file(t, e)[1:])
		}, "bytes"},
		"a changed file": {func(t *testing.T, s *fixture, e export.Export) {
			changed := s.file(t, e)
			changed[100] ^= 1
			rewrite(t, s, key(e), changed)
		}, "its sha256 is"},
		"a file with fewer rows": {func(t *testing.T, s *fixture, e export.Export) {
			info, err := s.blobs.Put(t.Context(), key(e), func(w io.Writer) error {
				_, err := io.WriteString(w, "[{}]")
				return err
			})
			require.NoError(t, err)
			s.exec(t, `UPDATE export SET size_bytes = $2, sha256 = $3 WHERE id = $1`, e.ID, info.SizeBytes, info.SHA256[:])
		}, "its rows are 1, not 20"},
		"a missing manifest": {func(t *testing.T, s *fixture, e export.Export) {
			require.NoError(t, s.blobs.Delete(t.Context(), export.ManifestName(key(e))))
		}, "its manifest is missing"},
		"a manifest of a different file": {func(t *testing.T, s *fixture, e export.Export) {
			m := bytes.Replace(s.manifest(t, e), []byte(`"rows": 20`), []byte(`"rows": 21`), 1)
			rewrite(t, s, export.ManifestName(key(e)), m)
		}, "its manifest has a different rows than the database"},
		"a file that is not a manifest": {func(t *testing.T, s *fixture, e export.Export) {
			rewrite(t, s, export.ManifestName(key(e)), []byte("{}"))
		}, "its manifest cannot be read"},
		"unlocks without an export": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE unlock_delta SET export_id = $2 WHERE export_id = $1`, e.ID, e.Job)
		}, "there is no such export"},
		"a charge without an export": {func(t *testing.T, s *fixture, e export.Export) {
			s.exec(t, `UPDATE entry SET reference = 'export:gone' WHERE id = $1`, e.Figures.TransactionID)
		}, "there is no such export"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := open(t, d, 20, 100)
				e := s.buy(t, between(1, 20))
				s.runJobs(t, 1)
				s.auditClean(t)
				test.harm(t, s, e)
				findings, err := s.Audit(t.Context())
				require.NoError(t, err)
				require.NotEmpty(t, findings)
				require.Contains(t, fmt.Sprint(findings), test.want)
				require.Contains(t, []string{"export " + e.ID.String(), "workspace " + e.Workspace.String()}, findings[0].Subject)
			})
		})
	}
}

func rewrite(t *testing.T, s *fixture, key string, content []byte) {
	t.Helper()
	_, err := s.blobs.Put(t.Context(), key, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	require.NoError(t, err)
}

func TestAuditStopsWhenItsContextIsCancelled(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Audit(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

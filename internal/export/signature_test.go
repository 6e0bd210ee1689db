package export_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
)

func (s *fixture) signatureKey(e export.Export) string {
	return "exports/" + e.Workspace.String() + "/" + e.ID.String() + ".json.manifest.json.jws"
}

// requireSigned checks the signature of the stored manifest and returns the id of its key.
func (s *fixture) requireSigned(t *testing.T, e export.Export) string {
	t.Helper()
	r, err := s.blobs.Open(t.Context(), s.signatureKey(e))
	require.NoError(t, err)
	defer r.Close()
	signature, err := io.ReadAll(r)
	require.NoError(t, err)
	keys, err := s.sign.Published(t.Context())
	require.NoError(t, err)
	kid, err := keys.Verify(s.manifest(t, e), string(signature))
	require.NoError(t, err)
	return kid
}

func (s *fixture) replaceFile(t *testing.T, key string, content []byte) {
	t.Helper()
	_, err := s.blobs.Put(t.Context(), key, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	require.NoError(t, err)
}

func TestADownloadHasASignatureThatFitsWhateverHappenedToTheEarlierOne(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 20, 20)
	e := s.buy(t, between(1, 20))
	s.runJobs(t, 1)
	kid := s.requireSigned(t, e)
	whole := s.manifest(t, e)
	download := func() {
		links, err := s.Download(t.Context(), s.caller, e.ID)
		require.NoError(t, err)
		require.Contains(t, links.Signature, ".jws")
		require.Equal(t, string(whole), string(s.manifest(t, e)))
	}
	download()

	// An export of an earlier version has none.
	require.NoError(t, s.blobs.Delete(t.Context(), s.signatureKey(e)))
	s.requireFiles(t)
	download()
	require.Equal(t, kid, s.requireSigned(t, e))

	// Nobody who can write to the store can have another manifest signed.
	s.replaceFile(t, "exports/"+e.Workspace.String()+"/"+e.ID.String()+".json.manifest.json", bytes.Replace(whole, []byte(`"rows": 20`), []byte(`"rows": 19`), 1))
	download()
	s.requireSigned(t, e)

	s.replaceFile(t, s.signatureKey(e), []byte("nonsense"))
	s.requireFiles(t, "the signature of its manifest is wrong")
	download()
	s.requireSigned(t, e)
	s.requireFiles(t)

	require.NoError(t, s.sign.Revoke(t.Context(), kid))
	s.requireFiles(t)
	download()
	require.NotEqual(t, kid, s.requireSigned(t, e))
}

// requireFiles checks what the audit of files finds.
func (s *fixture) requireFiles(t *testing.T, want ...string) {
	t.Helper()
	findings, err := s.AuditFiles(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, findings, len(want))
	for i, f := range findings {
		require.Contains(t, f.Problem, want[i])
	}
}

func TestManifestsWithoutAKeyHaveNoSignature(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 20, 20)
	s.sign = nil
	e := s.buy(t, between(1, 20))
	s.runJobs(t, 1)
	links, err := s.another().Download(t.Context(), s.caller, e.ID)
	require.NoError(t, err)
	require.Empty(t, links.Signature)
	s.requireFiles(t)
}

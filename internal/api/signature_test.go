package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/signing"
)

// publishedKeys returns the keys as anyone can read them.
func (h *house) publishedKeys(t testing.TB) signing.Keys {
	t.Helper()
	a := h.raw(t, h.request(t, "", "GET", "/.well-known/jwks.json", nil))
	require.Equal(t, 200, a.status)
	require.Equal(t, "application/jwk-set+json", a.header.Get("Content-Type"))
	require.Equal(t, "public, max-age=3600", a.header.Get("Cache-Control"))
	keys, err := signing.ParseKeys(a.body)
	require.NoError(t, err)
	return keys
}

func TestTheKeysAreReadWithoutATokenAndHaveNothingPrivate(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	_, err := h.Signing.Rotate(t.Context(), signing.CacheTime)
	require.NoError(t, err)
	var keys struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(h.raw(t, h.request(t, "", "GET", "/.well-known/jwks.json", nil)).body, &keys))
	require.Len(t, keys.Keys, 2)
	for _, k := range keys.Keys {
		require.Len(t, k["kid"], 43)
		require.Len(t, k["x"], 43)
		delete(k, "kid")
		delete(k, "x")
		require.Equal(t, map[string]any{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}, k)
	}
}

func TestReceiptsAndStatementsAreSigned(t *testing.T) {
	t.Parallel()
	h := stocked(t, 30, settings{})
	h.work(t)
	export := create(t, h, M{"name": "all", "search_filters": M{}}).ExportJob.ID
	finish(t, h, export)
	keys := h.publishedKeys(t)
	for _, path := range []string{
		"/exports/" + export + "/receipt", "/exports/" + export + "/receipt?format=csv", "/exports/" + export + "/receipt?limit=2",
		"/credits/statements/2026-01", "/credits/statements/2026-01?format=csv",
	} {
		a := h.send(t, h.reader, "GET", path, nil)
		require.Equal(t, 200, a.status, "%s: %s", path, a.body)
		_, err := keys.Verify(a.body, a.header.Get("JWS-Signature"))
		require.NoError(t, err, path)
		_, err = keys.Verify(append(a.body, ' '), a.header.Get("JWS-Signature"))
		require.ErrorIs(t, err, signing.ErrMismatch, path)

		r := h.request(t, h.reader, "GET", base+path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		if a = h.raw(t, r); a.header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(a.body))
			require.NoError(t, err)
			a.body, err = io.ReadAll(z)
			require.NoError(t, err)
		}
		_, err = keys.Verify(a.body, a.header.Get("JWS-Signature"))
		require.NoError(t, err, "%s, compressed", path)
	}
	csv := string(h.send(t, h.reader, "GET", "/exports/"+export+"/receipt?format=csv", nil).body)
	require.Equal(t, 30, strings.Count(csv, ",,"+export+",20"), "each row names the export and the time")

	a := h.send(t, h.reader, "GET", "/exports/018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f/receipt?format=csv", nil)
	require.Equal(t, 404, a.status)
	require.Empty(t, a.header.Get("JWS-Signature"))
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	a = h.send(t, h.reader, "GET", "/credits/statements/2999-01", nil)
	require.Equal(t, 422, a.status)
	require.Contains(t, string(a.body), "its statement is available from 2999-02-01T00:05:00Z")
}

func TestAStatementHasItsMonthAndBalances(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	h.exec(t, `UPDATE entry SET created_at = 1772400000000000`) // 2026-03-01T21:20:00Z
	got := get[M](t, h, h.reader, 200, "GET", "/credits/statements/2026-03", nil)
	require.EqualValues(t, 0, got["opening_balance"])
	require.EqualValues(t, 1000, got["closing_balance"])
	require.Equal(t, h.ws.String(), got["workspace_id"])
	require.Len(t, got["items"], 1)
	lines := strings.Split(strings.TrimSpace(string(h.send(t, h.reader, "GET", "/credits/statements/2026-03?format=csv", nil).body)), "\r\n")
	require.Len(t, lines, 2)
	require.True(t, strings.HasSuffix(lines[0], "note,workspace_id,month"), lines[0])
	require.True(t, strings.HasSuffix(lines[1], h.ws.String()+",2026-03"), lines[1])
	after := get[M](t, h, h.reader, 200, "GET", "/credits/statements/2026-04", nil)
	require.EqualValues(t, 1000, after["opening_balance"])
	require.Empty(t, after["items"])
}

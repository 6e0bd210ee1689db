package signing_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/signing"
)

var secret = bytes.Repeat([]byte{7}, 32)

func published(t *testing.T, s *signing.Store) signing.Keys {
	t.Helper()
	keys, err := s.Published(t.Context())
	require.NoError(t, err)
	return keys
}

func sign(t *testing.T, s *signing.Store, document string) string {
	t.Helper()
	signature, err := s.Sign(t.Context(), []byte(document))
	require.NoError(t, err)
	return signature
}

func states(t *testing.T, s *signing.Store) (all []signing.State) {
	t.Helper()
	keys, err := s.List(t.Context())
	require.NoError(t, err)
	for _, k := range keys {
		all = append(all, k.State)
	}
	return all
}

func TestServersThatStartAtOnceSignWithOneKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 8
		var ready, done sync.WaitGroup
		ready.Add(n)
		signatures := make([]string, n)
		for i := range n {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				signature, err := signing.New(d, secret).Sign(t.Context(), []byte("x"))
				if err == nil {
					signatures[i] = signature
				}
			})
		}
		done.Wait()
		require.NotEmpty(t, signatures[0])
		for _, s := range signatures {
			require.Equal(t, signatures[0], s)
		}
		require.Len(t, published(t, signing.New(d, secret)).Keys, 1)
	})
}

func TestWhatWasSignedBeforeARotationIsVerifiedAfterIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := signing.New(d, secret)
		before := sign(t, s, "x")
		next, err := s.Rotate(t.Context(), 2*time.Hour)
		require.NoError(t, err)
		require.Equal(t, signing.Waits, next.State)
		require.Equal(t, []signing.State{signing.Waits, signing.Signs}, states(t, s))
		require.Equal(t, before, sign(t, s, "x"), "the old key signs until the overlap is over")
		require.Equal(t, next.ID, published(t, s).Keys[0].KeyID, "the new key is published before it signs")

		// The overlap ends.
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE signing_key SET signs_from = $1 WHERE kid = $2`, db.Time(time.Now().Add(-time.Second)), next.ID)
			return err
		}))
		after := sign(t, s, "x")
		kid, err := published(t, s).Verify([]byte("x"), after)
		require.NoError(t, err)
		require.Equal(t, next.ID, kid)
		_, err = published(t, s).Verify([]byte("x"), before)
		require.NoError(t, err)

		now, err := s.Rotate(t.Context(), 0)
		require.NoError(t, err)
		kid, err = published(t, s).Verify([]byte("y"), sign(t, s, "y"))
		require.NoError(t, err)
		require.Equal(t, now.ID, kid)
		require.Equal(t, []signing.State{signing.Signs, signing.Verifies, signing.Verifies}, states(t, s))
		for _, signature := range []string{before, after} {
			_, err = published(t, s).Verify([]byte("x"), signature)
			require.NoError(t, err)
		}
		var private int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(private) FROM signing_key`).Scan(&private))
		require.Equal(t, 2, private, "the private key of before the last one is deleted")
		for _, overlap := range []time.Duration{time.Minute, -1, 1000 * time.Hour} {
			_, err = s.Rotate(t.Context(), overlap)
			require.Equal(t, fault.Validation, fault.CodeOf(err))
		}
	})
}

func TestARevokedKeyVerifiesNothingAndAnotherOneSigns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := signing.New(d, secret)
		before := sign(t, s, "x")
		first := published(t, s).Keys[0].KeyID
		require.NoError(t, s.Revoke(t.Context(), first))
		require.Equal(t, []signing.State{signing.Signs, signing.Revoked}, states(t, s))
		kid, err := published(t, s).Verify([]byte("x"), before)
		require.ErrorIs(t, err, signing.ErrUnknownKey)
		require.Equal(t, first, kid)
		_, err = published(t, s).Verify([]byte("x"), sign(t, s, "x"))
		require.NoError(t, err)

		// A key that waits signs early if the one that signs is revoked.
		next, err := s.Rotate(t.Context(), time.Hour)
		require.NoError(t, err)
		require.NoError(t, s.Revoke(t.Context(), published(t, s).Keys[1].KeyID))
		kid, err = published(t, s).Verify([]byte("x"), sign(t, s, "x"))
		require.NoError(t, err)
		require.Equal(t, next.ID, kid)

		require.Equal(t, fault.NotFound, fault.CodeOf(s.Revoke(t.Context(), first)))
		require.Equal(t, fault.NotFound, fault.CodeOf(s.Revoke(t.Context(), "nobody")))
	})
}

func TestPrivateKeysAreEncryptedAndALostKeyIsReplaced(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := signing.New(d, secret)
		before := sign(t, s, "x")
		var sealed []byte
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT private FROM signing_key`).Scan(&sealed))
		require.Len(t, sealed, 12+32+16, "a nonce, the encrypted seed and its tag")

		// Another key of the installation, as after capi key accept.
		other := signing.New(d, bytes.Repeat([]byte{8}, 32))
		after := sign(t, other, "x")
		require.NotEqual(t, before, after)
		for _, signature := range []string{before, after} {
			_, err := published(t, other).Verify([]byte("x"), signature)
			require.NoError(t, err)
		}
		require.False(t, signing.New(d, nil).Enabled())
	})
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := signing.New(dbtest.SQLite(t), secret)
	other := signing.New(dbtest.SQLite(t), secret)
	signature := sign(t, s, "the document")
	keys := published(t, s)
	header, mac, _ := strings.Cut(signature, "..")
	whole := header + "." + "dGhlIGRvY3VtZW50" + "." + mac
	flipped := "A"
	if strings.HasPrefix(mac, "A") {
		flipped = "B"
	}
	for name, c := range map[string]struct {
		document, signature string
		want                error
	}{
		"right":              {"the document", signature + "\n", nil},
		"a changed byte":     {"the Document", signature, signing.ErrMismatch},
		"a missing byte":     {"the documen", signature, signing.ErrMismatch},
		"nothing":            {"", signature, signing.ErrMismatch},
		"another signature":  {"the document", sign(t, s, "another document"), signing.ErrMismatch},
		"a changed one":      {"the document", header + ".." + flipped + mac[1:], signing.ErrMismatch},
		"another server's":   {"the document", sign(t, other, "the document"), signing.ErrUnknownKey},
		"a cut off one":      {"the document", signature[:len(signature)-10], signing.ErrUnreadable},
		"half of one":        {"the document", header, signing.ErrUnreadable},
		"an empty one":       {"the document", "", signing.ErrUnreadable},
		"one with a payload": {"the document", whole, signing.ErrUnreadable},
		"no algorithm":       {"the document", "eyJhbGciOiJub25lIn0..", signing.ErrUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := keys.Verify([]byte(c.document), c.signature)
			require.ErrorIs(t, err, c.want)
		})
	}
	encoded, err := json.Marshal(keys)
	require.NoError(t, err)
	read, err := signing.ParseKeys(encoded)
	require.NoError(t, err)
	_, err = read.Verify([]byte("the document"), signature)
	require.NoError(t, err)
	for _, wrong := range []string{"", "{}", `{"keys":[]}`, "<html>"} {
		_, err := signing.ParseKeys([]byte(wrong))
		require.ErrorContains(t, err, "not a set of keys")
	}
}

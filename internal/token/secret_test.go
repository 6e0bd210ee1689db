package token

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretsDifferAndPassTheirChecksum(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret()
		require.Len(t, s, secretLength)
		require.True(t, wellFormed(s))
		require.False(t, seen[s])
		seen[s] = true
	}
}

// Anyone who scans for leaked secrets relies on the checksum staying as it is.
func TestChecksumStaysTheSame(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0nd1YE", string(checksum("cornect_0123456789ABCDEFGHIJKLMNOPQRSTUV")))
}

func FuzzWellFormedNeverPanics(f *testing.F) {
	f.Add("cornect_your_token_here")
	f.Add(newSecret())
	f.Fuzz(func(t *testing.T, s string) {
		if wellFormed(s) {
			require.Len(t, s, secretLength)
		}
	})
}

package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/text"
)

func TestShortKeepsWholeCharacters(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "short", strings.Repeat("é", 100), strings.Repeat("x", 100)} {
		require.Equal(t, s, text.Short(s))
	}
	require.Equal(t, strings.Repeat("é", 100)+"…", text.Short(strings.Repeat("é", 101)))
}

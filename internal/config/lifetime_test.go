package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func TestLifetimesCanBeGivenInDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"30d": 30 * 24 * time.Hour, "1h30m": 90 * time.Minute} {
		t.Run(text, func(t *testing.T) {
			var l config.Lifetime
			require.NoError(t, l.UnmarshalText([]byte(text)))
			require.Equal(t, want, time.Duration(l), text)
		})
	}
	for _, text := range []string{"", "0d", "-1d", "0h", "d", "1w", "999999999d"} {
		var l config.Lifetime
		require.Error(t, l.UnmarshalText([]byte(text)), text)
	}
}

package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetentionIsATimeOrForever(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 0, "forever": 0, "90d": 90 * 24 * time.Hour, "1h": time.Hour} {
		c := valid()
		c.KeepFiles = text
		require.NoError(t, c.Validate(), text)
		require.Equal(t, want, c.FilesKept(), text)
	}
	for _, text := range []string{"59m", "-1d", "soon", "0d", "0"} {
		c := valid()
		c.KeepFiles = text
		require.ErrorContains(t, c.Validate(), "--keep-files: ", text)
	}
	for text, want := range map[string]time.Duration{"": 0, "0": 0, "10m": 10 * time.Minute, "30d": 30 * 24 * time.Hour} {
		c := valid()
		c.KeepRecords = text
		require.NoError(t, c.Validate(), text)
		require.Equal(t, want, c.RecordsKept(), text)
	}
	for _, text := range []string{"forever", "-1d", "soon"} {
		c := valid()
		c.KeepRecords = text
		require.ErrorContains(t, c.Validate(), "--keep-records: ", text)
	}
}

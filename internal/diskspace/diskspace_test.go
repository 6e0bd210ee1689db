package diskspace_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/diskspace"
)

func TestASpaceIsMeasured(t *testing.T) {
	t.Parallel()
	s, err := diskspace.Of(t.TempDir())
	require.NoError(t, err)
	require.Positive(t, s.FreeBytes)
	require.Greater(t, s.TotalBytes, s.FreeBytes)
	_, err = diskspace.Of(filepath.Join(t.TempDir(), "missing"))
	require.ErrorContains(t, err, "missing")
}

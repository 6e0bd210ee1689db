package embedded

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
)

func TestDamageNeverLooksLikeASmallerIndex(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file     string // empty for the first segment
		at       int64
		segments int // undamaged ones
	}{
		"a segment's header":     {"", 30, 1},
		"a segment's version":    {"", 8, 1},
		"a segment that is gone": {"", -2, 1},
		"a truncated segment":    {"", -1, 1},
		"the manifest":           {manifestName, 20, 0},
		"a truncated manifest":   {manifestName, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := onDisk(t, companytest.Slice(1, 100))
			m, err := readManifest(dir)
			require.NoError(t, err)
			require.Len(t, m.Segments, 2)
			if test.file == "" {
				test.file = m.Segments[0].Name
			}
			damageFile(t, filepath.Join(dir, test.file), test.at)
			stats, damages, err := Inspect(dir)
			require.NoError(t, err)
			require.Len(t, damages, 1)
			require.Equal(t, test.file, damages[0].Segment)
			require.Len(t, stats.Segments, test.segments)
			_, verified, err := Verify(t.Context(), dir)
			require.NoError(t, err)
			require.Equal(t, damages, verified)
		})
	}
}

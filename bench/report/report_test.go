package report

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesShowMedianAnd95thPercentile(t *testing.T) {
	t.Parallel()
	var times Times
	for i := range 100 {
		times = append(times, time.Duration(100-i)*100*time.Microsecond)
	}
	require.Equal(t, "5.10/9.60", times.String())
	require.Equal(t, "-", Times{}.String())
	require.Equal(t, "×2.00", Factor(Times{time.Second}, Times{2 * time.Second}))
	require.Equal(t, "-", Factor(Times{time.Second}, nil))
	require.Equal(t, "×1.50", FactorOfP95(times, Times{14400 * time.Microsecond}))
	require.Equal(t, 10*time.Millisecond, times.Longest())
	require.Equal(t, Times{2, 3}, Times{5, 4}.Minus(Times{3, 1}))
	require.Nil(t, Times{5, 4}.Minus(Times{3}))
}

func TestTablesAreAlignedMarkdown(t *testing.T) {
	t.Parallel()
	table := NewTable("", "ms")
	table.Row("Q1 ×", "0.10")
	var b strings.Builder
	table.Write(&b)
	require.Equal(t, "|      |   ms |\n| ---- | ---: |\n| Q1 × | 0.10 |\n", b.String())
}

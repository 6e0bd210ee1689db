package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/credit"
)

func TestChartCountsEveryDayOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC)
	for _, sp := range Spans(now) {
		var days []credit.Day
		for d := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); d.Before(now); d = d.AddDate(0, 0, 1) {
			if !d.Before(sp.From) {
				days = append(days, credit.Day{Begin: d, Charged: 7, Refunded: 2})
			}
		}
		c := sp.ChartOf(days)
		var charged int64
		for n, col := range c.Columns {
			charged += col.Charged
			x, width, y, height := c.columnBox(n, col.Charged)
			require.GreaterOrEqual(t, x, chartLeft)
			require.LessOrEqual(t, x+width, chartWidth)
			require.GreaterOrEqual(t, y, 0)
			require.Equal(t, chartHeight-chartBottom, y+height)
		}
		require.Equal(t, int64(7*len(days)), charged, sp.Label)
		require.Equal(t, int64(5*len(days)), c.Net)
	}
	require.Equal(t, int64(10), roundUp(0))
	require.Equal(t, int64(200), roundUp(101))
}

// Package report turns measured times into Markdown tables. It measures nothing.
package report

import (
	"fmt"
	"slices"
	"time"
)

// Times are the durations of the runs of one operation.
type Times []time.Duration

// P50 returns the median.
func (t Times) P50() time.Duration { return t.at(50) }

// P95 returns the 95th percentile.
func (t Times) P95() time.Duration { return t.at(95) }

// P99 returns the 99th percentile.
func (t Times) P99() time.Duration { return t.at(99) }

// Longest returns the longest run.
func (t Times) Longest() time.Duration { return t.at(100) }

// Minus returns each run's time minus its part; nil if not all parts are known.
func (t Times) Minus(parts Times) Times {
	if len(t) != len(parts) {
		return nil
	}
	rest := make(Times, len(t))
	for i := range t {
		rest[i] = t[i] - parts[i]
	}
	return rest
}

// Best returns the shortest run, which other work on the machine disturbed least.
func (t Times) Best() time.Duration { return t.at(0) }

func (t Times) at(percent int) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Clone(t)
	slices.Sort(sorted)
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// String is p50/p95 in milliseconds.
func (t Times) String() string {
	if len(t) == 0 {
		return "-"
	}
	return Milliseconds(t.P50()) + "/" + Milliseconds(t.P95())
}

// Milliseconds formats a duration with two or three significant digits.
func Milliseconds(d time.Duration) string { return significant(d.Seconds() * 1000) }

// Factor returns theirs divided by ours at the median.
func Factor(ours, theirs Times) string {
	return factor(ours, theirs, Times.P50)
}

// FactorOfP95 is Factor at the 95th percentile.
func FactorOfP95(ours, theirs Times) string {
	return factor(ours, theirs, Times.P95)
}

// FactorOfBest is Factor at the shortest runs.
func FactorOfBest(ours, theirs Times) string {
	return factor(ours, theirs, Times.Best)
}

func factor(ours, theirs Times, at func(Times) time.Duration) string {
	if len(ours) == 0 || len(theirs) == 0 {
		return "-"
	}
	return "×" + significant(at(theirs).Seconds()/at(ours).Seconds())
}

func significant(f float64) string {
	switch size := max(f, -f); {
	case size >= 100:
		return fmt.Sprintf("%.0f", f)
	case size >= 10:
		return fmt.Sprintf("%.1f", f)
	case size >= 0.1:
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprintf("%.3f", f)
}

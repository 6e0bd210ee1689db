// Package effort says how much a test repeats. Every run repeats random cases a few times, with other values each time;
// CAPI_TEST_LONG=1, before a release, repeats them many times.
package effort

import (
	"os"
	"testing"

	"pgregory.net/rapid"
)

// Times returns few, or many with CAPI_TEST_LONG=1.
func Times(few, many int) int {
	if os.Getenv("CAPI_TEST_LONG") == "1" {
		return many
	}
	return few
}

// Check is rapid.Check with fewer cases than its 100, unless CAPI_TEST_LONG=1.
func Check(t *testing.T, few int, property func(*rapid.T)) {
	t.Helper()
	left, failed := Times(few, 1<<30), false
	rapid.Check(t, func(rt *rapid.T) {
		if left == 0 && !failed { // rapid simplifies a case that has failed by running it again
			return
		}
		left--
		done := false
		defer func() { failed = failed || !done }()
		property(rt)
		done = true
	})
}

// WithoutRaceDetector skips a test over much data if the race detector is on, which makes it ten times slower. Tests over
// less data run the same code with the detector; make test-real runs this one without.
func WithoutRaceDetector(t testing.TB) {
	t.Helper()
	if raceDetector {
		t.Skip("NOT TESTED WITH THE RACE DETECTOR: make test-real runs it without")
	}
}

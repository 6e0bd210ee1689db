package effort_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/testkit/effort"
)

func TestACheckStopsAfterFewCasesUnlessTheRunIsLong(t *testing.T) {
	for setting, want := range map[string]int{"": 7, "1": 100} {
		t.Setenv("CAPI_TEST_LONG", setting)
		cases := 0
		effort.Check(t, 7, func(rt *rapid.T) {
			rapid.Int().Draw(rt, "number")
			cases++
		})
		require.Equal(t, want, cases)
	}
}

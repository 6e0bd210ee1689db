package required_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// ending records how a test ends.
type ending struct {
	testing.TB
	said string
}

func (e *ending) Helper() {}

func (e *ending) Fatalf(format string, args ...any) {
	e.said += "failed: " + fmt.Sprintf(format, args...) + "\n"
}

func (e *ending) Skipf(format string, args ...any) {
	e.said += "skipped: " + fmt.Sprintf(format, args...) + "\n"
}

func TestWhatIsRequiredIsNotSkipped(t *testing.T) {
	t.Setenv("CAPI_TEST_REQUIRE", "s3minio, curl")
	for word, want := range map[string]string{"curl": "failed: CAPI_TEST_REQUIRE has curl: no 7\n", "s3": "skipped: NOT TESTED: no 7\n", "": "skipped: NOT TESTED: no 7\n"} {
		e := &ending{TB: t}
		required.Missing(e, word, "no %d", 7)
		require.Equal(t, want, e.said[:len(want)])
	}
}

// Package required skips tests that lack a program, or fails them where CAPI_TEST_REQUIRE has the program's word. It looks for no program.
package required

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// env lists words, separated by commas, such as "s3,nginx".
const env = "CAPI_TEST_REQUIRE"

// Has reports whether a test must not be skipped for lack of what the word names.
func Has(word string) bool {
	return slices.ContainsFunc(strings.Split(os.Getenv(env), ","), func(has string) bool { return strings.TrimSpace(has) == word })
}

// Missing ends a test that lacks what the word names: it fails where that is required, and is skipped elsewhere.
func Missing(t testing.TB, word, format string, args ...any) {
	t.Helper()
	if Has(word) {
		t.Fatalf(env+" has "+word+": "+format, args...)
	}
	t.Skipf("NOT TESTED: "+format, args...)
}

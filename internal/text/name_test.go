package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/text"
)

func TestNamesAreShortAndPrintable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Acme":                   "Acme",
		"  Zürich AG \n":         "Zürich AG",
		strings.Repeat("é", 200): strings.Repeat("é", 200),
		strings.Repeat("é", 201): "",
		"":                       "",
		" \t ":                   "",
		"a\x00b":                 "",
		"a\nb":                   "",
		"a\xffb":                 "",
	} {
		t.Run(given, func(t *testing.T) {
			name, complaint := text.Name(given, 200)
			require.Equal(t, want, name, "%q", given)
			require.Equal(t, want == "", complaint != "", "%q", given)
		})
	}
}

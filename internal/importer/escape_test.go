package importer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrittenOutBytesAreDecodedIfTheyAreUTF8(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`Kr\xc3\xbcger \xe2\x80\x93 S\xc3\xb6hne`: "Krüger – Söhne",
		`\xE5\xB1\xB1\xE7\x94\xB0`:                "山田",
		`b'Gr\xc3\xbcn'`:                          "Grün",
		`Caf\xe9`:                                 `Caf\xe9`,
		`C:\x\y`:                                  `C:\x\y`,
		`a\x41b`:                                  `a\x41b`,
		`\x`:                                      `\x`,
		`Gr\xc3\xbcn \xff`:                        `Grün \xff`,
	} {
		t.Run(in, func(t *testing.T) {
			require.Equal(t, want, repair(in))
		})
	}
}

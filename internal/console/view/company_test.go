package view

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyWebAddressesBecomeLinks(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://acme.example/a?b=c": "https://acme.example/a?b=c", "http://acme.example": "http://acme.example",
		"javascript:alert(1)": "", "JAVASCRIPT:alert(1)": "", "data:text/html,x": "", "//acme.example": "", "acme.example": "",
		"https://": "", "\x01https://acme.example": "", "": "",
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, homepage(given))
		})
	}
}

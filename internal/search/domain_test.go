package search

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADomainSpellsNames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		domain, company string
		want            int
	}{
		"the whole name":          {"acme.example", "Acme", 2},
		"the first words":         {"acme-payments.example", "ACME Payments, Inc.", 2},
		"a name with its domain":  {"amazon.example", "Amazon.example, Inc.", 2},
		"the first word and more": {"acmepay.example", "Acme Payments", 1},
		"another name":            {"amazon.example", "Just Ryt Foods", 0},
		"an accent":               {"zurich.example", "Zürich AG", 2},
		"a short first word":      {"theatre.example", "The Farm", 1},
		"no name":                 {"acme.example", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, spells(test.domain, test.company))
		})
	}
}

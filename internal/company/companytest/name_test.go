package companytest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoNameComesTwice(t *testing.T) {
	t.Parallel()
	names, domains := map[string]bool{}, map[string]bool{}
	for i := range combinations + 10_000 {
		name, domain := headOf(3, i)
		names[name], domains[domain] = true, true
	}
	require.Len(t, names, combinations+10_000)
	require.Len(t, domains, combinations+10_000)
}

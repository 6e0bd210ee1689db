package importer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/format"
)

// TestEveryCompanyFieldHasAColumn fails for a field of company.Fields that no file could fill.
func TestEveryCompanyFieldHasAColumn(t *testing.T) {
	t.Parallel()
	for _, f := range company.Fields {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			found, ok := aliasOf(f.Name)
			require.True(t, ok, "a column with the field's own name is recognised")
			if f.Kind == company.KindTime {
				require.Equal(t, colIgnored, found.column, "the catalog sets the times")
				return
			}
			named, ok := fieldByName(f.Name)
			require.True(t, ok, "--map and --set accept the field")
			require.Equal(t, named, found.column)
			require.Equal(t, f.Kind == company.KindList, found.column.isList(), "lists can be read from several columns")
		})
	}
}

func TestWhatAFileSaysOfACustomerIsNotRead(t *testing.T) {
	t.Parallel()
	found, ok := aliasOf(format.MatchKeyColumn)
	require.True(t, ok)
	require.Equal(t, colIgnored, found.column, "the keys of a list that was matched are not the company's")
}

package company_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
)

func TestPostalCodesStandForStates(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"California"}, company.StatesOf(" ca "))
	require.Equal(t, []string{"Washington", "Western Australia"}, company.StatesOf("WA"))
	require.Equal(t, []string{"New South Wales"}, company.StatesOf("NSW"))
	require.Empty(t, company.StatesOf("California"))
	require.Empty(t, company.StatesOf("ZZ"))
}

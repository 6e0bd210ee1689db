package companytest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

func TestTheSameSeedMakesTheSameCompanies(t *testing.T) {
	t.Parallel()
	require.Empty(t, cmp.Diff(companytest.Slice(3, 200), companytest.Slice(3, 200)))
	require.NotEqual(t, companytest.Slice(3, 1)[0].ID, companytest.Slice(4, 1)[0].ID)
}

func TestCompaniesAreCleanAndValid(t *testing.T) {
	t.Parallel()
	for c := range companytest.Generate(1, 3_000) {
		cleaned := *c
		cleaned.Clean()
		require.Empty(t, cmp.Diff(c, &cleaned))
		require.NoError(t, c.Validate())
	}
}

func TestConnectionsNameTheCompanyThatBearsTheNumber(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(7, 2_000)
	count := 0
	for _, c := range companies {
		for _, x := range c.Connections {
			count++
			to := companies[x.Number-1]
			require.NotEqual(t, c.Number, x.Number)
			require.Empty(t, cmp.Diff(company.Connection{
				Category: x.Category, ID: to.ID, Number: to.Number, Name: to.Name, Domain: to.Domain,
			}, x))
		}
	}
	require.Greater(t, count, 2_000)
}

func BenchmarkGenerate(b *testing.B) {
	n := 0
	for range companytest.Generate(1, b.N) {
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "companies/s")
}

package importer_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/importer"
)

// linked writes a workbook of names, whose cells link to the targets.
func linked(t *testing.T, targets ...string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]any{"Company", "City"}))
	for i, target := range targets {
		row := strconv.Itoa(i + 2)
		require.NoError(t, f.SetSheetRow("Sheet1", "A"+row, &[]any{"Company " + row, "Bonn"}))
		if target != "" {
			require.NoError(t, f.SetCellHyperLink("Sheet1", "A"+row, target, "External"))
		}
	}
	b, err := f.WriteToBuffer()
	require.NoError(t, err)
	return b.String()
}

func TestTheLinkOfANameIsTheWebsite(t *testing.T) {
	t.Parallel()
	b, _ := loadWith(t, importer.Options{Files: []string{write(t, "a.xlsx", linked(t, "https://www.acme.example/", "mailto:info@bolt.example", "", "https://cog.example/en"))}})
	var got [][2]string
	for _, c := range all(t, b) {
		got = append(got, [2]string{c.Name, c.Domain})
	}
	require.ElementsMatch(t, [][2]string{{"Company 2", "acme.example"}, {"Company 3", ""}, {"Company 4", ""}, {"Company 5", "cog.example"}}, got)
}

func TestLinksToThePagesOfOneDirectoryAreNoWebsites(t *testing.T) {
	t.Parallel()
	b, _ := loadWith(t, importer.Options{Files: []string{write(t, "a.xlsx", linked(t,
		"https://www.crunchbase.com/organization/a", "https://www.crunchbase.com/organization/b", "https://www.linkedin.com/company/c", "https://directory.example/d"))}})
	for _, c := range all(t, b) {
		require.NotContains(t, []string{"crunchbase.com", "linkedin.com"}, c.Domain)
	}
	b, _ = loadWith(t, importer.Options{Files: []string{write(t, "a.xlsx", linked(t,
		"https://directory.example/a", "https://directory.example/b", "https://directory.example/c", "https://directory.example/d", "https://directory.example/e"))}})
	for _, c := range all(t, b) {
		require.Empty(t, c.Domain)
	}
}

package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/config"
)

func TestTheIndexSurvivesRestartsAndDamage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	at := func(c *config.Config) { c.Data = data }
	var companies strings.Builder
	for i := range 300 {
		fmt.Fprintf(&companies, `{"name": "Company %d", "domain": "c%d.test", "country": "Germany", "description": "made up"}`+"\n", i, i)
	}
	total := func(s *apptest.Server) int {
		found, err := s.Client().Search(t.Context(), client.SearchRequest{Filters: client.Filters{Query: "made"}})
		require.NoError(t, err)
		return found.Total
	}
	first := apptest.Start(t, apptest.Options{Config: at, Companies: companies.String()})
	require.Equal(t, 300, total(first))
	require.NoError(t, first.Stop())
	stats, err := first.IndexStats()
	require.NoError(t, err)
	require.Equal(t, 300, stats.Companies)

	second := apptest.Start(t, apptest.Options{Config: at, Companies: `{"name": "Late Company", "domain": "late.test", "description": "made late"}`})
	require.Equal(t, 301, total(second), "the index catches up with the catalog when the server starts")
	require.NoError(t, second.Stop())

	segment := filepath.Join(app.IndexDir(data), stats.Segments[0].Name)
	p, err := os.ReadFile(segment)
	require.NoError(t, err)
	for i := len(p) / 2; i < len(p); i++ {
		p[i] ^= 1
	}
	require.NoError(t, os.WriteFile(segment, p, 0o600))
	third := apptest.Start(t, apptest.Options{Config: at})
	require.Equal(t, 301, total(third), "damaged segments are rebuilt from the catalog")
	require.NoError(t, third.Stop())
	check, err := third.VerifyIndex(t.Context())
	require.NoError(t, err)
	require.Empty(t, check.Damages)
	require.False(t, check.Lost)
	require.Equal(t, 301, check.Companies)
}

package search_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/testkit"
)

// typedText draws what somebody may type for a company: a name, a part of it, a wrong one, or words of what is locked. It is never a whole
// domain or page, which finds its company.
func typedText(companies []*company.Company) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		c := rapid.SampledFrom(companies).Draw(t, "company")
		words := strings.Fields(c.Name)
		texts := []string{c.Name, strings.ToUpper(c.Name), words[0], c.Name + " Ltd", c.Name[1:], c.City, c.Country, c.Domain[:len(c.Domain)/2]}
		texts = append(texts, strings.Fields(c.Description)...)
		return rapid.SampledFrom(texts).Draw(t, "text")
	})
}

// Two catalogs that differ only in locked values give the same candidates, scores, features and suggestions.
func TestCandidatesDoNotDependOnLockedValues(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 60)
	for i := range 10 { // namesakes, between which only what is visible may decide
		companies[i].Name = companies[i+10].Name
	}
	truth, disguise := testkit.New(t, services.Parts{}), testkit.New(t, services.Parts{})
	for _, c := range companies {
		c.ID = id.New[id.Company]()
	}
	var others []*company.Company
	for _, c := range companies {
		others = append(others, disguised(c))
	}
	truth.Put(t, companies...)
	disguise.Put(t, others...)
	caller := auth.Caller{Workspace: id.New[id.Workspace](), Wall: &auth.Wall{Visible: []string{"id"}}}
	found, matched, suggested := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		like := rapid.SampledFrom(companies).Draw(rt, "like")
		row := search.Asked{Limit: rapid.IntRange(1, 25).Draw(rt, "limit"), MatchRow: search.MatchRow{
			Name:    typedText(companies).Draw(rt, "name"),
			Country: rapid.SampledFrom([]string{"", like.Country, "Norway"}).Draw(rt, "country"),
			City:    rapid.SampledFrom([]string{"", like.City, "Nowhere"}).Draw(rt, "city"),
			Domain:  rapid.SampledFrom([]string{"", "unheard.example", strings.TrimPrefix(like.Domain, "a") + ".test"}).Draw(rt, "domain"),
		}}
		one, err := truth.Search.Candidates(t.Context(), caller, []search.Asked{row})
		require.NoError(rt, err)
		two, err := disguise.Search.Candidates(t.Context(), caller, []search.Asked{row})
		require.NoError(rt, err)
		require.Len(rt, two[0], len(one[0]))
		for i, c := range one[0] {
			found++
			if c.Match {
				matched++
			}
			require.Equal(rt, c.ID, two[0][i].ID)
			require.Equal(rt, c.Match, two[0][i].Match)
			require.InDelta(rt, c.Score, two[0][i].Score, 0)
			require.Equal(rt, c.Features, two[0][i].Features)
		}
		begun, skip := typedText(companies).Draw(rt, "begun"), rapid.IntRange(0, 3).Draw(rt, "skip")
		first, err := truth.Search.Suggest(t.Context(), caller, begun, skip, 10)
		require.NoError(rt, err)
		second, err := disguise.Search.Suggest(t.Context(), caller, begun, skip, 10)
		require.NoError(rt, err)
		require.Len(rt, second, len(first))
		for i := range first {
			suggested++
			require.Equal(rt, first[i].ID, second[i].ID)
		}
	})
	require.Positive(t, found)
	require.Positive(t, matched)
	require.Positive(t, suggested)
}

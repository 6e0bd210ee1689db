package search_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query/querytest"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/testkit"
)

// disguised returns the company with other values of every field that can be locked, as different as the bound of the wall allows:
// numbers stay in their bands, codes in their sectors, and what is unknown stays unknown.
func disguised(c *company.Company) *company.Company {
	d := *c
	for i := range company.Fields {
		f := &company.Fields[i]
		switch {
		case company.AlwaysVisible.Has(f.Name) || !f.Known(c):
		case f.Name == "domain":
			d.Domain = "other-" + c.Domain
		case f.Text != nil:
			*f.Text(&d) = "another zq" + f.Name
		case f.Name == "naics_codes":
			d.NAICSCodes = nil
			for _, code := range c.NAICSCodes {
				d.NAICSCodes = append(d.NAICSCodes, code[:min(2, len(code))]+"9999")
			}
		case f.List != nil:
			*f.List(&d) = []string{"another zq" + f.Name}
		case f.Int != nil:
			low, _ := company.BandOf(f.Name, **f.Int(c))
			*f.Int(&d) = &low
		}
	}
	return &d
}

// Two catalogs that differ only in locked values give the same answers, up to the bound that ADR 6 states.
func TestAnswersDependOnLockedValuesOnlyWithinTheBound(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 60)
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
	searched, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		e := search.Exploration{
			Filters: querytest.Filters(companies...).Draw(rt, "filters"), Sort: querytest.Sort().Draw(rt, "sort"), Limit: 100,
		}
		if domain := e.Filters.Query; domain != "" && company.KnownSuffix(domain) {
			rt.Skip("a domain that is given in full finds its company")
		}
		one, err := truth.Search.Explore(t.Context(), caller, e)
		two, other := disguise.Search.Explore(t.Context(), caller, e)
		if err != nil {
			require.EqualError(rt, other, err.Error())
			refused++
			return
		}
		require.NoError(rt, other)
		searched++
		require.Equal(rt, one.Total, two.Total)
		require.Equal(rt, one.Credits, two.Credits)
		require.Equal(rt, one.Facets, two.Facets)
		require.Equal(rt, one.Unknown, two.Unknown)
		require.Equal(rt, one.Warnings, two.Warnings)
		require.Len(rt, two.Items, len(one.Items))
		for i := range one.Items {
			require.Equal(rt, one.Items[i].ID, two.Items[i].ID)
		}
	})
	require.Positive(t, searched)
	require.Positive(t, refused)
}

package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
)

// TestEveryFieldIsMerged sets the fields of the table one at a time.
func TestEveryFieldIsMerged(t *testing.T) {
	t.Parallel()
	for i := range company.Fields {
		f := &company.Fields[i]
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			var in, other company.Company
			n, m := int64(7), int64(8)
			switch f.Kind {
			case company.KindText:
				*f.Text(&in), *f.Text(&other) = "new", "old"
			case company.KindList:
				*f.List(&in), *f.List(&other) = []string{"new"}, []string{"old"}
			case company.KindInteger:
				*f.Int(&in), *f.Int(&other) = &n, &m
			case company.KindAttributes:
				in.Attributes, other.Attributes = map[string]any{"a": "new"}, map[string]any{"a": "old"}
			case company.KindID, company.KindTime, company.KindConnections:
				return // never merged
			}
			if f.Name == "country_code" {
				in.Country, other.Country = "new", "old" // the code belongs to the country
			}
			for _, c := range []company.Company{{}, other} {
				require.True(t, merge(&c, &in))
				require.Equal(t, in, c)
				require.False(t, merge(&c, &in), "nothing is left to change")
				require.False(t, merge(&c, &company.Company{}), "unknown values change nothing")
			}
			require.True(t, f.Known(gapsOf(&company.Company{}, &in)))
			require.False(t, f.Known(gapsOf(&other, &in)), "it has a value already")
		})
	}
}

func TestAPlaceIsFilledAsAWhole(t *testing.T) {
	t.Parallel()
	in := company.Company{Country: "Germany", CountryCode: "DE", State: "Berlin", City: "Berlin"}
	for name, c := range map[string]company.Company{
		"country": {Country: "Peru"}, "state": {State: "Lima"}, "city": {City: "Lima"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, company.Company{}, *gapsOf(&c, &in))
		})
	}
	require.Equal(t, in, *gapsOf(&company.Company{Name: "Acme"}, &in))
}

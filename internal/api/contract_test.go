package api_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// jsonNames returns the names and types of a struct's members in JSON.
func jsonNames(of reflect.Type) map[string]string {
	names := map[string]string{}
	for i := range of.NumField() {
		f := of.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names[name] = strings.ReplaceAll(f.Type.String(), "client.", "query.")
		} else if f.Anonymous {
			for name, kind := range jsonNames(f.Type) {
				names[name] = kind
			}
		}
	}
	return names
}

func TestTheClientHasEveryFilterFieldAndFacet(t *testing.T) {
	t.Parallel()
	require.Equal(t, jsonNames(reflect.TypeFor[query.Filters]()), jsonNames(reflect.TypeFor[client.Filters]()))
	require.Equal(t, jsonNames(reflect.TypeFor[query.ConnectionFilter]()), jsonNames(reflect.TypeFor[client.ConnectionFilter]()))

	facets := map[string]string{}
	for _, f := range index.AllFacets() {
		facets[string(f)] = "[]query.Count"
		if f.HasBands() {
			facets[string(f)] = "[]query.Band"
		}
	}
	require.Equal(t, facets, jsonNames(reflect.TypeFor[client.Aggregations]()))

	fields := []string{"unlocked", "locked_fields"}
	for _, f := range company.Fields {
		fields = append(fields, f.Name)
	}
	slices.Sort(fields)
	for _, of := range []reflect.Type{reflect.TypeFor[client.Company](), reflect.TypeFor[api.CompanyDetail]()} {
		var names []string
		for name := range jsonNames(of) {
			names = append(names, name)
		}
		slices.Sort(names)
		require.Equal(t, fields, names, of)
	}
}

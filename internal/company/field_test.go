package company_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
)

func TestTheTableOfFieldsHasTheWholeCompany(t *testing.T) {
	t.Parallel()
	of := reflect.TypeFor[company.Company]()
	require.Len(t, company.Fields, of.NumField()-1, "all but Number, which no client sees")
	kinds := map[reflect.Type]company.Kind{
		reflect.TypeFor[string](): company.KindText, reflect.TypeFor[[]string](): company.KindList,
		reflect.TypeFor[*int64](): company.KindInteger, reflect.TypeFor[time.Time](): company.KindTime,
		reflect.TypeFor[id.Company](): company.KindID, reflect.TypeFor[[]company.Connection](): company.KindConnections,
		reflect.TypeFor[map[string]any](): company.KindAttributes,
	}
	left := map[company.Kind]int{}
	for i := range of.NumField() {
		if f := of.Field(i); f.Name != "Number" {
			left[kinds[f.Type]]++
		}
	}
	var c company.Company
	accessed := map[any]bool{}
	for i := range company.Fields {
		f := &company.Fields[i]
		left[f.Kind]--
		require.NotEmpty(t, f.Label, f.Name)
		require.Same(t, f, company.FieldNamed(f.Name))
		require.False(t, f.Known(&c), f.Name)
		var at any = f.Name
		switch f.Kind {
		case company.KindText:
			at = f.Text(&c)
		case company.KindList:
			at = f.List(&c)
		case company.KindInteger:
			at = f.Int(&c)
		case company.KindTime:
			at = f.Time(&c)
		case company.KindID, company.KindConnections, company.KindAttributes:
		}
		require.False(t, accessed[at], "%s reads what another field reads", f.Name)
		accessed[at] = true
	}
	for kind, n := range left {
		require.Zero(t, n, "fields of kind %d", kind)
	}
	require.Nil(t, company.FieldNamed("no_such_field"))
}

func TestAFieldIsKnownIfItHasAValue(t *testing.T) {
	t.Parallel()
	known := map[string]int{}
	for c := range companytest.Generate(1, 500) {
		for i := range company.Fields {
			if f := &company.Fields[i]; f.Known(c) {
				known[f.Name]++
			}
		}
	}
	require.Equal(t, 500, known["name"])
	require.Positive(t, known["connections"])
	require.Positive(t, known["employee_count"])
	require.Less(t, known["employee_count"], 500)
}

package query_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/query"
)

func TestTheTableOfParametersHasEveryFilter(t *testing.T) {
	t.Parallel()
	of := reflect.TypeFor[query.Filters]()
	require.Len(t, query.Params, of.NumField())
	for i, p := range query.Params {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		require.Equal(t, name, p.Name, "the table and the struct have the same order")
		require.NotEmpty(t, p.Label, p.Name)
		require.True(t, strings.HasSuffix(p.Doc, "."), p.Name)
		require.Equal(t, p.Name, query.ParamNamed(p.Name).Name)

		var f query.Filters
		at := reflect.ValueOf(&f).Elem().Field(i).Addr().Interface()
		switch p.Kind {
		case query.KindWords:
			require.Same(t, at, p.Text(&f), p.Name)
		case query.KindPhrases, query.KindValues, query.KindCodes:
			require.Same(t, at, p.Texts(&f), p.Name)
		case query.KindMin, query.KindMax:
			require.Same(t, at, p.Int(&f), p.Name)
		case query.KindFlag:
			require.Same(t, at, p.Flag(&f), p.Name)
		case query.KindConnections:
			require.Same(t, at, &f.Connections, p.Name)
		case query.KindSets:
			require.Same(t, at, p.Sets(&f), p.Name)
		case query.KindSince:
			require.Same(t, at, p.Text(&f), p.Name)
		}
	}
	require.Nil(t, query.ParamNamed("no_such_filter"))
}

func TestEachExclusionHasItsOpposite(t *testing.T) {
	t.Parallel()
	for _, p := range query.Params {
		o := p.Opposite()
		if p.Exclude {
			require.NotNil(t, o, p.Name)
			require.False(t, o.Exclude)
			require.Equal(t, p.Name, o.Opposite().Name)
		}
		if p.Kind == query.KindMin {
			require.Len(t, query.ParamsOf(p.Field), 2, "%s and its other end", p.Name)
		}
	}
}

package search_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

func TestACursorIsReadByItsOwnQueryAndSortAlone(t *testing.T) {
	t.Parallel()
	s, ws := open(t, 50), id.New[id.Workspace]()
	next := func(f query.Filters, sort query.Sort, cursor string) (string, error) {
		q, err := query.Parse(f)
		require.NoError(t, err)
		found, err := s.Search(t.Context(), auth.Caller{Workspace: ws}, search.Request{Query: q, Sort: sort, Limit: 2, Cursor: cursor, Facets: []search.Facet{}})
		if err != nil {
			return "", err
		}
		return found.NextCursor, nil
	}
	names, countries := query.Sort{By: query.ByName}, query.Filters{Countries: []string{"Germany", "United States"}}
	own, err := next(countries, names, "")
	require.NoError(t, err)
	require.NotEmpty(t, own)
	_, err = next(countries, names, own)
	require.NoError(t, err)
	for _, other := range []struct {
		query.Filters
		query.Sort
	}{
		{query.Filters{}, names},
		{query.Filters{Countries: []string{"Germany"}}, names},
		{countries, query.Sort{By: query.ByName, Desc: true}},
		{countries, query.Sort{By: query.ByUpdatedAt}},
	} {
		_, err := next(other.Filters, other.Sort, own)
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err))
	}
}

package search

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

func request(t testing.TB, f query.Filters, s query.Sort) Request {
	t.Helper()
	q, err := query.Parse(f)
	require.NoError(t, err)
	return Request{Query: q, Sort: s}
}

func TestACursorIsReadByItsOwnQueryAlone(t *testing.T) {
	t.Parallel()
	names := query.Sort{By: query.ByName}
	peru := request(t, query.Filters{Countries: []string{"Peru"}}, names)
	peru.Cursor = writeCursor(peru, []byte("a place"))
	place, err := readCursor(peru)
	require.NoError(t, err)
	require.Equal(t, "a place", string(place))

	for _, other := range []Request{
		request(t, query.Filters{}, names),
		request(t, query.Filters{Countries: []string{"Chile"}}, names),
		request(t, query.Filters{Countries: []string{"Peru"}}, query.Sort{By: query.ByName, Desc: true}),
		request(t, query.Filters{Countries: []string{"Peru"}}, query.Sort{By: query.ByUpdatedAt}),
	} {
		other.Cursor = peru.Cursor
		_, err := readCursor(other)
		require.ErrorIs(t, err, errForeignCursor)
	}
}

func TestEveryTamperedByteIsNoticed(t *testing.T) {
	t.Parallel()
	r := request(t, query.Filters{Query: "fintech"}, query.Sort{Desc: true})
	sound, err := base64.RawURLEncoding.DecodeString(writeCursor(r, []byte("a place")))
	require.NoError(t, err)
	for i := range sound {
		p := append([]byte(nil), sound...)
		p[i] ^= 1
		r.Cursor = base64.RawURLEncoding.EncodeToString(p)
		_, err := readCursor(r)
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err), "byte %d", i)
	}
}

func FuzzReadCursorNeverPanics(f *testing.F) {
	r := request(f, query.Filters{}, query.Sort{})
	f.Add(writeCursor(r, []byte("a place")))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		r := r
		r.Cursor = cursor
		place, err := readCursor(r)
		require.True(t, err != nil || place != nil || cursor == "")
	})
}

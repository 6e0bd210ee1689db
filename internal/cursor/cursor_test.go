package cursor_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/fault"
)

func TestCursorIsReadByItsOwnScopeAlone(t *testing.T) {
	t.Parallel()
	scope := cursor.NewScope("exports", "acme", 7)
	for _, position := range []string{"", "a position", "\x00\xff"} {
		got, err := scope.Decode(scope.Encode([]byte(position)))
		require.NoError(t, err)
		require.Equal(t, position, string(got))
	}
	first, err := scope.Decode("")
	require.NoError(t, err)
	require.Nil(t, first)
	for _, other := range []cursor.Scope{
		cursor.NewScope("lists", "acme", 7), cursor.NewScope("exports", "acme", 8), cursor.NewScope("exports", "acme"),
		cursor.NewScope("exports", "acme7"), cursor.NewScope("exportsacme", 7),
		{},
	} {
		_, err := other.Decode(scope.Encode([]byte("a position")))
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err))
		require.ErrorContains(t, err, "another query")
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	t.Parallel()
	scope := cursor.NewScope("exports")
	whole, err := base64.RawURLEncoding.DecodeString(scope.Encode([]byte("a position")))
	require.NoError(t, err)
	for i := range whole {
		p := append([]byte(nil), whole...)
		p[i] ^= 1
		_, err := scope.Decode(base64.RawURLEncoding.EncodeToString(p))
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err), "byte %d", i)
		_, err = scope.Decode(base64.RawURLEncoding.EncodeToString(whole[:i]))
		if i > 0 {
			require.Equal(t, fault.InvalidCursor, fault.CodeOf(err), "cut at %d", i)
		}
	}
}

func TestUnreadableKeepsItsCauseForTheLog(t *testing.T) {
	t.Parallel()
	cause := errors.New("not a number")
	require.ErrorIs(t, cursor.Unreadable(cause), cause)
	require.Equal(t, fault.InvalidCursor, fault.CodeOf(cursor.Unreadable(cause)))
}

func FuzzDecodeNeverPanics(f *testing.F) {
	scope := cursor.NewScope("exports")
	f.Add(scope.Encode([]byte("a position")))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		position, err := scope.Decode(text)
		require.True(t, err != nil || text == "" || scope.Encode(position) == text)
	})
}

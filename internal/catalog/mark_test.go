package catalog_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestAnIndexsMarksAreItsOwnAndTwoAtMost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"})
		marks := func(index string) string {
			var held []string
			for _, mark := range []string{"a", "b", "c", "d"} {
				marked, err := b.Marked(t.Context(), index, mark)
				require.NoError(t, err)
				if marked {
					held = append(held, mark)
				}
			}
			return strings.Join(held, "")
		}
		require.Empty(t, marks("one"))
		require.NoError(t, b.Mark(t.Context(), "one", "a", "", 1))
		require.NoError(t, b.Mark(t.Context(), "two", "a", "", 1))
		require.NoError(t, b.Mark(t.Context(), "one", "b", "a", 1))
		require.Equal(t, "ab", marks("one"), "the mark to keep and the new one")
		require.NoError(t, b.Mark(t.Context(), "one", "c", "a", 1))
		require.Equal(t, "ac", marks("one"), "an index that was not saved after all goes on from the mark it has")
		require.NoError(t, b.Mark(t.Context(), "one", "d", "c", 1))
		require.Equal(t, "cd", marks("one"))
		require.Equal(t, "a", marks("two"), "another index's mark stays")
		seq, err := b.Seq(t.Context())
		require.NoError(t, err)
		require.Equal(t, uint64(1), seq, "no company has changed")
	})
}

func TestACatalogThatWasSetBackTakesNoMark(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		require.NoError(t, b.Mark(t.Context(), "one", "a", "", 1))
		require.ErrorIs(t, b.Mark(t.Context(), "one", "c", "b", 3), catalog.ErrSetBack)
		require.ErrorIs(t, b.Mark(t.Context(), "two", "c", "a", 3), catalog.ErrSetBack, "another index's mark proves nothing")
		for mark, want := range map[string]bool{"a": true, "b": false, "c": false} {
			marked, err := b.Marked(t.Context(), "one", mark)
			require.NoError(t, err)
			require.Equal(t, want, marked, mark)
		}
	})
}

func TestAMarkIsNotThereUntilItIsCommitted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		require.NoError(t, catalog.New(d).Mark(t.Context(), "one", "a", "", 1))
		failing := catalog.New(d.Guarded(func(m db.Moment) error {
			if m == db.Commit {
				return context.Canceled
			}
			return nil
		}))
		require.ErrorIs(t, failing.Mark(t.Context(), "one", "b", "", 2), context.Canceled)
		for mark, want := range map[string]bool{"a": true, "b": false} {
			marked, err := catalog.New(d).Marked(t.Context(), "one", mark)
			require.NoError(t, err)
			require.Equal(t, want, marked, mark)
		}
	})
}

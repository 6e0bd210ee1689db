package importer

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
)

func TestHeldConnectionsComeBackInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, heldMax - 1, heldMax, 2*heldMax + 7} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := heldLinks{dir: dir}
			link := func(i int) catalog.Connection {
				c := catalog.Connection{Number: company.Number(i), Category: "partner", Target: catalog.End{Name: fmt.Sprint("Acme ", i), Domain: "acme.example"}}
				if i%3 == 0 {
					c.Number, c.Source = 0, catalog.End{ID: id.New[id.Company](), Name: "Bolt"}
				}
				return c
			}
			var want, got []catalog.Connection
			for i := range n {
				want = append(want, link(i))
				require.NoError(t, h.add(want[i]))
			}
			require.Less(t, len(h.recent), heldMax, "the rest is on the disk")
			require.NoError(t, h.each(func(part []catalog.Connection) error {
				got = append(got, part...)
				return nil
			}))
			require.Equal(t, want, got)
			require.NoError(t, h.close())
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestAnImportFailsWhereConnectionsCannotBeHeld(t *testing.T) {
	t.Parallel()
	h := heldLinks{dir: t.TempDir() + "/none"}
	err := h.add(make([]catalog.Connection, heldMax)...)
	require.ErrorContains(t, err, "keep connections in a temporary file")
	require.NoError(t, h.close())
}

func TestTransactionsAreLongOnlyWhileNobodyWaits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		alone := true
		b := catalog.New(d)
		w := newWriter(Options{Catalog: b, Alone: func() bool { return alone }})
		require.Equal(t, lockTimeAlone, w.lockTime())
		alone = false
		want := map[string]time.Duration{"sqlite": lockTimeDefault, "postgres": lockTimeApart}[d.Name()]
		require.Equal(t, want, w.lockTime(), "a server has started")
		require.Equal(t, want, newWriter(Options{Catalog: b}).lockTime())
		require.EqualValues(t, 7, newWriter(Options{LockTime: 7, Alone: func() bool { return true }}).lockTime())
	})
}

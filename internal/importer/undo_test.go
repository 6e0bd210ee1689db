package importer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/testkit"
)

func undo(t *testing.T, d *db.DB, number int64) catalog.Undone {
	t.Helper()
	u, err := testkit.New(t, services.Parts{DB: d}).Undo(t.Context(), number)
	require.NoError(t, err)
	return u
}

func TestAnImportIsUndoneExceptForWhatWasDelivered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		first := load(t, b, write(t, "a.csv", "id,name,domain,city\na,Acme,acme.example,Bonn\nb,Bolt,bolt.example,Ulm\n"))
		require.Equal(t, int64(1), first.Import)
		second := load(t, b, write(t, "b.csv", "id,name,domain,city,investors\na,Acme,acme.example,Köln,Zeta\nb,Bolt,bolt.example,Ulm,\nc,Cog,cog.example,Trier,Acme\nd,Dyno,dyno.example,Jena,\n"))
		require.Equal(t, 2, second.Added)
		require.Equal(t, 1, second.Updated)
		require.Equal(t, 2, second.Connections.Added)

		unlocked(t, d, 3) // Cog
		require.Equal(t, catalog.Undone{Removed: 1, Restored: 1, Connections: 2, Kept: 1}, undo(t, d, 2))
		require.Equal(t, []string{"Acme", "Bolt", "Cog"}, names(t, b))
		require.Equal(t, "Bonn", all(t, b)[0].City)
		require.Empty(t, all(t, b)[0].Connections)
		n, err := b.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, n)

		changes, _, _, err := b.Changes(t.Context(), 0, 100)
		require.NoError(t, err)
		require.Contains(t, changes, catalog.Change{Number: 4}, "followers see the removal")

		imports, err := b.Imports(t.Context(), 0, 10)
		require.NoError(t, err)
		require.Len(t, imports, 2)
		older, err := b.Imports(t.Context(), imports[0].Number, 10)
		require.NoError(t, err)
		require.Equal(t, imports[1:], older)
		require.NotNil(t, imports[0].UndoneAt)
		require.Equal(t, 2, imports[0].Figures["added"])

		again := load(t, b, write(t, "c.csv", "id,name,domain\nd,Dyno,dyno.example\n"))
		require.Equal(t, 1, again.Added)
		require.Equal(t, company.Number(4), all(t, b)[3].Number, "the same id is the same company")
		require.Equal(t, 2, undo(t, d, 1).Removed)
		require.Equal(t, []string{"Cog", "Dyno"}, names(t, b))
	})
}

// unlocked unlocks the company for a new workspace.
func unlocked(t *testing.T, d *db.DB, number company.Number) {
	t.Helper()
	f := testkit.New(t, services.Parts{DB: d})
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		w, err := f.Workspaces.Create(t.Context(), tx, "Acme")
		if err != nil {
			return err
		}
		_, err = f.Unlocks.Add(t.Context(), tx, w.ID, id.New[id.Export](), company.SetOf(number))
		return err
	})
	require.NoError(t, err)
}

func TestANumericIDOfAnotherSourceDoesNotMatch(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load(t, b, write(t, "a.csv", "id,name,domain\n1,Acme,acme.example\n2,Bolt,bolt.example\n"))
	s := load(t, b, write(t, "b.csv", "id,name,domain\n1,Cog,cog.example\n2,Bolt Inc,bolt.example\n"))
	require.Equal(t, 1, s.Added)
	require.Equal(t, 1, s.Updated)
	require.Equal(t, []string{"Acme", "Bolt Inc", "Cog"}, names(t, b))
	require.Equal(t, 1, s.Merges.Count)
	require.Equal(t, importer.Merge{File: s.Merges.Samples[0].File, Line: 3, Name: "Bolt Inc", Into: "Bolt", By: "id"}, s.Merges.Samples[0])
}

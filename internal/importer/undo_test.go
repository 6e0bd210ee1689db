package importer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
)

// undo undoes an import, which must do what its preview says.
func undo(t *testing.T, d *db.DB, number int64) catalog.Undone {
	t.Helper()
	o := testkit.New(t, services.Parts{DB: d}).UndoOptions()
	p, err := importer.PreviewUndo(t.Context(), o, number)
	require.NoError(t, err)
	expected := catalog.Undone{Removed: p.Removed, Restored: p.Restored, Connections: p.Connections}
	for _, kept := range p.Kept {
		require.NotEmpty(t, kept.Samples)
		expected.Kept += kept.Count
	}
	u, err := importer.Undo(t.Context(), o, number)
	require.NoError(t, err)
	require.Equal(t, expected, u, "the preview")
	return u
}

func TestThePreviewOfAnUndoSaysWhyCompaniesStay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		load(t, b, write(t, "a.csv", "name,domain\nAcme,acme.example\nBolt,bolt.example\nCog,cog.example\nDyno,dyno.example\n"))
		load(t, b, write(t, "b.csv", "name,domain,city\nCog,cog.example,Jena\n"))
		unlocked(t, d, 1)
		f := testkit.New(t, services.Parts{DB: d})
		w, err := f.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Lab", Actor: credit.ActorSystem})
		require.NoError(t, err)
		l, err := f.Lists.Create(t.Context(), w.ID, "Kept")
		require.NoError(t, err)
		_, _, err = f.Lists.Add(t.Context(), w.ID, l.ID, company.SetOf(1, 2))
		require.NoError(t, err)
		p, err := importer.PreviewUndo(t.Context(), f.UndoOptions(), 1)
		require.NoError(t, err)
		require.Equal(t, 1, p.Removed)
		why := map[string]string{}
		for _, kept := range p.Kept {
			require.Equal(t, 1, kept.Count)
			why[kept.Samples[0].Name] = kept.Reason
		}
		require.Equal(t, map[string]string{
			"Acme": "an export has delivered or will deliver", "Bolt": "are on a list", "Cog": "another import has changed since",
		}, why)
		undo(t, d, 1)
	})
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

func split(t *testing.T, d *db.DB, number int64, position int) (catalog.Split, error) {
	t.Helper()
	f := testkit.New(t, services.Parts{DB: d})
	return importer.Split(t.Context(), importer.UndoOptions{Catalog: f.Catalog, Workspaces: f.Workspaces, Unlocks: f.Unlocks, Lists: f.Lists}, number, position)
}

func merges(t *testing.T, b *catalog.Store, number int64) []catalog.Merged {
	t.Helper()
	out := []catalog.Merged{}
	require.NoError(t, b.Merges(t.Context(), number, func(m catalog.Merged) error {
		out = append(out, m)
		return nil
	}))
	return out
}

func TestMergesIntoAnotherNameOrPlaceAreListedAndCanBeUndone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		load(t, b, write(t, "a.csv", "name,domain,city,country\nAcme,acme.example,Bonn,DE\nBolt,bolt.example,Ulm,DE\nCog,cog.example,Jena,DE\nDent,dent.example,,DE\n"))
		s := load(t, b, write(t, "b.csv", "name,domain,city,country\nApex,acme.example,Lyon,FR\nBolt,bolt.example,Kiel,DE\nCOG,cog.example,Jena,DE\nDent,dent.example,Trier,DE\n"))
		require.Equal(t, []int{2, 2}, []int{s.Merges.Count, s.Merges.Different})
		cs := all(t, b)
		require.Equal(t, []catalog.Merged{
			{Position: 1, File: "b.csv", Line: 2, Name: "Apex", Place: "Lyon, France", Into: "Acme", IntoAt: "Bonn, Germany", By: "domain", Company: cs[0].ID},
			{Position: 2, File: "b.csv", Line: 3, Name: "Bolt", Place: "Kiel, Germany", Into: "Bolt", IntoAt: "Ulm, Germany", By: "domain", Company: cs[1].ID},
		}, merges(t, b, 2), "another spelling, and a place that was unknown, are no other company")
		require.Empty(t, merges(t, b, 1))

		got, err := split(t, d, 2, 1)
		require.NoError(t, err)
		require.True(t, got.Restored)
		cs = all(t, b)
		require.Equal(t, []string{"Acme", "Bolt", "COG", "Dent", "Apex"}, []string{cs[0].Name, cs[1].Name, cs[2].Name, cs[3].Name, cs[4].Name})
		require.Equal(t, []string{"Bonn", "acme.example", "Lyon", "acme.example"}, []string{cs[0].City, cs[0].Domain, cs[4].City, cs[4].Domain})
		require.Equal(t, got.Company, cs[4].ID)
		require.NotNil(t, merges(t, b, 2)[0].SplitAt)
		_, err = split(t, d, 2, 1)
		require.ErrorContains(t, err, "has been undone already")
		_, err = split(t, d, 2, 9)
		require.ErrorContains(t, err, "has no merge 9")

		again := load(t, b, write(t, "b.csv", "name,domain,city,country\nApex,acme.example,Lyon,FR\n"))
		require.Equal(t, []int{0, 0}, []int{again.Added, again.Merges.Different}, "the row finds its own company now")

		unlocked(t, d, 2)
		got, err = split(t, d, 2, 2)
		require.NoError(t, err)
		require.False(t, got.Restored, "what was delivered stays")
		require.Equal(t, "Kiel", all(t, b)[1].City)
		require.Len(t, all(t, b), 6)

		undo(t, d, 2)
		require.Equal(t, []string{"Acme", "Bolt", "Cog", "Dent"}, names(t, b), "the split companies are part of the import")
	})
}

func TestANumericIDWithAnotherPageOnLinkedInDoesNotMatch(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load(t, b, write(t, "a.csv", "id,name,linkedin\n1,Acme,linkedin.com/company/acme\n"))
	load(t, b, write(t, "b.csv", "id,name,linkedin\n1,Acme,linkedin.com/company/acme-labs\n"))
	require.Len(t, names(t, b), 2)
}

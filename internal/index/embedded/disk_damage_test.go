package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// loseSegment has the index drop a segment as if damage was found in it.
func loseSegment(t testing.TB, ix *Index, name string) {
	t.Helper()
	ix.noteDamage(&DamageError{name, "rows", "made up"})
	ix.dropDamaged(t.Context())
	require.Zero(t, ix.Seq())
}

// firstFile merges all segments into one file and returns its name.
func firstFile(t testing.TB, ix *Index) string {
	t.Helper()
	ix.merging.Lock()
	defer ix.merging.Unlock()
	written, err := ix.mergeInto(ix.current.Load().parts, true)
	require.NoError(t, err)
	return written.file.name
}

func attached(t testing.TB, o Options) *Index {
	t.Helper()
	ix := Open(o)
	require.NoError(t, ix.Attach(t.Context(), t.TempDir(), sourceOfTests))
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	return ix
}

func TestAScanThatStartedBeforeALossDoesNotRepairIt(t *testing.T) {
	t.Parallel()
	changes := changesOf(companytest.Slice(1, 300))
	for name, before := range map[string]func(t *testing.T, ix *Index){
		"the first scan": func(*testing.T, *Index) {},
		"a repairing one": func(t *testing.T, ix *Index) {
			require.NoError(t, ix.Apply(t.Context(), changes, 1))
			loseSegment(t, ix, firstFile(t, ix))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ix := attached(t, Options{})
			before(t, ix)
			require.NoError(t, ix.Apply(t.Context(), changes[:100], 0))
			loseSegment(t, ix, firstFile(t, ix))
			require.ErrorIs(t, ix.Apply(t.Context(), changes[100:], 0), index.ErrRepairing, "the scan need not be finished")
			require.ErrorIs(t, ix.Apply(t.Context(), nil, 2), index.ErrRepairing)
			require.Zero(t, ix.Seq())
			require.NoError(t, ix.Save(t.Context()))
			_, err := readManifest(ix.disk.dir)
			require.ErrorIs(t, err, os.ErrNotExist, "an incomplete index is not saved")

			require.NoError(t, ix.Apply(t.Context(), changes[:100], 0))
			require.NoError(t, ix.Apply(t.Context(), nil, 0))
			require.NoError(t, ix.Apply(t.Context(), changes[100:], 0))
			require.NoError(t, ix.Apply(t.Context(), nil, 2), "the next scan counts")
			found, err := ix.Search(t.Context(), index.Request{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, len(changes), found.Total)
		})
	}
}

func TestALossDuringTheFirstScanNeedsOnlyOneMoreScan(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	ix := attached(t, Options{})
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies[:100]), 0))
	name := firstFile(t, ix)
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies[100:200]), 0))
	loseSegment(t, ix, name)
	require.ErrorIs(t, ix.Apply(t.Context(), changesOf(companies[200:]), 0), index.ErrRepairing)
	companies[150].Name = "Renamed Since"
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies), 0))
	require.NoError(t, ix.Apply(t.Context(), nil, 7))
	require.Equal(t, uint64(7), ix.Seq(), "no further scan is needed")
	require.Equal(t, 300, ix.Len())
	q, err := query.Parse(query.Filters{Query: "renamed since"})
	require.NoError(t, err)
	found, err := ix.Search(t.Context(), index.Request{Query: q, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, 1, found.Total, "the remaining companies are up to date")
}

func TestNoAnswerComesFromAnIndexThatLostCompanies(t *testing.T) {
	t.Parallel()
	ix := Open(Options{})
	defer ix.Close()
	for range effort.Times(300, 2000) {
		before := ix.losses.Load()
		begun := make(chan struct{})
		var answering sync.WaitGroup
		answering.Go(func() {
			close(begun)
			for ix.losses.Load() == before { // busy loop, to start between the two stores of publishLoss
			}
			ok, err := ix.tryAnswer(nil, func() error { return nil })
			if ok || err != nil {
				t.Error("answered by an index that has just lost companies", err)
			}
		})
		<-begun
		ix.mu.Lock()
		ix.publishLoss(&snapshot{})
		ix.mu.Unlock()
		answering.Wait()
		if t.Failed() {
			break
		}
		ix.mu.Lock()
		ix.publish(&snapshot{})
		ix.lost.Store(false)
		ix.mu.Unlock()
	}
}

func TestDamageIsQueuedOnceHoweverManyQueriesFindIt(t *testing.T) {
	t.Parallel()
	var d damageQueue
	for range 3 {
		d.add(&DamageError{"1.seg", "rows", "made up"})
		d.add(&DamageError{"2.seg", "rows", "made up"})
	}
	require.Len(t, d.take(), 2)
	require.Empty(t, d.take())
}

func TestLookupsReadOnlyVerifiedGroups(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 200)
	dir, _ := onDisk(t, companies)
	m, err := readManifest(dir)
	require.NoError(t, err)
	whole, err := os.ReadFile(filepath.Join(dir, m.Segments[0].Name))
	require.NoError(t, err)
	given := givens(t, companies)
	ask := func(t *testing.T, p []byte, g query.Given) ([]index.Known, error) {
		s, err := parseSegment(m.Segments[0].Name, mapping{aligned(p)})
		if err != nil {
			return nil, err
		}
		ix := Open(Options{})
		t.Cleanup(func() { require.NoError(t, ix.Close()) })
		ix.registry.register(s)
		ix.mu.Lock()
		ix.publish(&snapshot{seq: 1, companies: s.companies(), parts: []part{newPart(s)}})
		ix.mu.Unlock()
		return ix.current.Load().lookup(t.Context(), []query.Given{g})
	}
	for _, g := range given {
		t.Run(fmt.Sprint(g.Param, " ", g.Value), func(t *testing.T) {
			t.Parallel()
			want, err := ask(t, whole, g)
			require.NoError(t, err)
			for i := range sectionCount {
				at := extentAt(whole, i)
				p := slices.Clone(whole)
				for j := range p[at.offset : at.offset+at.size] {
					p[int(at.offset)+j] ^= 1
				}
				if known, err := ask(t, p, g); err == nil {
					require.Equal(t, want, known, "section %d", i)
				}
			}
		})
	}
}

// givens returns values that some company has, and others, for every field that Lookup supports.
func givens(t testing.TB, companies []*company.Company) []query.Given {
	t.Helper()
	var domain, end string
	for _, c := range companies {
		for _, one := range c.Connections {
			if one.Domain != "" {
				domain = one.Domain
			}
			if !one.ID.IsZero() {
				end = one.ID.String()
			}
		}
	}
	var all []query.Given
	for _, f := range []query.Filters{
		{
			Countries: []string{"US"}, States: []string{"California", "Califronia"}, Cities: []string{"Berlin", "Berlni"},
			Industries: []string{"Software", "Sofware"}, NAICSCodes: []string{"52"}, Technologies: []string{"Go", "PostgreSQ"},
			TechnologyCategories: []string{"Databases", "Databasse"},
		},
		{Connections: []query.ConnectionFilter{{Category: "vendor"}, {Category: "vendro"}, {ConnectedDomain: domain}, {ConnectedCompanyID: end}}},
	} {
		q, err := query.Parse(f)
		require.NoError(t, err)
		all = append(all, q.Given()...)
	}
	require.Greater(t, len(all), 10)
	return all
}

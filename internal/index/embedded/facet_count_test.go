package embedded

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/indextest"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// Small segments have more frequent values than bits, large ones are counted by two goroutines, and the share of matches
// decides whether the rows of the matches, the rows of the others or single values are counted.
func TestFacetsAreExactHoweverTheyAreCounted(t *testing.T) {
	t.Parallel()
	for _, sizes := range [][]int{{500}, {effort.Times(14_000, 42_000)}, {effort.Times(8000, 23_000), effort.Times(2000, 5000), 300}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			t.Parallel()
			ix := Open(Options{MergeWidth: 1000})
			defer ix.Close()
			s := &snapshot{}
			w, next := indextest.NewWorkload(42_000), 1
			for _, n := range sizes {
				companies := make([]*company.Company, n)
				for i := range companies {
					companies[i] = w.Company(next)
					next++
				}
				one := build(companies)
				ix.registry.register(one)
				s.parts = append(s.parts, newPart(one))
			}
			s.keys = ix.registry.keysets()
			r := rand.New(rand.NewPCG(3, 4))
			var some []company.Number
			for n := range company.Number(next) {
				if r.IntN(3) == 0 {
					some = append(some, n)
				}
			}
			owned := company.SetOf(some...)
			for _, share := range []float64{0.001, 0.1, 0.3, 0.49, 0.6, 0.97} {
				found := matchesOf(s, r, share)
				for _, a := range []index.Request{ // with many values, counting them one by one is expensive
					{FacetLimit: 20},
					{FacetLimit: 2000},
					{FacetLimit: 20, FacetOwned: true, Owned: owned},
					{FacetLimit: 3, Facets: []index.Facet{"technologies", "founded_year"}},
					{FacetLimit: 5, FacetPrefix: index.FacetPrefix{Facet: "technologies", Text: "tech b"}},
				} {
					request := newFacetRequest(a)
					require.Equal(t, oneByOne(s, found, request), facetsOf(t, s, found, request), "share %v", share)
				}
			}
		})
	}
}

// Counts of deleted slots may be used by later snapshots, but never by earlier ones.
func TestFacetsAreExactInEverySnapshotWithDeletions(t *testing.T) {
	t.Parallel()
	ix := Open(Options{})
	defer ix.Close()
	n := effort.Times(4000, 12_000)
	w := indextest.NewWorkload(n)
	companies := make([]*company.Company, n)
	for i := range companies {
		companies[i] = w.Company(i + 1)
		companies[i].Number += company.Number(i / 5) // with holes
	}
	one := build(companies)
	ix.registry.register(one)
	r := rand.New(rand.NewPCG(5, 6))
	shrinking := newPart(one)
	var moments []*snapshot
	for range 16 {
		moments = append(moments, &snapshot{parts: []part{shrinking}, keys: ix.registry.keysets()})
		for _, s := range []*snapshot{moments[len(moments)-1], moments[r.IntN(len(moments))]} {
			found := matchesOf(s, r, []float64{0.4, 0.7, 0.85, 1}[r.IntN(4)])
			for _, limit := range []int{20, 2000} {
				request := newFacetRequest(index.Request{FacetLimit: limit})
				require.Equal(t, oneByOne(s, found, request), facetsOf(t, s, found, request))
			}
			all, _, err := s.search(t.Context(), new(arena), criteria{})
			require.NoError(t, err)
			require.Equal(t, matchesOf(s, r, 1)[0].bits, all[0].bits)
		}
		for range n/120 + r.IntN(n*3/40) {
			shrinking.markDeleted(companies[r.IntN(len(companies))].Number)
		}
	}
	require.Less(t, shrinking.companies()*2, one.companies())
	require.NotNil(t, one.tombstoneCache.counts.Load())
}

// matchesOf selects slots at random; some parts have no match at all.
func matchesOf(s *snapshot, r *rand.Rand, share float64) (found []hits) {
	for i := range s.parts {
		p := &s.parts[i]
		h := hits{part: p, bits: make(bitset, wordsFor(p.slots)), scratch: new(arena)}
		for slot := range uint32(p.slots) {
			if r.Float64() < share {
				h.bits.set(slot)
			}
		}
		for _, slot := range p.deleted {
			h.bits.clear(slot)
		}
		if h.count = h.bits.count(); h.count > 0 {
			found = append(found, h)
		}
	}
	return found
}

// oneByOne counts every value by its postings.
func oneByOne(s *snapshot, found []hits, request facetRequest) (f index.Facets) {
	owned := ownedOf(found, request)
	top := func(f field) (counts []index.Count) {
		if !request.fields[f] || len(found) == 0 {
			return nil
		}
		byKey, byOwned, spelled := countsOf(found, f), countsOf(owned, f), map[string]map[string]uint32{}
		prefix, _ := request.prefixOf(f)
		for i := range found {
			v := &found[i].values[f]
			for k := range v.len() {
				key := string(v.key(k))
				if spelled[key] == nil {
					spelled[key] = map[string]uint32{}
				}
				if v.countIn(k, found[i].bits) > 0 {
					v.addSpellings(spelled[key], k, uint32(v.count(k)))
				}
			}
		}
		keys := make([]string, 0, len(byKey))
		for key := range byKey {
			if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
				keys = append(keys, key)
			}
		}
		slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(byKey[b], byKey[a]), cmp.Compare(a, b)) })
		counts = []index.Count{}
		for _, key := range keys[:min(request.limit, len(keys))] {
			counts = append(counts, index.Count{Value: mostFrequent(spelled[key]), Count: int(byKey[key]), Owned: int(byOwned[key])})
		}
		return counts
	}
	facets := index.Facets{Values: map[index.Facet][]index.Count{}, Bands: map[index.Facet][]index.Band{}}
	for _, facet := range request.facets {
		switch f := facetField(facet); f {
		case fieldBand:
			facets.Bands[facet] = bandsOf(found, owned, f, bandBounds)
		case fieldDecade:
			facets.Bands[facet] = bandsOf(found, owned, f, decadeBounds)
		default:
			facets.Values[facet] = top(f)
		}
	}
	return facets
}

// ownedOf returns the hits that are owned, if the request counts them.
func ownedOf(found []hits, request facetRequest) []hits {
	owned := make([]hits, len(found))
	for i := range found {
		owned[i] = found[i]
		owned[i].bits = make(bitset, len(found[i].bits))
		for _, slot := range found[i].bits.appendTo(nil) {
			if request.owned.Has(company.Number(found[i].number(slot))) {
				owned[i].bits.set(slot)
			}
		}
	}
	return owned
}

func bandsOf(found, owned []hits, f field, bounds func(string) (low, high *int64)) []index.Band {
	counts, ownedCounts := countsOf(found, f), countsOf(owned, f)
	list := []index.Band{}
	for key, n := range counts {
		low, high := bounds(key)
		list = append(list, index.Band{Min: low, Max: high, Count: int(n), Owned: int(ownedCounts[key])})
	}
	slices.SortFunc(list, func(a, b index.Band) int { return cmp.Compare(*a.Min, *b.Min) })
	return list
}

// countsOf returns the counts of a field's values by key, without zeros.
func countsOf(found []hits, f field) map[string]uint32 {
	counts := map[string]uint32{}
	for i := range found {
		v := &found[i].values[f]
		for k := range v.len() {
			if n := v.countIn(k, found[i].bits); n > 0 {
				counts[string(v.key(k))] += n
			}
		}
	}
	return counts
}

func facetsOf(t *testing.T, s *snapshot, found []hits, request facetRequest) index.Facets {
	f, err := s.facets(found, request)
	require.NoError(t, err)
	return f
}

// A saved search within a search names its sets below a query.Within.
func TestTheCountsOfEverySetThatASearchNamesAreKept(t *testing.T) {
	t.Parallel()
	ix := Open(Options{})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	companies := companytest.Slice(1, 400)
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies), 1))
	first, second, excluded := company.Span(1, 200), company.Span(201, 300), company.Span(290, 300)
	us := query.OneOf{Field: query.FieldCountry, Values: []string{"us"}}
	for name, root := range map[string]query.Node{
		"a set":      query.InSet{Set: first},
		"within":     query.Within{Node: query.And{query.InSet{Set: first}, query.Not{Node: us}}},
		"any of two": query.Within{Node: query.Or{query.InSet{Set: first}, query.InSet{Set: second}}},
		"not":        query.Not{Node: query.Within{Node: query.And{query.InSet{Set: first}, us}}},
	} {
		request := newFacetRequest(index.Request{Query: query.Query{Root: root}, Excluded: []company.Set{excluded}, FacetLimit: 5})
		require.Contains(t, request.sets, first, name)
		require.Contains(t, request.sets, excluded, name)
	}
	_, err := ix.Search(t.Context(), index.Request{
		Query:      query.Query{Root: query.Within{Node: query.Or{query.InSet{Set: first}, query.InSet{Set: second}}}},
		FacetLimit: 5,
	})
	require.NoError(t, err)
	cache := &ix.current.Load().parts[0].slotSetCache
	for _, set := range []company.Set{first, second} {
		at := slices.IndexFunc(cache.recent, func(one slotSet) bool { return one.of == set.Bitmap() })
		require.GreaterOrEqual(t, at, 0)
		require.NotNil(t, cache.recent[at].counts, "they are not counted again")
	}
}

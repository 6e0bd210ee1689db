package opensearch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

const (
	// termsMax is the most values of a facet that are asked for at once; for more, all values are read.
	termsMax = 1_000
	// pageMax is how many values one request reads when all are read.
	pageMax = 10_000
	// bandsMax is above the number of bands that a facet can have.
	bandsMax = 2_000
	// spellingAge is how long the spelling of a value is used before it is looked up again.
	spellingAge = 5 * time.Minute
)

// facetRequest says which facets a search counts.
type facetRequest struct {
	limit  int
	facets []index.Facet
	prefix index.FacetPrefix // with folded text
	owned  company.Set       // counted separately for each value; empty if it is not asked for
}

func newFacetRequest(r index.Request) facetRequest {
	if r.FacetLimit <= 0 {
		return facetRequest{}
	}
	f := facetRequest{limit: r.FacetLimit, facets: r.Facets, prefix: r.FacetPrefix}
	f.prefix.Text = text.Fold(f.prefix.Text)
	if r.FacetOwned {
		f.owned = r.Owned
	}
	if f.facets == nil {
		f.facets = index.AllFacets()
	}
	f.facets = slices.Compact(slices.Sorted(slices.Values(f.facets)))
	return f
}

// facetField returns the field of documents that a facet counts.
func facetField(f index.Facet) string {
	switch of := f.Field(); of {
	case query.FieldNAICS:
		return "sector"
	case query.FieldEmployeeCount:
		return "band"
	case query.FieldFoundedYear:
		return "decade"
	default:
		return valueFields[of]
	}
}

// prefixOf returns what the values of a facet must begin with.
func (r facetRequest) prefixOf(f index.Facet) string {
	if r.prefix.Facet != f || f.HasBands() {
		return ""
	}
	return r.prefix.Text
}

// aggregations returns what counts the first values of each facet.
func (r facetRequest) aggregations() object {
	aggs := object{}
	for _, f := range r.facets {
		switch {
		case f.HasBands():
			aggs[string(f)] = valuesAggregation(facetField(f), bandsMax, nil)
		case r.limit <= termsMax:
			aggs[string(f)] = valuesAggregation(facetField(f), r.limit, beginning(r.prefixOf(f)))
		}
	}
	return aggs
}

// valuesAggregation counts the values of a field, the most frequent first, then by value. include is nil, a regular expression or
// a list of values.
func valuesAggregation(field string, size int, include any) object {
	terms := object{
		"field": field, "size": size, "shard_size": max(size, termsMax), "order": []object{{"_count": "desc"}, {"_key": "asc"}},
	}
	if include != nil {
		terms["include"] = include
	}
	return object{"terms": terms}
}

// beginning returns the regular expression for values that begin with the text, nil for an empty text.
func beginning(s string) any {
	if s == "" {
		return nil
	}
	return escaped(s) + ".*"
}

// escaped returns a regular expression of Lucene for the text itself.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`.?+*|{}[]()"\#@&<>~^$-`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// valueCount is the number of matches that have a value.
type valueCount struct {
	value string
	count int
}

// buckets are the counts of a field's values.
type buckets struct {
	Error   int `json:"doc_count_error_upper_bound"`
	Other   int `json:"sum_other_doc_count"`
	Buckets []struct {
		Key   json.RawMessage `json:"key"`
		Count int             `json:"doc_count"`
	} `json:"buckets"`
	After json.RawMessage `json:"after_key"`
}

func readBuckets(raw json.RawMessage) (b buckets, err error) {
	if len(raw) == 0 {
		return b, nil
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, unavailable(fmt.Errorf("read counts: %w", err))
	}
	return b, nil
}

// counts returns the counts of a terms aggregation.
func (b buckets) counts() ([]valueCount, error) {
	all := make([]valueCount, len(b.Buckets))
	for i, one := range b.Buckets {
		all[i].count = one.Count
		if err := json.Unmarshal(one.Key, &all[i].value); err != nil {
			return nil, unavailable(fmt.Errorf("read counts: %w", err))
		}
	}
	return all, nil
}

// facetsOf returns the facets of the matches, from the answer to aggregations.
func (ix *Index) facetsOf(ctx context.Context, s *snapshot, what criteria, r facetRequest, counted map[string]json.RawMessage) (index.Facets, error) {
	f := index.Facets{}
	if len(r.facets) == 0 {
		return f, nil
	}
	top, err := ix.topValues(ctx, s, what.matches(), r, counted, nil)
	if err != nil {
		return f, err
	}
	owned := map[index.Facet][]valueCount{}
	if !r.owned.IsEmpty() {
		if owned, err = ix.ownedValues(ctx, s, what, r, top); err != nil {
			return f, err
		}
	}
	spellings, err := ix.spellings(ctx, s, top)
	if err != nil {
		return f, err
	}
	f.Values, f.Bands = map[index.Facet][]index.Count{}, map[index.Facet][]index.Band{}
	for facet, values := range top {
		of := make(map[string]int, len(owned[facet]))
		for _, v := range owned[facet] {
			of[v.value] = v.count
		}
		if facet.HasBands() {
			f.Bands[facet] = bandsOf(facet, values, of)
			continue
		}
		counts := make([]index.Count, len(values))
		for i, v := range values {
			counts[i] = index.Count{Value: spellings[spelling(facet.Field(), v.value)], Count: v.count, Owned: of[v.value]}
		}
		f.Values[facet] = counts
	}
	return f, nil
}

// topValues returns the first values of each facet. Those that the answer does not count exactly are counted again, all of them.
// only restricts a facet to some values.
func (ix *Index) topValues(
	ctx context.Context, s *snapshot, matches object, r facetRequest, counted map[string]json.RawMessage, only map[index.Facet][]valueCount,
) (map[index.Facet][]valueCount, error) {
	top := make(map[index.Facet][]valueCount, len(r.facets))
	for _, f := range r.facets {
		raw, isCounted := counted[string(f)]
		b, err := readBuckets(raw)
		if err != nil {
			return nil, err
		}
		if isCounted && b.Error == 0 && (!f.HasBands() || b.Other == 0) {
			if top[f], err = b.counts(); err != nil {
				return nil, err
			}
			continue
		}
		all, err := ix.allValues(ctx, s, matches, facetField(f))
		if err != nil {
			return nil, err
		}
		prefix := r.prefixOf(f)
		all = slices.DeleteFunc(all, func(v valueCount) bool { return !strings.HasPrefix(v.value, prefix) })
		if !f.HasBands() && only == nil {
			all = all[:min(r.limit, len(all))]
		}
		top[f] = all
	}
	return top, nil
}

// ownedValues counts the owned matches that have each of the values.
func (ix *Index) ownedValues(
	ctx context.Context, s *snapshot, what criteria, r facetRequest, top map[index.Facet][]valueCount,
) (map[index.Facet][]valueCount, error) {
	aggs := object{}
	for f, values := range top {
		switch {
		case f.HasBands():
			aggs[string(f)] = valuesAggregation(facetField(f), bandsMax, nil)
		case len(values) > 0 && len(values) <= termsMax:
			names := make([]string, len(values))
			for i, v := range values {
				names[i] = v.value
			}
			aggs[string(f)] = valuesAggregation(facetField(f), len(names), names)
		}
	}
	owned := both([]object{what.matches(), inSet(r.owned)}, nil)
	a, err := ix.search(ctx, s, object{"size": 0, "query": owned, "aggs": aggs, "track_total_hits": true})
	if err != nil {
		return nil, err
	}
	return ix.topValues(ctx, s, owned, r, a.Aggregations, top)
}

// allValues returns the counts of all values of a field that matches have, the most frequent first, then by value.
func (ix *Index) allValues(ctx context.Context, s *snapshot, matches object, field string) ([]valueCount, error) {
	var all []valueCount
	var after json.RawMessage
	for {
		composite := object{"size": pageMax, "sources": []object{{"v": object{"terms": object{"field": field}}}}}
		if after != nil {
			composite["after"] = after
		}
		a, err := ix.search(ctx, s, object{"size": 0, "query": matches, "track_total_hits": true, "aggs": object{"all": object{"composite": composite}}})
		if err != nil {
			return nil, err
		}
		b, err := readBuckets(a.Aggregations["all"])
		if err != nil {
			return nil, err
		}
		for _, one := range b.Buckets {
			var key struct {
				Value string `json:"v"`
			}
			if err := json.Unmarshal(one.Key, &key); err != nil {
				return nil, unavailable(fmt.Errorf("read counts: %w", err))
			}
			all = append(all, valueCount{key.Value, one.Count})
		}
		if len(b.Buckets) < pageMax || b.After == nil {
			break
		}
		after = b.After
	}
	slices.SortFunc(all, byCount)
	return all, nil
}

func byCount(a, b valueCount) int {
	return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.value, b.value))
}

// bandsOf returns the bands in ascending order.
func bandsOf(f index.Facet, values []valueCount, owned map[string]int) []index.Band {
	bands := make([]index.Band, 0, len(values))
	for _, v := range values {
		low, high := bandBounds(f, v.value)
		bands = append(bands, index.Band{Min: &low, Max: high, Count: v.count, Owned: owned[v.value]})
	}
	slices.SortFunc(bands, func(a, b index.Band) int { return cmp.Compare(*a.Min, *b.Min) })
	return bands
}

// bandBounds returns the bounds of the band with the key, which is its lower bound.
func bandBounds(f index.Facet, key string) (low int64, high *int64) {
	first, _ := strconv.ParseInt(key, 10, 64) // as documentOf writes it
	_, high = company.BandOf(f.Field().String(), first)
	return first, high
}

// spelledAs is how most companies spell a value, and when that was looked up.
type spelledAs struct {
	text  string
	at    time.Time
	index string
}

// spellings returns how most companies spell the values of facets, by the key of spelling.
func (ix *Index) spellings(ctx context.Context, s *snapshot, values map[index.Facet][]valueCount) (map[string]string, error) {
	spelled, unknown := map[string]string{}, map[query.Field][]string{}
	now := time.Now()
	ix.spelledMu.Lock()
	for f, counts := range values {
		for _, v := range counts {
			key := spelling(f.Field(), v.value)
			switch as, ok := ix.spelled[key]; {
			case f.HasBands():
			case !hasSpellings(f):
				spelled[key] = v.value
			case ok && as.index == s.index && now.Sub(as.at) < spellingAge:
				spelled[key] = as.text
			default:
				unknown[f.Field()] = append(unknown[f.Field()], v.value)
			}
		}
	}
	ix.spelledMu.Unlock()
	found, err := ix.lookUpSpellings(ctx, s, unknown)
	maps.Copy(spelled, found)
	return spelled, err
}

const (
	// spelledMax is the length of the expression for the values whose spellings are looked up at once, in bytes: long ones are
	// too complex for Lucene.
	spelledMax = 4_000
	// spellingMax is the length of the longest value whose spelling is looked up; longer ones are shown in their folded form.
	spellingMax = 2_000
)

// hasSpellings reports whether companies may spell a value of the facet in several ways.
func hasSpellings(f index.Facet) bool {
	return f.Field() != query.FieldKnown && f.Field() != query.FieldNAICS
}

// lookUpSpellings returns how most companies spell values, by the key of spelling.
func (ix *Index) lookUpSpellings(ctx context.Context, s *snapshot, unknown map[query.Field][]string) (map[string]string, error) {
	var searches []object
	spelled := map[string]string{}
	for of, values := range unknown {
		for _, v := range values {
			spelled[spelling(of, v)] = v
		}
		searches = append(searches, spellingSearches(of, values)...)
	}
	answers, err := ix.searchAll(ctx, s, searches)
	if err != nil {
		return nil, err
	}
	done := map[string]bool{}
	for _, a := range answers {
		b, err := readBuckets(a.Aggregations["spelled"])
		if err != nil {
			return nil, err
		}
		counts, err := b.counts()
		if err != nil {
			return nil, err
		}
		for _, c := range counts { // the most frequent first
			if at := spelledAt(c.value); !done[c.value[:at]] {
				done[c.value[:at]] = true
				spelled[c.value[:at]] = c.value[at:]
			}
		}
	}
	ix.spelledMu.Lock()
	defer ix.spelledMu.Unlock()
	if ix.spelled == nil || len(ix.spelled) > 100*pageMax {
		ix.spelled = map[string]spelledAs{}
	}
	for key, as := range spelled {
		ix.spelled[key] = spelledAs{as, time.Now(), s.index}
	}
	return spelled, nil
}

// spellingSearches returns searches that count the spellings of values of a field, without values that are too long.
func spellingSearches(of query.Field, values []string) (searches []object) {
	var expressions, part []string
	length := 0
	add := func() {
		if len(part) > 0 {
			include := escaped(valueFields[of]) + "\x1f(" + strings.Join(expressions, "|") + ")\x1f.*"
			searches = append(searches, object{
				"size": 0, "query": object{"terms": object{valueFields[of]: part}}, "track_total_hits": true,
				"aggs": object{"spelled": valuesAggregation("spelled", pageMax, include)},
			})
		}
		expressions, part, length = nil, nil, 0
	}
	for _, v := range values {
		if len(v) > spellingMax {
			continue
		}
		expression := escaped(v)
		if length+len(expression) > spelledMax {
			add()
		}
		length += len(expression)
		expressions, part = append(expressions, expression), append(part, v)
	}
	add()
	return searches
}

// spelledAt returns where the spelling begins in a term of the field spelled.
func spelledAt(s string) int {
	first := strings.IndexByte(s, '\x1f') + 1
	return first + strings.IndexByte(s[first:], '\x1f') + 1
}

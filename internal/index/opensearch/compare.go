package opensearch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencapi/capi/internal/index"
)

// Compare implements index.Index. Each set halves what the sets before it have left, so that the last ones have a bucket for each
// region.
func (ix *Index) Compare(ctx context.Context, c index.Comparison) (compared *index.Compared, err error) {
	for _, q := range c.Sets {
		if err := q.Unresolved(); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
	}
	sets := make([]object, len(c.Sets))
	for i, q := range c.Sets {
		sets[i] = filterOf(q.Root)
	}
	var aggs object
	if !c.Owned.IsEmpty() {
		aggs = object{"owned": object{"filter": inSet(c.Owned)}}
	}
	for _, set := range sets { // the first is the innermost
		halves := object{"filters": object{"filters": object{"in": set}, "other_bucket": true, "other_bucket_key": "out"}}
		if aggs != nil {
			halves["aggs"] = aggs
		}
		aggs = object{"set": halves}
	}
	_, left := criteria{excluded: c.Excluded}.left()
	err = ix.answered(ctx, func(s *snapshot) error {
		compared = &index.Compared{Regions: make([]index.Region, 1<<len(sets))}
		var not []object
		if !left.IsEmpty() {
			not = append(not, inSet(left))
			counts, err := ix.count(ctx, s, both([]object{either(sets), inSet(left)}, nil))
			if err != nil {
				return err
			}
			compared.Excluded = counts[0]
		}
		a, err := ix.search(ctx, s, object{"size": 0, "track_total_hits": true, "query": both([]object{either(sets)}, not), "aggs": aggs})
		if err != nil {
			return err
		}
		return readRegions(a.Aggregations["set"], len(sets)-1, 0, compared.Regions)
	})
	return compared, wrap("compare", err)
}

// readRegions reads the buckets of the set at the place, and of those before it, for a region that is in the sets of in behind it.
func readRegions(raw json.RawMessage, at, in int, regions []index.Region) error {
	if len(raw) == 0 {
		return nil
	}
	type half struct {
		Count int             `json:"doc_count"`
		Set   json.RawMessage `json:"set"`
		Owned struct {
			Count int `json:"doc_count"`
		} `json:"owned"`
	}
	var halves struct {
		Buckets struct {
			In, Out half
		} `json:"buckets"`
	}
	if err := json.Unmarshal(raw, &halves); err != nil {
		return unavailable(fmt.Errorf("read regions: %w", err))
	}
	for _, h := range []struct {
		half
		in int
	}{{halves.Buckets.In, in | 1<<at}, {halves.Buckets.Out, in}} {
		if at > 0 {
			if err := readRegions(h.Set, at-1, h.in, regions); err != nil {
				return err
			}
			continue
		}
		if h.in > 0 {
			regions[h.in] = index.Region{Count: h.Count, Owned: h.Owned.Count}
		}
	}
	return nil
}

package embedded

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"weak"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// answerCache keeps the pages and the facets of the latest searches of one snapshot, so that a search that is asked again, and the
// facets of its next page, cost a look-up. Every change makes a new snapshot and so empties it.
//
// There are two generations: once the younger one is full it becomes the older one, and the answers that nobody asked for since the
// last time are forgotten.
type answerCache struct {
	most int // answers in a generation; 0 for none

	mu             sync.Mutex
	snapshot       uint64
	younger, older map[answerKey]*answer
}

// answer is what a search found: its page without facets, or its facets alone. It is shared, so nothing may change it.
type answer struct {
	sets  []weakSet
	found index.Result
}

// question identifies a search of a snapshot.
type question struct {
	key  answerKey
	sets []weakSet // the sets that it names; an answer belongs to a search in the same sets only
}

type answerKey struct {
	query   [16]byte
	request string
}

// weakSet identifies a set without keeping it; zero for an empty one. Two sets never have the same one, even if the second takes
// the first one's place in memory.
type weakSet = weak.Pointer[roaring.Bitmap]

// questionsOf returns what identifies the page and the facets of a search.
func questionsOf(r index.Request) (page, facets question) {
	sets := append(storedSets(r.Query.Root), r.Excluded...)
	if r.Within != nil {
		sets = append(sets, *r.Within)
	}
	if r.Without != nil {
		sets = append(sets, *r.Without)
	}
	narrowed := fmt.Sprint(r.Within != nil, r.Without != nil)
	of := r.Query.Fingerprint()
	counted := sets
	if r.FacetOwned {
		counted = append(slices.Clip(sets), r.Owned)
	}
	page = newQuestion(of, append(slices.Clip(sets), r.Owned), "page", narrowed, r.Sort, max(1, r.Limit), r.Head, string(r.Cursor))
	facets = newQuestion(of, counted, "facets", narrowed, r.FacetOwned, r.FacetLimit, r.Facets == nil, r.Facets, r.FacetPrefix)
	return page, facets
}

func newQuestion(query [16]byte, sets []company.Set, request ...any) question {
	q := question{key: answerKey{query: query}, sets: make([]weakSet, len(sets))}
	at := fmt.Appendf(nil, "%#v", request)
	for i, s := range sets {
		if !s.IsEmpty() {
			q.sets[i] = weak.Make(s.Bitmap())
		}
		at = fmt.Appendf(at, " %p", q.sets[i].Value()) // keeps the searches of different workspaces apart
	}
	q.key.request = string(at)
	return q
}

// get returns what an earlier search found in the snapshot, nil if that is not known.
func (c *answerCache) get(s *snapshot, q question) *answer {
	if c.most == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snapshot != s.id {
		return nil
	}
	a, known := c.younger[q.key]
	if !known {
		if a, known = c.older[q.key]; known {
			c.add(q.key, a)
		}
	}
	if !known || !slices.Equal(a.sets, q.sets) {
		return nil
	}
	return a
}

// put keeps what a search found in the snapshot, and forgets what was found in earlier ones.
func (c *answerCache) put(s *snapshot, q question, found index.Result) *answer {
	a := &answer{q.sets, found}
	if c.most == 0 {
		return a
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snapshot < s.id {
		c.snapshot, c.younger, c.older = s.id, nil, nil
	}
	if c.snapshot == s.id {
		c.add(q.key, a)
	}
	return a
}

func (c *answerCache) add(key answerKey, a *answer) {
	if len(c.younger) >= c.most {
		c.younger, c.older = nil, c.younger
	}
	if c.younger == nil {
		c.younger = make(map[answerKey]*answer)
	}
	c.younger[key] = a
}

// result returns a result of the caller's own; facets may be nil.
func result(page, facets *answer) *index.Result {
	own := page.found
	own.Page, own.Head, own.Next = slices.Clone(own.Page), slices.Clone(own.Head), slices.Clone(own.Next)
	if facets != nil {
		own.Facets = index.Facets{Values: maps.Clone(facets.found.Facets.Values), Bands: maps.Clone(facets.found.Facets.Bands)}
	}
	return &own
}

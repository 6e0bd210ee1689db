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
	room int // bytes for the matches in a generation

	mu             sync.Mutex
	snapshot       uint64
	younger, older map[answerKey]*answer
	used           int // of the room, by the younger generation
}

// answer is what a search found: its page, its matches, how many of them are owned, or its facets. It is shared, so nothing may
// change it.
type answer struct {
	sets    []weakSet
	found   index.Result
	matches []bitset // by part; with them the owned ones are counted after each purchase
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

// questions are what a search asks, each kept by itself.
type questions struct{ page, matches, owned, facets question }

func questionsOf(r index.Request) questions {
	sets := append(storedSets(r.Query.Root), r.Excluded...)
	if r.Within != nil {
		sets = append(sets, *r.Within)
	}
	if r.Without != nil {
		sets = append(sets, *r.Without)
	}
	narrowed := fmt.Sprint(r.Within != nil, r.Without != nil)
	of := r.Query.Fingerprint()
	withOwned := append(slices.Clip(sets), r.Owned)
	counted := sets
	if r.FacetOwned {
		counted = withOwned
	}
	return questions{
		page:    newQuestion(of, sets, "page", narrowed, r.Sort, max(1, r.Limit), r.Head, string(r.Cursor)),
		matches: newQuestion(of, sets, "matches", narrowed),
		owned:   newQuestion(of, withOwned, "owned", narrowed),
		facets:  newQuestion(of, counted, "facets", narrowed, r.FacetOwned, r.FacetLimit, r.Facets == nil, r.Facets, r.FacetPrefix),
	}
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
func (c *answerCache) put(s *snapshot, q question, a answer) *answer {
	a.sets = q.sets
	if c.most == 0 {
		return &a
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snapshot < s.id {
		c.snapshot, c.younger, c.older, c.used = s.id, nil, nil, 0
	}
	if c.snapshot == s.id {
		c.add(q.key, &a)
	}
	return &a
}

func (c *answerCache) add(key answerKey, a *answer) {
	size := 0
	for _, bits := range a.matches {
		size += 8 * len(bits)
	}
	if len(c.younger) >= c.most {
		c.younger, c.older, c.used = nil, c.younger, 0
	}
	if c.used+size > c.room {
		return // pages and facets are worth more, and take no room
	}
	if c.younger == nil {
		c.younger = make(map[answerKey]*answer)
	}
	c.used += size
	c.younger[key] = a
}

// owned returns how many of the matches are owned, if that is known without another search; nil if not.
func (c *answerCache) owned(s *snapshot, asked questions, owned company.Set) *answer {
	if owned.IsEmpty() {
		return &answer{}
	}
	if a := c.get(s, asked.owned); a != nil {
		return a
	}
	kept := c.get(s, asked.matches)
	if kept == nil {
		return nil
	}
	var found []hits
	for i, bits := range kept.matches {
		if bits != nil {
			found = append(found, hits{part: &s.parts[i], bits: bits})
		}
	}
	return c.put(s, asked.owned, answer{found: index.Result{Owned: countOwned(found, owned)}})
}

// result returns a result of the caller's own; facets may be nil.
func result(page, owned, facets *answer) *index.Result {
	own := page.found
	own.Page, own.Head, own.Next = slices.Clone(own.Page), slices.Clone(own.Head), slices.Clone(own.Next)
	own.Owned = owned.found.Owned
	if facets != nil {
		own.Facets = index.Facets{Values: maps.Clone(facets.found.Facets.Values), Bands: maps.Clone(facets.found.Facets.Bands)}
	}
	return &own
}

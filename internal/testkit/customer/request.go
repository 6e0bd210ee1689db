package customer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
)

// request is a request for an export, which is sent once or more often.
type request struct {
	name   string // of every export that it creates
	key    string // empty if there is none
	body   []byte
	tokens []*token // of the attempts, the newest last
	format string

	source func() []int // returns the companies of its source as they are now, in the order of the file; nil with a quote
	want   []int        // those of when it was last sent, without excluded ones
	hidden int          // how many the exclusions left out
	terms  terms
	quote  *quote // nil if it is bought without a quote
	match  *match // the source; nil if it is another one

	since int    // the edition that every company had at least when it was first sent
	open  int    // attempts whose outcome is unknown
	lost  bool   // the newest attempt got no answer
	raw   []byte // the first answer, if it has a key
	fresh int    // answers that were not marked as replayed
}

// terms are the options of a request that change its price.
type terms struct {
	limit            int
	onlyNew, partial bool
	creditsMax       *int
}

// plain reports whether the rows do not depend on what the workspace owns.
func (req *request) plain() bool { return req.quote == nil && !req.terms.onlyNew && !req.terms.partial }

// spansKept is how many of the newest ranges are requested again.
const spansKept = 6

// quotesUsed is how many of the newest quotes are still used.
const quotesUsed = 10

// purchase is an export that the service has.
type purchase struct {
	*request
	id        string
	seq       int    // the exports that were known before
	by        *token // nil if several tokens asked and it is unknown which attempt bought it
	figures   figures
	rows      []int // in the order of the file; nil if not known yet
	until     int   // the newest edition that a row may have
	confirmed bool  // its creation
	status    string
	refunded  int  // as predicted if the customer is alone, otherwise as of the last Audit
	cancels   int  // requested, whatever the outcome
	cancelled bool // the cancellation was confirmed
	verified  bool // the file was checked
}

func (s *purchase) final() bool { return s.status != "pending" && s.status != "processing" }
func (s *purchase) live() bool  { return s.status != "failed" && s.status != "cancelled" }

// figures are the counts and credits of an answer.
type figures struct {
	Requested int  `json:"requested_count"`
	Already   int  `json:"already_unlocked"`
	New       int  `json:"new_count"`
	Cost      int  `json:"cost"`
	Charged   int  `json:"credits_charged"`
	WouldSkip int  `json:"would_skip"`
	Capped    bool `json:"capped_at_10k"`
}

// check checks that the figures of a created export agree with each other.
func (f figures) check() error {
	if f.Already+f.New != f.Requested || f.Cost != f.New-f.WouldSkip || f.Charged != f.Cost || f.WouldSkip < 0 || f.Cost < 0 {
		return fmt.Errorf("inconsistent figures: %+v", f)
	}
	return nil
}

// source returns a random source and terms, as the fields of its body and as a request.
func (c *Customer) source(r *rand.Rand) (fields map[string]any, req *request) {
	req, fields = &request{format: pick(r, "csv", "json", "ndjson", "parquet")}, map[string]any{}
	l, m := c.someList(r), c.someMatch(r)
	switch kind := r.IntN(8); {
	case kind < 2 && l != nil:
		fields["source_type"], fields["list_id"], l.requested = "list", l.id, true
		req.source = func() []int { return slices.Sorted(maps.Keys(l.members)) }
	case kind < 3 && m != nil:
		fields["source_type"], fields["match_id"] = "match", m.id
		req.match, req.source = m, func() []int { return m.numbers }
	default:
		low, high := c.span(r)
		within := func(int) bool { return true }
		if kind < 6 {
			fields["source_type"] = "set"
			fields["set"], within = c.someSet(r, low, high)
		} else {
			fields["search_filters"] = spanOf(low, high)["search"]
		}
		order := pick(r, "asc", "desc")
		fields["sort_by"], fields["sort_order"] = "employee_count", order
		req.source = func() (numbers []int) {
			for n := low; n <= high; n++ {
				if within(n) {
					numbers = append(numbers, n)
				}
			}
			if order == "desc" {
				slices.Reverse(numbers)
			}
			return numbers
		}
	}
	req.terms = someTerms(r, c.RowsMax, fields)
	c.resolve(req)
	fields["export_format"] = req.format
	return fields, req
}

// resolve reads the source of a request as it is now.
func (c *Customer) resolve(req *request) {
	req.want, req.hidden = nil, 0
	for _, n := range req.source() {
		switch {
		case !c.isExcluded(n):
			req.want = append(req.want, n)
		case !req.terms.onlyNew || c.payer[n] == nil:
			req.hidden++
		}
	}
}

// isExcluded reports whether a list that is left out everywhere has the company.
func (c *Customer) isExcluded(n int) bool {
	return slices.ContainsFunc(c.lists, func(l *list) bool { return l.excluded && l.members[n] })
}

// someSet returns a set of companies of the range, and which of them it has. Without concurrent actions it may also name what changes:
// what the workspace owns, a list, an export.
func (c *Customer) someSet(r *rand.Rand, low, high int) (map[string]any, func(int) bool) {
	span, kinds := spanOf(low, high), 1
	if c.Alone {
		kinds = 4
	}
	not := func(set map[string]any) map[string]any {
		return map[string]any{"all_of": []any{span, map[string]any{"not": set}}}
	}
	switch kind := r.IntN(kinds); kind {
	case 1:
		return not(map[string]any{"owned": true}), func(n int) bool { return c.payer[n] == nil }
	case 2:
		if l := c.someList(r); l != nil {
			return not(map[string]any{"list_id": l.id}), func(n int) bool { return !l.members[n] }
		}
	case 3:
		if s := c.somePurchase(r); s != nil {
			return not(map[string]any{"export_id": s.id}), func(n int) bool { return !s.live() || !slices.Contains(s.rows, n) }
		}
	}
	// All of them: the range without its first, or the first.
	return map[string]any{"any_of": []any{not(spanOf(low, low)), spanOf(low, low)}}, func(int) bool { return true }
}

func spanOf(low, high int) map[string]any {
	return map[string]any{"search": map[string]any{"employee_count_min": low, "employee_count_max": high}}
}

// span returns a random range of companies, sometimes one that was requested before, because errors in charging show where
// exports share companies.
func (c *Customer) span(r *rand.Rand) (low, high int) {
	if len(c.spans) > 0 && r.IntN(3) == 0 {
		s := c.spans[r.IntN(len(c.spans))]
		return s[0], s[1]
	}
	low = 1 + r.IntN(c.Catalog.Size)
	high = min(low+r.IntN(c.RowsMax), c.Catalog.Size)
	c.spans = append(c.spans[max(0, len(c.spans)-spansKept+1):], [2]int{low, high})
	return low, high
}

func someTerms(r *rand.Rand, rowsMax int, fields map[string]any) (t terms) {
	if r.IntN(4) == 0 {
		t.limit = 1 + r.IntN(rowsMax)
		fields["limit"] = t.limit
	}
	if r.IntN(5) == 0 {
		t.onlyNew = true
		fields["only_new"] = true
	}
	if r.IntN(4) == 0 {
		t.partial = true
		fields["on_insufficient_balance"] = "partial"
	}
	if r.IntN(6) == 0 {
		n := r.IntN(rowsMax)
		t.creditsMax = &n
		fields["max_credits"] = n
	}
	return t
}

// someList returns a random list whose content is known, or nil if there is none.
func (c *Customer) someList(r *rand.Rand) *list {
	var known []*list
	for _, l := range c.lists {
		if l.wanted == nil {
			known = append(known, l)
		}
	}
	if len(known) == 0 {
		return nil
	}
	return known[r.IntN(len(known))]
}

// newRequest returns a random request, sometimes with a quote.
func (c *Customer) newRequest(r *rand.Rand) *request {
	var fields map[string]any
	var req *request
	if n := len(c.quotes); n > 0 && r.IntN(3) == 0 {
		q := c.quotes[max(0, n-quotesUsed)+r.IntN(min(n, quotesUsed))]
		req = &request{want: q.rows, hidden: q.hidden, terms: terms{creditsMax: q.terms.creditsMax}, quote: q, format: q.format}
		if q.rows == nil {
			req.want = q.want
		}
		fields = map[string]any{"quote_id": q.id}
	} else {
		fields, req = c.source(r)
	}
	req.name = c.name("request")
	if r.IntN(3) > 0 {
		req.key = "key of " + req.name
	}
	if c.Destination != "" && r.IntN(3) == 0 {
		fields["destination_id"] = c.Destination
	}
	fields["name"] = req.name
	req.body, req.since = encode(fields), c.oldest()
	c.requests[req.name] = req
	return req
}

func (c *Customer) oldest() int {
	done, _ := c.Catalog.editions()
	return done
}

func (c *Customer) newest() int {
	_, begun := c.Catalog.editions()
	return begun
}

func (req *request) toAPI() apiRequest {
	return apiRequest{method: http.MethodPost, path: "/exports", key: req.key, body: req.body}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

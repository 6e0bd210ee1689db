package customer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
)

// order is what a customer wants to buy, sent once or more.
type order struct {
	name   string // of every export that comes of it
	key    string // empty without one
	body   []byte
	token  *token // of the newest attempt
	format string

	want  []int // what the source holds, in the file's order
	terms terms
	quote *quote // what it is bought by; nil without one
	list  *list  // whose companies it is of; nil without one

	since int    // the edition that every company had at least when it was sent first
	open  int    // attempts whose outcome is not known
	lost  bool   // the newest attempt got no answer
	raw   []byte // the first answer, if it has a key
	fresh int    // answers that were not marked as repetitions
}

// terms are those of a request.
type terms struct {
	limit            int
	onlyNew, partial bool
	creditsMax       *int
}

// plain holds if the rows are known whatever the workspace owns.
func (o *order) plain() bool { return o.quote == nil && !o.terms.onlyNew && !o.terms.partial }

// spansKept is how many of the newest ranges are asked for again.
const spansKept = 6

// quotesUsed is how many of the newest quotes are still bought by.
const quotesUsed = 10

// sold is an export that the service has.
type sold struct {
	*order
	id        string
	seq       int // counts what became known
	by        *token
	figures   figures
	rows      []int // in the file's order; nil if they are not known yet
	until     int   // the newest edition that a row may be of
	told      bool  // that it was created
	status    string
	refunded  int  // as foretold, if the customer is alone
	cancels   int  // asked for, whatever came of it
	cancelled bool // told
	verified  bool // the file was looked at
}

func (s *sold) final() bool { return s.status != "pending" && s.status != "processing" }
func (s *sold) live() bool  { return s.status != "failed" && s.status != "cancelled" }

// figures are the credit math of an answer.
type figures struct {
	Requested int  `json:"requested_count"`
	Already   int  `json:"already_unlocked"`
	New       int  `json:"new_count"`
	Cost      int  `json:"cost"`
	Charged   int  `json:"credits_charged"`
	WouldSkip int  `json:"would_skip"`
	Capped    bool `json:"capped_at_10k"`
}

// check holds the figures of a created export to each other.
func (f figures) check() error {
	if f.Already+f.New != f.Requested || f.Cost != f.New-f.WouldSkip || f.Charged != f.Cost || f.WouldSkip < 0 || f.Cost < 0 {
		return fmt.Errorf("figures that do not fit each other: %+v", f)
	}
	return nil
}

// source makes up what an order is to be of.
func (c *Customer) source(r *rand.Rand) (fields map[string]any, o *order) {
	o, fields = &order{format: pick(r, "csv", "json")}, map[string]any{}
	if l := c.someList(r); l != nil && r.IntN(4) == 0 {
		fields["source_type"], fields["list_id"] = "list", l.id
		o.list, o.want, l.ordered = l, slices.Sorted(maps.Keys(l.members)), true
	} else {
		low, high := c.span(r)
		fields["search_filters"] = map[string]any{"employee_count_min": low, "employee_count_max": high}
		fields["sort_by"], fields["sort_order"] = "employee_count", pick(r, "asc", "desc")
		for n := low; n <= high; n++ {
			o.want = append(o.want, n)
		}
		if fields["sort_order"] == "desc" {
			slices.Reverse(o.want)
		}
	}
	o.terms = someTerms(r, c.RowsMax, fields)
	fields["export_format"] = o.format
	return fields, o
}

// span is a range of companies, one that was asked for before now and then, since what exports share is where money
// goes wrong.
func (c *Customer) span(r *rand.Rand) (low, high int) {
	if len(c.spans) > 0 && r.IntN(3) == 0 {
		s := c.spans[r.IntN(len(c.spans))]
		return s[0], s[1]
	}
	low = 1 + r.IntN(c.Stock.Size)
	high = min(low+r.IntN(c.RowsMax), c.Stock.Size)
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

// someList is a list whose content is known.
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

// newOrder makes up an order, by a quote now and then.
func (c *Customer) newOrder(r *rand.Rand) *order {
	var fields map[string]any
	var o *order
	if n := len(c.quotes); n > 0 && r.IntN(3) == 0 {
		q := c.quotes[max(0, n-quotesUsed)+r.IntN(min(n, quotesUsed))]
		o = &order{want: q.rows, terms: terms{creditsMax: q.terms.creditsMax}, quote: q, format: q.format}
		if q.rows == nil {
			o.want = q.want
		}
		fields = map[string]any{"quote_id": q.id}
	} else {
		fields, o = c.source(r)
	}
	o.name = c.name("order")
	if r.IntN(3) > 0 {
		o.key = "key of " + o.name
	}
	fields["name"] = o.name
	o.body, o.since = encode(fields), c.oldest()
	c.orders[o.name] = o
	return o
}

func (c *Customer) oldest() int {
	done, _ := c.Stock.editions()
	return done
}

func (c *Customer) newest() int {
	_, begun := c.Stock.editions()
	return begun
}

func (o *order) request() request {
	return request{method: http.MethodPost, path: "/exports", key: o.key, body: o.body}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

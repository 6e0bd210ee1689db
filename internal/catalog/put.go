package catalog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
)

// Outcome is what Put did with an incoming company.
type Outcome uint8

// The outcomes.
const (
	Added Outcome = iota
	Updated
	Unchanged
	Nameless // refused: it has no name, and no company is known by its id or domain
)

// Report has the outcome of each incoming company, in their order, and the number of the company; 0 if it was refused.
type Report struct {
	Outcomes []Outcome
	Numbers  []company.Number
	Matches  []Match
}

// Match is how an incoming company was matched to a known one.
type Match struct {
	By       string // "id", "domain" or "name"; empty for a new company
	Name     string // of the known company before the update
	Place    string // likewise, as "City, State, Country"
	Differs  bool   // whether the incoming company has another name, or a place that contradicts
	Repeated bool   // whether the same file delivered the company before
}

// Count returns the number of companies with the outcome.
func (r Report) Count(o Outcome) int {
	n := 0
	for _, have := range r.Outcomes {
		if have == o {
			n++
		}
	}
	return n
}

var errFull = errors.New("the catalog has no numbers left for new companies")

// Put adds a batch, in its order and in one transaction, so a batch should be short: a few thousand companies.
// Each company is matched to a known one by id, else domain, else name and country, and updates it; else it is added.
// Missing values of an incoming company never erase known ones. source is the file that the batch is part of; nil for
// none.
func (s *Store) Put(ctx context.Context, source *Source, batch []Incoming) (Report, error) {
	p, err := s.put(ctx, source, batch, func(*put) error { return nil })
	if err != nil {
		return Report{}, err
	}
	return p.report, nil
}

// put is Put of what prepare has prepared.
func (s *Store) put(ctx context.Context, source *Source, batch []Incoming, prepare func(*put) error) (p *put, err error) {
	err = s.write(ctx, func(e *edit) error {
		p = &put{edit: e, source: source, seen: map[company.Number]struct{}{}}
		if err := prepare(p); err != nil {
			return err
		}
		return p.run(ctx, batch)
	})
	if err != nil {
		return nil, fmt.Errorf("put companies: %w", err)
	}
	if source != nil {
		for n := range p.seen {
			source.delivered.Add(uint32(n))
		}
	}
	return p, nil
}

// put is the state of one Put.
type put struct {
	*edit
	source     *Source
	matchIndex *matchIndex
	seen       map[company.Number]struct{} // companies that the batch has delivered
	toWrite    []*entry                    // entries to write, in order
	report     Report
	tombstones map[id.Company]company.Number // removed companies with the ids of the batch
	revived    []company.Number              // removed companies that the batch delivered again
	merges     []merging                     // into companies with another name or place
	after      int64                         // of company_key_later
	known      *keyFilter                    // as of a Loader
	waiting    *waitingKeys                  // as of a Loader; nil if it does not know the keys that are not stored
	crowded    bool                          // whether many companies share a name or domain

	preview *Previewer // nil if it writes
}

func (p *put) run(ctx context.Context, batch []Incoming) error {
	if err := p.fetch(ctx, batch); err != nil {
		return err
	}
	for i := range batch {
		outcome, number, match, err := p.take(&batch[i])
		if err != nil {
			return err
		}
		p.report.Matches = append(p.report.Matches, match)
		p.report.Outcomes = append(p.report.Outcomes, outcome)
		p.report.Numbers = append(p.report.Numbers, number)
		if number != 0 {
			p.seen[number] = struct{}{}
		}
	}
	if p.preview != nil {
		return nil
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	if err := p.recordMerges(ctx); err != nil {
		return err
	}
	if err := p.reconnect(ctx); err != nil {
		return err
	}
	return p.saveRevived(ctx)
}

// saveRevived takes the revived companies out of the removed set. It comes last, because purchases wait from then on.
func (p *put) saveRevived(ctx context.Context) error {
	if len(p.revived) == 0 {
		return nil
	}
	gone, err := p.removal(ctx)
	if err != nil {
		return err
	}
	return p.saveRemoved(ctx, gone.Minus(company.SetOf(p.revived...)))
}

func (p *put) delivered(n company.Number) bool {
	if _, ok := p.seen[n]; ok || p.source == nil {
		// Without a source each batch is a source of its own.
		return ok
	}
	return p.source.delivered.Contains(uint32(n))
}

// fetch loads the companies that the batch may match.
func (p *put) fetch(ctx context.Context, batch []Incoming) error {
	var w wanted
	for i := range batch {
		in := &batch[i]
		if in.given {
			w.ids = append(w.ids, in.company.ID)
		}
		if in.company.Domain != "" {
			w.domains = append(w.domains, in.domainKey)
		}
		if in.name != "" {
			w.names = append(w.names, in.nameKey)
			w.places = append(w.places, in.placeKey)
		}
	}
	f := p.finder()
	f.known, f.waiting = p.known, p.waiting
	rows, crowded, err := f.find(ctx, w)
	if err != nil {
		return err
	}
	if p.preview != nil {
		if rows, err = p.preview.over(rows, w); err != nil {
			return err
		}
	}
	p.crowded = crowded
	if err := p.findTombstones(ctx, w.ids); err != nil {
		return err
	}
	p.matchIndex, err = newMatchIndex(rows)
	if err != nil {
		return err
	}
	p.matchIndex.delivered = p.delivered
	return nil
}

// findTombstones finds the removed companies with the ids: if they come back, they keep their number.
func (p *put) findTombstones(ctx context.Context, ids []id.Company) error {
	if len(ids) == 0 {
		return nil
	}
	if gone, err := removed(ctx, p.tx, ""); err != nil || gone.IsEmpty() {
		return err
	}
	p.tombstones = map[id.Company]company.Number{}
	keys := "company_key"
	if p.waiting != nil {
		keys = "company_key_stored" // a company whose keys wait was not removed
	}
	return db.Each(ctx, p.tx, func(result db.Row) error {
		var c id.Company
		var n company.Number
		err := result.Scan(&c, &n)
		p.tombstones[c] = n
		return err
	}, `SELECT id, number FROM company WHERE length(record) = 0 AND `+withIDs(p.tx, keys), idArray(ids), idTails(ids))
}

func (p *put) take(in *Incoming) (Outcome, company.Number, Match, error) {
	e, by := p.matchIndex.match(in)
	if e == nil && in.name == "" && in.company.Domain != "" {
		in.nameByDomain()
	}
	switch {
	case e == nil && in.name == "":
		return Nameless, 0, Match{}, nil
	case e == nil:
		n, err := p.add(in)
		return Added, n, Match{}, err
	}
	match := Match{By: by, Name: e.company.Name, Repeated: p.delivered(e.row.number), Place: placeText(e.company), Differs: differs(e, in)}
	noted := p.noteMerge(e, in, by)
	changed := p.merge(e, in)
	if noted != nil {
		noted.written = recordHash(e.row.record)
		p.merges = append(p.merges, *noted)
	}
	if !changed {
		return Unchanged, e.row.number, match, nil
	}
	return Updated, e.row.number, match, nil
}

func (p *put) add(in *Incoming) (company.Number, error) {
	if p.next > math.MaxUint32 {
		return 0, errFull
	}
	c := in.company
	if n, ok := p.tombstones[c.ID]; ok {
		c.Number = n
		delete(p.tombstones, c.ID)
		p.revived = append(p.revived, n)
	} else {
		c.Number = company.Number(p.next)
		p.next++
	}
	e := &entry{company: &c, name: in.name, place: in.place, added: true}
	e.row = row{number: c.Number, id: c.ID, nameKey: in.nameKey, placeKey: in.placeKey, pageKey: in.pageKey, record: in.record}
	if c.Domain != "" {
		e.row.domainKey.Int64, e.row.domainKey.Valid = in.domainKey, true
	}
	p.matchIndex.put(e)
	p.toWrite = append(p.toWrite, e)
	return c.Number, nil
}

// merge updates the entry and reports whether anything changed.
func (p *put) merge(e *entry, in *Incoming) bool {
	name, domain := e.company.Name, e.company.Domain
	incoming := &in.company
	if in.contact && p.delivered(e.row.number) {
		incoming = gapsOf(e.company, incoming)
	}
	if !merge(e.company, incoming) {
		return false
	}
	e.company.UpdatedAt = now()
	if !e.added && !e.changed {
		e.changed, e.before = true, e.row.record
		p.toWrite = append(p.toWrite, e)
	}
	r := rowOf(e.company)
	r.seq, r.connections = e.row.seq, e.row.connections
	e.row = r
	e.place = identity.PlaceOf(e.company)
	if e.company.Name != name || e.company.Domain != domain {
		e.renamed = true
		e.name = in.name
		if e.name == "" {
			e.name = identity.Name(e.company.Name)
		}
		p.matchIndex.add(e)
	}
	return true
}

// flush writes what the batch changed.
func (p *put) flush(ctx context.Context) error {
	rows := make([]row, 0, len(p.toWrite))
	var old []company.Number
	for _, e := range p.toWrite {
		rows = append(rows, e.row)
		if !e.added {
			old = append(old, e.row.number)
		}
	}
	if p.later && p.after == allKeys && p.next > p.first {
		if err := setKeysAfter(ctx, p.tx, int64(p.first)-1); err != nil { //nolint:gosec // a number has 32 bits
			return err
		}
	}
	if err := p.save(ctx, rows, old); err != nil {
		return err
	}
	return p.record(ctx)
}

// reconnect resolves the pending links to the batch's companies, and updates the companies that are connected to renamed
// ones.
func (p *put) reconnect(ctx context.Context) error {
	pending, err := isPending(ctx, p.tx)
	if err != nil {
		return err
	}
	var renamed []company.Number
	var keys []int64
	for _, e := range p.toWrite {
		if e.renamed && !e.added {
			renamed = append(renamed, e.row.number)
		}
		if !pending || !e.added && !e.renamed {
			continue
		}
		keys = append(append(keys, idKey(e.company.ID)), nameKeys(e.company.Name)...)
		if e.row.domainKey.Valid {
			keys = append(keys, e.row.domainKey.Int64)
		}
	}
	joined, err := p.join(ctx, keys)
	if err != nil {
		return err
	}
	touched, err := p.sourcesOf(ctx, renamed)
	if err != nil {
		return err
	}
	return p.rebuild(ctx, append(touched, joined...))
}

// wanted are the ids and keys of companies to find.
type wanted struct {
	ids     []id.Company
	domains []int64
	names   []int64
	places  []int64 // to choose among many companies of one name
}

// keys returns all keys of which a company must have one.
func (w *wanted) keys() []int64 {
	keys := slices.Concat(w.domains, w.names)
	for _, c := range w.ids {
		keys = append(keys, idTail(c))
	}
	return keys
}

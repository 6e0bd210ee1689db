package catalog

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/text"
)

// resolve fills in the unknown ends of links whose company is known now.
func (f finder) resolve(ctx context.Context, links []link) error {
	var w wanted
	for i := range links {
		l := &links[i]
		if !l.source.Valid {
			w.addEnd(l.given.Source)
		}
		if !l.target.Valid {
			w.addEnd(l.given.Target)
		}
	}
	rows, _, err := f.find(ctx, w)
	if err != nil {
		return err
	}
	s, err := newMatchIndex(rows)
	if err != nil {
		return err
	}
	for i := range links {
		l := &links[i]
		if !l.source.Valid {
			known, several := s.findEnd(l.given.Source)
			l.source, l.ambiguous = known.number(), several
		}
		if !l.target.Valid {
			l.known, _ = s.findEnd(l.given.Target)
			l.target = l.known.number()
		}
	}
	return nil
}

func (w *wanted) addEnd(e End) {
	if !e.ID.IsZero() {
		w.ids = append(w.ids, e.ID)
	}
	if e.Domain != "" {
		w.domains = append(w.domains, domainKey(e.Domain))
	}
	if name := identity.Name(e.Name); name != "" {
		w.names = append(w.names, nameKey(name))
	}
}

// findEnd returns the company that the end names if there is exactly one. several reports whether there are more.
func (m *matchIndex) findEnd(end End) (e *entry, several bool) {
	if e := m.byID[end.ID]; e != nil {
		return e, false
	}
	return m.findUnique(end)
}

func (e *entry) number() sql.NullInt64 {
	if e == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: int64(e.row.number), Valid: true}
}

func (m *matchIndex) findUnique(end End) (e *entry, several bool) {
	name := identity.Name(end.Name)
	if end.Domain != "" {
		var all, named []*entry
		for _, e := range m.byKey[domainKey(end.Domain)] {
			if e.company.Domain != end.Domain {
				continue
			}
			all = append(all, e)
			if e.name == name {
				named = append(named, e)
			}
		}
		switch {
		case len(all) == 1:
			return all[0], false
		case len(named) == 1:
			return named[0], false
		case len(all) > 0:
			return nil, true
		}
	}
	if name == "" {
		return nil, false
	}
	var named, spelled []*entry // with the name, and with the same punctuation
	for _, e := range m.byKey[nameKey(name)] {
		if e.name != name || !identity.Agree(e.company.Domain, end.Domain) {
			continue
		}
		named = append(named, e)
		if text.Fold(e.company.Name) == text.Fold(end.Name) {
			spelled = append(spelled, e)
		}
	}
	switch {
	case len(named) == 1:
		return named[0], false
	case len(spelled) == 1:
		return spelled[0], false
	}
	return nil, len(named) > 1
}

// pendingLink is the unknown end of a connection, waiting for a company with the key. side is 0 for the source, 1 for the
// target.
type pendingLink struct {
	key, identity int64
	side          int
}

func pendingLinksOf(of int64, side int, end End) []pendingLink {
	var out []pendingLink
	for _, k := range end.keys() {
		out = append(out, pendingLink{k, of, side})
	}
	return out
}

// resolvedLinksOf returns the pending links to drop: those of pendingLinksOf, and those stored under an older key.
func resolvedLinksOf(of int64, side int, end End) []pendingLink {
	out := pendingLinksOf(of, side, end)
	if identity.Name(end.Name) != "" {
		for _, k := range nameKeys(end.Name)[1:] {
			out = append(out, pendingLink{k, of, side})
		}
	}
	return out
}

func (e *edit) savePending(ctx context.Context, pending []pendingLink) error {
	slices.SortFunc(pending, func(a, b pendingLink) int { return cmp.Compare(a.key, b.key) })
	return insert(ctx, e.tx, pending, `INSERT INTO connection_wait (key, identity, side)`, ` ON CONFLICT DO NOTHING`,
		func(w *pendingLink) []any { return []any{w.key, w.identity, w.side} })
}

// join resolves the pending links to companies that now have one of the keys, and returns the sources whose connections
// changed.
func (e *edit) join(ctx context.Context, keys []int64) ([]company.Number, error) {
	before, err := e.pendingLinksFor(ctx, keys)
	if err != nil || len(before) == 0 {
		return nil, err
	}
	links := slices.Clone(before)
	if err := e.finder().resolve(ctx, links); err != nil {
		return nil, err
	}
	var replaced, joined []link
	var done []pendingLink
	var sources []company.Number
	for i := range links {
		l, was := &links[i], &before[i]
		if l.source == was.source && l.target == was.target {
			continue
		}
		replaced, joined = append(replaced, *was), append(joined, *l)
		if l.source != was.source {
			done = append(done, resolvedLinksOf(l.identity, 0, l.given.Source)...)
		}
		if l.target != was.target {
			done = append(done, resolvedLinksOf(l.identity, 1, l.given.Target)...)
		}
		if l.source.Valid {
			sources = append(sources, company.Number(l.source.Int64))
		}
	}
	if len(joined) == 0 {
		return nil, nil
	}
	e.dirty = true
	if err := e.dropLinks(ctx, replaced); err != nil {
		return nil, err
	}
	if err := e.saveLinks(ctx, joined); err != nil {
		return nil, err
	}
	return sources, e.dropPending(ctx, done)
}

// isPending reports whether there are pending links.
func isPending(ctx context.Context, q db.Querier) (found bool, err error) {
	if err = q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM connection_wait)`).Scan(&found); err != nil {
		return false, fmt.Errorf("look for pending links: %w", err)
	}
	return found, nil
}

// pendingLinksFor loads the connections with pending links to one of the keys.
func (e *edit) pendingLinksFor(ctx context.Context, keys []int64) ([]link, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var links []link
	err := e.eachLink(ctx, func(l link) { links = append(links, l) }, `WHERE identity `+
		e.tx.InSelect(`SELECT identity FROM connection_wait WHERE key `+e.tx.InNumbers("$1"))+`
	    AND `+isOpen+` ORDER BY identity`, numberArray(distinct(keys)))
	return links, err
}

// eachLink calls fn for the connections that the condition selects.
func (e *edit) eachLink(ctx context.Context, fn func(link), condition string, args ...any) error {
	return db.Each(ctx, e.tx, func(result db.Row) error {
		var l link
		var sourceID, targetID string
		g := &l.given
		err := result.Scan(&l.identity, &l.source, &l.target, &g.Category, &sourceID, &g.Source.Name, &g.Source.Domain,
			&targetID, &g.Target.Name, &g.Target.Domain, &l.imported)
		g.Source.ID, g.Target.ID = parseID(sourceID), parseID(targetID)
		fn(l)
		return err
	}, `SELECT identity, source, target, category, source_id, source_name, source_domain, target_id, target_name, target_domain, import
	    FROM connection `+condition, args...)
}

func parseID(s string) id.Company {
	c, err := id.Parse[id.Company](s)
	if err != nil {
		return id.Company{} // an empty text, the only other value that is written
	}
	return c
}

func (e *edit) dropPending(ctx context.Context, pending []pendingLink) error {
	for _, side := range []int{0, 1} {
		var keys, identities []int64
		for _, w := range pending {
			if w.side == side {
				keys, identities = append(keys, w.key), append(identities, w.identity)
			}
		}
		if len(keys) == 0 {
			continue
		}
		_, err := e.tx.ExecContext(ctx, `DELETE FROM connection_wait WHERE side = $1
			AND key `+e.tx.InNumbers("$2")+` AND identity `+e.tx.InNumbers("$3"),
			side, numberArray(distinct(keys)), numberArray(distinct(identities)))
		if err != nil {
			return fmt.Errorf("drop pending links: %w", err)
		}
	}
	return nil
}

// sourcesOf returns the companies with a connection to one of the targets, and perhaps some that had one.
func (e *edit) sourcesOf(ctx context.Context, targets []company.Number) ([]company.Number, error) {
	if len(targets) == 0 {
		return nil, nil
	}
	return db.Collect(ctx, e.tx, db.Value[company.Number], `SELECT DISTINCT source FROM connection_by_target
	    WHERE target `+e.tx.InNumbers("$1"), numberArray(targets))
}

// rebuild recomputes the connections that the companies show.
func (e *edit) rebuild(ctx context.Context, sources []company.Number) error {
	if len(sources) == 0 {
		return nil
	}
	sources = slices.Clone(sources)
	slices.Sort(sources)
	sources = slices.Compact(sources)
	shown, err := e.shown(ctx, sources)
	if err != nil {
		return err
	}
	return e.updateShown(ctx, sources, func(n company.Number, _ []company.Connection) []company.Connection { return tidy(shown[n]) })
}

// updateShown replaces the connections that each company shows by what fn returns for them, and writes those that differ.
func (e *edit) updateShown(
	ctx context.Context, sources []company.Number, fn func(company.Number, []company.Connection) []company.Connection,
) error {
	rows, err := e.shownBy(ctx, sources)
	if err != nil {
		return err
	}
	changed := rows[:0]
	for _, r := range rows {
		old, err := decodeConnections(r.connections)
		if err != nil {
			return fmt.Errorf("connections of company %d: %w", r.number, err)
		}
		encoded := encodeConnections(fn(r.number, old))
		if bytes.Equal(encoded, r.connections) {
			continue
		}
		r.connections = encoded
		changed = append(changed, r)
	}
	return e.saveShown(ctx, changed)
}

// shownRow is a company with the encoded connections that it shows.
type shownRow struct {
	number      company.Number
	connections []byte
}

// shownBy returns those of the companies that are not removed, in the order of their numbers.
func (e *edit) shownBy(ctx context.Context, numbers []company.Number) ([]shownRow, error) {
	rows, err := db.Collect(ctx, e.tx, func(result db.Row) (r shownRow, err error) {
		err = result.Scan(&r.number, &r.connections)
		return r, err
	}, `SELECT number, connections FROM company WHERE number `+e.tx.InNumbers("$1")+` AND length(record) > 0 ORDER BY number`,
		numberArray(numbers))
	if err != nil {
		return nil, fmt.Errorf("load connections: %w", err)
	}
	return rows, nil
}

// saveShown writes only the connections of companies, which does not touch the indexes of their keys.
func (e *edit) saveShown(ctx context.Context, rows []shownRow) error {
	if len(rows) == 0 {
		return nil
	}
	e.dirty = true
	numbers := make([]company.Number, len(rows))
	for i := range rows {
		numbers[i] = rows[i].number
	}
	if err := e.archive(ctx, numbers); err != nil {
		return err
	}
	return insert(ctx, e.tx, rows, `WITH shown (number, seq, connections) AS (`,
		`) UPDATE company SET seq = shown.seq, connections = shown.connections FROM shown WHERE company.number = shown.number`,
		func(r *shownRow) []any { return []any{int64(r.number), int64(e.seq), r.connections} })
}

// shown returns the connections of each source.
func (e *edit) shown(ctx context.Context, sources []company.Number) (map[company.Number][]company.Connection, error) {
	out := make(map[company.Number][]company.Connection, len(sources))
	err := db.Each(ctx, e.tx, func(result db.Row) error {
		var source company.Number
		var target sql.NullInt64
		var c company.Connection
		err := result.Scan(&source, &target, &c.Category, &c.Name, &c.Domain)
		c.Number = company.Number(target.Int64)
		out[source] = append(out[source], c)
		return err
	}, `SELECT source, target, category, target_name, target_domain FROM connection
	    WHERE source `+e.tx.InNumbers("$1")+` ORDER BY identity`, numberArray(sources))
	if err != nil {
		return nil, err
	}
	targets, err := e.targets(ctx, out)
	if err != nil {
		return nil, err
	}
	for _, cs := range out {
		for i := range cs {
			if t := targets[cs[i].Number]; t != nil {
				cs[i].ID, cs[i].Name, cs[i].Domain = t.ID, t.Name, t.Domain
			}
		}
	}
	return out, nil
}

// targets loads the companies that are targets of the connections.
func (e *edit) targets(ctx context.Context, by map[company.Number][]company.Connection) (map[company.Number]*company.Company, error) {
	out := map[company.Number]*company.Company{}
	for _, cs := range by {
		for _, c := range cs {
			if c.Number != 0 {
				out[c.Number] = nil
			}
		}
	}
	numbers := make([]company.Number, 0, len(out))
	for n := range out {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	rows, err := load(ctx, e.tx, `WHERE number `+e.tx.InNumbers("$1"), numberArray(numbers))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if out[rows[i].number], err = rows[i].company(false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// folded is a connection with its category and name folded.
type folded struct {
	company.Connection
	category, name string
}

func fold(c company.Connection) folded { return folded{c, text.Fold(c.Category), text.Fold(c.Name)} }

// compare orders connections by category, then name. It returns 0 for duplicates.
func (f folded) compare(other folded) int {
	return cmp.Or(cmp.Compare(f.category, other.category), cmp.Compare(f.name, other.name), cmp.Compare(f.Number, other.Number),
		cmp.Compare(f.Domain, other.Domain))
}

// addTidy adds connections to tidy ones. It folds few of many tidy ones, because a company may have tens of thousands.
func addTidy(to, more []company.Connection) []company.Connection {
	if len(to) < 16*len(more) {
		return tidy(append(to, more...))
	}
	out := make([]company.Connection, 0, len(to)+len(more))
	for _, c := range tidy(more) {
		added := fold(c)
		n, known := slices.BinarySearchFunc(to, added, func(c company.Connection, added folded) int { return fold(c).compare(added) })
		out = append(out, to[:n]...)
		if to = to[n:]; !known {
			out = append(out, c)
		}
	}
	return append(out, to...)
}

// tidy sorts connections by category, then name, and removes duplicates.
func tidy(cs []company.Connection) []company.Connection {
	all := make([]folded, len(cs))
	for i, c := range cs {
		all[i] = fold(c)
	}
	slices.SortStableFunc(all, folded.compare)
	all = slices.CompactFunc(all, func(a, b folded) bool { return a.compare(b) == 0 })
	out := make([]company.Connection, len(all))
	for i := range all {
		out[i] = all[i].Connection
	}
	return out
}

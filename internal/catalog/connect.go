package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/text"
)

// Connection is a connection as imported: the target has the role named by the category for the source.
type Connection struct {
	Number         company.Number // of the source; if it is not 0, Source is ignored
	Source, Target End
	Category       string
}

// End identifies a company by its known values.
type End struct {
	ID     id.Company
	Name   string
	Domain string // clean
}

// ConnectReport is the outcome of a batch of connections.
type ConnectReport struct {
	Added     int
	Unchanged int // already known, or repeated in the batch
	Pending   int // added, but waiting for their source to become known
	Ambiguous int // added, but their source may be any of several companies
}

// Connect adds a batch of connections in one transaction. An end is matched by id, else by domain, else by a name that only
// one company has. A connection from an unknown source is pending until the company is added. A connection to an unknown
// target shows the imported name and domain.
func (s *Store) Connect(ctx context.Context, batch []Connection) (ConnectReport, error) {
	return s.ConnectFrom(ctx, 0, batch)
}

// ConnectFrom is Connect for an import, so that Undo knows which connections it added.
func (s *Store) ConnectFrom(ctx context.Context, imported int64, batch []Connection) (ConnectReport, error) {
	return (&Connector{store: s}).Connect(ctx, imported, &LookedUp{size: len(batch), links: newLinks(batch), at: noSeq})
}

// Connector adds batches of connections. It can look up the ends of a batch while it writes the batch before, which does not change
// what they are. Not safe for concurrent use, except that LookUp may be called while Connect runs.
type Connector struct {
	store    *Store
	from, to uint64 // since from, nobody but the connector has changed the catalog up to to
}

// NewConnector returns a connector.
func (s *Store) NewConnector() *Connector { return &Connector{store: s} }

// LookedUp is a batch of connections whose ends were looked up when the sequence number of the catalog was at.
type LookedUp struct {
	size  int // of the batch
	links []link
	at    uint64
}

const noSeq = math.MaxUint64 // of links whose ends were not looked up

// LookUp looks up the ends of a batch.
func (c *Connector) LookUp(ctx context.Context, batch []Connection) (*LookedUp, error) {
	l := &LookedUp{size: len(batch), links: newLinks(batch)}
	err := c.store.db.ReadTx(ctx, func(q db.Querier) error {
		at, next, err := state(ctx, q, "")
		if err != nil {
			return err
		}
		l.at = at
		return finder{q: q, dialect: c.store.db.Dialect, empty: next == 1}.resolve(ctx, l.links)
	})
	if err != nil {
		return nil, fmt.Errorf("look up connections: %w", err)
	}
	return l, nil
}

// Connect is ConnectFrom for a batch that was looked up. It looks up the ends again if another writer has changed the catalog since.
func (c *Connector) Connect(ctx context.Context, imported int64, batch *LookedUp) (ConnectReport, error) {
	var report ConnectReport
	var seq uint64
	err := c.store.write(ctx, func(e *edit) error {
		report = ConnectReport{}
		fresh := slices.Clone(batch.links)
		if seq = e.seq; !c.unchanged(batch.at, seq-1) {
			for i := range fresh {
				fresh[i] = linkOf(fresh[i].given, fresh[i].identity)
			}
			if err := e.finder().resolve(ctx, fresh); err != nil {
				return err
			}
		}
		fresh, err := e.dropKnown(ctx, fresh)
		if err != nil {
			return err
		}
		report.Added = len(fresh)
		report.Unchanged = batch.size - len(fresh)
		for i := range fresh {
			switch {
			case fresh[i].ambiguous:
				report.Ambiguous++
			case !fresh[i].source.Valid:
				report.Pending++
			}
		}
		for i := range fresh {
			fresh[i].imported = sql.NullInt64{Int64: imported, Valid: imported != 0}
		}
		return e.connect(ctx, fresh)
	})
	if err != nil {
		return ConnectReport{}, fmt.Errorf("put connections: %w", err)
	}
	if report.Added > 0 { // else the catalog keeps its sequence number
		if c.to != seq-1 {
			c.from = seq - 1
		}
		c.to = seq
	}
	return report, nil
}

// unchanged reports whether only the connector has changed the catalog between the two sequence numbers.
func (c *Connector) unchanged(since, to uint64) bool {
	return since == to || c.to == to && c.from <= since && since < to
}

// link is a row of the table connection.
type link struct {
	identity       int64
	given          Connection
	source, target sql.NullInt64 // numbers
	imported       sql.NullInt64
	known          *entry // the target, if resolve has found it
	ambiguous      bool   // whether resolve has found several sources
}

func newLink(c Connection) link {
	return linkOf(c, hash("connection", sourceText(&c), text.Fold(c.Category), c.Target.text()))
}

func linkOf(c Connection, identity int64) link {
	l := link{given: c, identity: identity}
	if c.Number != 0 {
		l.given.Source = End{}
		l.source = sql.NullInt64{Int64: int64(c.Number), Valid: true}
	}
	return l
}

func sourceText(c *Connection) string {
	if c.Number != 0 {
		return fmt.Sprintf("#%d", c.Number)
	}
	return c.Source.text()
}

func (e End) text() string {
	key := e.Domain + "\x00" + text.Fold(e.Name)
	if !e.ID.IsZero() {
		key = e.ID.String() + "\x00" + key
	}
	return key
}

// keys returns the keys of the end; a company must have one of them to match.
func (e End) keys() []int64 {
	var keys []int64
	if !e.ID.IsZero() {
		keys = append(keys, idKey(e.ID))
	}
	if e.Domain != "" {
		keys = append(keys, domainKey(e.Domain))
	}
	if name := identity.Name(e.Name); name != "" {
		keys = append(keys, nameKey(name))
	}
	return keys
}

// newLinks returns the links of a batch, each identity once.
func newLinks(batch []Connection) []link {
	links := make([]link, 0, len(batch))
	seen := make(map[int64]struct{}, len(batch))
	for _, c := range batch {
		l := newLink(c)
		if _, repeated := seen[l.identity]; !repeated {
			seen[l.identity] = struct{}{}
			links = append(links, l)
		}
	}
	return links
}

// meaning identifies a connection independently of the imported values.
type meaning struct {
	source, target int64
	category       string // folded
}

func (l *link) meaning() (m meaning, complete bool) {
	return meaning{l.source.Int64, l.target.Int64, text.Fold(l.given.Category)}, l.source.Valid && l.target.Valid
}

// isOpen is the condition for connections with an unknown end, which can be found by their identity.
const isOpen = `(source IS NULL OR target IS NULL)`

// dropKnown returns the links that were never imported with the same values, and do not have the meaning of another one. Their ends
// must be resolved.
func (e *edit) dropKnown(ctx context.Context, links []link) ([]link, error) {
	var sources, identities []int64
	for i := range links {
		identities = append(identities, links[i].identity)
		if links[i].source.Valid {
			sources = append(sources, links[i].source.Int64)
		}
	}
	imported, means := map[int64]bool{}, map[meaning]bool{}
	sources, err := e.dropHubs(ctx, distinct(sources), links, imported, means)
	if err != nil {
		return nil, err
	}
	err = db.Each(ctx, e.tx, func(result db.Row) error {
		var l link
		err := result.Scan(&l.identity, &l.source, &l.target, &l.given.Category)
		imported[l.identity] = true
		if m, complete := l.meaning(); complete {
			means[m] = true
		}
		return err
	}, `SELECT identity, source, target, category FROM connection WHERE source `+e.tx.InNumbers("$1")+`
	    UNION ALL SELECT identity, source, target, category FROM connection
	    WHERE identity `+e.tx.InNumbers("$2")+` AND `+isOpen, numberArray(sources), numberArray(distinct(identities)))
	if err != nil {
		return nil, err
	}
	fresh := links[:0]
	for i := range links {
		m, complete := links[i].meaning()
		if imported[links[i].identity] || complete && means[m] {
			continue
		}
		if complete {
			means[m] = true
		}
		fresh = append(fresh, links[i])
	}
	return fresh, nil
}

// hubConnections is the number of connections from which on those of a company are not all loaded.
const hubConnections = 1_000

// dropHubs returns the sources that have few connections. It adds what dropKnown must know about the links of the others: those that were
// imported with the same values, and the meanings of all that the company shows, which are all that are complete.
func (e *edit) dropHubs(
	ctx context.Context, sources []int64, links []link, imported map[int64]bool, means map[meaning]bool,
) ([]int64, error) {
	hubs, err := db.Collect(ctx, e.tx, db.Value[int64], `SELECT each.value FROM `+aliased(e.tx.EachNumber("$1"))+` WHERE
		(SELECT source FROM connection WHERE source = each.value LIMIT 1 OFFSET $2) IS NOT NULL ORDER BY 1`,
		numberArray(sources), hubConnections)
	if err != nil || len(hubs) == 0 {
		return sources, err
	}
	identities := map[int64][]int64{} // by source
	for i := range links {
		if l := &links[i]; l.source.Valid {
			identities[l.source.Int64] = append(identities[l.source.Int64], l.identity)
		}
	}
	for _, hub := range hubs {
		err := db.Each(ctx, e.tx, func(result db.Row) error {
			var identity int64
			err := result.Scan(&identity)
			imported[identity] = true
			return err
		}, `SELECT identity FROM connection WHERE source = $1 AND identity `+e.tx.InNumbers("$2"), hub, numberArray(identities[hub]))
		if err != nil {
			return nil, err
		}
	}
	rows, err := e.shownBy(ctx, numbersFrom(hubs))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		shown, err := decodeConnections(r.connections)
		if err != nil {
			return nil, fmt.Errorf("connections of company %d: %w", r.number, err)
		}
		for _, c := range shown {
			if c.Number != 0 {
				means[meaning{int64(r.number), int64(c.Number), text.Fold(c.Category)}] = true
			}
		}
	}
	return slices.DeleteFunc(sources, func(n int64) bool {
		_, hub := slices.BinarySearch(hubs, n)
		return hub
	}), nil
}

func numbersFrom(ns []int64) []company.Number {
	out := make([]company.Number, len(ns))
	for i, n := range ns {
		out[i] = company.Number(n)
	}
	return out
}

// connect writes new links and adds them to the connections that their sources show.
func (e *edit) connect(ctx context.Context, links []link) error {
	if len(links) == 0 {
		return nil
	}
	e.dirty = true
	if err := e.saveLinks(ctx, links); err != nil {
		return err
	}
	var pending []pendingLink
	more := map[company.Number][]company.Connection{}
	for i := range links {
		l := &links[i]
		if !l.source.Valid {
			pending = append(pending, pendingLinksOf(l.identity, 0, l.given.Source)...)
		}
		if !l.target.Valid {
			pending = append(pending, pendingLinksOf(l.identity, 1, l.given.Target)...)
		}
		if l.source.Valid {
			source := company.Number(l.source.Int64)
			more[source] = append(more[source], l.shown())
		}
	}
	if err := e.savePending(ctx, pending); err != nil {
		return err
	}
	return e.updateShown(ctx, slices.Sorted(maps.Keys(more)), func(n company.Number, shown []company.Connection) []company.Connection {
		return addTidy(shown, more[n])
	})
}

// shown returns the connection as its source shows it.
func (l *link) shown() company.Connection {
	c := company.Connection{Category: l.given.Category, Name: l.given.Target.Name, Domain: l.given.Target.Domain}
	if t := l.known; t != nil {
		c.Number, c.ID, c.Name, c.Domain = t.row.number, t.company.ID, t.company.Name, t.company.Domain
	}
	return c
}

// saveLinks writes links that are not stored.
func (e *edit) saveLinks(ctx context.Context, links []link) error {
	columns := []string{
		"identity", "source", "target", "category", "source_id", "source_name", "source_domain", "target_id", "target_name", "target_domain", "import",
	}
	return insertNew(ctx, e.tx, links, "connection", columns, func(l *link) []any {
		g := &l.given
		return []any{
			l.identity, l.source, l.target, g.Category, textOf(g.Source.ID), g.Source.Name, g.Source.Domain,
			textOf(g.Target.ID), g.Target.Name, g.Target.Domain, l.imported,
		}
	})
}

func textOf(c id.Company) string {
	if c.IsZero() {
		return ""
	}
	return c.String()
}

// dropLinks deletes stored links. Their ends must be as they are stored.
func (e *edit) dropLinks(ctx context.Context, links []link) error {
	var sources, ofSources, open []int64
	for i := range links {
		if l := &links[i]; l.source.Valid {
			sources, ofSources = append(sources, l.source.Int64), append(ofSources, l.identity)
		} else {
			open = append(open, l.identity)
		}
	}
	_, err := e.tx.ExecContext(ctx, `DELETE FROM connection WHERE source `+e.tx.InNumbers("$1")+`
		AND identity `+e.tx.InNumbers("$2"), numberArray(distinct(sources)), numberArray(distinct(ofSources)))
	if err == nil && len(open) > 0 {
		_, err = e.tx.ExecContext(ctx, `DELETE FROM connection WHERE source IS NULL AND identity `+e.tx.InNumbers("$1"),
			numberArray(distinct(open)))
	}
	if err != nil {
		return fmt.Errorf("drop connections: %w", err)
	}
	return nil
}

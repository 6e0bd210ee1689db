package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
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
	var report ConnectReport
	err := s.write(ctx, func(e *edit) error {
		report = ConnectReport{}
		fresh := newLinks(batch)
		if err := e.resolve(ctx, fresh); err != nil {
			return err
		}
		fresh, err := e.dropKnown(ctx, fresh)
		if err != nil {
			return err
		}
		report.Added = len(fresh)
		report.Unchanged = len(batch) - len(fresh)
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
	return report, nil
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
	l := link{given: c, identity: hash("connection", sourceText(&c), text.Fold(c.Category), c.Target.text())}
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
	err := db.Each(ctx, e.tx, func(result db.Row) error {
		var l link
		err := result.Scan(&l.identity, &l.source, &l.target, &l.given.Category)
		imported[l.identity] = true
		if m, complete := l.meaning(); complete {
			means[m] = true
		}
		return err
	}, `SELECT identity, source, target, category FROM connection WHERE source `+e.tx.InNumbers("$1")+`
	    UNION ALL SELECT identity, source, target, category FROM connection
	    WHERE identity `+e.tx.InNumbers("$2")+` AND `+isOpen, numberArray(distinct(sources)), numberArray(distinct(identities)))
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
		return append(shown, more[n]...)
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
	return insert(ctx, e.tx, links, `INSERT INTO connection (identity, source, target, category,
		source_id, source_name, source_domain, target_id, target_name, target_domain, import)`, ``,
		func(l *link) []any {
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

package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/text"
)

// Merged is a row of an import that became part of a company with another name or place.
type Merged struct {
	Position int        `json:"position"` // in the import, from 1
	File     string     `json:"file"`
	Line     int        `json:"line"`
	Name     string     `json:"name"` // of the row; empty if it has none
	Place    string     `json:"place"`
	Into     string     `json:"into"` // the company's name before the row
	IntoAt   string     `json:"into_place"`
	By       string     `json:"by"`       // id, domain or name
	Company  id.Company `json:"company"`  // the company that it became part of
	SplitAt  *time.Time `json:"split_at"` // when the merge was undone
}

// mergedDetail is what the table keeps of it as JSON.
type mergedDetail struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Name   string `json:"name"`
	Place  string `json:"place"`
	Into   string `json:"into"`
	IntoAt string `json:"into_place"`
	By     string `json:"by"`
}

// merging is a merge of the running Put that is to be recorded.
type merging struct {
	mergedDetail
	position       int
	entry          *entry
	before, record []byte
	written        int64
}

// From says where the record is from, for the list of merges.
func (in *Incoming) From(file string, line int) { in.file, in.line = file, line }

// Place returns the record's place as "City, State, Country".
func (in *Incoming) Place() string { return placeText(&in.company) }

// differs reports whether the row has another name than the company, or a place that contradicts its. The place of a contact
// is not the company's.
func differs(e *entry, in *Incoming) bool {
	if in.name != "" && text.Fold(e.company.Name) != text.Fold(in.company.Name) {
		return true
	}
	return !in.contact && (!identity.Agree(e.place.Country, in.place.Country) || !identity.Agree(e.place.State, in.place.State) || !identity.Agree(e.place.City, in.place.City))
}

func placeText(c *company.Company) string {
	var parts []string
	for _, s := range []string{c.City, c.State, c.Country} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// noteMerge remembers a merge for recordMerges. It is called before the merge.
func (p *put) noteMerge(e *entry, in *Incoming, by string) *merging {
	if p.preview != nil || p.source == nil || p.source.imported == 0 || in.file == "" || !differs(e, in) {
		return nil
	}
	return &merging{
		mergedDetail: mergedDetail{in.file, in.line, in.company.Name, placeText(&in.company), e.company.Name, placeText(e.company), by},
		entry:        e, before: e.row.record, record: in.record,
	}
}

// recordMerges stores the batch's merges, for Split.
func (p *put) recordMerges(ctx context.Context) error {
	if len(p.merges) == 0 {
		return nil
	}
	var position int
	err := p.tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), 0) FROM import_merge WHERE import = $1`, p.source.imported).Scan(&position)
	if err != nil {
		return fmt.Errorf("record merges: %w", err)
	}
	for i := range p.merges {
		p.merges[i].position = position + i + 1
	}
	return insert(ctx, p.tx, p.merges, `INSERT INTO import_merge (import, position, number, detail, written, before, record)`, ``,
		func(m *merging) []any {
			detail, err := json.Marshal(m.mergedDetail)
			if err != nil {
				panic(err) // cannot happen: text and numbers have a JSON form
			}
			return []any{p.source.imported, m.position, int64(m.entry.row.number), string(detail), m.written, m.before, m.record}
		})
}

// Merges calls fn for the rows of an import that became part of a company with another name or place, in their order. NotFound
// for an unknown import.
func (s *Store) Merges(ctx context.Context, number int64, fn func(Merged) error) error {
	if err := s.known(ctx, number); err != nil {
		return err
	}
	err := db.Each(ctx, s.db.Read(), func(row db.Row) error {
		var m Merged
		var detail string
		var split sql.NullInt64
		if err := row.Scan(&m.Position, &m.Company, &detail, &split); err != nil {
			return err
		}
		var d mergedDetail
		if err := json.Unmarshal([]byte(detail), &d); err != nil {
			return err
		}
		m.File, m.Line, m.Name, m.Place, m.Into, m.IntoAt, m.By, m.SplitAt = d.File, d.Line, d.Name, d.Place, d.Into, d.IntoAt, d.By, db.FromNullTime(split)
		return fn(m)
	}, `SELECT m.position, c.id, m.detail, m.split_at FROM import_merge m JOIN company c ON c.number = m.number WHERE m.import = $1 ORDER BY m.position`, number)
	if err != nil {
		return fmt.Errorf("merges of import %d: %w", number, err)
	}
	return nil
}

// Split is what undoing a merge did.
type Split struct {
	Company  id.Company `json:"company"`  // the new company, which has the row's values
	Restored bool       `json:"restored"` // whether the other company has its values from before the row again
}

// Split undoes a merge: the row becomes a company of its own, and the company that it became part of gets its values back, unless it
// has changed since or keep returns it. NotFound for a merge that is unknown, or undone already.
func (s *Store) Split(ctx context.Context, number int64, position int, keep func(context.Context, *db.Tx) (company.Set, error)) (Split, error) {
	var out Split
	err := s.write(ctx, func(e *edit) error {
		out = Split{}
		var n company.Number
		var written int64
		var before, record []byte
		var split sql.NullInt64
		err := e.tx.QueryRowContext(ctx, `SELECT number, written, before, record, split_at FROM import_merge WHERE import = $1 AND position = $2`,
			number, position).Scan(&n, &written, &before, &record, &split)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fault.New(fault.NotFound, "Import %d has no merge %d.", number, position)
		case err != nil:
			return err
		case split.Valid:
			return fault.New(fault.NotFound, "Merge %d of import %d has been undone already.", position, number)
		}
		kept, err := keep(ctx, e.tx)
		if err != nil {
			return err
		}
		if out.Restored, err = e.restoreMerged(ctx, past{n, written, before}, kept); err != nil {
			return err
		}
		if out.Company, err = e.addSplit(ctx, number, record); err != nil {
			return err
		}
		_, err = e.tx.ExecContext(ctx, `UPDATE import_merge SET split_at = $1 WHERE import = $2 AND position = $3`, db.Time(time.Now()), number, position)
		return err
	})
	if err != nil {
		return Split{}, fmt.Errorf("undo merge %d of import %d: %w", position, number, err)
	}
	return out, nil
}

// restoreMerged gives a company its record from before the merge, unless it has changed since.
func (e *edit) restoreMerged(ctx context.Context, p past, kept company.Set) (bool, error) {
	rows, err := load(ctx, e.tx, `WHERE number = $1`, int64(p.number))
	if err != nil || len(rows) == 0 || kept.Has(p.number) || recordHash(rows[0].record) != p.written {
		return false, err
	}
	old := row{number: p.number, record: p.record}
	c, err := old.company(false)
	if err != nil {
		return false, err
	}
	old = rowOf(c)
	old.record, old.connections = p.record, rows[0].connections
	if err := e.save(ctx, []row{old}, []company.Number{p.number}); err != nil {
		return false, err
	}
	touched, err := e.sourcesOf(ctx, []company.Number{p.number})
	if err != nil {
		return false, err
	}
	return true, e.rebuild(ctx, touched)
}

// addSplit adds the company of a row, as part of the import.
func (e *edit) addSplit(ctx context.Context, number int64, record []byte) (id.Company, error) {
	c := &company.Company{}
	if err := company.Decode(record, c); err != nil {
		return id.Company{}, err
	}
	if c.Name == "" {
		c.Name = c.Domain
	}
	c.ID, c.Number = id.New[id.Company](), company.Number(e.next)
	c.CreatedAt, c.UpdatedAt = now(), now()
	e.next++
	if err := e.save(ctx, []row{rowOf(c)}, nil); err != nil {
		return c.ID, err
	}
	_, err := e.tx.ExecContext(ctx, `INSERT INTO import_added (import, first, last) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING`, number, int64(c.Number))
	return c.ID, err
}

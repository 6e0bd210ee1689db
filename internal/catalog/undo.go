package catalog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
)

// Undone is what Undo did.
type Undone struct {
	Removed     int `json:"removed"`     // companies
	Restored    int `json:"restored"`    // companies, to their previous records
	Connections int `json:"connections"` // removed
	Kept        int `json:"kept"`        // companies that stay because they are in use or have changed since
}

const undoMax = 500 // companies of one transaction

// What an import has updated, and what it has added and whether a later import has changed that since. $1 is the import.
const (
	importUpdated = `FROM import_past WHERE import = $1
		AND NOT EXISTS (SELECT 1 FROM import_added a WHERE a.import = $1 AND number BETWEEN a.first AND a.last)`
	importAdded = `SELECT c.number, EXISTS (SELECT 1 FROM import_past p WHERE p.number = c.number AND p.import > $1)
		    OR EXISTS (SELECT 1 FROM import_added b WHERE b.import > $1 AND c.number BETWEEN b.first AND b.last)
		FROM import_added a JOIN company c ON c.number BETWEEN a.first AND a.last
		WHERE a.import = $1 AND length(c.record) > 0`
)

// Touched returns the companies that the import added or updated. NotFound for an unknown import.
func (s *Store) Touched(ctx context.Context, number int64) (company.Set, error) {
	if err := s.known(ctx, number); err != nil {
		return company.Set{}, err
	}
	bits := roaring.New()
	err := db.Each(ctx, s.db.Read(), func(result db.Row) error {
		var first, last uint64
		err := result.Scan(&first, &last)
		bits.AddRange(first, last+1)
		return err
	}, `SELECT first, last FROM import_added WHERE import = $1 UNION ALL SELECT number, number FROM import_past WHERE import = $1`, number)
	if err != nil {
		return company.Set{}, fmt.Errorf("companies of import %d: %w", number, err)
	}
	return company.SetFrom(bits), nil
}

// Undo undoes an import: it removes the companies that the import added and restores those that it updated, except the
// companies that keep returns and those that another import has changed since. keep is called in each transaction; from
// then on nobody can buy a company until that transaction ends. A second call continues where the first one ended.
func (s *Store) Undo(ctx context.Context, number int64, keep func(context.Context, *db.Tx) (company.Set, error)) (Undone, error) {
	var u Undone
	if err := s.known(ctx, number); err != nil {
		return u, err
	}
	for _, next := range []func(*undo, context.Context) (bool, error){(*undo).connections, (*undo).updates, (*undo).added} {
		after, done := company.Number(0), false
		for !done {
			var step *undo
			err := s.write(ctx, func(e *edit) (err error) {
				step = &undo{edit: e, number: number, after: after} // new in each run: the transaction may run again
				if step.removed, err = e.removal(ctx); err != nil {
					return err
				}
				if step.kept, err = keep(ctx, e.tx); err != nil {
					return err
				}
				done, err = next(step, ctx)
				return err
			})
			if err != nil {
				return u, fmt.Errorf("undo import %d: %w", number, err)
			}
			after = step.after
			u.add(step.did)
		}
	}
	return u, s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE import SET undone_at = $1 WHERE number = $2`, db.Time(time.Now()), number)
		if err != nil {
			return fmt.Errorf("undo import %d: %w", number, err)
		}
		return auditlog.Record(ctx, tx, auditlog.Event{
			Action: auditlog.ImportUndone, Subject: "import:" + strconv.FormatInt(number, 10),
			Details: map[string]any{"removed": u.Removed, "restored": u.Restored, "connections": u.Connections, "kept": u.Kept},
		})
	})
}

func (u *Undone) add(o Undone) {
	u.Removed += o.Removed
	u.Restored += o.Restored
	u.Connections += o.Connections
	u.Kept += o.Kept
}

// undo is one transaction of an Undo.
type undo struct {
	*edit
	number  int64
	removed company.Set
	kept    company.Set
	after   company.Number // the last company that was processed
	did     Undone
}

// connections removes the next connections that the import added.
func (u *undo) connections(ctx context.Context) (done bool, err error) {
	var links []link
	var sources []int64
	err = u.eachLink(ctx, func(l link) {
		links = append(links, l)
		if l.source.Valid {
			sources = append(sources, l.source.Int64)
		}
	}, `WHERE import = $1 LIMIT $2`, u.number, undoMax)
	if err != nil {
		return false, err
	}
	if err := u.forgetLinks(ctx, links); err != nil {
		return false, err
	}
	u.did.Connections += len(links)
	shown := make([]company.Number, 0, len(sources))
	for _, n := range distinct(sources) {
		shown = append(shown, company.Number(n))
	}
	return len(links) < undoMax, u.rebuild(ctx, shown)
}

// forgetLinks deletes links and what waits for their unknown ends.
func (e *edit) forgetLinks(ctx context.Context, links []link) error {
	var pending []pendingLink
	for i := range links {
		l := &links[i]
		if !l.source.Valid {
			pending = append(pending, resolvedLinksOf(l.identity, 0, l.given.Source)...)
		}
		if !l.target.Valid {
			pending = append(pending, resolvedLinksOf(l.identity, 1, l.given.Target)...)
		}
	}
	if err := e.dropPending(ctx, pending); err != nil {
		return err
	}
	return e.dropLinks(ctx, links)
}

// past is the record of a company before the import updated it, and a hash of the record that the import wrote.
type past struct {
	number  company.Number
	written int64
	record  []byte
}

// updates restores the next companies that the import updated.
func (u *undo) updates(ctx context.Context) (done bool, err error) {
	var pasts []past
	var numbers []company.Number
	err = db.Each(ctx, u.tx, func(result db.Row) error {
		var p past
		err := result.Scan(&p.number, &p.written, &p.record)
		pasts, numbers = append(pasts, p), append(numbers, p.number)
		return err
	}, `SELECT number, written, record `+importUpdated+` AND number > $2 ORDER BY number LIMIT $3`, u.number, int64(u.after), undoMax)
	if err != nil || len(pasts) == 0 {
		return true, err
	}
	rows, err := load(ctx, u.tx, `WHERE number `+u.tx.InNumbers("$1"), numberArray(numbers))
	if err != nil {
		return false, err
	}
	u.after = numbers[len(numbers)-1]
	back, err := u.restorable(pasts, rows)
	if err != nil {
		return false, err
	}
	return len(pasts) < undoMax, u.restore(ctx, back)
}

// restorable returns the previous rows of the companies that have not changed since the import.
func (u *undo) restorable(pasts []past, rows []row) (back []row, err error) {
	now := map[company.Number]*row{}
	for i := range rows {
		now[rows[i].number] = &rows[i]
	}
	for _, p := range pasts {
		r := now[p.number]
		switch {
		case r == nil, string(r.record) == string(p.record):
		case u.kept.Has(p.number), recordHash(r.record) != p.written:
			u.did.Kept++
		default:
			old := row{number: p.number, record: p.record}
			c, err := old.company(false)
			if err != nil {
				return nil, err
			}
			old = rowOf(c)
			old.record, old.connections = p.record, r.connections
			back = append(back, old)
		}
	}
	return back, nil
}

func (u *undo) restore(ctx context.Context, back []row) error {
	u.did.Restored += len(back)
	numbers := numbersOf(back)
	if err := u.save(ctx, back, numbers); err != nil {
		return err
	}
	_, err := u.tx.ExecContext(ctx, `DELETE FROM import_past WHERE import = $1 AND number `+u.tx.InNumbers("$2"),
		u.number, numberArray(numbers))
	if err != nil {
		return fmt.Errorf("delete past companies: %w", err)
	}
	touched, err := u.sourcesOf(ctx, numbers)
	if err != nil {
		return err
	}
	return u.rebuild(ctx, touched)
}

// added removes the next companies that the import added.
func (u *undo) added(ctx context.Context) (done bool, err error) {
	var all, gone []company.Number
	err = db.Each(ctx, u.tx, func(result db.Row) error {
		var n company.Number
		var later bool
		err := result.Scan(&n, &later)
		all = append(all, n)
		if later || u.kept.Has(n) {
			u.did.Kept++
		} else {
			gone = append(gone, n)
		}
		return err
	}, importAdded+` AND c.number > $2 ORDER BY c.number LIMIT $3`, u.number, int64(u.after), undoMax)
	if err != nil || len(all) == 0 {
		return true, err
	}
	u.after = all[len(all)-1]
	u.did.Removed += len(gone)
	return len(all) < undoMax, u.remove(ctx, gone)
}

// remove empties the companies' records. Their numbers and ids are never reused, and connections with them become pending
// again.
func (u *undo) remove(ctx context.Context, numbers []company.Number) error {
	if len(numbers) == 0 {
		return nil
	}
	sources, err := u.sourcesOf(ctx, numbers)
	if err != nil {
		return err
	}
	if err := u.detach(ctx, numbers); err != nil {
		return err
	}
	if err := u.saveRemoved(ctx, u.removed.Or(company.SetOf(numbers...))); err != nil {
		return err
	}
	if err := u.archive(ctx, numbers); err != nil {
		return err
	}
	_, err = u.tx.ExecContext(ctx, `UPDATE company SET record = $1, connections = NULL, domain_key = NULL, name_key = -1, place_key = -1, seq = $2
		WHERE number `+u.tx.InNumbers("$3"), []byte{}, int64(u.seq), numberArray(numbers))
	if err != nil {
		return fmt.Errorf("remove companies: %w", err)
	}
	sources = slices.DeleteFunc(sources, func(n company.Number) bool { return slices.Contains(numbers, n) })
	return u.rebuild(ctx, sources)
}

// detach makes the connections from or to the companies pending.
func (e *edit) detach(ctx context.Context, numbers []company.Number) error {
	var links []link
	in := ` ` + e.tx.InNumbers("$1")
	for _, condition := range []string{
		`WHERE source` + in,
		`WHERE source ` + e.tx.InSelect(`SELECT source FROM connection_by_target WHERE target`+in) + ` AND target` + in + ` AND NOT source` + in,
		`WHERE source IS NULL AND target IS NOT NULL AND target` + in,
	} {
		if err := e.eachLink(ctx, func(l link) { links = append(links, l) }, condition, numberArray(numbers)); err != nil {
			return err
		}
	}
	if err := e.dropLinks(ctx, links); err != nil {
		return err
	}
	gone := company.SetOf(numbers...)
	var pending []pendingLink
	kept := links[:0]
	for _, l := range links {
		if l.source.Valid && gone.Has(company.Number(l.source.Int64)) {
			if keys := l.given.Source.keys(); len(keys) == 0 { // it was imported inside the company's record
				if err := e.forgetLinks(ctx, []link{l}); err != nil {
					return err
				}
				continue
			}
			l.source.Valid = false
			pending = append(pending, pendingLinksOf(l.identity, 0, l.given.Source)...)
		}
		if l.target.Valid && gone.Has(company.Number(l.target.Int64)) {
			l.target.Valid = false
			pending = append(pending, pendingLinksOf(l.identity, 1, l.given.Target)...)
		}
		kept = append(kept, l)
	}
	if err := e.saveLinks(ctx, kept); err != nil {
		return err
	}
	return e.savePending(ctx, pending)
}

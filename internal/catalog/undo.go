package catalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
)

// Undone is what Undo did.
type Undone struct {
	Removed     int `json:"removed"`     // companies
	Restored    int `json:"restored"`    // companies, to what they were
	Connections int `json:"connections"` // taken away
	Kept        int `json:"kept"`        // companies that stay, since they are used or have changed since
}

const undoMax = 500 // companies of one transaction

// Undo takes an import back: what it added is removed and what it updated is as before, but for the companies that are
// kept and those that another import has changed since. keep is asked within each transaction. A second call goes on
// where the first one ended.
func (b *Book) Undo(ctx context.Context, number int64, keep func(context.Context) (company.Set, error)) (Undone, error) {
	var u Undone
	if _, err := b.importByNumber(ctx, number); err != nil {
		return u, err
	}
	for _, step := range []func(*edit, int64, company.Set, *Undone, company.Number) (company.Number, bool, error){
		func(e *edit, i int64, _ company.Set, u *Undone, _ company.Number) (company.Number, bool, error) {
			done, err := e.undoConnections(ctx, i, u)
			return 0, done, err
		},
		func(e *edit, i int64, kept company.Set, u *Undone, after company.Number) (company.Number, bool, error) {
			return e.undoUpdates(ctx, i, kept, u, after)
		},
		func(e *edit, i int64, kept company.Set, u *Undone, after company.Number) (company.Number, bool, error) {
			return e.undoAdded(ctx, i, kept, u, after)
		},
	} {
		after, done := company.Number(0), false
		for !done {
			before, next := u, after
			err := b.write(ctx, func(e *edit) error {
				u = before // the transaction may run again
				kept, err := keep(ctx)
				if err != nil {
					return err
				}
				next, done, err = step(e, number, kept, &u, after)
				return err
			})
			if err != nil {
				return before, fmt.Errorf("undo import %d: %w", number, err)
			}
			after = next
		}
	}
	err := b.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE import SET undone_at = $1 WHERE number = $2`, db.Time(time.Now()), number)
		return err
	})
	if err != nil {
		return u, fmt.Errorf("undo import %d: %w", number, err)
	}
	return u, nil
}

// undoConnections takes away the next connections that the import brought.
func (e *edit) undoConnections(ctx context.Context, imported int64, u *Undone) (done bool, err error) {
	var identities, sources []int64
	err = e.eachLink(ctx, func(l link) {
		identities = append(identities, l.identity)
		if l.source.Valid {
			sources = append(sources, l.source.Int64)
		}
	}, `WHERE import = $1 ORDER BY identity LIMIT $2`, imported, undoMax)
	if err != nil {
		return false, err
	}
	if err := e.dropLinks(ctx, identities); err != nil {
		return false, err
	}
	u.Connections += len(identities)
	shown := make([]company.Number, 0, len(sources))
	for _, n := range distinct(sources) {
		shown = append(shown, company.Number(n))
	}
	return len(identities) < undoMax, e.rebuild(ctx, shown)
}

func (e *edit) dropLinks(ctx context.Context, identities []int64) error {
	for _, table := range []string{"connection_wait", "connection"} {
		_, err := e.tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE identity IN (SELECT value FROM `+e.tx.EachNumber("$1")+`)`, numberArray(identities))
		if err != nil {
			return fmt.Errorf("drop connections: %w", err)
		}
	}
	return nil
}

// undoUpdates gives the next companies that the import updated back what they were.
func (e *edit) undoUpdates(ctx context.Context, imported int64, kept company.Set, u *Undone, after company.Number) (last company.Number, done bool, err error) {
	type past struct {
		number  company.Number
		written int64
		record  []byte
	}
	var pasts []past
	var numbers []company.Number
	err = e.each(ctx, func(scan func(...any) error) error {
		var p past
		err := scan(&p.number, &p.written, &p.record)
		pasts, numbers = append(pasts, p), append(numbers, p.number)
		return err
	}, `SELECT number, written, record FROM import_past WHERE import = $1 AND number > $2
	    AND NOT EXISTS (SELECT 1 FROM import_added a WHERE a.import = $1 AND number BETWEEN a.first AND a.last)
	    ORDER BY number LIMIT $3`, imported, int64(after), undoMax)
	if err != nil || len(pasts) == 0 {
		return 0, true, err
	}
	rows, err := load(ctx, e.tx, `WHERE number IN (SELECT value FROM `+e.tx.EachNumber("$1")+`)`, numberArray(numbers))
	if err != nil {
		return 0, false, err
	}
	now := map[company.Number]*row{}
	for i := range rows {
		now[rows[i].number] = &rows[i]
	}
	var back []row
	for _, p := range pasts {
		r := now[p.number]
		switch {
		case r == nil, string(r.record) == string(p.record):
		case kept.Has(p.number), recordHash(r.record) != p.written:
			u.Kept++
		default:
			old := row{number: p.number, record: p.record}
			c, err := old.company(false)
			if err != nil {
				return 0, false, err
			}
			old = rowOf(c)
			old.record, old.connections = p.record, r.connections
			back = append(back, old)
		}
	}
	u.Restored += len(back)
	if err := e.save(ctx, back, numbersOf(back)); err != nil {
		return 0, false, err
	}
	_, err = e.tx.ExecContext(ctx, `DELETE FROM import_past WHERE import = $1 AND number IN (SELECT value FROM `+e.tx.EachNumber("$2")+`)`,
		imported, numberArray(numbersOf(back)))
	if err != nil {
		return 0, false, fmt.Errorf("forget past companies: %w", err)
	}
	touched, err := e.sourcesOf(ctx, numbersOf(back))
	if err != nil {
		return 0, false, err
	}
	return pasts[len(pasts)-1].number, len(pasts) < undoMax, e.rebuild(ctx, touched)
}

// undoAdded removes the next companies that the import added.
func (e *edit) undoAdded(ctx context.Context, imported int64, kept company.Set, u *Undone, after company.Number) (last company.Number, done bool, err error) {
	var all, gone []company.Number
	err = e.each(ctx, func(scan func(...any) error) error {
		var n company.Number
		var later bool
		err := scan(&n, &later)
		all = append(all, n)
		if later || kept.Has(n) {
			u.Kept++
		} else {
			gone = append(gone, n)
		}
		return err
	}, `SELECT c.number, EXISTS (SELECT 1 FROM import_past p WHERE p.number = c.number AND p.import > $1)
	        OR EXISTS (SELECT 1 FROM import_added b WHERE b.import > $1 AND c.number BETWEEN b.first AND b.last)
	    FROM import_added a JOIN company c ON c.number BETWEEN a.first AND a.last
	    WHERE a.import = $1 AND c.number > $2 AND length(c.record) > 0 ORDER BY c.number LIMIT $3`, imported, int64(after), undoMax)
	if err != nil || len(all) == 0 {
		return 0, true, err
	}
	u.Removed += len(gone)
	return all[len(all)-1], len(all) < undoMax, e.remove(ctx, gone)
}

// remove empties the companies. Their numbers and ids are never given to others; connections with them wait again.
func (e *edit) remove(ctx context.Context, numbers []company.Number) error {
	if len(numbers) == 0 {
		return nil
	}
	sources, err := e.sourcesOf(ctx, numbers)
	if err != nil {
		return err
	}
	if err := e.part(ctx, numbers); err != nil {
		return err
	}
	e.dirty = true
	if err := e.keep(ctx, numbers); err != nil {
		return err
	}
	_, err = e.tx.ExecContext(ctx, `UPDATE company SET record = $1, connections = NULL, domain_key = NULL, name_key = -1, place_key = -1, seq = $2
		WHERE number IN (SELECT value FROM `+e.tx.EachNumber("$3")+`)`, []byte{}, int64(e.seq), numberArray(numbers))
	if err != nil {
		return fmt.Errorf("remove companies: %w", err)
	}
	sources = slices.DeleteFunc(sources, func(n company.Number) bool { return slices.Contains(numbers, n) })
	return e.rebuild(ctx, sources)
}

// part makes the connections that lead from or to the companies wait for them.
func (e *edit) part(ctx context.Context, numbers []company.Number) error {
	var links []link
	err := e.eachLink(ctx, func(l link) { links = append(links, l) },
		`WHERE source IN (SELECT value FROM `+e.tx.EachNumber("$1")+`) OR target IN (SELECT value FROM `+e.tx.EachNumber("$1")+`)`, numberArray(numbers))
	if err != nil {
		return err
	}
	gone := company.SetOf(numbers...)
	var waits []wait
	kept := links[:0]
	var dropped []int64
	for _, l := range links {
		if l.source.Valid && gone.Has(company.Number(l.source.Int64)) {
			if keys := l.given.Source.keys(); len(keys) == 0 { // it came inside of the company
				dropped = append(dropped, l.identity)
				continue
			}
			l.source.Valid = false
			waits = append(waits, waitsOf(l.identity, 0, l.given.Source)...)
		}
		if l.target.Valid && gone.Has(company.Number(l.target.Int64)) {
			l.target.Valid = false
			waits = append(waits, waitsOf(l.identity, 1, l.given.Target)...)
		}
		kept = append(kept, l)
	}
	if err := e.saveLinks(ctx, kept); err != nil {
		return err
	}
	if err := e.saveWaits(ctx, waits); err != nil {
		return err
	}
	return e.dropLinks(ctx, dropped)
}

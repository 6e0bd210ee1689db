package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
)

// row is a row of the table company.
type row struct {
	number      company.Number
	id          id.Company
	domainKey   sql.NullInt64
	pageKey     sql.NullInt64 // of the page on LinkedIn
	nameKey     int64
	placeKey    int64
	seq         uint64
	record      []byte
	connections []byte
}

// rowOf encodes a company without its connections.
func rowOf(c *company.Company) row {
	r := row{number: c.Number, id: c.ID, nameKey: nameKey(identity.Name(c.Name)), placeKey: placeKey(identity.PlaceOf(c), c.Domain), record: company.Encode(c)}
	if c.Domain != "" {
		r.domainKey = sql.NullInt64{Int64: domainKey(c.Domain), Valid: true}
	}
	r.pageKey = pageKeyOf(c)
	return r
}

// pageKeyOf returns the key of the company's page on LinkedIn, if it has one.
func pageKeyOf(c *company.Company) sql.NullInt64 {
	page := identity.Page(c.LinkedInURL)
	if page == "" {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: pageKey(page), Valid: true}
}

// company decodes the row, with its connections if connections is true.
func (r *row) company(connections bool) (*company.Company, error) {
	c := &company.Company{}
	if err := company.Decode(r.record, c); err != nil {
		return nil, fmt.Errorf("decode company %d: %w", r.number, err)
	}
	c.Number = r.number
	if !connections {
		return c, nil
	}
	var err error
	if c.Connections, err = decodeConnections(r.connections); err != nil {
		return nil, fmt.Errorf("decode connections of company %d: %w", r.number, err)
	}
	return c, nil
}

// load reads the rows that the condition selects, in no particular order, without removed companies.
func load(ctx context.Context, q db.Querier, condition string, args ...any) ([]row, error) {
	return loadRows(ctx, q, false, condition, args...)
}

func loadRows(ctx context.Context, q db.Querier, removed bool, condition string, args ...any) ([]row, error) {
	var out []row
	err := db.Each(ctx, q, func(result db.Row) error {
		var r row
		err := result.Scan(&r.number, &r.id, &r.domainKey, &r.pageKey, &r.nameKey, &r.placeKey, &r.seq, &r.record, &r.connections)
		if len(r.record) > 0 || removed {
			out = append(out, r)
		}
		return err
	}, `SELECT number, id, domain_key, page_key, name_key, place_key, seq, record, connections FROM company `+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("load companies: %w", err)
	}
	return out, nil
}

// save writes the rows at the edit's seq, after archiving the previous records of those in old.
func (e *edit) save(ctx context.Context, rows []row, old []company.Number) error {
	if len(rows) == 0 {
		return nil
	}
	e.dirty = true
	if err := e.archive(ctx, old); err != nil {
		return err
	}
	if err := e.saveKeys(ctx, rows); err != nil {
		return err
	}
	values := func(r *row) []any {
		return []any{int64(r.number), r.id.String(), r.domainKey, r.pageKey, r.nameKey, r.placeKey, int64(e.seq), r.record, r.connections}
	}
	var known []row
	added := make([]row, 0, len(rows))
	for i := range rows {
		if e.isNew(&rows[i]) {
			added = append(added, rows[i])
		} else {
			known = append(known, rows[i])
		}
	}
	if err := insertNew(ctx, e.tx, added, "company", companyColumns, values); err != nil {
		return err
	}
	return insert(ctx, e.tx, known, `INSERT INTO company (`+strings.Join(companyColumns, ", ")+`)`,
		` ON CONFLICT (number) DO UPDATE SET domain_key = excluded.domain_key, page_key = excluded.page_key, name_key = excluded.name_key,
			place_key = excluded.place_key, seq = excluded.seq, record = excluded.record, connections = excluded.connections`, values)
}

var companyColumns = []string{"number", "id", "domain_key", "page_key", "name_key", "place_key", "seq", "record", "connections"}

// isNew reports whether the edit has given the company its number.
func (e *edit) isNew(r *row) bool { return uint64(r.number) >= e.first }

// saveKeys writes the keys of companies with new numbers, in the order of the keys. A trigger would write the same keys, one company after
// another. On PostgreSQL company_key is a view.
func (e *edit) saveKeys(ctx context.Context, rows []row) error {
	if e.later || e.tx.Name() != "sqlite" {
		return nil
	}
	var keys []companyKey
	for i := range rows {
		if e.isNew(&rows[i]) {
			keys = appendKeys(keys, &rows[i])
		}
	}
	slices.SortFunc(keys, companyKey.compare)
	return insertKeys(ctx, e.tx, "company_key_new", keys)
}

// archive copies the companies' current records to company_past, except those that this edit itself wrote: nobody has seen
// them.
func (e *edit) archive(ctx context.Context, numbers []company.Number) error {
	if len(numbers) == 0 {
		return nil
	}
	_, err := e.tx.ExecContext(ctx, `
		INSERT INTO company_past (number, seq, until, record, connections)
		SELECT number, seq, $1, record, connections FROM company
		WHERE number `+e.tx.InNumbers("$2")+` AND seq < $1`, int64(e.seq), numberArray(numbers))
	if err != nil {
		return fmt.Errorf("keep past companies: %w", err)
	}
	return nil
}

// insertNew writes items that are not in the table.
func insertNew[T any](ctx context.Context, tx *db.Tx, items []T, table string, columns []string, args func(*T) []any) error {
	if len(items) == 0 {
		return nil
	}
	if err := tx.CopyRows(ctx, tx, table, columns, len(items), func(i int) []any { return args(&items[i]) }); err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}

// insert writes items. head ends with the columns, and tail is what follows the values.
func insert[T any](ctx context.Context, tx *db.Tx, items []T, head, tail string, args func(*T) []any) error {
	if len(items) == 0 {
		return nil
	}
	if err := tx.InsertRows(ctx, tx, head, tail, len(items), func(i int) []any { return args(&items[i]) }); err != nil {
		return fmt.Errorf("%s: %w", head, err)
	}
	return nil
}

package catalog

import (
	"context"
	"fmt"
	"slices"
)

const (
	// candidatesMax is how many companies a batch may have to be compared with.
	candidatesMax = 50_000
	// namesakesMax is how many companies may have a name before it says nothing: such are placeholders.
	namesakesMax = 1_000
)

const findCondition = `WHERE number IN (
	SELECT number FROM company WHERE id IN (SELECT value FROM %s)
	UNION SELECT number FROM company WHERE domain_key IN (SELECT value FROM %s)
	UNION SELECT number FROM company WHERE name_key IN (SELECT value FROM %s)) ORDER BY number LIMIT $4`

// find loads the companies that have one of the ids or keys.
func (e *edit) find(ctx context.Context, w wanted) ([]row, error) {
	if e.next == 1 || len(w.ids)+len(w.domains)+len(w.names) == 0 {
		return nil, nil
	}
	condition := fmt.Sprintf(findCondition, e.tx.EachString("$1"), e.tx.EachNumber("$2"), e.tx.EachNumber("$3"))
	args := []any{idArray(w.ids), numberArray(distinct(w.domains)), numberArray(distinct(w.names)), candidatesMax + 1}
	rows, err := load(ctx, e.tx, condition, args...)
	if err != nil || len(rows) <= candidatesMax {
		return rows, err
	}
	if args[1], err = e.telling(ctx, "domain_key", w.domains); err != nil {
		return nil, err
	}
	if args[2], err = e.telling(ctx, "name_key", w.names); err != nil {
		return nil, err
	}
	args[3] = len(w.ids) + namesakesMax*(len(w.domains)+len(w.names))
	return load(ctx, e.tx, condition, args...)
}

// telling leaves out the keys that too many companies have.
func (e *edit) telling(ctx context.Context, column string, keys []int64) (string, error) {
	var out []int64
	err := e.each(ctx, func(scan func(...any) error) error {
		var k int64
		err := scan(&k)
		out = append(out, k)
		return err
	}, `SELECT each.value FROM `+aliased(e.tx.EachNumber("$1"))+` WHERE
	    (SELECT number FROM company WHERE `+column+` = each.value LIMIT 1 OFFSET $2) IS NULL`,
		numberArray(distinct(keys)), namesakesMax)
	return numberArray(out), err
}

// aliased names the table expression of a dialect each.
func aliased(table string) string { return "(SELECT value FROM " + table + ") AS each" }

func distinct(keys []int64) []int64 {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return slices.Compact(keys)
}

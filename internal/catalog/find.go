package catalog

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/opencapi/capi/internal/db"
)

const (
	// candidatesMax bounds the companies that a batch is compared with, plus two for each of its own.
	candidatesMax = 10_000
	// If a batch has more than candidatesMax candidates, a name or domain that more than namesakesMax companies share is
	// not used alone: the place or another key must match as well.
	namesakesMax = 200
)

// finder finds companies by ids and keys, in a transaction that may only read.
type finder struct {
	q       db.Querier
	dialect db.Dialect
	empty   bool // whether the catalog has no companies
}

func (e *edit) finder() finder { return finder{e.tx, e.tx.Dialect, e.next == 1} }

// find loads the companies with one of the ids or keys.
func (f finder) find(ctx context.Context, w wanted) ([]row, error) {
	if f.empty || len(w.ids)+len(w.domains)+len(w.names) == 0 {
		return nil, nil
	}
	condition := `WHERE number IN (SELECT number FROM company_key WHERE key ` + f.dialect.InNumbers("$1") + `) ORDER BY number LIMIT $2`
	keys := slices.Concat(w.domains, w.names)
	for _, c := range w.ids {
		keys = append(keys, idTail(c))
	}
	most := candidatesMax + 2*len(keys)
	keys = distinct(keys)
	rows, err := load(ctx, f.q, condition, numberArray(keys), most+1)
	if err != nil || len(rows) <= most {
		return rows, err
	}
	few, err := selective(ctx, f.q, f.dialect, keys)
	if err != nil {
		return nil, err
	}
	if rows, err = load(ctx, f.q, condition, numberArray(few), math.MaxInt32); err != nil {
		return nil, err
	}
	crowded := slices.DeleteFunc(distinct(w.names), func(k int64) bool {
		_, found := slices.BinarySearch(few, k)
		return found
	})
	return f.findPlaced(ctx, rows, crowded, distinct(w.places))
}

// findPlaced adds the companies with one of the names and one of the places. Of very many identical ones it adds only the
// oldest, which a match would choose anyway.
func (f finder) findPlaced(ctx context.Context, rows []row, names, places []int64) ([]row, error) {
	more, err := load(ctx, f.q, `WHERE number IN (SELECT number FROM company_key WHERE key `+f.dialect.InNumbers("$1")+`
		AND place `+f.dialect.InNumbers("$2")+`) ORDER BY number LIMIT $3`,
		numberArray(names), numberArray(places), namesakesMax+2*len(places))
	rows = append(rows, more...)
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.number, b.number) })
	return slices.CompactFunc(rows, func(a, b row) bool { return a.number == b.number }), err
}

// selective returns the keys that not too many companies have, sorted.
func selective(ctx context.Context, q db.Querier, d db.Dialect, keys []int64) ([]int64, error) {
	return db.Collect(ctx, q, db.Value[int64],
		`SELECT each.value FROM `+aliased(d.EachNumber("$1"))+` WHERE
	    (SELECT number FROM company_key WHERE key = each.value LIMIT 1 OFFSET $2) IS NULL ORDER BY 1`,
		numberArray(distinct(keys)), namesakesMax)
}

// aliased gives a dialect's table expression the alias each.
func aliased(table string) string { return "(SELECT value FROM " + table + ") AS each" }

func distinct(keys []int64) []int64 {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return slices.Compact(keys)
}

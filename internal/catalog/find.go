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
	empty   bool         // whether the catalog has no companies
	known   *keyFilter   // nil if it is not known which keys there are
	waiting *waitingKeys // all keys that are not stored; nil if it is not known
}

func (e *edit) finder() finder { return finder{q: e.tx, dialect: e.tx.Dialect, empty: e.next == 1} }

// find loads the companies with one of the ids or keys. crowded reports whether it had to leave some out that are too many.
func (f finder) find(ctx context.Context, w wanted) (rows []row, crowded bool, err error) {
	if f.empty {
		return nil, false, nil
	}
	keys := w.keys()
	most := candidatesMax + 2*len(keys)
	if f.known != nil {
		keys = slices.DeleteFunc(keys, func(k int64) bool { return !f.known.has(k) })
	}
	if len(keys) == 0 {
		return nil, false, nil
	}
	keys = distinct(keys)
	if rows, err = f.load(ctx, keys, most+1); err != nil || len(rows) <= most {
		return rows, false, err
	}
	few, err := selective(ctx, f.q, f.dialect, keys)
	if err != nil {
		return nil, true, err
	}
	if rows, err = f.load(ctx, few, math.MaxInt32); err != nil {
		return nil, true, err
	}
	names := slices.DeleteFunc(distinct(w.names), func(k int64) bool {
		_, found := slices.BinarySearch(few, k)
		return found
	})
	rows, err = f.findPlaced(ctx, rows, names, distinct(w.places))
	return rows, true, err
}

// load loads the first companies with one of the keys, by number.
func (f finder) load(ctx context.Context, keys []int64, most int) ([]row, error) {
	if f.waiting == nil {
		numbers := `SELECT number FROM company_key WHERE key ` + f.dialect.InNumbers("$1")
		return load(ctx, f.q, `WHERE number `+f.dialect.InSelect(numbers)+` ORDER BY number LIMIT $2`, numberArray(keys), most)
	}
	numbers := `SELECT number FROM company_key_stored WHERE key ` + f.dialect.InNumbers("$1") + `
		UNION ALL SELECT value FROM ` + f.dialect.EachNumber("$2")
	return load(ctx, f.q, `WHERE number `+f.dialect.InSelect(numbers)+` ORDER BY number LIMIT $3`,
		numberArray(keys), numberArray(f.waiting.numbers(keys)), most)
}

// findPlaced adds the companies with one of the names and one of the places. Of very many identical ones it adds only the
// oldest, which a match would choose anyway.
func (f finder) findPlaced(ctx context.Context, rows []row, names, places []int64) ([]row, error) {
	numbers := `SELECT number FROM company_key WHERE key ` + f.dialect.InNumbers("$1") + ` AND place ` + f.dialect.InNumbers("$2")
	more, err := load(ctx, f.q, `WHERE number `+f.dialect.InSelect(numbers)+` ORDER BY number LIMIT $3`,
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

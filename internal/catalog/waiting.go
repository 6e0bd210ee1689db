package catalog

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// allKeys is the value of company_key_later.after when the keys of all companies are stored.
const allKeys = math.MaxInt64

// keysAfter returns the number of the last company whose keys are certainly stored, with those of all before it.
func keysAfter(ctx context.Context, q db.Querier, d db.Dialect) (after int64, err error) {
	if d.Name() != "sqlite" {
		return allKeys, nil
	}
	if err = q.QueryRowContext(ctx, `SELECT after FROM company_key_later`).Scan(&after); err != nil {
		return 0, fmt.Errorf("read which keys are stored: %w", err)
	}
	return after, nil
}

func setKeysAfter(ctx context.Context, tx *db.Tx, after int64) error {
	if _, err := tx.ExecContext(ctx, `UPDATE company_key_later SET after = $1`, after); err != nil {
		return fmt.Errorf("write which keys are stored: %w", err)
	}
	return nil
}

// stepKeys returns how many sorted keys are stored in one transaction, which takes about a quarter of a second if nobody else needs the
// database, else a fraction of what a purchase may wait.
func stepKeys(alone bool) int {
	if alone {
		return settleKeyMax
	}
	return 5_000
}

const (
	// stepShare is how much longer it takes to store the keys of a company that has to be read.
	stepShare = 5
	// stepPause lets others have the database.
	stepPause = 5 * time.Millisecond
)

// step runs a transaction that stores keys.
func (s *Store) step(ctx context.Context, alone bool, fn func(*db.Tx) error) error {
	err := s.db.Tx(ctx, fn)
	if !alone {
		time.Sleep(stepPause)
	}
	return err
}

// StoreKeys stores the keys of companies that an import has left without, because it was killed, and returns how many companies these
// are. They are found without that, but only by reading all of them. alone is as for Loader.Put.
func (s *Store) StoreKeys(ctx context.Context, alone bool) (companies int, err error) {
	after, err := keysAfter(ctx, s.db.Read(), s.db.Dialect)
	for err == nil && after != allKeys {
		n := 0
		err = s.step(ctx, alone, func(tx *db.Tx) error {
			_, next, err := state(ctx, tx, "")
			if err != nil {
				return err
			}
			if after, err = keysAfter(ctx, tx, tx.Dialect); err != nil || after == allKeys {
				return err
			}
			first, last := after+1, min(after+int64(stepKeys(alone)/stepShare), int64(next)-1) //nolint:gosec // a number has 32 bits
			if n, after = int(last-after), last; last == int64(next)-1 {                       //nolint:gosec // a number has 32 bits
				after = allKeys
			}
			if err := storeKeysOf(ctx, tx, `number BETWEEN $1 AND $2`, first, last); err != nil {
				return err
			}
			return setKeysAfter(ctx, tx, after)
		})
		companies += n
	}
	if err != nil {
		return companies, fmt.Errorf("store keys: %w", err)
	}
	return companies, nil
}

// storeKeysOf stores the keys of the companies that the condition selects.
func storeKeysOf(ctx context.Context, tx *db.Tx, condition string, args ...any) error {
	var keys []companyKey
	err := db.Each(ctx, tx, func(result db.Row) error {
		var r row
		err := result.Scan(&r.number, &r.id, &r.domainKey, &r.nameKey, &r.placeKey)
		keys = appendKeys(keys, &r)
		return err
	}, `SELECT number, id, domain_key, name_key, place_key FROM company WHERE `+condition, args...)
	if err != nil {
		return err
	}
	slices.SortFunc(keys, companyKey.compare)
	return insertKeys(ctx, tx, "company_key_new", keys)
}

// companyKey is a row of company_key. Keys have 33 bits, places 32, with the sign.
type companyKey struct {
	key    int64
	place  int32
	number uint32
}

// appendKeys appends the keys of a company.
func appendKeys(keys []companyKey, r *row) []companyKey {
	n := uint32(r.number)
	keys = append(keys, companyKey{r.nameKey, int32(r.placeKey), n}, companyKey{idTail(r.id), 1, n}) //nolint:gosec // key returns 32 bits
	if r.domainKey.Valid {
		keys = append(keys, companyKey{r.domainKey.Int64, 0, n})
	}
	return keys
}

func (k companyKey) compare(other companyKey) int {
	if k.key != other.key {
		return cmp.Compare(k.key, other.key)
	}
	return cmp.Or(cmp.Compare(k.place, other.place), cmp.Compare(k.number, other.number))
}

// insertKeys writes the keys, which must be in order: SQLite then finds the page of each in its cache.
func insertKeys(ctx context.Context, tx *db.Tx, table string, keys []companyKey) error {
	return insert(ctx, tx, keys, `INSERT INTO `+table+` (key, place, number)`, ` ON CONFLICT DO NOTHING`,
		func(k *companyKey) []any { return []any{k.key, int64(k.place), int64(k.number)} })
}

// waitingKeys are the keys of new companies that are not stored yet.
type waitingKeys struct {
	after   int64          // the companies have larger numbers
	runs    [][]companyKey // each in order
	size    int            // of all runs
	changed []int64        // numbers of companies whose keys have changed since
}

// mergedMax bounds the keys of merged runs, because merging needs the memory twice.
const mergedMax = 500_000

// add adds keys. It merges runs of about the same size, so that there are few.
func (w *waitingKeys) add(keys []companyKey) {
	if len(keys) == 0 {
		return
	}
	slices.SortFunc(keys, companyKey.compare)
	w.size += len(keys)
	w.runs = append(w.runs, keys)
	for n := len(w.runs); n > 1 && len(w.runs[n-2]) < min(2*len(w.runs[n-1]), mergedMax); n-- {
		w.runs = append(w.runs[:n-2], mergeKeys(w.runs[n-2], w.runs[n-1]))
	}
}

// mergeKeys returns the keys of two runs in order.
func mergeKeys(a, b []companyKey) []companyKey {
	all := make([]companyKey, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].compare(b[0]) <= 0 {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// numbers returns the numbers of the companies with one of the keys.
func (w *waitingKeys) numbers(keys []int64) (out []int64) {
	if w == nil {
		return nil
	}
	for _, key := range keys {
		w.each(key, func(k companyKey) { out = append(out, int64(k.number)) })
	}
	return out
}

// each calls fn with the keys that are equal to key, in no particular order.
func (w *waitingKeys) each(key int64, fn func(companyKey)) {
	for _, run := range w.runs {
		i, _ := slices.BinarySearchFunc(run, key, func(k companyKey, key int64) int { return cmp.Compare(k.key, key) })
		for ; i < len(run) && run[i].key == key; i++ {
			fn(run[i])
		}
	}
}

// find returns the numbers of the companies with one of the keys. If these are very many, it takes those of a key that more than
// namesakesMax have only if they have one of the places as well, like finder.find.
func (w *waitingKeys) find(keys, places []int64) (out []int64) {
	keys, places = distinct(keys), distinct(places)
	if out = w.numbers(keys); len(out) <= candidatesMax+2*len(keys) {
		return out
	}
	out = nil
	for _, key := range keys {
		var all, placed []int64
		w.each(key, func(k companyKey) {
			all = append(all, int64(k.number))
			if _, found := slices.BinarySearch(places, int64(k.place)); found {
				placed = append(placed, int64(k.number))
			}
		})
		if len(all) > namesakesMax {
			slices.Sort(placed) // a match takes the oldest of identical ones
			all = placed[:min(len(placed), namesakesMax)]
		}
		out = append(out, all...)
	}
	return out
}

// parts returns all keys in order, up to most at a time. The caller may change a part.
func (w *waitingKeys) parts(most int) iter.Seq[[]companyKey] {
	return func(yield func([]companyKey) bool) {
		runs := slices.Clone(w.runs)
		var part []companyKey
		for len(runs) > 0 {
			first := 0
			for i := range runs {
				if runs[i][0].compare(runs[first][0]) < 0 {
					first = i
				}
			}
			part = append(part, runs[first][0])
			if runs[first] = runs[first][1:]; len(runs[first]) == 0 {
				runs = slices.Delete(runs, first, first+1)
			}
			if len(part) == most || len(runs) == 0 {
				if !yield(part) {
					return
				}
				part = part[:0]
			}
		}
	}
}

// keyFilter is a set of keys that may seem to have some more: with the keys of ten million companies, one in fifty of all other keys. Its
// 32 MB are fixed.
type keyFilter struct {
	pages [1 << (filterBits - 16)]*[1 << 10]uint64
}

const filterBits = 28

// places returns the bits that stand for the key: it is in the set if all of them are set.
func (*keyFilter) places(key int64) [3]uint64 {
	// Multiplying by odd numbers without a pattern mixes the bits upwards.
	a := uint64(key) * 0x9e3779b97f4a7c15
	b := (a ^ a>>32) * 0xd6e8feb86659fd93
	return [3]uint64{a >> (64 - filterBits), b >> (64 - filterBits), b >> 4 & (1<<filterBits - 1)}
}

func (f *keyFilter) add(keys []companyKey) {
	for _, k := range keys {
		for _, at := range f.places(k.key) {
			page := &f.pages[at>>16]
			if *page == nil {
				*page = new([1 << 10]uint64)
			}
			(*page)[at>>6&(1<<10-1)] |= 1 << (at & 63)
		}
	}
}

func (f *keyFilter) has(key int64) bool {
	for _, at := range f.places(key) {
		page := f.pages[at>>16]
		if page == nil || page[at>>6&(1<<10-1)]>>(at&63)&1 == 0 {
			return false
		}
	}
	return true
}

package export_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
)

const (
	numberMax = 20_000_000 // the highest company number
	freshPart = 8_000      // of the RowsMax companies of a purchase
	rowsMin   = 5          // a purchase that writes its unlocks as rows must take at least this many times as long
	growthMax = 1.5        // a purchase with a thousand times as many unlocks may take at most this many times as long
)

// BenchmarkCreate measures Create without the search: the whole transaction with its export, selection and job. Each
// purchase is of 10,000 companies, 8,000 of them new, by a workspace that owns 10,000 and by one that owns 10,000,000. For
// comparison, the same transaction writes its 8,000 unlocks as rows, for workspaces that own 10,000 and 1,000,000. They
// take turns, so that the load of the machine affects all alike. The benchmark fails if the medians exceed the bounds.
func BenchmarkCreate(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			small, large := newBuyer(b, d, 10_000), newBuyer(b, d, 10_000_000)
			rows, manyRows := newRowBuyer(b, d, 10_000), newRowBuyer(b, d, 1_000_000)
			for b.Loop() {
				small.buy(b)
				large.buy(b)
				rows.buy(b)
				manyRows.buy(b)
			}
			s, l, r, m := small.median(), large.median(), rows.median(), manyRows.median()
			b.ReportMetric(s, "ms/small")
			b.ReportMetric(l, "ms/large")
			b.ReportMetric(r, "ms/rows-small")
			b.ReportMetric(m, "ms/rows-1M")
			b.ReportMetric(l/s, "growth")
			b.ReportMetric(r/s, "rows/set")
			if len(small.took) < 20 {
				return // too few for a median
			}
			if l > growthMax*s {
				b.Errorf("a purchase takes %.1f ms with 10,000,000 unlocks and %.1f ms with 10,000", l, s)
			}
			if r < rowsMin*s || m < rowsMin*l {
				b.Errorf("a purchase takes %.1f and %.1f ms, one that writes rows %.1f and %.1f ms", s, l, r, m)
			}
		})
	}
}

// buyer undoes the unlocks of each purchase, so that it always owns the same companies.
type buyer struct {
	*fixture
	random *rand.Rand
	owned  company.Set
	found  *preset
	took   []time.Duration
}

// preset is an index that returns the given companies, so that the search is not measured.
type preset struct {
	index.Index
	numbers []company.Number
}

func (p *preset) Select(context.Context, index.Selection) (*index.Selected, error) {
	return &index.Selected{Numbers: p.numbers, Total: len(p.numbers)}, nil
}

func newBuyer(b *testing.B, d *db.DB, owned int) *buyer {
	found := &preset{Index: embedded.Open(embedded.Options{})}
	y := &buyer{fixture: openIndex(b, d, found, credit.BalanceMax), random: rand.New(rand.NewPCG(1, 2)), found: found}
	y.owned = spread(y.random, owned)
	require.NoError(b, d.Tx(b.Context(), func(tx *db.Tx) error {
		_, err := y.unlock.Add(b.Context(), tx, y.caller.Workspace, id.New[id.Export](), y.owned)
		return err
	}))
	return y
}

func (y *buyer) buy(b *testing.B) {
	y.found.numbers = selection(y.random, y.owned)
	start := time.Now()
	e, figures, err := y.Create(b.Context(), y.caller, export.Request{Name: "Bench", Filters: json.RawMessage("{}")})
	y.took = append(y.took, time.Since(start))
	require.NoError(b, err)
	require.Equal(b, int64(freshPart), figures.CreditsCharged)
	fresh := company.SetOf(y.found.numbers...).Minus(y.owned)
	require.NoError(b, y.db.Tx(b.Context(), func(tx *db.Tx) error {
		_, err := y.unlock.Remove(b.Context(), tx, y.caller.Workspace, e.ID, fresh)
		return err
	}))
}

// rowBuyer makes the same purchases, but writes one row for each unlock, all in one statement.
type rowBuyer struct{ *buyer }

func newRowBuyer(b *testing.B, d *db.DB, owned int) rowBuyer {
	y := rowBuyer{newBuyer(b, d, owned)}
	y.exec(b, `CREATE TABLE IF NOT EXISTS unlock_row (
		workspace_id TEXT NOT NULL, company BIGINT NOT NULL, export_id TEXT NOT NULL, PRIMARY KEY (workspace_id, company))`)
	for part := range slices.Chunk(slices.Collect(y.owned.All()), 100_000) {
		require.NoError(b, d.Tx(b.Context(), func(tx *db.Tx) error {
			fresh, err := y.unlockRows(b.Context(), tx, id.New[id.Export](), part)
			require.Equal(b, len(part), fresh)
			return err
		}))
	}
	y.buyer.buy(b) // creates the export that purchase copies
	y.took = nil
	return y
}

func (y rowBuyer) buy(b *testing.B) {
	numbers := selection(y.random, y.owned)
	export := id.New[id.Export]()
	start := time.Now()
	err := y.db.Tx(b.Context(), func(tx *db.Tx) error { return y.purchase(b.Context(), tx, export, numbers) })
	y.took = append(y.took, time.Since(start))
	require.NoError(b, err)
	fresh, err := json.Marshal(slices.DeleteFunc(numbers, y.owned.Has))
	require.NoError(b, err)
	y.exec(b, `DELETE FROM unlock_row WHERE workspace_id = $1
		AND company IN (SELECT value FROM `+y.db.EachNumber("$2")+`)`, y.caller.Workspace, string(fresh))
}

// purchase does what Create does, but with unlockRows.
func (y rowBuyer) purchase(ctx context.Context, tx *db.Tx, export id.Export, numbers []company.Number) error {
	if _, err := y.credit.Lock(ctx, tx, y.caller.Workspace); err != nil {
		return err
	}
	fresh, err := y.unlockRows(ctx, tx, export, numbers)
	if err != nil || fresh != freshPart {
		return fmt.Errorf("unlocked %d rows: %w", fresh, err)
	}
	if _, err := y.credit.Charge(ctx, tx, y.caller.Workspace, freshPart, "rows:"+export.String(), "bench"); err != nil {
		return err
	}
	if _, _, err := y.catalog.Hold(ctx, tx); err != nil {
		return err
	}
	if _, err := y.jobs.Enqueue(ctx, tx, "bench.rows", struct{}{}); err != nil {
		return err
	}
	const row = `INSERT INTO export (id, workspace_id, token_id, job_id, name, source_type, filters, sort, terms, format,
		options, status, requested_count, already_unlocked, new_count, would_skip, credits_charged, balance_before, capped,
		as_of, unlock_seq, created_at)
		SELECT $1, workspace_id, token_id, job_id, name, source_type, filters, sort, terms, format, options, status,
		requested_count, already_unlocked, new_count, would_skip, credits_charged, balance_before, capped, as_of, unlock_seq,
		created_at FROM export WHERE workspace_id = $2 LIMIT 1`
	if _, err := tx.ExecContext(ctx, row, export, y.caller.Workspace); err != nil {
		return err
	}
	var packed []byte
	for _, n := range numbers {
		packed = binary.LittleEndian.AppendUint32(packed, uint32(n))
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO export_selection (export_id, companies) VALUES ($1, $2)`, export, packed)
	return err
}

func (y rowBuyer) unlockRows(ctx context.Context, tx *db.Tx, export id.Export, numbers []company.Number) (int, error) {
	list, err := json.Marshal(numbers)
	if err != nil {
		return 0, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO unlock_row (workspace_id, company, export_id)
		SELECT $2, value, $3 FROM `+tx.EachNumber("$1")+` WHERE true ON CONFLICT DO NOTHING`,
		string(list), y.caller.Workspace, export)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// median returns the median duration in milliseconds.
func (y *buyer) median() float64 {
	slices.Sort(y.took)
	return float64(y.took[len(y.took)/2].Microseconds()) / 1000
}

// spread returns about n companies, spread over all numbers up to numberMax.
func spread(r *rand.Rand, n int) company.Set {
	bits, step := roaring.New(), numberMax/n
	for i := range n {
		bits.Add(uint32(i*step + r.IntN(step) + 1))
	}
	return company.SetFrom(bits)
}

// selection returns RowsMax companies in random order, spread over all numbers; all but freshPart are owned.
func selection(r *rand.Rand, owned company.Set) []company.Number {
	bits, fresh := roaring.New(), 0
	for bits.GetCardinality() < export.RowsMax-freshPart {
		if n, err := owned.Bitmap().Select(r.Uint32N(uint32(owned.Len()))); err == nil {
			bits.Add(n)
		}
	}
	for fresh < freshPart {
		if n := r.Uint32N(numberMax) + 1; !owned.Has(company.Number(n)) && bits.CheckedAdd(n) {
			fresh++
		}
	}
	numbers := slices.Collect(company.SetFrom(bits).All())
	r.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	return numbers
}

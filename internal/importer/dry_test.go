package importer_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

// repeating returns a table in which companies repeat, far apart and with other values.
func repeating(r *rand.Rand, rows int) string {
	var out strings.Builder
	out.WriteString("id,name,domain,country,city,employee_count,description\n")
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	for range rows {
		n := r.IntN(rows / 3)
		fmt.Fprintf(&out, "%s,%s,%s,%s,%s,%d,%s\n",
			pick("", "", fmt.Sprintf("row-%d", n)), pick(fmt.Sprintf("Acme %d", n), fmt.Sprintf("ACME-%d", n), fmt.Sprintf("Acme Group %d", n), fmt.Sprintf("Bolt %d", n%7)),
			pick("", fmt.Sprintf("acme%d.example", n), fmt.Sprintf("acme%d.example", n), fmt.Sprintf("www.acme%d.example", n/2)),
			pick("", "Germany", "France"), pick("", "Bonn", "Paris"), 1+r.IntN(3), pick("", "Makes things", "Sells things"))
	}
	return out.String()
}

// A dry run writes its rows in batches like an import, so companies of earlier batches are not in the catalog. It may not matter.
func TestADryRunCountsExactlyWhatTheImportDoes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		for seed := range uint64(4) {
			r := rand.New(rand.NewPCG(seed, 1))
			files := []string{write(t, "a.csv", repeating(r, 1_500)), write(t, "b.csv", repeating(r, 600))}
			o := importer.Options{Catalog: b, Files: files, LockTime: time.Nanosecond, TempDir: t.TempDir()}
			o.DryRun = true
			dry, err := importer.Import(t.Context(), o)
			require.NoError(t, err)
			left, err := os.ReadDir(o.TempDir)
			require.NoError(t, err)
			require.Empty(t, left)
			o.DryRun = false
			wet, err := importer.Import(t.Context(), o)
			require.NoError(t, err)
			require.Positive(t, wet.Updated)
			require.Positive(t, wet.Merges.Count)
			require.Equal(t, []int{wet.Read, wet.Added, wet.Updated, wet.Unchanged, wet.Rejected}, []int{dry.Read, dry.Added, dry.Updated, dry.Unchanged, dry.Rejected})
			require.Equal(t, wet.Matched, dry.Matched)
			require.Equal(t, wet.Merges, dry.Merges)
		}
	})
}

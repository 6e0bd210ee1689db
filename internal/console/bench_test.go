package console

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
)

// BenchmarkSearchPage measures the search pages, and their parts that a script asks for while one types, over the number of
// companies in the environment variable COMPANIES (20,000 by default). A third of them is owned.
func BenchmarkSearchPage(b *testing.B) {
	n := 20_000
	if text := os.Getenv("COMPANIES"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	h := open(b)
	made := companytest.Slice(1, 2000) // the companies that a page may show
	h.put(b, made...)
	h.fillIndex(b, n)
	h.own(b, n/3)
	ann := h.as(b, h.ann)
	for _, page := range []struct{ fragment, address string }{
		{"", ""},
		{"", "?query=software"},
		{"", "?query=software&countries=Germany&industries=SaaS&technologies=AWS"},
		{"", "?countries=United+States&employee_count_min=50&founded_year_min=2000"},
		{"", "/complete?facet=cities&begins=san"},
		{"", "?show=new"},
		{"", "?show=owned"},
		{"", "?query=software&show=new"},
		{"", "?query=software&show=owned"},
		{"", "/values/cities?query=software"},
		{"1", "?query=software"},
		{"typing", "?query=s"},
		{"typing", "?query=softw"},
		{"typing", "?query=cloud+s"},
	} {
		b.Run(page.fragment+"search"+page.address, func(b *testing.B) {
			ann.headers.Set(fragmentHeader, page.fragment)
			best := time.Hour // the mean says little on a busy machine
			for b.Loop() {
				start := time.Now()
				require.Equal(b, 200, ann.get(b, in(h.acme, "/search"+page.address)).status)
				best = min(best, time.Since(start))
			}
			b.ReportMetric(best.Seconds()*1000, "best-ms")
		})
	}
}

// own makes Acme own every third of the companies that fillIndex adds, up to this number of them.
func (h *fixture) own(t testing.TB, most int) {
	t.Helper()
	numbers := make([]company.Number, most)
	for i := range numbers {
		numbers[i] = company.Number(10_000 + 3*i)
	}
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := h.Unlocks.Add(t.Context(), tx, h.acme, id.New[id.Export](), company.SetOf(numbers...))
		return err
	}))
}

// fillIndex adds n companies to the index only; a page reads few of them from the catalog.
func (h *fixture) fillIndex(t testing.TB, n int) {
	t.Helper()
	number := company.Number(10_000)
	var batch []index.Change
	flush := func() {
		require.NoError(t, h.index.Apply(t.Context(), batch, h.index.Seq()))
		batch = nil
	}
	for c := range companytest.Generate(2, n) {
		number++
		batch = append(batch, index.Change{Number: number, Company: c})
		if len(batch) == 50_000 {
			flush()
		}
	}
	flush()
}

package export_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
)

// describe gives a company a description of this many characters.
func (s *fixture) describe(t *testing.T, n company.Number, chars int) {
	t.Helper()
	found, err := s.catalog.ByNumbers(t.Context(), []company.Number{n})
	require.NoError(t, err)
	changed := *found[0]
	changed.Description = strings.Repeat("x", chars)
	_, err = s.catalog.Put(t.Context(), nil, []catalog.Incoming{catalog.Prepare(&changed)})
	require.NoError(t, err)
}

func workbook(low, high int64, columns ...string) export.Request {
	r := between(low, high)
	r.Format, r.Options.Columns = format.XLSX, columns
	return r
}

func TestTextThatAWorkbookCannotHoldIsRefusedBeforeAnythingIsCharged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 20)
		q := s.quote(t, workbook(1, 5))
		s.describe(t, 3, 32_768)
		fromOld := fromQuote(q)
		json := fromQuote(s.quote(t, between(1, 5)))
		json.Format = format.XLSX
		for name, r := range map[string]export.Request{"a search": workbook(1, 5), "a quote from before": fromOld, "a quote of JSON": json} {
			_, _, err := s.Create(t.Context(), s.caller, r)
			require.Equal(t, fault.Validation, fault.CodeOf(err), name)
			require.Equal(t, "export_format", fault.Fields(err)[0].Field)
			require.Contains(t, fault.Fields(err)[0].Message, "description of company")
			require.Contains(t, fault.Fields(err)[0].Message, "has 32768; choose another format, or leave this column out")
		}
		_, err := s.Quote(t.Context(), s.caller, workbook(1, 5))
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		require.Equal(t, int64(20), s.balance(t))

		s.buy(t, workbook(4, 5))
		s.buy(t, workbook(1, 5, "name", "connections"))
		s.runJobs(t, 2)
		s.auditClean(t)
	})
}

func TestTextThatGrowsAfterThePurchaseFailsTheExportAtOnceWithARefund(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 20)
		e := s.buy(t, workbook(1, 5))
		s.exec(t, `UPDATE export SET as_of = as_of + 1 WHERE id = $1`, e.ID) // as if the text had grown between check and purchase
		s.describe(t, 3, 40_000)
		s.runJobs(t, 1)
		got := s.get(t, e)
		require.Equal(t, export.StatusFailed, got.Status, "without 17 attempts")
		require.Contains(t, got.Error, "description of company")
		require.Contains(t, got.Error, "5 credits were refunded")
		require.Equal(t, int64(20), s.balance(t))
		s.auditClean(t)
	})
}

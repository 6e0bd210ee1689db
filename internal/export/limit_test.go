package export_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/query"
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

// The length of a locked text is a value like any other.
func TestALockedTextThatAWorkbookCannotHoldIsNotDescribed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 5, 20)
		s.describe(t, 3, 40_000)
		workbook := func(low, high int64, columns ...string) (r export.Request) {
			q, err := query.Parse(query.Filters{EmployeeCountMin: &low, EmployeeCountMax: &high})
			require.NoError(t, err)
			r = workbook(low, high, columns...)
			r.Query = q
			return r
		}
		s.caller.Wall = &auth.Wall{Visible: []string{"country", "employee_count"}}
		_, err := s.Quote(t.Context(), s.caller, workbook(1, 5))
		require.Equal(t, fault.Validation, fault.CodeOf(err), "%v", err)
		message := fault.Fields(err)[0].Message
		require.Contains(t, message, "a locked text of one of the companies is longer")
		require.NotContains(t, message, "description")
		require.NotContains(t, message, "40000")
		require.NotRegexp(t, `[0-9a-f]{8}-`, message)
		s.buy(t, workbook(1, 5, "name", "country"))

		// A text that grows after the purchase fails the export, whose error says no more.
		s.exec(t, `UPDATE workspace SET visible_fields = 'country,employee_count' WHERE id = $1`, s.caller.Workspace)
		s.caller.Wall = nil
		s.describe(t, 4, 10)
		e := s.buy(t, workbook(4, 5))
		s.exec(t, `UPDATE export SET as_of = as_of + 1 WHERE id = $1`, e.ID)
		s.describe(t, 4, 40_000)
		s.runJobs(t, 2)
		got := s.get(t, e)
		require.Equal(t, export.StatusFailed, got.Status)
		require.Contains(t, got.Error, "a locked text of one of the companies is longer")
		require.NotContains(t, got.Error, "description")
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

package export_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
)

// receipt returns all lines of the receipt, read in pages of at most limit.
func (s *fixture) receipt(t *testing.T, e export.Export, limit int) (lines []export.ReceiptLine) {
	t.Helper()
	for cursor := ""; ; {
		page, next, err := s.Receipt(t.Context(), s.caller, e.ID, cursor, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		lines = append(lines, page...)
		if next == "" {
			return lines
		}
		cursor = next
	}
}

func TestReceiptShowsThePriceOfEachRow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 100)
		first := s.buy(t, between(1, 10))
		gone := s.buy(t, between(11, 20))
		s.cancel(t, gone) // its unlocks are not in the receipts that follow
		second := s.buy(t, between(6, 15))
		free := s.buy(t, between(1, 15))
		for _, e := range []export.Export{first, second, free} {
			lines := s.receipt(t, e, 4)
			charged := 0
			for i, l := range lines {
				n := *l.Company.EmployeeCount
				payer := first
				if n > 10 {
					payer = second
				}
				require.Equal(t, payer.ID, l.UnlockedBy, "row %d", i)
				require.Equal(t, payer.ID == e.ID, l.Charged)
				require.False(t, l.UnlockedAt.Before(payer.CreatedAt))
				require.Nil(t, l.RefundedAt)
				if l.Charged {
					charged++
				}
			}
			require.Len(t, lines, e.Figures.RequestedCount)
			require.Equal(t, e.Figures.NewCount, charged)
			require.Equal(t, int64(1)+*lines[0].Company.EmployeeCount, *lines[1].Company.EmployeeCount, "the file's order")
		}
		for _, l := range s.receipt(t, gone, 100) {
			require.True(t, l.Charged)
			require.NotNil(t, l.RefundedAt)
		}
	})
}

func TestReceiptOfACancelledExportShowsWhatItStillPaysFor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 10)
		paid := s.buy(t, between(1, 10))
		s.buy(t, between(4, 6))
		s.cancel(t, paid)
		for _, l := range s.receipt(t, paid, 100) {
			n := *l.Company.EmployeeCount
			require.True(t, l.Charged)
			require.Equal(t, n < 4 || n > 6, l.RefundedAt != nil, "row %d", n)
		}
	})
}

func TestReceiptRefusesForeignCursorsAndWorkspaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 10, 20)
		e, other := s.buy(t, between(1, 10)), s.buy(t, between(1, 9))
		_, next, err := s.Receipt(t.Context(), s.caller, e.ID, "", 3)
		require.NoError(t, err)
		for _, cursor := range []string{"!", "YQ", next + "x"} {
			_, _, err := s.Receipt(t.Context(), s.caller, e.ID, cursor, 3)
			require.Equal(t, fault.InvalidCursor, fault.CodeOf(err), cursor)
		}
		_, _, err = s.Receipt(t.Context(), s.caller, other.ID, next, 3)
		require.Equal(t, fault.InvalidCursor, fault.CodeOf(err))
		stranger := s.customer(t, 0)
		_, _, err = s.Receipt(t.Context(), stranger, e.ID, "", 3)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		err = s.EachReceiptLine(t.Context(), stranger, e.ID, func(export.ReceiptLine) error { return errCrash })
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

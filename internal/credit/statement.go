package credit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

const (
	monthLayout = "2006-01"

	// statementGrace is how long after its month a statement is final: clocks of servers differ by less.
	statementGrace = 5 * time.Minute

	// statementMax is how many entries a statement has at most, because it is signed as a whole.
	statementMax = 100_000
)

// Statement is what happened to the credits of a workspace in a month.
type Statement struct {
	Workspace        id.Workspace
	Month            string // as in 2026-02
	From, To         time.Time
	Opening, Closing int64   // the balances at the ends of the month
	Entries          []Entry // oldest first
}

// Statement returns the statement of a month such as 2026-02, in UTC. Faults: Validation for a month that cannot be read or has not ended,
// and for one with too many entries; NotFound without an account.
func (s *Store) Statement(ctx context.Context, ws id.Workspace, month string) (Statement, error) {
	from, err := time.Parse(monthLayout, month)
	if err != nil {
		return Statement{}, invalid("month", "must be a month such as 2026-02")
	}
	st := Statement{Workspace: ws, Month: month, From: from, To: from.AddDate(0, 1, 0)}
	if final := st.To.Add(statementGrace); time.Now().Before(final) {
		return Statement{}, invalid("month", "has not ended: its statement is available from %s; GET /credits/transactions has the entries until now",
			final.Format(time.RFC3339))
	}
	if _, err := s.Balance(ctx, ws); err != nil {
		return Statement{}, err
	}
	const q = `SELECT COALESCE(SUM(amount), 0), COUNT(CASE WHEN created_at >= $2 THEN 1 END), COALESCE(SUM(CASE WHEN created_at < $2 THEN amount END), 0)
		FROM entry WHERE workspace_id = $1 AND created_at < $3`
	var n int
	if err := s.db.Read().QueryRowContext(ctx, q, ws, db.Time(st.From), db.Time(st.To)).Scan(&st.Closing, &n, &st.Opening); err != nil {
		return Statement{}, fmt.Errorf("statement of workspace %s: %w", ws, err)
	}
	if n > statementMax {
		return Statement{}, fault.Invalid(fault.FieldError{Field: "month", Message: fmt.Sprintf("has %d entries, more than the %d that a statement can have; "+
			"GET /credits/transactions with from, to and format=csv returns them", n, statementMax)})
	}
	st.Entries = make([]Entry, 0, n)
	err = s.Each(ctx, ws, Filter{From: st.From, To: st.To}, func(e Entry) error {
		st.Entries = append(st.Entries, e)
		return nil
	})
	slices.Reverse(st.Entries)
	return st, err
}

// StatementColumns returns the columns of a statement as a table, in the order of the cells of Statement.Rows.
func StatementColumns() []string { return append(Columns(), "workspace_id", "month") }

// Rows calls row for each entry, oldest first, as Store.Rows does.
func (st Statement) Rows(row func(cells ...any) error) error {
	for _, e := range st.Entries {
		if err := row(append(e.cells(), st.Workspace.String(), st.Month)...); err != nil {
			return err
		}
	}
	return nil
}

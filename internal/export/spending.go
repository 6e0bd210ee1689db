package export

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Spending is what the exports of one token or person were charged.
type Spending struct {
	Token    id.Token  // zero for a person
	Person   id.Person // zero for a token
	Exports  int       // exports that cost something
	Charged  int64     // credits
	Refunded int64     // refunded of these so far
}

// Spending returns what the exports of the caller's workspace that were created in [from, to) cost, by their creator,
// highest first.
func (x *Exports) Spending(ctx context.Context, caller auth.Caller, from, to time.Time) ([]Spending, error) {
	const q = `SELECT token_id, person_id, COUNT(*), CAST(SUM(credits_charged) AS BIGINT), CAST(SUM(credits_refunded) AS BIGINT)
		FROM export WHERE workspace_id = $1 AND created_at >= $2 AND created_at < $3 AND credits_charged > 0
		GROUP BY token_id, person_id ORDER BY SUM(credits_charged) - SUM(credits_refunded) DESC, token_id, person_id`
	all, err := db.Collect(ctx, x.db.Read(), func(row db.Row) (s Spending, err error) {
		err = row.Scan(&s.Token, &s.Person, &s.Exports, &s.Charged, &s.Refunded)
		return s, err
	}, q, caller.Workspace, db.Time(from), db.Time(to))
	if err != nil {
		return nil, fmt.Errorf("sum up spending of workspace %s: %w", caller.Workspace, err)
	}
	return all, nil
}

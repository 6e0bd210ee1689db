package order

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// stored is the JSON of the column request.
type stored struct {
	Source  export.Source   `json:"source_type"`
	Filters json.RawMessage `json:"filters,omitempty"`
	SortBy  string          `json:"sort_by"`
	Desc    bool            `json:"sort_desc,omitempty"`
	Default bool            `json:"sort_default,omitempty"` // nobody asked for this order
	List    id.List         `json:"list_id,omitzero"`
	Terms   export.Terms    `json:"terms"`
	Format  format.Format   `json:"export_format"`
	Options format.Options  `json:"options"`

	Destination id.Destination `json:"destination_id,omitzero"`
}

func encode(r export.Request) (string, error) {
	content, err := json.Marshal(stored{
		r.Source, r.Filters, r.Sort.By.String(), r.Sort.Desc, r.Sort.Default, r.List, r.Terms, r.Format, r.Options, r.Destination,
	})
	return string(content), err
}

func decode(content string) (export.Request, error) {
	var s stored
	if err := json.Unmarshal([]byte(content), &s); err != nil {
		return export.Request{}, err
	}
	key := slices.Index(query.SortNames, s.SortBy)
	if key < 0 {
		return export.Request{}, fmt.Errorf("unknown sort %q", s.SortBy)
	}
	return export.Request{
		Source: s.Source, Filters: s.Filters, Sort: query.Sort{By: query.SortKey(key), Desc: s.Desc, Default: s.Default}, List: s.List, //nolint:gosec // one of few
		Terms: s.Terms, Format: s.Format, Options: s.Options, Destination: s.Destination,
	}, nil
}

// parsed returns the request with its query, read from its filters. Validation if they are no longer allowed.
func parsed(r export.Request) (export.Request, error) {
	if r.Source == export.SourceList {
		return r, nil
	}
	var f query.Filters
	err := json.Unmarshal(r.Filters, &f)
	switch {
	case err != nil:
	case r.Source == export.SourceSet && len(f.In) == 1:
		r.Query, err = query.ParseSet("set", f.In[0])
	default:
		r.Query, err = query.Parse(f)
	}
	return r, err
}

// spentOf is what the runs of the order o have been charged, less what was refunded.
const spentOf = `(SELECT CAST(COALESCE(SUM(e.credits_charged - e.credits_refunded), 0) AS BIGINT)
	FROM order_run r JOIN export e ON e.id = r.export_id WHERE r.order_id = o.id)`

const columns = `o.id, o.workspace_id, o.token_id, o.person_id, o.name, o.deliver, o.request, o.cron, o.time_zone, o.missed, o.above_cap,
	o.max_credits, o.max_credits_total, o.ends_at, o.created_at, o.revision, o.next_at, o.imports, o.paused_at, o.paused_why, o.delayed_why, o.asked_at, ` + spentOf

func scan(row db.Row) (Order, error) {
	var o Order
	var request string
	var created int64
	var ends, next, paused, asked sql.NullInt64
	err := row.Scan(&o.ID, &o.Workspace, &o.Token, &o.Person, &o.Name, &o.Deliver, &request, &o.Schedule.Cron, &o.Schedule.Zone, &o.Missed, &o.AboveCap,
		&o.MaxCredits, &o.MaxCreditsTotal, &ends, &created, &o.revision, &next, &o.imports, &paused, &o.PausedWhy, &o.DelayedWhy, &asked, &o.Spent)
	if err != nil {
		return Order{}, err
	}
	o.EndsAt, o.NextAt, o.PausedAt, o.CreatedAt = db.FromNullTime(ends), db.FromNullTime(next), db.FromNullTime(paused), db.FromTime(created)
	o.AskedAt = db.FromNullTime(asked)
	o.Request, err = decode(request)
	o.Request.Name = o.Name
	return o, err
}

// one reads an order of the workspace. NotFound if it has no such order.
func one(ctx context.Context, q db.Querier, ws id.Workspace, order id.Order, lock string) (Order, error) {
	o, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM standing_order o WHERE o.id = $1 AND o.workspace_id = $2`+lock, order, ws))
	if errors.Is(err, sql.ErrNoRows) {
		return Order{}, fault.New(fault.NotFound, "There is no order %s in this workspace.", order)
	}
	if err != nil {
		return Order{}, fmt.Errorf("read order %s: %w", order, err)
	}
	return o, nil
}

func insert(ctx context.Context, tx *db.Tx, o Order) error {
	request, err := encode(o.Request)
	if err != nil {
		return fmt.Errorf("write order %s: %w", o.ID, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO standing_order (id, workspace_id, token_id, person_id, name, deliver, request, cron, time_zone, missed,
			above_cap, max_credits, max_credits_total, ends_at, created_at, revision, next_at, imports, paused_why, delayed_why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16, $17, '', '')`,
		o.ID, o.Workspace, orNull(o.Token), orNull(o.Person), o.Name, string(o.Deliver), request, o.Schedule.Cron, o.Schedule.Zone, string(o.Missed),
		string(o.AboveCap), o.MaxCredits, o.MaxCreditsTotal, db.NullTime(o.EndsAt), db.Time(o.CreatedAt), db.NullTime(o.NextAt), o.imports)
	if err != nil {
		return fmt.Errorf("write order %s: %w", o.ID, err)
	}
	return nil
}

// save writes what can change of an order, as a new revision.
func save(ctx context.Context, tx *db.Tx, o Order) error {
	request, err := encode(o.Request)
	if err != nil {
		return fmt.Errorf("write order %s: %w", o.ID, err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE standing_order SET token_id = $2, person_id = $3, name = $4, request = $5, cron = $6, time_zone = $7, missed = $8,
			above_cap = $9, max_credits = $10, max_credits_total = $11, ends_at = $12, next_at = $13, imports = $14, paused_at = $15, paused_why = $16,
			delayed_why = $17, revision = revision + 1, claimed_until = NULL
		WHERE id = $1`,
		o.ID, orNull(o.Token), orNull(o.Person), o.Name, request, o.Schedule.Cron, o.Schedule.Zone, string(o.Missed), string(o.AboveCap),
		o.MaxCredits, o.MaxCreditsTotal, db.NullTime(o.EndsAt), db.NullTime(o.NextAt), o.imports, db.NullTime(o.PausedAt), o.PausedWhy, o.DelayedWhy)
	if err != nil {
		return fmt.Errorf("write order %s: %w", o.ID, err)
	}
	return nil
}

func orNull[K any](i id.ID[K]) any {
	if i.IsZero() {
		return nil
	}
	return i
}

// memory is what an order remembers of its source.
type memory struct {
	seq       uint64      // of the catalog: later changes are new to the order
	companies company.Set // known already; for Left, those that were in the source and owned at the last run
}

func readMemory(ctx context.Context, q db.Querier, order id.Order) (m memory, err error) {
	var packed []byte
	err = q.QueryRowContext(ctx, `SELECT seq, companies FROM order_memory WHERE order_id = $1`, order).Scan(&m.seq, &packed)
	if err == nil {
		m.companies, err = company.ParseSet(packed)
	}
	if err != nil {
		return memory{}, fmt.Errorf("read what order %s has delivered: %w", order, err)
	}
	return m, nil
}

func (m memory) save(ctx context.Context, tx *db.Tx, order id.Order) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO order_memory (order_id, seq, companies) VALUES ($1, $2, $3)
		ON CONFLICT (order_id) DO UPDATE SET seq = excluded.seq, companies = excluded.companies`, order, int64(m.seq), m.companies.Bytes()) //nolint:gosec // far below 2^63
	if err != nil {
		return fmt.Errorf("write what order %s has delivered: %w", order, err)
	}
	return nil
}

const runColumns = `r.id, r.order_id, r.scheduled_at, r.created_at, r.cause, r.status, r.missed, r.code, r.message, r.export_id,
	COALESCE(e.status, ''), COALESCE(e.requested_count - e.would_skip, 0), COALESCE(e.credits_charged, 0), COALESCE(e.credits_refunded, 0)
	FROM order_run r LEFT JOIN export e ON e.id = r.export_id`

func scanRun(row db.Row) (r Run, err error) {
	var scheduled, created int64
	err = row.Scan(&r.ID, &r.Order, &scheduled, &created, &r.Cause, &r.Status, &r.Missed, &r.Code, &r.Message, &r.Export,
		&r.ExportStatus, &r.Companies, &r.Charged, &r.Refunded)
	r.ScheduledAt, r.CreatedAt = db.FromTime(scheduled), db.FromTime(created)
	return r, err
}

func insertRun(ctx context.Context, tx *db.Tx, r Run) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO order_run (id, order_id, scheduled_at, created_at, cause, status, export_id, missed, code, message, taken_back)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)`,
		r.ID, r.Order, db.Time(r.ScheduledAt), db.Time(r.CreatedAt), string(r.Cause), string(r.Status), orNull(r.Export), r.Missed, r.Code, r.Message)
	return err
}

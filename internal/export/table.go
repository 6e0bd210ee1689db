package export

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

const columns = `id, workspace_id, token_id, job_id, quote_id, name, source_type, list_id, filters, sort, terms, format, options, status,
	requested_count, already_unlocked, new_count, would_skip, credits_charged, balance_before, capped, transaction_id,
	credits_refunded, refund_id, as_of, processed_records, size_bytes, sha256, error, created_at, completed_at,
	unlock_seq, person_id, notify, match_id, file_at, file_revision, rows_as_of`

func insert(ctx context.Context, tx *db.Tx, e *Export) error {
	options, err := json.Marshal(e.Options)
	if err != nil {
		return fmt.Errorf("write export %s: %w", e.ID, err)
	}
	terms, err := json.Marshal(e.Terms)
	if err != nil {
		return fmt.Errorf("write export %s: %w", e.ID, err)
	}
	const q = `INSERT INTO export (id, workspace_id, token_id, job_id, quote_id, name, source_type, list_id, filters, sort,
		terms, format, options, status, requested_count, already_unlocked, new_count, would_skip, credits_charged,
		balance_before, capped, transaction_id, as_of, created_at, person_id, notify, match_id, unlock_seq)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27,
			COALESCE((SELECT MAX(seq) FROM unlock_delta WHERE workspace_id = $2), 0))
		RETURNING unlock_seq`
	f := e.Figures
	err = tx.QueryRowContext(ctx, q, e.ID, e.Workspace, e.Token, e.Job, orNull(e.Quote), e.Name, string(e.Source),
		orNull(e.List), sql.NullString{String: string(e.Filters), Valid: e.Filters != nil}, e.Sort, string(terms),
		string(e.Format), string(options), string(e.Status), f.RequestedCount, f.AlreadyUnlocked, f.NewCount, f.WouldSkip,
		f.CreditsCharged, f.Balance,
		flag(f.CappedAt10k), orNull(f.TransactionID), int64(e.asOf), db.Time(e.CreatedAt),
		orNull(e.Person), flag(e.Notify), orNull(e.Match)).Scan(&e.unlockSeq)
	if err != nil {
		return fmt.Errorf("write export %s: %w", e.ID, err)
	}
	return nil
}

func orNull[K any](i id.ID[K]) any {
	if i.IsZero() {
		return nil
	}
	return i
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// one reads an export. NotFound if it does not exist, or if ws is not zero and it belongs to another workspace.
func one(ctx context.Context, q db.Querier, ws id.Workspace, export id.Export) (Export, error) {
	e, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM export WHERE id = $1`, export))
	if errors.Is(err, sql.ErrNoRows) || (err == nil && !ws.IsZero() && e.Workspace != ws) {
		return Export{}, fault.New(fault.NotFound, "There is no export %s in this workspace.", export)
	}
	if err != nil {
		return Export{}, fmt.Errorf("read export %s: %w", export, err)
	}
	return e, nil
}

func many(ctx context.Context, q db.Querier, query string, args ...any) ([]Export, error) {
	exports, err := db.Collect(ctx, q, scan, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read exports: %w", err)
	}
	return exports, nil
}

func scan(row db.Row) (Export, error) {
	var e Export
	var terms, options string
	var filters sql.NullString
	var sum []byte
	var capped, notify, created int64
	var completed, written, read sql.NullInt64
	f := &e.Figures
	err := row.Scan(&e.ID, &e.Workspace, &e.Token, &e.Job, &e.Quote, &e.Name, &e.Source, &e.List, &filters, &e.Sort,
		&terms, &e.Format, &options, &e.Status, &f.RequestedCount, &f.AlreadyUnlocked, &f.NewCount, &f.WouldSkip,
		&f.CreditsCharged, &f.Balance, &capped,
		&f.TransactionID, &e.Refunded, &e.RefundID, &e.asOf, &e.ProcessedRecords, &e.SizeBytes, &sum, &e.Error,
		&created, &completed, &e.unlockSeq, &e.Person, &notify, &e.Match, &written, &e.revision, &read)
	if err != nil {
		return Export{}, err
	}
	f.Cost, f.CappedAt10k = f.CreditsCharged, capped != 0
	e.Notify = notify != 0
	e.CreatedAt = db.FromTime(created)
	copy(e.SHA256[:], sum)
	if filters.Valid {
		e.Filters = json.RawMessage(filters.String)
	}
	e.CompletedAt, e.FileAt, e.RowsAsOf = db.FromNullTime(completed), db.FromNullTime(written), db.FromNullTime(read)
	err = errors.Join(json.Unmarshal([]byte(terms), &e.Terms), json.Unmarshal([]byte(options), &e.Options))
	return e, err
}

package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
)

// Import describes an import. The catalog records what it added and updated, so that it can be undone.
type Import struct {
	Number     int64          `json:"number"` // from 1
	Files      []string       `json:"files"`
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at"` // nil while it runs, and if it was killed
	UndoneAt   *time.Time     `json:"undone_at"`
	Figures    map[string]int `json:"figures"`
}

// Begin records the start of an import of the files and returns its number.
func (s *Store) Begin(ctx context.Context, files []string) (int64, error) {
	names, err := json.Marshal(files)
	if err != nil {
		return 0, fmt.Errorf("begin import: %w", err)
	}
	var number int64
	err = s.write(ctx, func(e *edit) error { // the lock makes imports begin one after another
		err := e.tx.QueryRowContext(ctx, `INSERT INTO import (number, files, started_at, figures)
			SELECT COALESCE(MAX(number), 0) + 1, CAST($1 AS TEXT), CAST($2 AS BIGINT), '{}' FROM import RETURNING number`, string(names), db.Time(time.Now())).Scan(&number)
		if err != nil {
			return err
		}
		return auditlog.Record(ctx, e.tx, auditlog.Event{
			Action: auditlog.ImportStarted, Subject: "import:" + strconv.FormatInt(number, 10), Details: map[string]any{"files": files},
		})
	})
	if err != nil {
		return 0, fmt.Errorf("begin import: %w", err)
	}
	return number, nil
}

// Finish records the end of the import and its figures.
func (s *Store) Finish(ctx context.Context, number int64, figures map[string]int) error {
	counts, err := json.Marshal(figures)
	if err != nil {
		return fmt.Errorf("finish import: %w", err)
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE import SET finished_at = $1, figures = $2 WHERE number = $3`, db.Time(time.Now()), string(counts), number)
		if err != nil {
			return fmt.Errorf("finish import: %w", err)
		}
		return nil
	})
}

// Imports returns up to limit imports with a number below before, newest first; 0 starts with the newest.
func (s *Store) Imports(ctx context.Context, before int64, limit int) ([]Import, error) {
	out := []Import{}
	err := db.Each(ctx, s.db.Read(), func(row db.Row) error {
		i, err := scanImport(row)
		out = append(out, i)
		return err
	}, `SELECT number, files, started_at, finished_at, undone_at, figures FROM import
		WHERE CAST($1 AS BIGINT) = 0 OR number < CAST($1 AS BIGINT) ORDER BY number DESC LIMIT $2`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return out, nil
}

func scanImport(row db.Row) (Import, error) {
	var i Import
	var files, figures string
	var started int64
	var finished, undone sql.NullInt64
	if err := row.Scan(&i.Number, &files, &started, &finished, &undone, &figures); err != nil {
		return i, err
	}
	i.StartedAt, i.FinishedAt, i.UndoneAt = db.FromTime(started), db.FromNullTime(finished), db.FromNullTime(undone)
	err := errors.Join(json.Unmarshal([]byte(files), &i.Files), json.Unmarshal([]byte(figures), &i.Figures))
	return i, err
}

// known returns NotFound for an unknown import.
func (s *Store) known(ctx context.Context, number int64) error {
	err := s.db.Read().QueryRowContext(ctx, `SELECT number FROM import WHERE number = $1`, number).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "There is no import %d.", number)
	}
	return err
}

// record stores what the batch added and changed, for undoing its import.
func (p *put) record(ctx context.Context) error {
	if p.source == nil || p.source.imported == 0 {
		return nil
	}
	type numberRange struct{ first, last company.Number }
	var added []numberRange
	type past struct {
		number  company.Number
		written int64
		before  []byte
	}
	var pasts []past
	for _, e := range p.toWrite {
		n := e.row.number
		switch {
		case !e.added:
			pasts = append(pasts, past{n, recordHash(e.row.record), e.before})
		case len(added) > 0 && added[len(added)-1].last+1 == n:
			added[len(added)-1].last = n
		default:
			added = append(added, numberRange{n, n})
		}
	}
	err := insert(ctx, p.tx, added, `INSERT INTO import_added (import, first, last)`, ` ON CONFLICT DO NOTHING`,
		func(s *numberRange) []any { return []any{p.source.imported, int64(s.first), int64(s.last)} })
	if err != nil {
		return err
	}
	return insert(ctx, p.tx, pasts, `INSERT INTO import_past (import, number, written, record)`,
		` ON CONFLICT (import, number) DO UPDATE SET written = excluded.written`,
		func(s *past) []any { return []any{p.source.imported, int64(s.number), s.written, s.before} })
}

func recordHash(record []byte) int64 { return hash("record", string(record)) }

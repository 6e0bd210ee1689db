package export

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// selection is the companies that a request selects.
type selection struct {
	numbers  []company.Number // in the order of the file's rows, at most RowsMax
	set      company.Set      // the same companies
	excluded int              // companies of the source that are left out because they are on an excluded list
	matches  int              // companies that the source has, before the limit and the cap
	capped   bool             // the source has more than RowsMax, and no smaller limit was asked for
	keys     matchKeys
	skipped  int // companies that the quote left out because the balance did not cover them
}

// withNew keeps the owned companies and the first n others.
func (s selection) withNew(n int, owned company.Set) selection {
	return s.filter(func(c company.Number) bool {
		if owned.Has(c) {
			return true
		}
		n--
		return n >= 0
	})
}

// without leaves out the companies in out.
func (s selection) without(out company.Set) selection {
	if out.IsEmpty() {
		return s
	}
	return s.filter(func(c company.Number) bool { return !out.Has(c) })
}

func (s selection) filter(keep func(company.Number) bool) selection {
	numbers := make([]company.Number, 0, len(s.numbers))
	for _, n := range s.numbers {
		if keep(n) {
			numbers = append(numbers, n)
		}
	}
	s.numbers, s.set = numbers, company.SetOf(numbers...)
	return s
}

// matchKeys are the caller's keys of companies that a match found; nil if the selection is no match or its rows had no keys.
type matchKeys map[company.Number][]string

// pack returns the keys as they are stored.
func (k matchKeys) pack() ([]byte, error) {
	if k == nil {
		return nil, nil
	}
	return json.Marshal(k)
}

func unpackKeys(packed []byte) (k matchKeys, err error) {
	if len(packed) == 0 {
		return nil, nil
	}
	err = json.Unmarshal(packed, &k)
	return k, err
}

func insertSelection(ctx context.Context, tx *db.Tx, export id.Export, s selection) error {
	keys, err := s.keys.pack()
	if err != nil {
		return err
	}
	const q = `INSERT INTO export_selection (export_id, companies, match_keys) VALUES ($1, $2, $3)`
	if _, err := tx.ExecContext(ctx, q, export, company.PackNumbers(s.numbers), keys); err != nil {
		return fmt.Errorf("write selection of export %s: %w", export, err)
	}
	return nil
}

func readSelection(ctx context.Context, q db.Querier, export id.Export) ([]company.Number, error) {
	var packed []byte
	err := q.QueryRowContext(ctx, `SELECT companies FROM export_selection WHERE export_id = $1`, export).Scan(&packed)
	if err != nil {
		return nil, fmt.Errorf("read selection of export %s: %w", export, err)
	}
	return company.UnpackNumbers(packed)
}

func readKeys(ctx context.Context, q db.Querier, export id.Export) (matchKeys, error) {
	var packed []byte
	err := q.QueryRowContext(ctx, `SELECT match_keys FROM export_selection WHERE export_id = $1`, export).Scan(&packed)
	if err != nil {
		return nil, fmt.Errorf("read match keys of export %s: %w", export, err)
	}
	return unpackKeys(packed)
}

// Selected returns the companies that an export was bought with, whatever became of it.
func Selected(ctx context.Context, q db.Querier, export id.Export) (company.Set, error) {
	numbers, err := readSelection(ctx, q, export)
	return company.SetOf(numbers...), err
}

// Delivered returns the companies that an export of the workspace delivers, or will once its file is complete, and its status: none
// of an export that failed or was cancelled. NotFound if the workspace has no such export.
func Delivered(ctx context.Context, q db.Querier, ws id.Workspace, export id.Export) (company.Set, Status, error) {
	e, err := one(ctx, q, ws, export)
	if err != nil || e.Status.endsWithoutFile() {
		return company.Set{}, e.Status, err
	}
	numbers, err := readSelection(ctx, q, export)
	return company.SetOf(numbers...), e.Status, err
}

// BoughtAt returns the catalog's sequence number when an export of the workspace was created. NotFound as for Delivered.
func BoughtAt(ctx context.Context, q db.Querier, ws id.Workspace, export id.Export) (uint64, error) {
	e, err := one(ctx, q, ws, export)
	return e.asOf, err
}

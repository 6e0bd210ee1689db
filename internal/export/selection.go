package export

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
)

// selection is what a request resolved to.
type selection struct {
	numbers []company.Number // in the order of the file's rows, at most RowsMax
	set     company.Set      // the same
	capped  bool             // the source holds more than RowsMax, and no smaller limit was asked for
	skipped int              // companies that its quote left out, because they could not be paid for
}

// withNew keeps what is owned and the first n of the others.
func (s selection) withNew(n int, owned company.Set) selection {
	return s.of(func(c company.Number) bool {
		if owned.Has(c) {
			return true
		}
		n--
		return n >= 0
	})
}

// without leaves out what is owned.
func (s selection) without(owned company.Set) selection {
	if owned.IsEmpty() {
		return s
	}
	return s.of(func(c company.Number) bool { return !owned.Has(c) })
}

func (s selection) of(keep func(company.Number) bool) selection {
	numbers := make([]company.Number, 0, len(s.numbers))
	for _, n := range s.numbers {
		if keep(n) {
			numbers = append(numbers, n)
		}
	}
	s.numbers, s.set = numbers, company.SetOf(numbers...)
	return s
}

// resolve finds the companies of the request; there may be none.
func (x *Exports) resolve(ctx context.Context, ws id.Workspace, r Request) (selection, error) {
	without, err := x.leftOut(ctx, ws, r)
	if err != nil {
		return selection{}, err
	}
	found, err := x.source(ctx, ws, r, without)
	if err != nil {
		return selection{}, err
	}
	return selection{
		numbers: found.Numbers, set: company.SetOf(found.Numbers...),
		capped: found.Total > RowsMax && r.Terms.rowsMax() == RowsMax,
	}, nil
}

// leftOut are the companies that are passed over; nil for none. The index learns a little later what was removed, and a
// list does not.
func (x *Exports) leftOut(ctx context.Context, ws id.Workspace, r Request) (*company.Set, error) {
	out, err := x.catalog.Removed(ctx)
	if err != nil {
		return nil, err
	}
	if r.Terms.OnlyNew {
		owned, err := x.unlock.Owned(ctx, ws)
		if err != nil {
			return nil, err
		}
		out = out.Or(owned)
	}
	if out.IsEmpty() {
		return nil, nil
	}
	return &out, nil
}

// noCandidates says what most likely keeps the request from finding a company.
func noCandidates(r Request, warnings []Warning) error {
	mend := "."
	switch w := worst(warnings); {
	case w != nil:
		mend = fmt.Sprintf(": %s %q: %s", w.Field, w.Value, w.Message)
	case r.Terms.OnlyNew:
		mend = " but those that the workspace has already. Without only_new they are exported again for free."
	case r.Source == SourceList:
		mend = ": the list is empty."
	case r.Query.Root != nil:
		mend = ": no company meets all filters at once. Leave one out; POST /companies/search counts the matches for free."
	}
	return fault.New(fault.NoCandidates, "No companies match the export criteria%s", mend).
		With("warnings", append([]Warning{}, warnings...))
}

// worst is the likeliest reason for an empty result: a value that was to be there, best with one that was meant. Nil
// without any.
func worst(warnings []Warning) *Warning {
	var found *Warning
	for i, w := range warnings {
		if strings.HasPrefix(w.Field, "exclude_") {
			continue
		}
		if w.Suggestion != nil {
			return &warnings[i]
		}
		if found == nil {
			found = &warnings[i]
		}
	}
	return found
}

func (x *Exports) source(ctx context.Context, ws id.Workspace, r Request, without *company.Set) (*index.Selected, error) {
	if r.Source == SourceList {
		return x.listed(ctx, ws, r, without)
	}
	found, err := x.index.Select(ctx, index.Selection{
		Query: r.Query, Sort: r.Sort, Limit: r.Terms.rowsMax(), Without: without,
	})
	if err != nil {
		return nil, fmt.Errorf("select companies: %w", err)
	}
	return found, nil
}

// listed is a list's companies in the order in which the catalog met them.
func (x *Exports) listed(ctx context.Context, ws id.Workspace, r Request, without *company.Set) (*index.Selected, error) {
	set, err := x.lists.Companies(ctx, ws, r.List)
	if err != nil {
		return nil, err
	}
	if without != nil {
		set = set.Minus(*without)
	}
	numbers := make([]company.Number, 0, min(set.Len(), r.Terms.rowsMax()))
	for n := range set.All() {
		if len(numbers) == r.Terms.rowsMax() {
			break
		}
		numbers = append(numbers, n)
	}
	return &index.Selected{Numbers: numbers, Total: set.Len()}, nil
}

func insertSelection(ctx context.Context, tx *db.Tx, export id.Export, numbers []company.Number) error {
	const q = `INSERT INTO export_selection (export_id, companies) VALUES ($1, $2)`
	if _, err := tx.ExecContext(ctx, q, export, packNumbers(numbers)); err != nil {
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
	return unpackNumbers(packed)
}

func packNumbers(numbers []company.Number) []byte {
	b := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func (s *selection) unpack(packed []byte) (err error) {
	s.numbers, err = unpackNumbers(packed)
	s.set = company.SetOf(s.numbers...)
	return err
}

var errSelection = errors.New("damaged selection")

func unpackNumbers(b []byte) ([]company.Number, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("%w: %d bytes", errSelection, len(b))
	}
	numbers := make([]company.Number, 0, len(b)/4)
	for ; len(b) > 0; b = b[4:] {
		numbers = append(numbers, company.Number(binary.LittleEndian.Uint32(b)))
	}
	return numbers, nil
}

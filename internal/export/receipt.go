package export

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/unlock"
)

// ReceiptLine is what one row of an export's file cost. The company is its current record, without connections, as the caller
// sees it: a refunded one may be locked again.
type ReceiptLine struct {
	Company    *company.Company
	Locked     company.FieldSet // the fields that are left out of Company
	Charged    bool             // by this export; otherwise the workspace owned it already
	UnlockedBy id.Export        // the export that was charged for the company; this one if Charged
	UnlockedAt time.Time        // when that was
	RefundedAt *time.Time       // when this export refunded its credit; nil if it did not
}

// Price returns what the line cost in the end, with the API's word for it: 1 credit if charged, 0 if refunded or owned.
func (l ReceiptLine) Price() (status string, credits int) {
	switch {
	case l.RefundedAt != nil:
		return "refunded", 0
	case l.Charged:
		return "charged", 1
	}
	return "owned", 0
}

// receiptChunk is the number of lines that EachReceiptLine reads at a time.
const receiptChunk = 1000

// Receipt returns the next limit lines of an export's receipt, in the order of the file's rows, and the cursor of the page
// after them, which is empty at the end. An empty cursor asks for the first page. Faults: NotFound for an export of
// another workspace, InvalidCursor for a cursor that Receipt did not return for this export.
func (x *Exports) Receipt(
	ctx context.Context, caller auth.Caller, export id.Export, after string, limit int,
) (lines []ReceiptLine, next string, err error) {
	e, numbers, err := x.receiptOf(ctx, caller, export)
	if err != nil {
		return nil, "", err
	}
	scope := cursor.NewScope("receipt", export)
	position, err := scope.Decode(after)
	if err != nil {
		return nil, "", err
	}
	from := 0 // the rows of an export never change, so their count says where a page begins
	if position != nil {
		if from, err = strconv.Atoi(string(position)); err != nil || from < 1 || from >= len(numbers) {
			return nil, "", cursor.Unreadable(err)
		}
	}
	to := min(from+limit, len(numbers))
	if lines, err = x.receiptLines(ctx, caller, e, numbers[from:to]); err != nil {
		return nil, "", err
	}
	if to < len(numbers) {
		next = scope.Encode([]byte(strconv.Itoa(to)))
	}
	return lines, next, nil
}

// EachReceiptLine calls fn for every line of an export's receipt, in the order of the file's rows. NotFound, before the
// first call, for an export of another workspace.
func (x *Exports) EachReceiptLine(ctx context.Context, caller auth.Caller, export id.Export, fn func(ReceiptLine) error) error {
	e, numbers, err := x.receiptOf(ctx, caller, export)
	if err != nil {
		return err
	}
	for len(numbers) > 0 {
		n := min(len(numbers), receiptChunk)
		lines, err := x.receiptLines(ctx, caller, e, numbers[:n])
		if err != nil {
			return err
		}
		for _, l := range lines {
			if err := fn(l); err != nil {
				return err
			}
		}
		numbers = numbers[n:]
	}
	return nil
}

func (x *Exports) receiptOf(ctx context.Context, caller auth.Caller, export id.Export) (Export, []company.Number, error) {
	e, err := x.Get(ctx, caller, export)
	if err != nil {
		return Export{}, nil, err
	}
	numbers, err := readSelection(ctx, x.db.Read(), e.ID)
	return e, numbers, err
}

// receiptLines reads the log of unlocks back from the purchase. The last export that unlocked a company by then is the one
// that paid for it.
func (x *Exports) receiptLines(ctx context.Context, caller auth.Caller, e Export, numbers []company.Number) ([]ReceiptLine, error) {
	asked := company.SetOf(numbers...)
	origins, err := x.unlock.Origins(ctx, e.Workspace, e.unlockSeq, asked)
	if err != nil {
		return nil, fmt.Errorf("receipt of export %s: %w", e.ID, err)
	}
	returned, err := x.unlock.GivenBack(ctx, e.Workspace, e.ID)
	if err != nil {
		return nil, fmt.Errorf("receipt of export %s: %w", e.ID, err)
	}
	companies, err := x.named(ctx, numbers)
	if err != nil {
		return nil, fmt.Errorf("receipt of export %s: %w", e.ID, err)
	}
	locked, full, err := x.hidden(ctx, caller)
	if err != nil {
		return nil, err
	}
	owned, err := x.unlock.Owned(ctx, e.Workspace)
	if err != nil {
		return nil, err
	}
	// An export that was cancelled or has failed may contain companies that the workspace does not own.
	if err := x.wall.Show(ctx, caller, asked.Minus(owned)); err != nil {
		return nil, err
	}
	paid, back := byNumber(origins, asked), byNumber(returned, asked)
	lines := make([]ReceiptLine, len(numbers))
	for i, n := range numbers {
		origin := paid[n]
		lines[i] = ReceiptLine{
			Company: companies[n], Charged: origin.Export == e.ID, UnlockedBy: origin.Export, UnlockedAt: origin.At,
		}
		if b, ok := back[n]; ok {
			lines[i].RefundedAt = &b.At
		}
		if !full.Has(n) {
			lines[i].Company, lines[i].Locked = companies[n].Masked(locked), locked
		}
	}
	return lines, nil
}

// hidden returns the fields that the caller does not see, and the companies that are shown with all fields nevertheless.
func (x *Exports) hidden(ctx context.Context, caller auth.Caller) (locked company.FieldSet, full company.Set, err error) {
	if locked, err = x.wall.Locked(ctx, caller); err != nil || locked.IsEmpty() {
		return locked, full, err
	}
	full, err = x.unlock.Delivered(ctx, caller.Workspace)
	return locked, full, err
}

// named returns the companies by number. Removed companies, which only an export without a file can have, have just
// number and id.
func (x *Exports) named(ctx context.Context, numbers []company.Number) (map[company.Number]*company.Company, error) {
	companies, err := x.catalog.ByNumbers(ctx, numbers)
	if err != nil {
		return nil, err
	}
	if len(companies) < len(numbers) {
		stubs, err := x.catalog.Stubs(ctx, numbers)
		if err != nil {
			return nil, err
		}
		companies = append(stubs, companies...)
	}
	found := make(map[company.Number]*company.Company, len(numbers))
	for _, c := range companies {
		found[c.Number] = c
	}
	for _, n := range numbers {
		if found[n] == nil {
			return nil, fmt.Errorf("company %d is not in the catalog", n)
		}
	}
	return found, nil
}

func byNumber(changes []unlock.Change, asked company.Set) map[company.Number]unlock.Change {
	found := map[company.Number]unlock.Change{}
	for _, c := range changes {
		for n := range c.Companies.And(asked).All() {
			found[n] = c
		}
	}
	return found
}

// ReceiptColumns returns the columns of a receipt as a table, in the order of the cells of ReceiptRows.
func ReceiptColumns() []string {
	return []string{"company_id", "name", "domain", "status", "credits", "unlocked_by", "unlocked_at", "refunded_at", "export_id", "read_at"}
}

// ReceiptRows returns a function that calls row for each line of the export's receipt, as by EachReceiptLine. A cell is a
// string, an int or a time.Time, or nil.
func (x *Exports) ReceiptRows(ctx context.Context, caller auth.Caller, export id.Export) func(row func(cells ...any) error) error {
	return func(row func(cells ...any) error) error {
		now := time.Now().UTC().Truncate(time.Second)
		return x.EachReceiptLine(ctx, caller, export, func(l ReceiptLine) error {
			status, credits := l.Price()
			var refunded any
			if l.RefundedAt != nil {
				refunded = *l.RefundedAt
			}
			return row(l.Company.ID.String(), l.Company.Name, l.Company.Domain, status, credits, l.UnlockedBy.String(),
				l.UnlockedAt, refunded, export.String(), now)
		})
	}
}

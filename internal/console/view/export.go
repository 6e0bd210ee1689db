package view

import (
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/export"
)

// Exports is a page of a workspace's exports.
type Exports struct {
	Exports []export.Export
	Next    string
	Later   bool
}

// Export is the page of one export.
type Export struct {
	export.Export
	By    string // the name of the buyer; empty if it is no longer known
	From  string // the name of its list; empty for a search
	Order string // the name of the standing order that bought it; empty without one, or if it was deleted
	Chips []Chip

	Unreadable bool // the filters of its search cannot be read

	Delivery *delivery.Delivery // nil without a destination
	To       string             // the name of its destination; empty if that was deleted
}

// CanDeliver reports whether the export can be delivered again.
func (v *Export) CanDeliver() bool {
	return v.Status == export.StatusCompleted && v.To != "" && (v.Delivery.State != delivery.Pending || v.Delivery.NextAt != nil)
}

// Running reports whether the export is not final yet.
func (v *Export) Running() bool {
	return v.Status == export.StatusPending || v.Status == export.StatusProcessing
}

// Receipt is a page of an export's receipt.
type Receipt struct {
	export.Export
	Lines []export.ReceiptLine
	Next  string
	Later bool
}

// statusTone returns the colour class of a status.
func statusTone(s export.Status) string {
	switch s {
	case export.StatusCompleted:
		return "good"
	case export.StatusFailed:
		return "bad"
	case export.StatusCancelled:
		return "warn"
	default:
		return "info"
	}
}

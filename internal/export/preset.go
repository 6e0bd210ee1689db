package export

import (
	"cmp"
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
)

// WithPreset returns the request with the columns and the headers of its preset. A format without a header row has the names of the
// fields, whatever the preset says. Validation if the workspace has no such preset, and for columns or headers beside one.
func (x *Exports) WithPreset(ctx context.Context, caller auth.Caller, r Request) (Request, error) {
	if r.Preset.IsZero() {
		return r, nil
	}
	var errs []fault.FieldError
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	if len(r.Options.Columns) > 0 {
		bad("columns", "is chosen by the preset; send columns or preset_id, not both")
	}
	if r.Options.Headers != "" {
		bad("header_row", "is chosen by the preset; send header_row or preset_id, not both")
	}
	const unknown = "is not a column preset of this workspace"
	if x.presets == nil {
		bad("preset_id", unknown)
		return r, fault.Invalid(errs...)
	}
	p, err := x.presets.Get(ctx, caller.Workspace, r.Preset)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		bad("preset_id", unknown)
	case err != nil:
		return r, err
	case len(p.Columns) == 0: // an empty list would stand for all columns
		bad("preset_id", "is a preset whose columns no longer exist; change it first")
	}
	if err := fault.Invalid(errs...); err != nil {
		return r, err
	}
	r.Options.Columns = p.Columns
	// With a quote and without a format, the format is that of the quote, which is read later.
	if f := cmp.Or(r.Format, format.CSV); f.HasHeaderRow() {
		r.Options.Headers = format.HeadersName
		if p.Labels {
			r.Options.Headers = format.HeadersLabel
		}
	}
	return r, nil
}

package api

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/idempotency"
)

func (s *server) cancelExport(ctx context.Context, caller auth.Caller, in *oneExportInput, a *idempotency.Attempt) error {
	deliveries, err := s.Deliveries.Of(ctx, in.Export)
	if err != nil {
		return err
	}
	e, err := s.Exports.Cancel(ctx, caller, in.Export, idempotency.Last(a, rendered(func(e export.Export) ExportDetail { return exportDetailOf(e, deliveries) })))
	spent(ctx, -e.Refunded)
	return err
}

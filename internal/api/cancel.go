package api

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/idempotency"
)

func (s *server) cancelExport(ctx context.Context, caller auth.Caller, in *oneExportInput, a *idempotency.Attempt) error {
	e, err := s.Exports.Cancel(ctx, caller, in.Export, idempotency.Last(a, rendered(exportDetailOf)))
	spent(ctx, -e.Refunded)
	return err
}

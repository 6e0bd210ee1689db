package api

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/replay"
)

func (s *server) cancelExport(ctx context.Context, caller auth.Caller, in *oneExportInput, a *replay.Attempt) error {
	_, err := s.Exports.Cancel(ctx, caller, in.Export, replay.Last(a, rendered(exportDetailOf)))
	return err
}

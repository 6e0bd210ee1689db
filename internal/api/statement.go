package api

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

// StatementResponse is what happened to the credits of a workspace in a month.
type StatementResponse struct {
	WorkspaceID    id.Workspace  `json:"workspace_id" format:"uuid" doc:"The id of the workspace."`
	Month          string        `json:"month" doc:"The month, in UTC." example:"2026-03"`
	From           time.Time     `json:"from" doc:"The beginning of the month."`
	To             time.Time     `json:"to" doc:"The end of the month, exclusive."`
	OpeningBalance int64         `json:"opening_balance" doc:"The balance at the beginning of the month." example:"1430"`
	ClosingBalance int64         `json:"closing_balance" doc:"The balance at the end of the month: the opening balance and all amounts." example:"1250"`
	Items          []LedgerEntry `json:"items" doc:"The entries of the month, oldest first."`
	orCSV
	signed
}

type statementInput struct {
	Month  string `path:"month" example:"2026-03" doc:"The month."`
	Format string `query:"format" enum:"json,csv" default:"json" doc:"csv has the entries alone, with workspace_id and month in every row."`
}

func (s *server) getStatement(ctx context.Context, caller auth.Caller, in *statementInput) (*StatementResponse, error) {
	st, err := s.Credits.Statement(ctx, caller.Workspace, in.Month)
	if err != nil {
		return nil, err
	}
	if in.Format == formatCSV {
		return &StatementResponse{orCSV: orCSV{&httpx.CSV{FileName: "statement-" + in.Month + ".csv", Columns: credit.StatementColumns(), Rows: st.Rows}}}, nil
	}
	out := &StatementResponse{
		WorkspaceID: st.Workspace, Month: st.Month, From: st.From, To: st.To, OpeningBalance: st.Opening, ClosingBalance: st.Closing, Items: []LedgerEntry{},
	}
	for _, e := range st.Entries {
		out.Items = append(out.Items, ledgerEntryOf(e))
	}
	return out, nil
}
